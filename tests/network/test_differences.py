"""Measured derivatives: the judge is judged on functions with known slopes."""

import re

import numpy as np
import pytest

from lamina.exceptions import FormulaError
from lamina.network.differences import (
    allows_complex,
    central_difference,
    check_slope,
    complex_step,
)

P = np.random.default_rng(0).normal(size=(2, 50)) + 0.01

FUNCTIONS = [  # f, its slope, whether NumPy carries the imaginary part through
    (np.exp, np.exp, True),
    (np.sin, np.cos, True),
    (lambda x: x**3, lambda x: 3 * x**2, True),
    (np.tanh, lambda x: 1 - np.tanh(x) ** 2, True),
    (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0), True),
    (np.abs, np.sign, False),
    (lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2, False),
    (lambda x: np.real(x) ** 2, lambda x: 2 * x, False),
    (lambda x: np.asarray([float(v) for v in x]) ** 2, lambda x: 2 * x, False),
    (lambda x: np.where(x > 1, np.abs(x) ** 3, x), lambda x: np.where(x > 1, 3 * x**2, 1), False),
    (
        lambda x: np.sign(x) * np.maximum(np.abs(x) - 1, 0),
        lambda x: np.where(np.abs(x) > 1, 1.0, 0.0),
        False,
    ),
]


@pytest.mark.parametrize(("f", "slope", "analytic"), FUNCTIONS)
def test_measures_find_the_slope(f, slope, analytic):
    """Central differences are good to 1e-8, the complex step to 1e-14 where it applies."""
    x = P[0]
    np.testing.assert_allclose(central_difference(f, x, np.ones(50)), slope(x), atol=1e-8)
    if analytic:
        np.testing.assert_allclose(complex_step(f, x, np.ones(50)), slope(x), rtol=1e-14)


@pytest.mark.parametrize(("f", "slope", "analytic"), FUNCTIONS)
def test_complex_step_is_trusted_where_it_is_right(f, slope, analytic):
    """A formula that loses the imaginary part anywhere is measured by central differences."""
    del slope
    assert allows_complex(f, P[0], np.ones(50)) == analytic


@pytest.mark.parametrize("problem", [TypeError, ValueError, NotImplementedError, AttributeError])
def test_formula_that_refuses_complex_numbers_is_no_problem(problem):
    """Whatever a formula raises on complex numbers only means that it has no complex form."""

    def real_only(x):
        if np.iscomplexobj(x):
            raise problem
        return x**2

    assert not allows_complex(real_only, P[0], np.ones(50))


def test_complex_step_sees_both_sides_of_a_kink():
    """At the kink of |x| a step to the right finds 1 and a step to the left -1."""

    def size(x):
        return np.maximum(x, -x)

    right, left = (complex_step(size, np.zeros(1), np.ones(1), h) for h in (1e-20, -1e-20))
    assert (right[0], left[0]) == (1.0, -1.0)


def column_sums(f):
    """Return the function P → Σ_i f(P_in), N numbers."""
    return lambda M: np.sum(f(M), axis=0)


@pytest.mark.parametrize(("f", "slope", "analytic"), FUNCTIONS[:7])
def test_right_slope_passes(f, slope, analytic):
    """The true slope of analytic and other functions is accepted."""
    del analytic
    check_slope("it", column_sums(f), slope(P), P)


@pytest.mark.parametrize("size", [1e-3, 1.0, -5.0])
@pytest.mark.parametrize(("f", "slope", "analytic"), FUNCTIONS[:7])
def test_wrong_slope_is_refused(f, slope, analytic, size):
    """A slope that is off at a single place is refused with both figures there."""
    del analytic
    claimed = np.array(slope(P), dtype=float)
    claimed[1, 7] += size
    with pytest.raises(FormulaError) as caught:
        check_slope("my formula", column_sums(f), claimed, P)
    assert str(caught.value).startswith("my formula: ")
    figures = [float(word) for word in re.findall(r"-?\d+\.?\d*(?:e[-+]\d+)?", str(caught.value))]
    for figure in (claimed[1, 7], P[1, 7], slope(P)[1, 7]):
        assert any(shown == pytest.approx(figure, rel=1e-4) for shown in figures)


def test_wrong_slope_is_found_beside_a_steep_one():
    """A slope of 1e6 elsewhere does not hide an error of 1 percent here."""
    M = np.array([[0.5, 14.0]])
    claimed = np.exp(M)
    claimed[0, 0] *= 1.01
    with pytest.raises(FormulaError, match=r"at 0\.5"):
        check_slope("it", column_sums(np.exp), claimed, M)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_slope_that_is_no_number_is_refused_with_its_place(bad):
    """A NaN among the slopes is named with the place where it appears."""
    claimed = 2 * P
    claimed[1, 3] = bad
    with pytest.raises(FormulaError, match=rf"{bad}.*{P[1, 3]:.3f}"[:-1]):
        check_slope("it", column_sums(np.square), claimed, P)


def test_slope_of_another_shape_is_refused():
    """The message tells the shape expected and the shape that came."""
    with pytest.raises(FormulaError, match=r"\(2, 50\).*\(2, 49\)"):
        check_slope("it", column_sums(np.square), 2 * P[:, 1:], P)
