"""Tables on disk that are larger than memory: how an estimator learns from them and reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.encoding import EncodingLearner
from lamina.data.spilling import spill
from lamina.data.streaming import ParquetRows
from lamina.exceptions import InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.data.encoding import Encoding
    from lamina.data.table import Table

    Array = npt.NDArray[Any]


def is_path(X: Any) -> bool:
    """Return whether X names a file or folder."""
    return isinstance(X, (str, os.PathLike))


def open_columns(X: str | os.PathLike[str], y: Any) -> tuple[ParquetRows, Array]:
    """Return the columns of a Parquet file or folder but its targets, and these, N or N × K.

    Parameters
    ----------
    X : path
    y : str, or list of str
        The names of the targets.

    Raises
    ------
    InvalidTypeError
        If `y` is something else.
    LaminaError, OSError
        If the files cannot be read, or lack a target.
    """
    names = [y] if isinstance(y, str) else y
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        message = f"where X is a file, y is the name of its target column, got a {type(y).__name__}"
        raise InvalidTypeError(message)
    rows = ParquetRows.open(X)
    targets = [rows.column(name) for name in names]
    inputs = [name for name in rows.names if name not in names]
    return rows.choose(inputs), targets[0] if isinstance(y, str) else np.column_stack(targets)


def learn_parts(rows: ParquetRows, column_kinds: Any, weights: Array | None) -> Encoding:
    """Return what is learned of columns in one pass, not scaled; rows of weight 0 do not count.

    Raises
    ------
    LaminaError
        If a column cannot be used; the message says what to do.
    """
    learner = EncodingLearner(column_kinds)
    start = 0
    for part in rows.parts():
        end = start + len(part)
        learner.add(part, None if weights is None else weights[start:end])
        start = end
    return learner.finish()


def cells_of(
    rows: ParquetRows, encoding: Encoding | None, plain: Callable[[Table], Array]
) -> Array:
    """Return the cells of all rows, N × C, in a temporary file: see `spill`.

    They are made by the encoding, or by `plain` where there is none. The rows keep the last ones,
    so that asking for several things of the same rows reads them once.
    """
    key = None if encoding is None else encoding.columns
    if key not in rows.encoded:
        rows.encoded.clear()
        C = len(rows.names) if encoding is None else len(encoding.expansion().levels)
        encode = plain if encoding is None else encoding.cells
        rows.encoded[key] = spill(map(encode, rows.parts()), (len(rows), C))
    return rows.encoded[key]
