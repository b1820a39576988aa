"""torch.compile: gather, gradient and Adam of one step as a single graph."""

from __future__ import annotations

import torch
from cases import data, weights
from torch.nn import functional

MODES = ("default", "max-autotune-no-cudagraphs")
RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-8


def outputs(theta, A):
    """Return A_L before softmax; θ is a flat list of W, outputs × inputs, and b."""
    for l in range(0, len(theta), 2):  # noqa: E741 - the layer
        A = functional.linear(A, theta[l], theta[l + 1])
        A = torch.relu(A) if l < len(theta) - 2 else A
    return A


def error(theta, X, y):
    """Return J."""
    return functional.cross_entropy(outputs(theta, X), y)


def make_step(X, y):
    """Return the step as a function that can be compiled as a whole."""

    def step(theta, m, v, count, chosen):
        batch = X.index_select(0, chosen), y.index_select(0, chosen)
        gradient = torch.func.grad(error)(theta, *batch)
        count += 1
        rate, correction = RATE / (1 - BETA_1**count), 1 / (1 - BETA_2**count)
        for p, m_p, v_p, g in zip(theta, m, v, gradient, strict=True):
            m_p.mul_(BETA_1).add_(g, alpha=1 - BETA_1)
            v_p.mul_(BETA_2).addcmul_(g, g, value=1 - BETA_2)
            p.sub_(rate * m_p / ((v_p * correction).sqrt() + EPSILON))

    return step


def train(task):
    """Epochs in two modes of compilation."""
    X, y = map(torch.from_numpy, data(task))

    def build(mode: str):
        torch.compiler.reset()
        theta = [torch.from_numpy(a.T.copy()) for pair in weights(task) for a in pair]
        m, v = ([torch.zeros_like(p) for p in theta] for _ in range(2))
        count = torch.zeros(())
        step = torch.compile(make_step(X, y), fullgraph=True, mode=mode)

        @torch.no_grad()
        def run(epochs: int) -> int:
            for _ in range(epochs):
                for chosen in torch.randperm(task.n).split(task.batch):
                    step(theta, m, v, count, chosen)
            return epochs * task.steps

        return run, lambda: error(theta, X[:2000], y[:2000]).item()

    return {mode: lambda mode=mode: build(mode) for mode in MODES}


MAKERS = {"train": train}
torch.set_num_threads(2)
