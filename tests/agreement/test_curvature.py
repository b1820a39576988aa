"""The Gauss-Newton matrix of the compiled engine against the reference, and on any threads."""

import numpy as np
import pytest

from lamina.engines.compiled.engine import CompiledEngine
from lamina.network.errors import ERRORS

PRECISIONS = ["float32", "float64"]


def check(case, points, limit=2e-13, **options):
    """Compare J, gradient and G of both engines, relative to their largest entries."""
    data = case.data(points, **options)
    found = case.ours.gauss_newton(case.theta, data)
    expected = case.reference.gauss_newton(case.theta, data)
    for ours, theirs in zip(found, expected, strict=True):
        assert np.asarray(ours).dtype == float
        assert np.abs(ours - theirs).max() <= limit * np.abs(theirs).max()
    assert np.array_equal(found[2], found[2].T)


@pytest.mark.parametrize("name", sorted(ERRORS._builtin))
def test_curvature_of_an_error_agrees(name, agreement):
    """For every error, a pair or not, with weights, G is the reference's."""
    case = agreement.pose([3, 7, 4], ["tanh"], name, "float64")
    for n in (1, 2, 33, 257):
        check(case, np.arange(n))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ([1, 1], []),
        ([5, 3, 9, 2], ["relu", "gelu"]),
        ([2, 60, 30, 1], ["softmax", "silu"]),
        ([300, 9, 1], ["logistic"]),
        ([40, 30, 20, 10], ["tanh", "mish"]),
    ],
    ids=str,
)
def test_curvature_of_a_shape_agrees(sizes, hidden, dtype, agreement):
    """Whatever the shape and precision of θ, with penalties, G is the reference's in float64."""
    penalty = agreement.Penalty(l1=0.1, l2=0.3, biases=True)
    case = agreement.pose(sizes, hidden, "squared", dtype, penalties=penalty)
    check(case, np.arange(257), weighted=False)
    check(case, np.random.default_rng(0).permutation(257)[:100])


def test_curvature_of_many_points_agrees(agreement):
    """More data points than stand in memory at once, some twice, give one G."""
    case = agreement.pose([4, 30, 2], ["tanh"], "cross_entropy", "float64", n=5000)
    check(case, np.random.default_rng(1).integers(5000, size=9001))


def test_slabs_are_one_matrix(agreement, monkeypatch):
    """Data points whose factors do not fit in memory together give the same G."""
    monkeypatch.setattr("lamina.engines.compiled.second_order.SLAB", 100)
    check(agreement.pose([4, 8, 2], ["tanh"], "huber", "float64"), np.arange(257))


def test_threads_give_the_same_curvature(agreement):
    """G does not depend on the number of threads, by a bit."""
    case = agreement.pose([20, 60, 3], ["tanh"], "cross_entropy", "float64", n=3000)
    data = case.data(np.arange(3000))
    alone = CompiledEngine(case.net.recipe, 1).gauss_newton(case.theta, data)[2]
    for threads in (2, 3, 5, 8):
        engine = CompiledEngine(case.net.recipe, threads)
        for _ in range(3):
            assert np.array_equal(engine.gauss_newton(case.theta, data)[2], alone), threads
