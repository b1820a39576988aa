"""Targets as users give them: of any library, with dates refused and missing entries found."""

from __future__ import annotations

from datetime import date
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from lamina.estimators.checks import refuse_masked
from lamina.estimators.labels import sort_classes
from lamina.exceptions import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.data.scaling import Scaling

    Array = npt.NDArray[Any]

ONE_TYPE = ((bool, np.bool_), bool), (Integral, np.int64), (Real, float)
"""Types that objects may share, and what an array of them is then of."""


def as_target(y: Any) -> Array:
    """Return y as an array, N or N × K: of a list, an array, a series or a frame of any library.

    Objects that are all numbers, or all numbers but for missing ones, become numbers; None stays
    among text.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is masked, lazy, or holds dates or durations.
    """
    refuse_masked("y", y)
    given = y
    if hasattr(y, "collect") and not hasattr(y, "__array__"):
        message = f"y is lazy ({type(y).__name__}); call its collect() first"
        raise InvalidTypeError(message)
    if hasattr(y, "toarray"):
        return y  # type: ignore[no-any-return]  # sparse, for whoever takes such
    try:
        y = np.asarray(y)
    except ValueError as problem:
        message = f"y must be N entries, or N rows of equal length: {problem}"
        raise InvalidValueError(message) from problem
    if y.dtype.kind == "O" and y.ndim == 0:
        message = f"y must be an array, a list, a series or a frame, got a {type(given).__name__}"
        raise InvalidTypeError(message)
    if y.dtype.kind == "O":
        y = _from_objects(y)
    if y.dtype.kind in "mM":
        message = (
            "y holds dates or durations, which are no numbers to predict and no classes; give "
            "numbers, such as days since a date: (y - y.min()) / np.timedelta64(1, 'D')"
        )
        raise InvalidTypeError(message)
    return y  # type: ignore[no-any-return]  # an array


def _from_objects(y: Array) -> Array:
    """Return an array of objects as one of numbers or dates where all that are there are such."""
    missing = find_missing(y)
    present = y[~missing]
    if present.size and all(isinstance(entry, (date, np.datetime64)) for entry in present.flat):
        return np.zeros(y.shape, dtype="datetime64[us]")
    for types, dtype in ONE_TYPE:
        if present.size and all(isinstance(entry, types) for entry in present.flat):
            if missing.any() and dtype is bool:
                return y  # True, False and None: no numbers
            result = np.full(y.shape, np.nan) if missing.any() else np.empty(y.shape, dtype=dtype)
            result[~missing] = present
            return result
    if missing.any():
        y = y.copy()
        y[missing] = None
    return y


def find_missing(y: Array) -> Array:
    """Return where an array of numbers, dates or objects has None, NaN, NA or NaT."""
    if y.dtype.kind in "fc":
        return np.isnan(y)
    if y.dtype.kind in "mM":
        return np.isnat(y)
    if y.dtype.kind != "O":
        return np.zeros(y.shape, dtype=bool)
    flat = [_is_missing(entry) for entry in y.ravel()]
    return np.array(flat, dtype=bool).reshape(y.shape)


def _is_missing(entry: Any) -> bool:
    """Return whether a cell is None, NaN, NA or NaT: not equal to itself, or without truth."""
    if entry is None:
        return True
    try:
        return bool(entry != entry)  # noqa: PLR0124 - NaN and NaT
    except (TypeError, ValueError):  # NA has no truth, an array several
        return np.ndim(entry) == 0


def refuse_missing(y: Array, advice: str) -> None:
    """Refuse y with a missing entry.

    Raises
    ------
    InvalidValueError
        If there is one; the message says where.
    """
    missing = find_missing(y)
    if missing.any():
        rows = np.flatnonzero(missing.reshape(len(y), -1).any(axis=1))
        message = (
            f"y contains NaN or None: it is missing in {len(rows)} of {len(y)} rows, first in row "
            f"{rows[0]}; {advice}"
        )
        raise InvalidValueError(message)


def check_labels(y: Any, *, several: bool = False) -> Array:
    """Return y as N classes, or as an N × K table of labels, or of classes of K targets.

    Parameters
    ----------
    y : array, sparse table of labels, series or frame
    several : bool
        Whether a table is known to be of several targets.

    Raises
    ------
    InvalidValueError, InvalidTypeError, ValueError
        If y is continuous, holds dates or lacks entries.
    """
    y = as_target(y)
    if hasattr(y, "toarray"):
        check_classification_targets(y)
        return check_indicator(np.asarray(y.toarray()))
    refuse_missing(y, "leave out such rows, or give a missing one a label of its own")
    if y.ndim == 2 and y.shape[1] > 1:
        if y.dtype.kind not in "biufc":
            return np.asarray(y)
        with np.errstate(invalid="ignore"):  # scikit-learn casts y to look for NaN
            check_classification_targets(y)
        table = np.asarray(y)
        return table if several or len(np.unique(y)) > 2 else check_indicator(table)
    try:
        with np.errstate(invalid="ignore"):  # scikit-learn casts y to look for NaN
            check_classification_targets(y)
    except (TypeError, ValueError):
        if y.dtype.kind == "O":
            sort_classes(y)  # says what is wrong with labels that have no order
        raise
    return np.asarray(column_or_1d(y, warn=True))


def is_indicator(y: Array) -> bool:
    """Return whether y is a table of 0 and 1, or of bool: several labels in a row."""
    return y.ndim == 2 and y.dtype.kind in "biuf" and bool(np.all((y == 0) | (y == 1)))


def check_indicator(y: Array) -> Array:
    """Return a table of 0 and 1; refuse any other of two values.

    Raises
    ------
    InvalidValueError
        If it is one.
    """
    if not is_indicator(y):
        message = (
            "a table y of several labels holds 1 where a row has the label and 0 where not, "
            f"got {np.unique(y).tolist()}; turn it into that"
        )
        raise InvalidValueError(message)
    return y


def entry_weights(weights: Any, K: int) -> tuple[float, ...]:
    """Return `output_weights` of K targets.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If they are not K numbers >= 0, not all zero.
    """
    array = np.asarray(weights)
    message = (
        f"output_weights are {K} numbers >= 0, one for each target, not all 0; got {weights!r}"
    )
    if array.dtype.kind not in "fiu":
        raise InvalidTypeError(message)
    good = array.shape == (K,) and np.all(np.isfinite(array)) and np.all(array >= 0)
    if not good or not np.any(array > 0):
        raise InvalidValueError(message)
    return tuple(float(weight) for weight in array)


def known_r2(T: Array, P: Array) -> float:
    """Return the mean over targets of 1 - residual / total sum of squares; T and P are K × n.

    Entries of T that are NaN do not count; a target that does not vary makes it NaN.
    """
    known = ~np.isnan(T)
    counts = known.sum(axis=1, keepdims=True)
    t, p = np.where(known, T, 0.0), np.where(known, P, 0.0)
    mean = t.sum(axis=1, keepdims=True) / np.maximum(counts, 1)
    residual = np.sum((t - p) ** 2, axis=1)
    total = np.sum(np.where(known, t - mean, 0.0) ** 2, axis=1)
    low, high = np.where(known, T, np.inf).min(axis=1), np.where(known, T, -np.inf).max(axis=1)
    varies = high > low  # a constant target has a total of rounding errors
    return float(np.mean(1.0 - residual / np.where(varies, total, np.nan)))


def stretched(scaling: Scaling, blocks: int) -> tuple[Array, Array]:
    """Return center and scale of K targets for outputs in blocks of K."""
    return np.tile(scaling.center, blocks), np.tile(scaling.scale, blocks)
