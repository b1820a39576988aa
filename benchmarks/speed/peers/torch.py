"""PyTorch, eager: fused Adam, batches by index_select, nothing fetched while it trains."""

from __future__ import annotations

import torch
from cases import data, weights
from torch.nn import functional

from peers import repeated


def module(task):
    """Return the network with the same first θ as the other peers'."""
    layers = []
    for W, b in weights(task):
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T.copy()))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def train(task):
    """Epochs on two threads, and on one, which suits small networks better."""
    X, y = map(torch.from_numpy, data(task))

    def build(threads: int):
        net = module(task)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=True)

        def epoch():
            for chosen in torch.randperm(task.n).split(task.batch):
                optimizer.zero_grad(set_to_none=True)
                outputs = net(X.index_select(0, chosen))
                functional.cross_entropy(outputs, y.index_select(0, chosen)).backward()
                optimizer.step()

        def run(epochs: int) -> int:
            torch.set_num_threads(threads)
            return repeated(epoch, task.steps)(epochs)

        def loss():
            with torch.no_grad():
                return functional.cross_entropy(net(X[:2000]), y[:2000]).item()

        return run, loss

    return {"2 threads": lambda: build(2), "1 thread": lambda: build(1)}


def rows(task):
    """Probabilities of all rows, without what gradients need."""
    X, _ = map(torch.from_numpy, data(task))
    net = module(task)

    @torch.inference_mode()
    def once():
        return torch.softmax(net(X), dim=1)

    return {"": lambda: repeated(once)}


def gradient(task):
    """The loss on all rows, and its gradient."""
    X, y = map(torch.from_numpy, data(task))
    net = module(task)
    parameters = list(net.parameters())

    def once():
        return torch.autograd.grad(functional.cross_entropy(net(X), y), parameters)

    return {"": lambda: repeated(once)}


MAKERS = {f.__name__: f for f in (train, rows, gradient)}
torch.set_num_threads(2)
