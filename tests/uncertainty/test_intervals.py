"""Intervals from networks and residuals: conformal, and CV+."""

import numpy as np
import pytest

from lamina.exceptions import InvalidValueError
from lamina.uncertainty.intervals import Residuals


def brute(residuals, owners, centers, spreads, coverage):
    """Return the ends of CV+ for one row, as Barber et al. 2021 define them."""
    N = len(residuals)
    up = np.sort(centers[owners] + spreads[owners] * residuals)
    down = np.sort(centers[owners] - spreads[owners] * residuals)
    rank = int(np.ceil(coverage * (N + 1) - 1e-9))
    return down[N - rank], up[rank - 1]  # the floor((1 - c)(N + 1))-th smallest, from 1


@pytest.mark.parametrize("F", [1, 2, 7])
@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.8, 0.9, 0.95])
def test_interval_is_that_of_the_definition(F, coverage):
    """Both ends are the order statistics of f + s R and f - s R of the definition."""
    random = np.random.default_rng(F)
    sizes, owners = np.abs(random.normal(size=39)), random.permutation(np.arange(39) % F)
    centers, spreads = random.normal(size=(F, 5)), random.uniform(0.5, 2.0, size=(F, 5))
    ends = Residuals.of(sizes, owners, np.ones(39), F).interval(centers, spreads, coverage)
    expected = [
        brute(sizes, owners, *pair, coverage) for pair in zip(centers.T, spreads.T, strict=True)
    ]
    np.testing.assert_allclose(ends.T, expected, rtol=1e-13, atol=1e-13)


def test_interval_adds_up_weights():
    """An end is the first residual where the weights, of mean 1, add up to c (N + 1)."""
    sizes, owners = np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4, dtype=int)
    heavy = Residuals.of(sizes, owners, np.array([1.0, 1.0, 1.0, 5.0]), 1)
    light = Residuals.of(sizes, owners, np.array([5.0, 1.0, 1.0, 1.0]), 1)
    at = np.zeros((1, 1)), np.ones((1, 1))
    assert heavy.interval(*at, 0.5).ravel().tolist() == pytest.approx([-4.0, 4.0])
    assert light.interval(*at, 0.5).ravel().tolist() == pytest.approx([-1.0, 1.0])


def test_interval_of_perfect_networks_is_a_point():
    """Residuals of 0 give an interval of no width."""
    ends = Residuals.of(np.zeros(9), np.arange(9) % 3, np.ones(9), 3).interval(
        np.full((3, 2), 5.0), np.ones((3, 2)), 0.9
    )
    assert np.array_equal(ends, np.full((2, 2), 5.0))


def test_conformal_interval_covers_exactly():
    """Over many draws of 19 residuals and a new one, 90 % are covered: 18 of 20 places."""
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(4000):
        *sizes, new = np.abs(random.standard_cauchy(size=20))
        held = Residuals.of(np.array(sizes), np.zeros(19, dtype=int), np.ones(19), 1)
        covered += new <= held.upper(np.zeros((1, 1)), np.ones((1, 1)), 0.9)[0]
    assert covered / 4000 == pytest.approx(0.9, abs=0.02)  # 4 standard deviations


def test_too_much_coverage_is_refused():
    """A coverage that only an infinite interval has is refused, with what would be needed."""
    held = Residuals.of(np.ones(9), np.zeros(9, dtype=int), np.ones(9), 1)
    at = np.zeros((1, 1)), np.ones((1, 1))
    assert np.array_equal(held.interval(*at, 0.9).ravel(), [-1.0, 1.0])
    with pytest.raises(InvalidValueError, match=r"0.95 needs 19 residuals.* there are 9: ask"):
        held.interval(*at, 0.95)
