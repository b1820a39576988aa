"""Rows and weights as users give them: checked, and never changed or copied as a whole."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from lamina.estimators.rows import Rows, check_any
from lamina.exceptions import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

LARGEST = np.finfo(float).max
PLAIN = 100_000
"""Numbers up to which X is looked at without scikit-learn."""


def check_rows(estimator: Any, X: Any, *, reset: bool) -> Rows:
    """Return X as rows: of finite real numbers or NaN, of a table, or sparse.

    A numeric array is not copied.

    Raises
    ------
    LaminaError, ValueError, TypeError
        If X is none, or does not have the features of the estimator (unless `reset`).
    """
    if not reset and _is_plain(estimator, X):
        return Rows(X)
    refuse_masked("X", X)
    other = check_any(estimator, X, reset=reset)
    if other is not None:
        return other
    missing = False
    with np.errstate(over="ignore", invalid="ignore"):  # scikit-learn sums X to look for NaN
        try:
            values = validate_data(estimator, X, reset=reset, dtype="numeric")
        except ValueError:  # NaN perhaps, which is a missing value
            allowed = {"dtype": "numeric", "ensure_all_finite": "allow-nan"}
            values, missing = validate_data(estimator, X, reset=reset, **allowed), True
    return Rows(refuse_kind("X", values), missing=missing)


def _is_plain(estimator: Any, X: Any) -> bool:
    """Return whether X is what scikit-learn would return as it is: most of a single row's time."""
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
        and X.size <= PLAIN
        and bool(np.isfinite(X).all())
    )


def refuse_kind(name: str, values: Array) -> Array:
    """Return an array of real numbers that float64 can hold; refuse any other.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it holds dates, objects or text, or a number beyond 1.8e308.
    """
    if values.dtype.kind not in "fiub":
        message = f"{name} must hold real numbers, got an array of {values.dtype}"
        raise InvalidTypeError(message)
    wide = values.dtype.kind == "f" and values.dtype.itemsize > np.dtype(float).itemsize
    if wide and not np.all(np.abs(values) <= LARGEST):
        message = f"{name} holds numbers beyond the 1.8e308 of float64; use another unit"
        raise InvalidValueError(message)
    return values


def refuse_masked(name: str, values: Any) -> None:
    """Refuse masked entries, which NumPy would hand out as if they were none.

    Raises
    ------
    InvalidValueError
        If there are any.
    """
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        message = f"{name} has masked entries; fill them in, or leave out their rows"
        raise InvalidValueError(message)


def check_weights(sample_weight: Any, factors: Array | None, n: int) -> Array | None:
    """Return the weights of the rows times other factors, or None where all are equal.

    Only their ratios matter. They come back divided by a power of two, which changes no
    bit of a ratio, so that no sum of them overflows.

    Parameters
    ----------
    sample_weight : N numbers >= 0, one number, or None
    factors : N numbers >= 0, or None
        From class weights.
    n : int
        How many rows there are.

    Raises
    ------
    LaminaError, ValueError, TypeError
        If a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None and factors is None:
        return None
    refuse_masked("sample_weight", sample_weight)
    if sample_weight is not None and not isinstance(sample_weight, Real):
        sample_weight = np.asarray(sample_weight)
    weights = np.asarray(_check_sample_weight(sample_weight, np.empty((n, 0)), dtype=float))
    if np.any(weights < 0) or not np.any(weights > 0):
        message = "sample_weight must be zero or more, and not zero everywhere"
        raise InvalidValueError(message)
    weights = _shrink(weights)
    if factors is not None:
        weights = weights * _shrink(factors)
        if not np.any(weights > 0):
            message = "sample_weight and class_weight leave no row with a positive weight"
            raise InvalidValueError(message)
        weights = _shrink(weights)
    return weights


def _shrink(weights: Array) -> Array:
    """Return the weights divided by the power of two that brings the largest to 0.5..1."""
    return np.ldexp(weights, -np.frexp(weights.max())[1])  # type: ignore[no-any-return]  # an array


def check_finite(values: Array, what: str) -> Array:
    """Return what the network made of rows, unless it is not finite.

    Raises
    ------
    InvalidValueError
        If a row gave infinity or NaN.
    """
    bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if bad.any():
        message = (
            f"{what} of row {int(bad.argmax())} of X is too large to be represented: the row is "
            "too far from what the network was trained on; correct it, or use dtype='float64'"
        )
        raise InvalidValueError(message)
    return values
