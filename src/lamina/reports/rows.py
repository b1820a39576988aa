"""Tables as reports are given them: names, single columns and some of the rows, of any kind.

What a person gives becomes an array of numbers, a sparse matrix, or a `Table`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.frames import is_frame, to_table
from lamina.data.table import TIME, Table
from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

YEAR = 31_556_952e6
"""Microseconds of a year, on average."""


def as_rows(X: Any) -> Any:
    """Return X as an array of numbers, a sparse matrix, or else a `Table`."""
    if hasattr(X, "tocsr"):
        return X.tocsr()
    if is_frame(X):
        return to_table(X)
    array = np.asarray(X)
    return array if array.dtype.kind in "fiub" else to_table(array)


def count(X: Any) -> int:
    """Return the number of rows."""
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def names_of(estimator: Any, X: Any = None, given: Sequence[str] | None = None) -> list[str]:
    """Return the names of the columns of X: given, of the fit, of the table, or x0, x1, ...

    Raises
    ------
    InvalidValueError
        If more or fewer names are given than there are columns.
    """
    n = int(estimator.n_features_in_)
    if given is not None:
        if len(given) != n:
            message = f"feature_names must have {n} names, one for each column; got {len(given)}"
            raise InvalidValueError(message)
        return [str(name) for name in given]
    if hasattr(estimator, "feature_names_in_"):
        return [str(name) for name in estimator.feature_names_in_]
    return list(X.names) if isinstance(X, Table) else [f"x{place}" for place in range(n)]


def raw_column(X: Any, place: int) -> Array:
    """Return one column as it is: numbers, bool, datetime64 or objects."""
    if isinstance(X, Table):
        return X.columns[place]
    if hasattr(X, "toarray"):
        return np.asarray(X[:, [place]].toarray()[:, 0])
    return np.asarray(X[:, place])


def column(X: Any, place: int) -> Array:
    """Return one column as float64 if it holds numbers, else as text, "" for missing.

    Times are years with decimals, so that they can be drawn.
    """
    values, levels = coded_column(raw_column(X, place))
    if isinstance(levels, np.ndarray):
        return np.array([levels[int(code)] or "" for code in values], dtype=str)
    return 1970.0 + values / YEAR if levels == TIME else values


def coded_column(values: Array) -> tuple[Array, Any]:
    """Return a column as float64 codes, and what `decoded_column` needs to go back.

    That is None for numbers, a dtype for truth values and times, and the levels for all else.
    """
    if values.dtype.kind == "M":
        micros = values.astype(TIME)
        return np.where(np.isnat(micros), np.nan, micros.astype(np.int64).astype(float)), TIME
    if values.dtype.kind == "b":
        return values.astype(float), np.dtype(bool)
    if values.dtype.kind in "fiu":
        return values.astype(float), None
    texts = values.tolist()
    levels = sorted({text for text in texts if text is not None})
    levels_and_none = np.array([*levels, None], dtype=object)
    codes = {level: float(code) for code, level in enumerate(levels_and_none)}
    return np.array([codes[text] for text in texts]), levels_and_none


def decoded_column(codes: Array, levels: Any) -> Array:
    """Return a column from its codes."""
    if levels is None:
        return codes
    if isinstance(levels, np.ndarray):
        return np.asarray(levels[codes.astype(int)])
    if levels == TIME:
        micros = np.where(np.isnan(codes), 0.0, codes).astype(np.int64).astype(TIME)
        return np.where(np.isnan(codes), np.datetime64("NaT", "us"), micros)
    return codes.astype(levels)


def take(X: Any, points: Array) -> Any:
    """Return some rows of X, as the same kind of table."""
    return X.rows(points) if isinstance(X, Table) else X[points]


def sample(n: int, most: int, seed: int = 0) -> Array:
    """Return `most` of n rows at random, ascending; all if there are not more."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
