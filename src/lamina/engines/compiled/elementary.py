"""exp, log, tanh and their kin without branches or calls, so that loops over them vectorize.

Written for both precisions at once: the numbers that differ stand in `Format`. Errors over
all arguments are measured in `tests/engines/compiled/test_elementary.py`. The methods are
classic: arguments are reduced by Cody and Waite 1980, and what is left is summed by its
Taylor series.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, log
from typing import Any

import numpy as np
from numba import njit

from lamina.engines.compiled.intrinsics import bits_of, chebyshev, number_of, polynomial
from lamina.network import special

LOG2_E = 1.4426950408889634
LN_2 = log(2.0)


@dataclass(frozen=True)
class Format:
    """What is to be known of a floating-point format.

    Attributes
    ----------
    real, whole : types
        Its numbers, and the integers of their size.
    digits : int
        Bits of the fraction.
    bias : int
        Of the exponent.
    highest, lowest : float
        exp is infinite above, and 0 below.
    ln_2 : pair of float
        ln 2 in two parts, the first with so few digits that multiples of it are exact.
    terms : int
        Of the Taylor series of exp on ±ln(2)/2.
    odd_terms : int
        Of the series of log((1+s)/(1-s)) on |s| <= 3 - 2√2.
    flat : float
        tanh is 1 to rounding above.
    """

    real: Any
    whole: Any
    digits: int
    bias: int
    highest: float
    lowest: float
    ln_2: tuple[float, float]
    terms: int
    odd_terms: int
    flat: float


def _two_parts(digits: int) -> tuple[float, float]:
    """Return ln 2 as a number with so many binary digits, and the rest."""
    high = np.floor(LN_2 * 2.0**digits) / 2.0**digits
    low = {14: LN_2 - high, 32: 1.9082149292705877e-10}[digits]
    return float(high), low


FORMATS = {
    np.dtype("float32"): Format(
        np.float32, np.int32, 23, 127, 88.72284, -104.0, _two_parts(14), 7, 5, 9.1
    ),
    np.dtype("float64"): Format(
        np.float64, np.int64, 52, 1023, 709.782712893384, -745.2, _two_parts(32), 13, 11, 19.1
    ),
}


def functions(dtype: np.dtype[Any]) -> dict[Any, Any]:
    """Return what compiled formulas use in the place of NumPy's functions of these names."""
    ours = _exponentials(FORMATS[dtype]) | _logarithms(FORMATS[dtype])
    ours |= _signs(FORMATS[dtype]) | {"where": where, "maximum": maximum, "minimum": minimum}
    series = {special.chebyshev: chebyshev(FORMATS[dtype].digits + 1)}
    return {getattr(np, name): f for name, f in ours.items()} | series


def _compile(function: Any) -> Any:
    """Return a function that is compiled as it stands: no reordering would leave it exact."""
    return njit(
        function,
        error_model="numpy",
        fastmath={"nsz", "contract"},
        forceinline=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )


@_compile
def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x or y."""
    return x if condition else y


@_compile
def maximum(x: Any, y: Any) -> Any:
    """Return the larger, and NaN if there is one."""
    return y if (y > x or y != y) else x  # noqa: PLR0124 - NaN


@_compile
def minimum(x: Any, y: Any) -> Any:
    """Return the smaller, and NaN if there is one."""
    return y if (y < x or y != y) else x  # noqa: PLR0124 - NaN


def _signs(form: Format) -> dict[str, Any]:
    """Return sign of a format."""
    zero, unit = form.real(0), form.real(1)

    @_compile
    def sign(x: Any) -> Any:
        """Return -1, 0 or 1, or NaN."""
        return unit if x > zero else (-unit if x < zero else x)

    return {"sign": sign}


def _reduction(form: Format) -> tuple[Any, Any]:
    """Return how x becomes n ln 2 + r and e^r - 1, and how 2^n is made."""
    real, whole = form.real, form.whole
    magic = real(1.5 * 2.0**form.digits)  # adding it rounds to an integer, kept in its last bits
    magic_bits = whole(np.asarray(magic).view(whole))
    log2_e, high, low = real(LOG2_E), real(form.ln_2[0]), real(form.ln_2[1])
    highest, lowest = real(form.highest), real(form.lowest)
    series = polynomial(tuple(real(1.0 / factorial(n)) for n in range(form.terms, 0, -1)))
    digits, bias, one = whole(form.digits), whole(form.bias), whole(1)

    @_compile
    def reduce(x: Any) -> Any:
        """Return n and e^r - 1 with x = n ln 2 + r, for x cut to where e^x is a number."""
        x = min(x, highest)
        x = max(x, lowest)
        shifted = x * log2_e + magic
        n = whole(bits_of(shifted) - magic_bits)
        times = shifted - magic
        r = (x - times * high) - times * low
        return n, series(r) * r

    @_compile
    def scale(n: Any) -> Any:
        """Return 2^n as a product of two numbers, for no single one may hold it."""
        half = whole(n >> one)
        first, second = whole((half + bias) << digits), whole((n - half + bias) << digits)
        return number_of(first), number_of(second)

    return reduce, scale


def _exponentials(form: Format) -> dict[str, Any]:
    """Return exp, expm1 and tanh of a format."""
    real, digits = form.real, form.whole(form.digits)
    highest, lowest, flat = real(form.highest), real(form.lowest), real(form.flat)
    zero, unit, two, infinite = real(0), real(1), real(2), real(np.inf)
    reduce, scale = _reduction(form)

    @_compile
    def exp(x: Any) -> Any:
        x = real(x)
        n, p = reduce(x)
        first, second = scale(n)
        y = (p * first + first) * second
        y = infinite if x > highest else y
        y = zero if x < lowest else y
        return x if x != x else y  # noqa: PLR0124 - NaN

    @_compile
    def expm1(x: Any) -> Any:
        x = real(x)
        n, p = reduce(x)
        first, second = scale(n)
        power = first * second
        y = (p * first) * second + (power - unit)
        y = (p * first + first) * second if n > digits else y
        y = infinite if x > highest else y
        return x if x != x else y  # noqa: PLR0124 - NaN

    @_compile
    def tanh(x: Any) -> Any:
        x = real(x)
        size = -x if x < zero else x
        size = min(size, flat)
        t = expm1(two * size)
        y = t / (t + two)
        y = -y if x < zero else y
        return x if x != x else y  # noqa: PLR0124 - NaN

    return {"exp": exp, "expm1": expm1, "tanh": tanh}


def _logarithms(form: Format) -> dict[str, Any]:
    """Return log and log1p of a format."""
    real, whole = form.real, form.whole
    digits, bias = whole(form.digits), whole(form.bias)
    lift, lifted = real(2.0 ** (form.digits + 2)), real(form.digits + 2)
    tiny = real(np.finfo(real).tiny)
    root_half = whole(np.asarray(real(np.sqrt(0.5))).view(whole))
    fraction = whole((1 << form.digits) - 1)
    unit_bits = whole(np.asarray(real(1)).view(whole))
    high, low = real(form.ln_2[0]), real(form.ln_2[1])
    series = polynomial(tuple(real(2.0 / (2 * n + 1)) for n in range(form.odd_terms, 0, -1)))
    zero, unit, two, infinite, undefined = real(0), real(1), real(2), real(np.inf), real(np.nan)

    @_compile
    def log(x: Any) -> Any:
        x = real(x)
        small = x < tiny
        bits = whole(bits_of(x * lift if small else x) + (unit_bits - root_half))
        e = real(whole((bits >> digits) - bias)) - (lifted if small else zero)
        m = number_of(whole((bits & fraction) + root_half))
        f = m - unit
        s = f / (two + f)
        square = s * s
        # log(1 + f) = f - s (f - R), where 2s = f - s f
        y = e * high + (f - (s * (f - series(square) * square) - e * low))
        y = x if x == infinite else y
        y = -infinite if x == zero else y
        return y if x >= zero else undefined

    @_compile
    def log1p(x: Any) -> Any:
        x = real(x)
        u = unit + x
        lost = (x - (u - unit)) / u
        lost = lost if (u > zero) & (u < infinite) else zero
        y = log(u) + lost
        return x if u == unit else y

    return {"log": log, "log1p": log1p}
