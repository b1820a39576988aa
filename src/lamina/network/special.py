"""Functions that several formulas share, stable at every argument and complex-analytic."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any

import numpy as np

EXPONENT_LIMIT = 80.0
"""Largest size of an exponent: e^80 = 5.5e34 and e^-80 are normal numbers in float32 too."""

# erfc(x) e^(x²) / t as a Chebyshev series in u = 2t - 1, where t = 2 / (2 + x), x >= 0.
# Coefficients computed in 50 digits; the tail below is good to about (20 + z²) eps relative.
# fmt: off
ERFC_SERIES = (
    0.577033738616469689, 0.355436921270498487, 0.0650951588287865246, 0.00367114239583663917,
    -0.0011128447433526325, -1.60758299153780798e-4, 3.27803157417313706e-5,
    5.44244164550501603e-6, -1.51546655531714816e-6, -1.42976081811698649e-7,
    8.23460882741949343e-8, -1.29628468523065625e-9, -4.1547216310151983e-9,
    6.34705827836281118e-10, 1.43208227122562237e-10, -6.16039010520458554e-11,
    2.06121385547216963e-12, 3.57149314884770445e-12, -8.58642284325179648e-13,
    -6.14560021379063055e-14, 7.41872574859661706e-14, -1.28950427550323256e-14,
    -2.35872638571063236e-15, 1.57293493816859114e-15, -2.27829662395464652e-16,
    -6.31233045075642981e-17, 3.5916763531814923e-17,
)
# fmt: on


def bounded(z: Any) -> Any:
    """Return z cut at -`EXPONENT_LIMIT` and `EXPONENT_LIMIT`."""
    return np.minimum(np.maximum(z, -EXPONENT_LIMIT), EXPONENT_LIMIT)


def inside(z: Any) -> Any:
    """Return whether `bounded` leaves z as it is."""
    return (z > -EXPONENT_LIMIT) & (z < EXPONENT_LIMIT)


def logistic(z: Any) -> Any:
    """Return 1 / (1 + e^-z) without overflow and with full relative precision in both tails."""
    small = np.exp(-np.maximum(z, -z))
    return np.where(z > 0, 1.0, small) / (1.0 + small)


def softplus(z: Any) -> Any:
    """Return log(1 + e^z) without overflow."""
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.maximum(z, -z)))


def log_cosh(r: Any) -> Any:
    """Return log((e^r + e^-r) / 2), with all digits near 0 and without overflow."""
    size = np.maximum(r, -r)
    s = np.expm1(-np.minimum(size, 1.0))  # cosh r - 1 = s² / (2 (1 + s)) for |r| <= 1
    near = np.log1p(0.5 * s * s / (1.0 + s))
    return np.where(size < 1.0, near, size + np.log1p(np.exp(-2.0 * size)) - log(2.0))


def tanh_softplus(z: Any) -> Any:
    """Return tanh(log(1 + e^z)), from e^-|z| alone."""
    small = np.exp(-np.maximum(z, -z))
    above = np.where(z > 0, 1.0 + 2.0 * small, small * (small + 2.0))
    return above / (above + np.where(z > 0, 2.0 * small * small, 2.0))


def gate(z: Any, a: Any, at_0: float) -> Any:
    """Return the factor g of a = z g, which is given for z = 0."""
    return np.where(z == 0, at_0, a / np.where(z == 0, 1.0, z))


def product_slope(z: Any, g: Any, rate: Any) -> Any:
    """Return d(z g)/dz for a logistic g whose argument grows at `rate`."""
    return g + z * g * (1.0 - g) * rate


def chebyshev(coefficients: tuple[float, ...], u: Any) -> Any:
    """Return Σ c_k T_k(u), T_k Chebyshev's polynomials, by Clenshaw's rule."""
    last = before = 0.0 * u
    for coefficient in coefficients[:0:-1]:
        last, before = 2.0 * u * last + (coefficient - before), last
    return u * last + (coefficients[0] - before)


def normal_density(z: Any) -> Any:
    """Return the standard normal density e^(-z²/2) / √(2π)."""
    return np.exp(-0.5 * z * z) / sqrt(2.0 * pi)


def normal_distribution(z: Any) -> Any:
    """Return the standard normal distribution function, (1 + erf(z/√2)) / 2."""
    x = np.maximum(z, -z) / sqrt(2.0)
    t = 2.0 / (2.0 + x)
    tail = 0.5 * t * chebyshev(ERFC_SERIES, 2.0 * t - 1.0) * np.exp(-0.5 * z * z)
    return np.where(z > 0, 1.0 - tail, tail)


def xlogy(x: Any, y: Any) -> Any:
    """Return x log y, and 0 where x = 0 whatever y is."""
    return x * np.log(np.where(x == 0, 1.0, y))


def shifted_exp(z: Any, top: Any) -> Any:
    """Return e^(z - top), what `top_and_total` sums."""
    return np.exp(z - top)


def top_and_total(Z: Any) -> Any:
    """Return max z and Σ e^(z - max z) down each column of an S × N matrix."""
    top = np.max(Z.real, axis=0)
    return top, np.sum(shifted_exp(Z, top), axis=0)
