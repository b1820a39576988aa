"""Probabilities averaged over normal logits."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from scipy.stats import norm

from lamina.uncertainty.averaging import averaged, normal_points


@pytest.mark.parametrize("variance", [0.01, 1.0, 25.0, 1e4])
@pytest.mark.parametrize("mean", [-3.0, 0.0, 0.7, 20.0])
def test_average_of_logistic_is_the_integral(mean, variance):
    """The mean of a logistic output is its integral to 0.004, also where it is nearly a step."""
    u = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    expected = expit(mean + np.sqrt(variance) * u).mean()
    got = averaged(np.array([[mean]]), np.array([[[variance]]]), lambda Z: expit(Z).T)
    assert got[0, 0] == pytest.approx(expected, abs=4e-3)


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_average_of_softmax_is_the_integral(scale):
    """The mean of a softmax with correlated logits is that of a million random draws to 0.01."""
    random = np.random.default_rng(0)
    L = scale * random.normal(size=(4, 4))
    z = np.array([0.5, 0.0, -1.0, 1.0])
    expected = softmax(z + random.normal(size=(1_000_000, 4)) @ L.T, axis=1).mean(axis=0)
    got = averaged(z[None], (L @ L.T)[None], lambda Z: softmax(Z, axis=0).T)
    np.testing.assert_allclose(got[0], expected, atol=0.01)
    assert got.sum() == pytest.approx(1.0)


def test_average_without_variance_is_the_answer():
    """A posterior of no width changes nothing, and a singular one is no problem."""
    z = np.array([[1.0, -1.0, 0.0]])
    got = averaged(z, np.zeros((1, 3, 3)), lambda Z: softmax(Z, axis=0).T)
    np.testing.assert_allclose(got, softmax(z, axis=1), rtol=1e-13)


@pytest.mark.parametrize("K", [1, 2, 5, 20, 100])
def test_points_are_standard_normal(K):
    """The points have mean 0 and covariance 1, exactly."""
    points = normal_points(K)
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(points.T @ points / len(points), np.eye(K), atol=1e-12)
