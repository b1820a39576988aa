"""The shared functions against references in extended precision, to a few units of rounding."""

import numpy as np
import pytest
from scipy.special import erfcx

from lamina.network import special
from lamina.network.activations import get_activation

log_softmax = get_activation("log_softmax")
DTYPES = [np.float32, np.float64]
GRID = np.concatenate([np.linspace(-36, 36, 7201), [-700.0, -80.0, 80.0, 700.0]])
SMALL = np.array([s * 10.0**k for k in range(-30, 0) for s in (-1, 1)])


def exact(z):
    """Return z in extended precision."""
    return np.asarray(z, dtype=np.longdouble)


def units(values, reference):
    """Return the largest relative difference in units of the precision of the values."""
    reference = exact(reference)
    normal = np.abs(reference) >= np.finfo(values.dtype).tiny
    difference = np.abs(exact(values) - reference)[normal] / np.abs(reference)[normal]
    return float(np.max(difference) / np.finfo(values.dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logistic_is_accurate_in_both_tails(dtype):
    """The function 1 / (1 + e^-z) is good to 3 units, e^-700 included."""
    z = np.concatenate([GRID, SMALL]).astype(dtype)
    z = z[z > np.log(np.finfo(dtype).tiny)]
    reference = 1 / (1 + np.exp(-exact(z)))
    assert units(special.logistic(z), reference) <= 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_softplus_is_accurate_in_both_tails(dtype):
    """The function log(1 + e^z) is good to 3 units."""
    z = np.concatenate([GRID, SMALL]).astype(dtype)
    z = z[z > np.log(np.finfo(dtype).tiny)]
    x = exact(z)
    reference = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    assert units(special.softplus(z), reference) <= 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_softplus_is_accurate_in_both_tails(dtype):
    """The function tanh(log(1 + e^z)), the gate of mish, is good to 6 units."""
    z = np.concatenate([GRID, SMALL]).astype(dtype)
    z = z[z > np.log(np.finfo(dtype).tiny)]
    x = exact(z)
    reference = np.tanh(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))
    assert units(special.tanh_softplus(z), reference) <= 6


def normal_distribution(z):
    """Return Φ in extended precision but for SciPy's e^(x²) erfc(x), which is good to 2 units."""
    tail = np.exp(-(exact(z) ** 2) / 2) * erfcx(np.abs(z) / np.sqrt(2.0)) / 2
    return np.where(z > 0, 1 - tail, tail)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limit", [1.0, 5.0, 12.0, 36.0])
def test_normal_distribution_is_accurate_in_both_tails(limit, dtype):
    """Φ(z) is good to 20 + z² units: e^(-z²/2) alone costs z²/2, for its exponent is rounded."""
    z = np.linspace(-limit, limit, 4001, dtype=dtype)
    reference = normal_distribution(z.astype(float))
    assert units(special.normal_distribution(z), reference) <= 20 + limit**2


def test_normal_distribution_has_its_derivative():
    """The complex step through the series is the normal density, to 1e-13."""
    z = np.linspace(-6.0, 6.0, 1001)
    slope = np.imag(special.normal_distribution(z + 1e-20j)) / 1e-20
    np.testing.assert_allclose(slope, special.normal_density(z), rtol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 30.0, 1e4])
def test_log_softmax_is_accurate(scale, dtype):
    """Every entry is good to 4 units of the largest |z| in its column or of 1."""
    Z = (np.random.default_rng(0).normal(size=(5, 400)) * scale).astype(dtype)
    x = exact(Z) - exact(Z).max(axis=0)
    reference = x - np.log(np.exp(x).sum(axis=0))
    allowed = 4 * np.finfo(dtype).eps * np.maximum(np.abs(x).max(axis=0), 1)
    assert np.all(np.abs(exact(log_softmax(Z)) - reference) <= allowed)


def test_log_softmax_ignores_a_common_shift():
    """Adding a number to a column changes nothing."""
    Z = np.random.default_rng(0).normal(size=(4, 6))
    shifted = log_softmax(Z + np.array([0.0, 1.0, -8.0, 64.0, 512.0, -4096.0]))
    np.testing.assert_allclose(shifted, log_softmax(Z), atol=2e-12)


def test_xlogy_is_zero_where_x_is_zero():
    """The product 0 log y is 0 for any y, and x log y elsewhere."""
    x, y = np.array([0.0, 0.0, 0.0, 2.0]), np.array([0.0, -1.0, np.inf, 3.0])
    np.testing.assert_array_equal(special.xlogy(x, y), [0.0, 0.0, 0.0, 2.0 * np.log(3.0)])


def test_bounded_cuts_at_the_limit_and_inside_says_where():
    """Exponents stay within ±80, and `inside` is true exactly where nothing was cut."""
    z = np.array([-1e4, -80.0, -79.0, 0.0, 79.0, 80.0, 1e4])
    np.testing.assert_array_equal(special.bounded(z), [-80.0, -80.0, -79.0, 0.0, 79.0, 80.0, 80.0])
    np.testing.assert_array_equal(special.inside(z), [False, False, True, True, True, False, False])


@pytest.mark.parametrize("function", [special.logistic, special.softplus, special.tanh_softplus])
def test_function_keeps_nan_visible(function):
    """A NaN is never turned into a number."""
    assert np.isnan(function(np.array([np.nan]))[0])
