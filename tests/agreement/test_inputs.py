"""Slopes in the inputs: the compiled engine against the reference, and on any threads."""

import numpy as np
import pytest

from lamina.engines.compiled import layout
from lamina.engines.compiled.engine import CompiledEngine
from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS

PRECISIONS = ["float64", "float32"]
SHAPES = [
    (1, 1),
    (1, 3),
    (5, 1, 1),
    (3, 200, 1),
    (17, 8, 16, 9, 7),
    (300, 70, 33, 17, 9),
    (784, 128, 10),
    (50, 256, 256, 2),
]
OWN_OUTPUT = {"cross_entropy": "logistic", "poisson": "softplus", "binary_cross_entropy": "softmax"}
"""For some errors that are pairs, an output activation that they are no pair with."""


def built(registry):
    """Return the names of a registry that are not a user's."""
    return [name for name in registry.names() if registry.is_builtin(name)]


def slopes(engine, case, data):
    """Return Delta_0 and the Jacobian of an engine."""
    jacobian = engine.input_jacobian(case.theta, data.X, data.points)
    return engine.input_gradient(case.theta, data), jacobian


def both(case, data):
    """Return the slopes of both engines."""
    return [slopes(engine, case, data) for engine in (case.ours, case.reference)]


def check(agreement, case, terms=8):
    """Compare Delta_0, weighted and not, and the Jacobian of both engines."""
    for n in agreement.COUNTS:
        for weighted in (True, False):
            data = case.data(np.arange(n), weighted=weighted)
            for found, expected in zip(*both(case, data), strict=True):
                assert found.dtype == case.theta.dtype
                gap = agreement.gap(found, expected, found.dtype)
                assert gap <= 16 * terms, f"{found.shape}: {gap:.0f} eps"


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", built(ACTIVATIONS))
def test_input_slopes_of_an_activation_agree(name, dtype, agreement):
    """Hidden and as output, next to the inputs too, and whatever penalties there are."""
    penalty = agreement.Penalty(l1=0.3, l2=0.1, biases=True)
    layers = [name, "tanh", name]
    check(agreement, agreement.pose([3, 8, 5, 4], layers, "squared", dtype, penalties=penalty))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", [*built(ERRORS), "quantile((0.1, 0.5, 0.9))"])
def test_input_slopes_of_an_error_agree(name, dtype, agreement):
    """As a pair where there is one; the Jacobian is that of A_L, though the pair sees Z_L."""
    check(agreement, agreement.pose([3, 8, 6], ["tanh"], name, dtype))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", OWN_OUTPUT)
def test_input_slopes_of_an_unfused_error_agree(name, dtype, agreement):
    """With an output activation that is not the error's partner."""
    check(agreement, agreement.pose([3, 8, 6], ["tanh", OWN_OUTPUT[name]], name, dtype))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_input_slopes_of_a_shape_agree(sizes, dtype, agreement):
    """However wide or narrow the layers are, the first one and its mirror above all."""
    hidden = ["tanh"] * (len(sizes) - 2)
    case = agreement.pose(list(sizes), hidden, "squared", dtype)
    check(agreement, case, terms=max(8, np.sqrt(max(sizes))))


def test_input_slopes_agree_beyond_a_block(agreement):
    """More data points than are planned for together, some chosen twice, keep their order."""
    case = agreement.pose([6, 40, 30, 3], ["tanh", "relu"], "huber", "float64", n=10_000)
    data = case.data(np.random.default_rng(1).integers(10_000, size=9_001))
    for found, expected in zip(*both(case, data), strict=True):
        assert found.shape[-2:] == (6, 9_001)
        assert agreement.gap(found, expected, "float64") <= 16 * np.sqrt(40)


def test_no_points_have_no_input_slopes(agreement):
    """Of no data points both engines return arrays without columns."""
    case = agreement.pose([3, 5, 2], ["tanh"], "squared", "float64")
    for answer in both(case, case.data(np.arange(0))):
        assert [found.shape for found in answer] == [(3, 0), (2, 3, 0)]


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_threads_give_the_same_input_slopes(dtype, agreement):
    """Delta_0 and the Jacobian do not depend on the number of threads, by a bit."""
    case = agreement.pose([50, 256, 256, 2], ["relu", "tanh"], "cross_entropy", dtype, n=3000)
    for n in (1, 33, 257, 3000):
        data = case.data(np.arange(n))
        alone = slopes(CompiledEngine(case.net.recipe, 1), case, data)
        for threads in range(2, 9):
            found = slopes(CompiledEngine(case.net.recipe, threads), case, data)
            assert all(map(np.array_equal, found, alone)), (n, threads)


def test_input_slopes_leave_other_answers_as_they_are(agreement):
    """An engine that was asked for slopes in the inputs still gives the bits of a new one."""
    case = agreement.pose([50, 256, 256, 2], ["relu", "tanh"], "cross_entropy", "float32", n=600)
    data, new = case.data(np.arange(600)), CompiledEngine(case.net.recipe, 2)
    first = slopes(case.ours, case, data)
    J, gradient = case.ours.gradient(case.theta, data)
    expected = new.gradient(case.theta, data)
    assert expected[0] == J
    assert np.array_equal(gradient, expected[1])
    outputs = case.ours.outputs(case.theta, data.X, data.points)
    assert np.array_equal(outputs, new.outputs(case.theta, data.X, data.points))
    assert all(map(np.array_equal, first, slopes(case.ours, case, data)))


def test_training_keeps_no_mirror_of_the_first_layer(agreement):
    """Only a plan for slopes in the inputs has W_1 transposed: training costs nothing more."""
    case = agreement.pose([9, 30, 2], ["tanh"], "squared", "float64")
    data = case.data(np.arange(33))
    case.ours.gradient(case.theta, data)
    plans = case.ours._plans
    assert [bool(plan.layers[0, layout.MIRROR]) for plan in plans.values()] == [False]
    slopes(case.ours, case, data)
    assert [bool(plan.layers[0, layout.MIRROR]) for plan in plans.values()] == [False, True]
