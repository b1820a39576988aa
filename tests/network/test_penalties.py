"""Penalties: their value, their slope, and how they are dealt to layers."""

import numpy as np
import pytest

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.network import Network
from lamina.network.penalties import Penalty, per_layer

W = np.array([[1.0, -2.0], [0.0, 3.0]])


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.25), (0.5, 0.25)])
def test_penalty_is_its_definition(l1, l2):
    """R is l1 Σ|w| + l2/2 Σw², and its slope l1 sign(w) + l2 w."""
    penalty = Penalty(l1, l2)
    assert penalty.value(W) == l1 * 6.0 + l2 / 2 * 14.0
    np.testing.assert_array_equal(penalty.derivative(W), l1 * np.sign(W) + l2 * W)
    assert bool(penalty) == (l1 > 0 or l2 > 0)


def test_penalty_slope_is_the_complex_step():
    """Away from 0 the slope is that of the value; at 0 it is 0, between -l1 and l1."""
    penalty, w = Penalty(0.3, 0.7), np.random.default_rng(0).normal(size=50)
    for i in range(50):
        step = w.astype(complex)
        step[i] += 1e-20j
        measured = np.imag(penalty.value(step)) / 1e-20
        np.testing.assert_allclose(penalty.derivative(w)[i], measured, rtol=1e-14)
    assert penalty.derivative(np.zeros(1))[0] == 0.0


def test_penalty_keeps_float32():
    """Strengths do not raise the precision of the weights."""
    w = W.astype(np.float32)
    assert Penalty(0.1, 0.1).derivative(w).dtype == np.float32
    assert np.asarray(Penalty(0.1, 0.1).value(w)).dtype == np.float32


@pytest.mark.parametrize("biases", [False, True])
def test_biases_are_exempt_unless_asked(biases):
    """The biases enter value and slope together, or neither."""
    net = Network([2, 3, 1], ["tanh"], penalties=Penalty(0.1, 0.2, biases=biases), random_state=0)
    for l in (1, 2):
        net.b[l][...] = 1.0
    X, T = np.eye(2), np.zeros((1, 2))
    plain = Network([2, 3, 1], ["tanh"], initialization=net.theta)
    slope, without = net.backpropagate(X, T), plain.backpropagate(X, T)
    R = sum(0.1 * np.abs(M).sum() + 0.1 * (M**2).sum() for M in net.W[1:])
    R += biases * sum(0.1 * np.abs(b).sum() + 0.1 * (b**2).sum() for b in net.b[1:])
    np.testing.assert_allclose(slope.J - without.J, R, rtol=1e-13)
    for l in (1, 2):
        expected = biases * np.full_like(net.b[l], 0.3)
        np.testing.assert_allclose(slope.db[l] - without.db[l], expected, atol=1e-15)
        expected = 0.1 * np.sign(net.W[l]) + 0.2 * net.W[l]
        np.testing.assert_allclose(slope.dW[l] - without.dW[l], expected, rtol=1e-12)


def test_penalty_is_not_divided_by_the_number_of_points():
    """Twice the data points, twice over, leave penalty and gradient as they are."""
    net = Network([2, 3, 1], ["tanh"], penalties=Penalty(l2=0.5), random_state=0)
    X, T = np.random.default_rng(0).normal(size=(2, 4)), np.ones((1, 4))
    once, twice = net.backpropagate(X, T), net.backpropagate(np.tile(X, 2), np.tile(T, 2))
    np.testing.assert_allclose(twice.gradient, once.gradient, rtol=1e-13)


def test_penalties_are_dealt_per_layer():
    """None is no penalty, one is for all layers, a list is one for each."""
    strong = Penalty(l2=2.0)
    assert per_layer(None, 2) == [Penalty(), Penalty()]
    assert per_layer(strong, 2) == [strong, strong]
    assert per_layer([None, strong], 2) == [Penalty(), strong]


@pytest.mark.parametrize(
    "strengths",
    [{"l1": -0.1}, {"l2": -1e-9}, {"l1": np.nan}, {"l2": np.inf}, {"l1": "a"}, {"l2": None}],
)
def test_bad_strength_is_refused(strengths):
    """A strength that is no finite number, zero or more, is refused by name."""
    with pytest.raises((InvalidTypeError, InvalidValueError), match=next(iter(strengths))):
        Penalty(**strengths)


@pytest.mark.parametrize(
    ("penalties", "words"),
    [
        ([None], "each of the 2 layers"),
        ([None] * 3, "got 3"),
        ([None, 0.1], r"Penalty\(l2=1e-3\)"),
        (0.1, r"Penalty\(l2=1e-3\)"),
        ("l2", r"Penalty\(l2=1e-3\)"),
    ],
)
def test_bad_penalties_are_refused(penalties, words):
    """A wrong number of penalties, or what is no Penalty, is refused with what to write."""
    with pytest.raises((InvalidTypeError, InvalidValueError), match=words):
        Network([2, 3, 1], ["tanh"], penalties=penalties)
