"""What all formulas share.

A formula is written once, as a plain function of NumPy operations that also makes sense
for a single number: the reference engine evaluates it on matrices, a compiled engine in
its loops.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.exceptions import InvalidTypeError, InvalidValueError, ShapeError

Matrix = npt.NDArray[Any]
"""A real or complex array; columns are data points."""


def as_matrix(values: npt.ArrayLike, like: Matrix) -> Matrix:
    """Return `values` as an array of the precision of `like`, copied only if it differs."""
    return np.asarray(values, dtype=like.dtype)


def real_array(name: str, values: npt.ArrayLike) -> Matrix:
    """Return an array of real numbers, not copied if it is one, or say what came instead.

    Raises
    ------
    InvalidTypeError
        If it holds anything but real numbers.
    ShapeError
        If its rows have different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError as problem:
        message = f"{name} must be a rectangular array of numbers: {problem}"
        raise ShapeError(message) from problem
    if array.dtype.kind not in "fiub":
        message = f"{name} must hold real numbers, got an array of {array.dtype}"
        raise InvalidTypeError(message)
    return array


def require_number(name: str, number: float) -> None:
    """Refuse a parameter that is not a finite number."""
    if not (isinstance(number, Real) and abs(number) < float("inf")):
        message = f"{name} must be a finite number, got {number!r}"
        raise InvalidValueError(message)


def require_positive(name: str, number: float) -> None:
    """Refuse a parameter that is not a positive finite number."""
    require_number(name, number)
    if number <= 0:
        message = f"{name} must be a positive number, got {number!r}"
        raise InvalidValueError(message)
