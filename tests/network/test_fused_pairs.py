"""Matched pairs of error and output activation: another way to the same H_L, stable everywhere."""

import numpy as np
import pytest

from lamina.network.activations import get_activation
from lamina.network.errors import get_error
from lamina.network.network import Network

PAIRS = {  # error, its natural activation, targets of two outputs
    "cross_entropy": ("softmax", (0.3, 0.7)),
    "kl_divergence": ("softmax", (0.3, 0.7)),
    "negative_log_likelihood": ("log_softmax", (0.3, 0.7)),
    "binary_cross_entropy": ("logistic", (0.3, 1.0)),
    "poisson": ("exponential", (0.0, 3.0)),
    "gamma": ("exponential", (0.5, 3.0)),
    "tweedie": ("exponential", (0.0, 3.0)),
    "tweedie(1.1)": ("exponential", (0.5, 3.0)),
}
CERTAIN = {  # a target that agrees with z = (+∞, -∞), where there is one
    "cross_entropy": (1.0, 0.0),
    "kl_divergence": (1.0, 0.0),
    "negative_log_likelihood": (1.0, 0.0),
    "binary_cross_entropy": (1.0, 0.0),
}
EXTREMES = [1e4, -1e4, 710.0, -710.0, 88.0, -88.0, 80.0, -80.0, 1e-30, 0.0]


def fused(error):
    """Return the pair seen from Z_L."""
    pair = get_error(error).seen_from(get_activation(PAIRS[error][0]))
    assert pair is not None
    return pair


def column(values, dtype=float):
    """Return one data point."""
    return np.array(values, dtype=dtype)[:, np.newaxis]


@pytest.mark.parametrize("error", PAIRS)
def test_pair_equals_the_composed_form(error):
    """H_L and J_n of the pair are those of the error after the activation, for moderate Z_L."""
    activation, record = get_activation(PAIRS[error][0]), get_error(error)
    Z = np.random.default_rng(0).normal(scale=2.0, size=(2, 200))
    T = np.repeat(column(PAIRS[error][1]), 200, axis=1)
    A = activation(Z)
    H = activation.pullback(Z, A, record.slopes(T, A))
    np.testing.assert_allclose(fused(error).slopes(T, Z), H, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        fused(error).values(T, Z), record.values(T, A), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("error", PAIRS)
def test_network_uses_the_pair_for_the_same_derivatives(error, draw_case):
    """The network's H_L is that of the pair; A_L and Delta_L are still those of the layers."""
    case = draw_case(30, error, ["tanh"])
    result, recipe = case.net.backpropagate(*case.data), case.net.recipe
    T, omega, L = case.T, case.omega, case.net.L
    A, Delta = result.A[L], recipe.error.slopes(T, result.A[L]) * omega
    np.testing.assert_array_equal(result.Delta[L], Delta)
    composed = recipe.activation(L).pullback(result.Z[L], A, Delta)
    np.testing.assert_allclose(result.H[L], composed, rtol=1e-11, atol=1e-15)
    np.testing.assert_array_equal(result.H[L], recipe.pair.slopes(T, result.Z[L]) * omega)


@pytest.mark.parametrize("error", ["cross_entropy", "binary_cross_entropy", "poisson"])
def test_matched_h_is_weighted_a_minus_t(error, draw_case):
    """For the canonical pairs H_L is ω (A_L - T), whatever the mix of targets and weights."""
    case = draw_case(31, error, ["tanh"])
    T = case.T if error != "cross_entropy" else case.T + 0.1
    T = T / T.sum(axis=0) if error == "cross_entropy" else T
    result = case.net.backpropagate(case.X, T, case.omega)
    np.testing.assert_allclose(result.H[2], case.omega * (result.A[2] - T), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("z", EXTREMES)
@pytest.mark.parametrize("error", PAIRS)
def test_pair_is_finite_at_extreme_outputs(error, z, dtype):
    """J_n and H_L stay finite, of their precision and silent at |z| = 1e4."""
    for targets in {PAIRS[error][1], CERTAIN.get(error, PAIRS[error][1])}:
        Z, T = column([z, -z], dtype), column(targets, dtype)
        for result in (fused(error).values(T, Z), fused(error).slopes(T, Z)):
            assert result.dtype == dtype
            assert np.all(np.isfinite(result))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("error", CERTAIN)
def test_certain_outputs_have_the_true_error(error, dtype):
    """Certainly right costs 0; certainly wrong costs |z|, where the composed form overflows."""
    T = column(CERTAIN[error], dtype)
    right, wrong = column([5e3, -5e3], dtype), column([-5e3, 5e3], dtype)
    cost = 1e4  # log-odds 1e4 between two classes; two binary outputs of 5e3 each
    assert fused(error).values(T, right) == 0.0
    assert fused(error).values(T, wrong) == cost
    np.testing.assert_array_equal(fused(error).slopes(T, right), [[0.0], [0.0]])
    np.testing.assert_array_equal(fused(error).slopes(T, wrong), [[-1.0], [1.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_error_keeps_its_digits_when_nearly_right(dtype):
    """-log(1 - small) is small: the pair does not subtract z from z."""
    z = np.linspace(0.0, 30.0, 61, dtype=dtype)[np.newaxis]
    exact = np.log1p(np.exp(-z.astype(float)))[0]
    values = fused("binary_cross_entropy").values(np.ones_like(z), z)
    np.testing.assert_allclose(values, exact, rtol=8 * np.finfo(dtype).eps)


def test_pair_is_used_with_its_own_activation_only():
    """Any other output layer is composed, even one that differs in a parameter or is shifted."""
    assert get_error("cross_entropy").seen_from(get_activation("log_softmax")) is None
    assert get_error("binary_cross_entropy").seen_from(get_activation("softmax")) is None
    assert get_error("poisson").seen_from(get_activation("softplus")) is None
    assert get_error("tweedie").seen_from(get_activation("identity")) is None
    assert get_error("squared").seen_from(get_activation("identity")) is None


@pytest.mark.parametrize("error", PAIRS)
def test_pair_of_the_wrong_activation_never_decides_the_error(error, draw_case):
    """The error of a network is the error of its outputs, matched or not."""
    for output in (None, "logistic", "softmax", "exponential"):
        if (error, output) == ("binary_cross_entropy", "exponential"):
            continue  # above 1 its logarithm has no value
        case = draw_case(33, error, ["tanh"], output, outputs=2)
        A = case.net(case.X)
        expected = get_error(error).values(case.T, A) @ case.omega
        np.testing.assert_allclose(case.net.error(*case.data), expected, rtol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_network_has_finite_derivatives(dtype):
    """A network whose outputs are far beyond certainty still backpropagates finite numbers."""
    T = np.eye(2)
    for error in ("cross_entropy", "binary_cross_entropy"):
        net = Network([2, 2], [], error=error, dtype=dtype, initialization=[0, 1e4, 1e4, 0, 0, 0])
        result = net.backpropagate(np.eye(2), T)
        for M in (result.H[1], result.dW[1], result.db[1], result.Delta[0]):
            assert np.all(np.isfinite(M))
        assert np.any(result.dW[1] != 0)
