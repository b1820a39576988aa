"""Problems of every kind, and engines that are plain functions of θ."""

from types import SimpleNamespace

import numpy as np
import pytest

from lamina.network.network import Network

N = 60  # data points of a problem

RECIPES = {  # hidden activations, error, output layer's units
    "regression": (["tanh"], "squared", 1),
    "two outputs": (["relu", "tanh"], "huber(0.5)", 2),
    "binary": (["tanh"], "binary_cross_entropy", 1),
    "classes": (["softplus"], "cross_entropy", 3),
    "counts": (["tanh"], "poisson", 1),
    "spread": (["tanh"], "gaussian_nll", 2),
}


def draw_problem(name, dtype="float64", seed=0):
    """Return a network, X and T, and as many data points for validation."""
    random = np.random.default_rng(seed)
    hidden, error, outputs = RECIPES[name]
    sizes = [3, *[6] * len(hidden), outputs]
    net = Network(sizes, hidden, error=error, random_state=seed, dtype=dtype)
    X = random.normal(size=(3, 2 * N))
    signal = np.sin(X[0]) + X[1] * X[2]
    T = {
        "regression": lambda: signal,
        "two outputs": lambda: np.stack([signal, X[0] ** 2]),
        "binary": lambda: (signal > 0).astype(float),
        "classes": lambda: np.eye(3)[:, np.digitize(signal, [-0.5, 0.5])],
        "counts": lambda: random.poisson(np.exp(0.5 * signal)).astype(float),
        "spread": lambda: signal + random.normal(size=2 * N) * np.exp(0.5 * X[0]),
    }[name]()
    X, T = X.astype(dtype), np.atleast_2d(T).astype(dtype)
    return SimpleNamespace(
        net=net, X=X[:, :N], T=T[:, :N], validation=(X[:, N:], T[:, N:]), name=name
    )


@pytest.fixture(name="draw_problem", scope="session")
def draw_problem_fixture():
    """Give tests the function that draws a network and its data."""
    return draw_problem


class FunctionEngine:
    """An engine whose J is a plain function of θ, with its gradient; data are ignored."""

    def __init__(self, size, function):
        self.recipe = SimpleNamespace(size=size)
        self.function, self.calls = function, 0

    def gradient(self, theta, data):
        """Return J and dJ/dθ."""
        del data
        self.calls += 1
        J, slope = self.function(theta)
        return float(J), np.asarray(slope, dtype=theta.dtype)


@pytest.fixture(name="function_engine", scope="session")
def function_engine_fixture():
    """Give tests the class of engines that are functions."""
    return FunctionEngine
