"""Networks with everything that a recipe may have, and data with weights."""

from types import SimpleNamespace

import numpy as np
import pytest

from lamina.data.columns import Matrix
from lamina.engines.protocol import Data, Epoch
from lamina.network.network import Network
from lamina.network.penalties import Penalty

N = 29

KINDS = {  # hidden activations, error, outputs, penalties
    "squared": (["tanh"], "squared", 2, None),
    "deep": (["silu", "softplus", "tanh"], "huber(0.3)", 1, Penalty(l2=0.2, biases=True)),
    "classes": (["gelu"], "cross_entropy", 3, Penalty(l1=0.05, l2=0.1)),
    "spread": (["softmax", "tanh"], "gaussian_nll", 2, None),
    "no hidden layer": ([], "binary_cross_entropy", 2, Penalty(l1=0.1)),
}


def draw(kind, *, weighted=True, dtype="float64", n=N, seed=0):
    """Return a network, its X, T and weights, and the same as the data of an engine."""
    random = np.random.default_rng(seed)
    hidden, error, outputs, penalties = KINDS[kind]
    sizes = [4, *[5] * len(hidden), outputs]
    net = Network(sizes, hidden, error=error, penalties=penalties, random_state=seed, dtype=dtype)
    net.theta = net.theta + 0.3 * random.normal(size=net.theta.size)
    X = random.normal(size=(4, n))
    T = random.normal(size=(outputs // net.recipe.error.outputs_per_target, n))
    if kind == "classes":
        T = np.eye(outputs)[:, random.integers(outputs, size=n)]
    if kind == "no hidden layer":
        T = (T > 0).astype(float)
    X, T = X.astype(dtype), T.astype(dtype)
    weights = random.uniform(0.1, 3.0, size=n) if weighted else None
    data = Data(Matrix(X, net.dtype), Matrix(T, net.dtype), np.arange(n), weights)
    return SimpleNamespace(net=net, X=X, T=T, weights=weights, data=data)


def plan(order, batch_size, coefficients, **options):
    """Return an epoch of steps with these coefficients, without dropout and clipping by default."""
    steps = -(-len(order) // batch_size)
    record = {
        "order": np.asarray(order),
        "batch_size": batch_size,
        "rates": np.ones(steps),
        "coefficients": np.broadcast_to(np.asarray(coefficients, dtype=float), (steps, 1)),
        "dropout": (),
        "key": (0, 0),
        "max_gradient_norm": float("inf"),
    }
    return Epoch(**(record | options))


@pytest.fixture(name="kinds", scope="session")
def kinds_fixture():
    """Give tests the functions that draw networks and plan epochs."""
    return SimpleNamespace(draw=draw, plan=plan, N=N)
