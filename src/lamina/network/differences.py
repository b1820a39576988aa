"""Derivatives measured from values alone: the judge of every formula for a slope.

The complex step Im f(x + ihv)/h of a real-analytic f has no subtraction, so h can be
1e-100 and the result is good to rounding. Source: Squire and Trapp 1998. NumPy
compares complex numbers by their real parts first and their imaginary parts next, so at
a kink, where f has two slopes, a step to the right (h > 0) finds one and a step to the
left (h < 0) the other. Central differences serve formulas that have no complex form.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import FormulaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.network.formulas import Matrix

COMPLEX_STEP = 1e-100
CENTRAL_STEP = float(np.cbrt(np.finfo(float).eps))
"""Balances the error h²f'''/6 of a central difference against its rounding, 6e-6."""
AGREEMENT = 1e-5
"""How far two ways of measuring may differ, relatively, when both are valid."""


def complex_step(f: Callable[[Matrix], Any], x: Matrix, v: Matrix, h: float = COMPLEX_STEP) -> Any:
    """Return the derivative of f at x along v, for f that is real-analytic there."""
    return np.imag(f(x + 1j * h * v)) / h


def central_difference(
    f: Callable[[Matrix], Any], x: Matrix, v: Matrix, h: float = CENTRAL_STEP
) -> Any:
    """Return (f(x + hv) - f(x - hv)) / 2h."""
    return (f(x + h * v) - f(x - h * v)) / (2.0 * h)


def along(f: Callable[[Any], Any], *, analytic: bool) -> Any:
    """Return df/de at e = 0; exact to rounding where f has a complex form."""
    return (complex_step if analytic else central_difference)(f, np.asarray(0.0), np.asarray(1.0))


def allows_complex(f: Callable[[Matrix], Any], x: Matrix, v: Matrix, share: float = 1.0) -> bool:
    """Return whether the complex step along v sees the slopes that a central difference sees.

    `f` maps x to numbers that are compared one by one; a formula that refuses complex
    numbers, or loses the imaginary part anywhere, does not allow them. A `share` below 1
    forgives as many that differ, for the central difference may cross a kink.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of imaginary parts that are discarded
            step = np.asarray(complex_step(f, x, v))
    except Exception:  # noqa: BLE001 - whatever a formula raises on complex numbers
        return False
    difference = np.asarray(central_difference(f, x, v))
    tolerance = AGREEMENT * np.maximum(np.abs(difference), 1.0) + rounding(f(x))
    return bool(np.mean(np.abs(step - difference) <= tolerance) >= share)


def rounding(values: Any) -> Any:
    """Return how far rounding of f can move its central differences, from the values of f."""
    return 4.0 * np.finfo(float).eps * np.abs(values) / CENTRAL_STEP


def check_slope(what: str, f: Callable[[Matrix], Matrix], claimed: Matrix, P: Matrix) -> None:
    """Refuse a claimed slope that differs from the measured one.

    Parameters
    ----------
    what : str
        The words for the formula in the message.
    f : callable
        Maps P, S × N, to N numbers, each depending on its own column only.
    claimed : matrix
        The slope df_n/dP_in that is to be judged, S × N.
    P : matrix
        Where to measure, S × N; away from kinks.

    Raises
    ------
    FormulaError
        With both figures and the place, if they differ by more than 1e-5 of the slope (of 1
        where it is smaller).
    """
    if claimed.shape != P.shape:
        message = f"{what}: expected slopes of shape {P.shape}, got shape {claimed.shape}"
        raise FormulaError(message)
    noise, measured = np.asarray(rounding(f(P))), np.empty(P.shape)
    for i in range(len(P)):
        v = np.zeros(P.shape)
        v[i] = 1.0
        measure = complex_step if allows_complex(f, P, v) else central_difference
        measured[i] = measure(f, P, v)
    with np.errstate(invalid="ignore"):
        excess = np.abs(claimed - measured) / (
            AGREEMENT * np.maximum(np.abs(measured), 1.0) + noise
        )
    excess[np.isnan(excess)] = np.inf
    worst = np.unravel_index(np.argmax(excess), P.shape)
    if excess[worst] > 1.0:
        message = (
            f"{what}: the given slope is {claimed[worst]:.6g} at {P[worst]:.6g}, "
            f"but the formula's measured slope there is {measured[worst]:.6g}; "
            "check the derivative (it is called with the value as its second argument)"
        )
        raise FormulaError(message)
