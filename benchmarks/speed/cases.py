"""What is measured: each task by name, with its network, its data and what it should reach."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Task:
    """One measurement, which every peer that can do it does alike.

    `kind` names the function of a peer that sets it up; `S` are the layers, `batch` and `n` the
    data points of a step and of an epoch. `against` and `floor` are the targets: the best peer's
    time over ours, at least, and ours over the floor, at most; `peer` names the one peer that
    the target speaks of. `limit` is a target in seconds.
    """

    name: str
    kind: str
    title: str
    unit: str
    S: tuple[int, ...]
    n: int
    batch: int = 0
    against: float | None = None
    floor: float | None = None
    peer: str | None = None
    limit: float | None = None

    @property
    def steps(self) -> int:
        """Steps of an epoch; n is a multiple of the batch."""
        return self.n // self.batch

    @property
    def flops(self) -> int:
        """Operations of the products of one step: forward, dW, and Δ of all layers but 0."""
        S = self.S
        inner = sum(a * b for a, b in itertools.pairwise(S))
        return 6 * self.batch * inner - 2 * self.batch * S[1] * S[0]


def _train(name: str, S: tuple[int, ...], batch: int, steps: int, **targets: float) -> Task:
    title = f"{name} {'-'.join(map(str, S))}, {batch}"
    return Task(name, "train", title, "step", S, batch * steps, batch, **targets)


DEEP = (50, 256, 256, 256, 2)
TASKS = (
    _train("tiny", (10, 32, 32, 2), 32, 640, against=8.0, floor=4.0),
    _train("tab", (20, 100, 2), 200, 100, against=5.0, floor=3.0),
    _train("real", DEEP, 256, 100, against=1.4, floor=1.25),
    _train("mnist32", (784, 128, 10), 32, 800, against=1.5, floor=1.8),
    _train("mnist128", (784, 256, 128, 10), 128, 200, against=1.3, floor=1.25),
    _train("big", (784, 1024, 1024, 10), 512, 12, against=1.1, floor=1.2),
    Task("predict", "predict", "predict of one row, 20-100-2", "call", (20, 100, 2), 1000),
    Task(
        "predictor",
        "predictor",
        "outputs of one row, bare, 20-100-2",
        "call",
        (20, 100, 2),
        1000,
        against=4.0,
        peer="onnx",
        limit=4e-6,
    ),
    Task("rows", "rows", "10,000 rows, 50-256-256-256-2", "call", DEEP, 10_000, 0, 1.15),
    Task(
        "gradient",
        "gradient",
        "full gradient, 20,000 rows, 50-256-256-256-2",
        "call",
        DEEP,
        20_000,
        20_000,
        against=1.2,
        peer="jax",
    ),
    Task("lbfgs", "lbfgs", "L-BFGS, 2,000 × 20, 50 hidden", "iteration", (20, 50, 2), 2000, 0, 4.0),
    Task("fits", "fits", "30 fits, 442 × 10, 50 epochs", "30 fits", (10, 100, 1), 442, 200, 5.0),
    Task(
        "search",
        "search",
        "GridSearchCV(n_jobs=2), 15 fits of 50 epochs",
        "search",
        (10, 100, 1),
        442,
        200,
        5.0,
    ),
)
BY_NAME = {task.name: task for task in TASKS}


def data(task: Task):
    """Return X, float32, and classes y that a random linear map of X chooses, with some noise."""
    random = np.random.default_rng(0)
    X = random.normal(size=(task.n, task.S[0])).astype(np.float32)
    scores = X @ random.normal(size=(task.S[0], task.S[-1])).astype(np.float32)
    scores += random.normal(size=scores.shape) * np.sqrt(task.S[0])
    return X, scores.argmax(axis=1).astype(np.int64)


def weights(task: Task):
    """Return W, inputs × outputs, and b of every layer, float32: the first θ of peers we set up."""
    random = np.random.default_rng(1)
    pairs = zip(task.S[:-1], task.S[1:], strict=True)
    return [
        ((random.normal(size=pair) * np.sqrt(2 / pair[0])).astype("f"), np.zeros(pair[1], "f"))
        for pair in pairs
    ]


def diabetes():
    """Return scikit-learn's table of 442 rows and 10 columns, the target standardized."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return X / X.std(axis=0), (y - y.mean()) / y.std()
