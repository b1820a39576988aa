"""What all formulas share.

A formula is written once, as a plain function of NumPy operations that also makes sense
for a single number: the reference engine evaluates it on matrices, a compiled engine in
its loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.exceptions import InvalidValueError

Matrix = npt.NDArray[Any]
"""A real or complex array; columns are data points."""


def as_matrix(values: npt.ArrayLike, like: Matrix) -> Matrix:
    """Return `values` as an array of the precision of `like`, copied only if it differs."""
    return np.asarray(values, dtype=like.dtype)


def require_number(name: str, number: float) -> None:
    """Refuse a parameter that is not a finite number."""
    if not (isinstance(number, (int, float)) and abs(number) < float("inf")):
        message = f"{name} must be a finite number, got {number!r}"
        raise InvalidValueError(message)


def require_positive(name: str, number: float) -> None:
    """Refuse a parameter that is not a positive finite number."""
    require_number(name, number)
    if number <= 0:
        message = f"{name} must be a positive number, got {number!r}"
        raise InvalidValueError(message)
