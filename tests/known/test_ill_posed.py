"""What has no one answer still ends: a finite network, a stated reason, and J no higher."""

import numpy as np
import pytest

import lamina
from lamina.network.network import Network
from lamina.training.solvers import SOLVERS
from lamina.training.stopping import REASONS

FULL_BATCH = sorted(name for name in SOLVERS.names() if not SOLVERS.parse(name).minibatch)
UNITS = 5


def draw(case):
    """Return the kind of estimator, its options, X and y."""
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3))
    y = np.sin(X[:, 0]) + X[:, 1]
    kind, options = "FeedForwardRegressor", {}
    if case == "duplicate columns":
        X[:, 2] = X[:, 1]
    elif case == "constant column":
        X[:, 2] = 7.0
    elif case == "dead units":
        options = {"activation": "relu", "initialization": with_dead_units()}
    elif case == "more parameters than data":
        X, y = X[:4], y[:4]
    elif case == "one data point":
        X, y = X[:1], y[:1]
    elif case == "constant target":
        y = np.full(40, 3.0)
    elif case == "perfect fit":
        y, options = 2.0 * X[:, 0] - X[:, 1] + 1.0, {"activation": "identity"}
    elif case == "separable classes":
        kind, y = "FeedForwardClassifier", (X[:, 0] > 0).astype(int) + (X[:, 0] > 1)
    return kind, options, X, y


def with_dead_units():
    """Return θ of a network in which three of five units are 0 for every data point."""
    net = Network([3, UNITS, 1], ["relu"], random_state=0)
    net.b[1][:3] = -100.0
    return net.theta


CASES = [
    "duplicate columns",
    "constant column",
    "dead units",
    "more parameters than data",
    "one data point",
    "constant target",
    "perfect fit",
    "separable classes",
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_ill_posed_case_ends_in_a_stated_finite_result(solver, case, dtype):
    """No warning, a reason to stop, finite predictions and memory, and J not above its start."""
    kind, options, X, y = draw(case)
    options = {"activation": "tanh", "alpha": 0.0, "random_state": 0} | options
    model = getattr(lamina, kind)((UNITS,), solver=solver, dtype=dtype, max_iter=100, **options)
    model.fit(X, y)
    assert model.stop_reason_ in REASONS.keys() - {"diverged", "interrupted"}
    assert np.all(np.isfinite(model.network_.theta))
    assert all(np.all(np.isfinite(array)) for array in model.state_.memory.values())
    after = model.objective(X, y)
    assert np.isfinite(after)
    outputs = model.predict_proba(X) if kind == "FeedForwardClassifier" else model.predict(X)
    assert np.all(np.isfinite(outputs))
    model.network_.theta = first_theta(kind, dtype, options, X, y)
    before = model.objective(X, y)
    assert after <= before * (1.0 + 1e-6)
    fitted = {"one data point", "constant target", "perfect fit"}
    if solver != "bayesian_regularization":  # by the evidence a few random targets may be noise
        fitted.add("more parameters than data")
    if case in fitted:
        assert np.allclose(outputs, y, atol=0.2)
    if case == "separable classes":
        assert np.array_equal(outputs.argmax(axis=1), y)


def first_theta(kind, dtype, options, X, y):
    """Return θ before training: that of a network which learns at no rate to speak of."""
    options = options | {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}
    still = getattr(lamina, kind)((UNITS,), dtype=dtype, **options)
    return still.fit(X, y).network_.theta
