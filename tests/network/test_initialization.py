"""Where θ starts: spreads, shapes and reproducibility of every rule."""

import numpy as np
import pytest

from lamina.exceptions import ShapeError, UnknownNameError
from lamina.network.activations import ACTIVATIONS, get_activation
from lamina.network.initialization import INITIALIZERS
from lamina.network.network import Network

N_IN, N_OUT = 300, 200
VARIANCES = {
    "glorot": 2.0 / (N_IN + N_OUT),
    "he": 2.0 / N_IN,
    "lecun": 1.0 / N_IN,
}


def start(sizes, initialization, seed=0, activation="tanh", dtype="float64"):
    """Return a network at its first θ."""
    names = [activation] * (len(sizes) - 1)
    return Network(sizes, names, initialization=initialization, random_state=seed, dtype=dtype)


@pytest.mark.parametrize("rule", VARIANCES)
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_spread_is_that_of_the_rule(rule, shape):
    """60,000 weights have mean 0 and the rule's variance; the uniform ones end at √(3 var)."""
    net = start([N_IN, N_OUT], f"{rule}_{shape}")
    W, variance = net.W[1], VARIANCES[rule]
    assert abs(W.mean()) <= 5 * np.sqrt(variance / W.size)
    assert abs(W.var() / variance - 1) <= 0.03
    limit = np.sqrt(3 * variance)
    if shape == "uniform":
        assert 0.999 * limit <= np.abs(W).max() <= limit
    else:
        assert np.abs(W).max() > 1.5 * limit
    assert np.all(net.b[1] == 0)


@pytest.mark.parametrize(("n_in", "n_out"), [(5, 5), (5, 3), (3, 5), (1, 4), (4, 1)])
def test_orthogonal_rows_or_columns_are_orthonormal(n_in, n_out):
    """W Wᵗ or WᵗW, whichever is smaller, is the identity."""
    W = start([n_in, n_out], "orthogonal").W[1]
    product = W @ W.T if n_out <= n_in else W.T @ W
    np.testing.assert_allclose(product, np.eye(min(n_in, n_out)), atol=1e-14)


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 7), (3, 8), (4, 1)])
def test_nguyen_widrow_rows_have_their_length(n_in, n_out):
    """Every row of W is 0.7 n_out^(1/n_in) long and the biases are spread within that."""
    net = start([n_in, n_out], "nguyen_widrow")
    length = 0.7 * n_out ** (1 / n_in)
    np.testing.assert_allclose(np.linalg.norm(net.W[1], axis=1), length, rtol=1e-14)
    assert np.all(np.abs(net.b[1]) <= length)
    assert np.ptp(net.b[1]) > 0 or n_out == 1


def test_zeros_are_zeros():
    """The rule "zeros" clears weights and biases."""
    assert np.all(start([3, 4, 2], "zeros").theta == 0)


def test_given_theta_is_copied():
    """A given θ is taken as it is, and stays the caller's own."""
    theta = np.arange(13.0)
    net = start([2, 3, 1], theta)
    np.testing.assert_array_equal(net.theta, theta)
    net.theta[0] = 99.0
    assert theta[0] == 0.0


@pytest.mark.parametrize("name", sorted(ACTIVATIONS._builtin))
def test_auto_is_chosen_by_activation(name):
    """Each layer starts by the rule that its own activation asks for."""
    auto = start([4, 3, 2], "auto", activation=name)
    chosen = start([4, 3, 2], get_activation(name).initialization, activation=name)
    np.testing.assert_array_equal(auto.theta, chosen.theta)


def test_auto_differs_between_layers():
    """A relu layer starts as he_uniform and a tanh layer after it as glorot_uniform."""
    sizes, activations = [400, 100, 100], ["relu", "tanh"]
    W = Network(sizes, activations, random_state=0).W
    assert 0.99 <= np.abs(W[1]).max() / np.sqrt(6 / 400) <= 1
    assert 0.99 <= np.abs(W[2]).max() / np.sqrt(6 / 200) <= 1


@pytest.mark.parametrize("rule", INITIALIZERS)
def test_start_is_reproducible(rule):
    """The same seed gives the same θ, another seed another, and a generator moves on."""
    first = start([3, 4, 2], rule, seed=1).theta
    np.testing.assert_array_equal(first, start([3, 4, 2], rule, seed=1).theta)
    if rule != "zeros":
        assert np.any(first != start([3, 4, 2], rule, seed=2).theta)
        generator = np.random.default_rng(1)
        np.testing.assert_array_equal(first, start([3, 4, 2], rule, seed=generator).theta)
        assert np.any(first != start([3, 4, 2], rule, seed=generator).theta)


@pytest.mark.parametrize("rule", INITIALIZERS)
def test_float32_starts_where_float64_does(rule):
    """The same seed gives the same numbers in both precisions, rounded."""
    single, double = (start([3, 4, 2], rule, dtype=dtype).theta for dtype in ("float32", "float64"))
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("name", ["relu", "gelu", "tanh", "selu", "silu", "leaky_relu"])
def test_auto_keeps_signals_at_scale(name):
    """Through ten layers of 200 units the signal neither dies nor explodes."""
    net = start([200] * 11, "auto", activation=name)
    A = net.forward(np.random.default_rng(0).normal(size=(200, 50)))[1]
    assert 0.01 <= np.sqrt(np.mean(A[-1] ** 2)) <= 10


def test_unknown_rule_lists_the_known_ones():
    """A misspelled rule is answered with all rules."""
    with pytest.raises(UnknownNameError, match=r"'xavier'.*glorot_uniform.*orthogonal"):
        start([2, 1], "xavier")


@pytest.mark.parametrize("theta", [np.zeros(12), np.zeros((13, 1)), 1.0])
def test_theta_of_another_shape_is_refused(theta):
    """A θ of another length is refused with the number of parameters."""
    with pytest.raises(ShapeError, match="13 parameters"):
        start([2, 3, 1], theta)
