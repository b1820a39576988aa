"""Functions that several formulas share, stable at every argument and complex-analytic."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any

import numpy as np

EXPONENT_LIMIT = 80.0
"""Largest size of an exponent: e^80 = 5.5e34 and e^-80 are normal numbers in float32 too."""

# log(erfc(x) / t) + x² as a Chebyshev series in u = 2t - 1, where t = 2 / (2 + x), x >= 0.
# Coefficients computed in 40 digits; the tail below is good to about (20 + z²) eps relative.
# fmt: off
ERFC_SERIES = (
    -0.651326859890854717, 0.64196979235649026, 0.0194764732041858363, -0.00956151478680863164,
    -9.4659534448203687e-4, 3.66839497852761452e-4, 4.25233248069077716e-5, -2.0278578112534243e-5,
    -1.62429000464702551e-6, 1.3036558355805232e-6, 1.56264417220661432e-8, -8.5238095914926543e-8,
    6.5290544390988515e-9, 5.0593434955514689e-9, -9.9136415649303309e-10, -2.2736512229318359e-10,
    9.6467911020155268e-11, 2.3940380830391147e-12, -6.8860275264975534e-12, 8.9448792730907257e-13,
    3.13092139934295808e-13, -1.1270822361367252e-13, 3.8109052551892321e-16, 7.106097613609237e-15,
    -1.5230282014571043e-15, -9.457494571291234e-17,
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


def product_slope(z: Any, gate: Any, rate: Any) -> Any:
    """Return d(z gate)/dz for a logistic gate whose argument grows at `rate`."""
    return gate + z * gate * (1.0 - gate) * rate


def chebyshev(coefficients: tuple[float, ...], u: Any) -> Any:
    """Return Σ c_k T_k(u), T_k Chebyshev's polynomials, by Clenshaw's rule."""
    last = before = 0.0 * u
    for coefficient in coefficients[:0:-1]:
        last, before = coefficient + (2.0 * u * last - before), last
    return coefficients[0] + (u * last - before)


def normal_density(z: Any) -> Any:
    """Return the standard normal density e^(-z²/2) / √(2π)."""
    return np.exp(-0.5 * z * z) / sqrt(2.0 * pi)


def normal_distribution(z: Any) -> Any:
    """Return the standard normal distribution function, (1 + erf(z/√2)) / 2."""
    x = np.maximum(z, -z) / sqrt(2.0)
    t = 2.0 / (2.0 + x)
    tail = 0.5 * t * np.exp(chebyshev(ERFC_SERIES, 2.0 * t - 1.0) - x * x)
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
