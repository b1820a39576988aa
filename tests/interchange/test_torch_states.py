"""Networks as states of PyTorch, and back."""

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError, ShapeError


def forward(state, rows, activation):
    """Return what PyTorch's Sequential of these layers gives, hidden layers with an activation."""
    places = sorted({int(name.partition(".")[0]) for name in state})
    for place in places:
        rows = rows @ state[f"{place}.weight"].T + state[f"{place}.bias"]
        rows = rows if place == places[-1] else activation(rows)
    return rows


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_network_returns(dtype):
    """A network is the same after the way there and back, its precision too."""
    net = lamina.Network([3, 5, 4, 2], ["tanh", "tanh", "identity"], random_state=0, dtype=dtype)
    state = lamina.to_torch(net)
    assert list(state) == [f"{k}.{part}" for k in (0, 2, 4) for part in ("weight", "bias")]
    back = lamina.from_torch(state, ["tanh", "tanh"])
    assert back.dtype == dtype
    assert np.array_equal(back.theta, net.theta)
    rows = np.random.default_rng(0).normal(size=(9, 3))
    assert np.allclose(forward(state, rows, np.tanh), net(rows.T).T, rtol=0, atol=1e-6)


def test_scaling_is_folded():
    """The state of a regressor takes inputs and answers in their units."""
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(50, 3)) * 9.0 + 4.0, random.normal(size=(50, 2)) * 30.0 - 7.0
    model = lamina.FeedForwardRegressor((4,), activation="tanh", max_iter=2, random_state=0)
    state = lamina.to_torch(model.fit(X, Y))
    assert np.allclose(forward(state, X, np.tanh), model.predict(X), rtol=1e-12, atol=1e-12)


def test_state_may_be_part_of_another():
    """Names may begin with that of a module, places may be any, and biases may be missing."""
    state = {
        "body.3.weight": np.ones((1, 2)),
        "body.1.weight": np.eye(2),
        "body.1.bias": [1.0, 2.0],
    }
    net = lamina.from_torch(state, ["relu", "identity"])
    assert net([1.0, 1.0]) == pytest.approx([5.0])


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ({}, InvalidValueError, "empty"),
        ({"fc.weight": np.eye(2)}, InvalidValueError, "'fc.weight' is no weight"),
        ({"0.weight": np.ones((2, 3, 3))}, InvalidValueError, "no Linear layer"),
        ({"0.bias": np.ones(2)}, InvalidValueError, "no Linear layer"),
        ({"0.weight": np.eye(2, dtype=int)}, InvalidTypeError, "real numbers"),
        ({"0.weight": np.eye(2), "0.bias": np.ones(3)}, ShapeError, "layer 1"),
        ({"0.weight": np.eye(2), "1.weight": np.eye(3)}, ShapeError, "follow each other"),
        ({"a.0.weight": np.eye(2), "b.1.weight": np.eye(2)}, InvalidValueError, "several parts"),
    ],
)
def test_other_states_are_refused(state, error, words):
    """What is no stack of Linear layers is refused with the reason."""
    with pytest.raises(error, match=words):
        lamina.from_torch(state, ["identity"] * 2)


def test_categories_are_refused():
    """Weights alone cannot hold categories, and the error says what can."""
    table = {"a": np.array(["x", "y", "z"] * 9, dtype=object), "b": np.arange(27.0)}
    model = lamina.FeedForwardRegressor((2,), max_iter=1).fit(table, np.arange(27.0))
    with pytest.raises(InvalidValueError, match=r"categories.*onnx"):
        lamina.to_torch(model)
