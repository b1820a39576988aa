"""X as users give it, checked: a table, an array with or without NaN, a sparse matrix, a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from lamina.data.conversion import numbers_of
from lamina.data.frames import is_frame, to_table
from lamina.data.kinds import told_to_drop
from lamina.data.sparse import to_rows
from lamina.data.streaming import ParquetRows
from lamina.data.table import Table
from lamina.estimators.streamed import is_path
from lamina.exceptions import ShapeError, TableError

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    Array = npt.NDArray[Any]

Named = TypeVar("Named", Table, ParquetRows)


@dataclass(eq=False)
class Rows:
    """X as it was checked.

    Attributes
    ----------
    values : array of N × S_0, Table, sparse matrix, or the columns of Parquet files
    missing : bool
        Whether an array has NaN.
    cells : array, N × C, or None
        What the encoding of the estimator makes of it, as soon as that is known.
    """

    values: Any
    missing: bool = False
    cells: Array | None = None

    def __len__(self) -> int:
        """Return N."""
        return int(self.values.shape[0] if hasattr(self.values, "shape") else len(self.values))


def check_table(estimator: Any, X: Any, *, reset: bool) -> Table:
    """Return a data frame, dict of columns or Table, with the features of the estimator.

    A data frame must have the names of training in their order, as scikit-learn wants it; of a
    dict or Table they are chosen.

    Raises
    ------
    LaminaError, ValueError, TypeError
        If it cannot be used, or has other features.
    """
    table = _to_table(estimator, X, reset=reset)
    if not isinstance(X, (Table, Mapping)):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return table
    return choose_columns(estimator, table, reset=reset)


def _to_table(estimator: Any, X: Any, *, reset: bool) -> Table:
    """Return X as a table with rows and columns; those that are dropped are not looked at."""
    table = to_table(X, _dropped(estimator, X, reset=reset))
    if not len(table) or not table.names:
        message = f"X has {len(table)} rows and {len(table.names)} columns; it needs both"
        raise ShapeError(message)
    return table


def _dropped(estimator: Any, X: Any, *, reset: bool) -> Collection[str | int]:
    """Return names or indices of columns that are not used."""
    encoding = None if reset else estimator.encoding_
    if encoding is None:
        return told_to_drop(estimator.column_kinds)
    by_place = isinstance(X, np.ndarray) and X.dtype.names is None
    columns = enumerate(encoding.columns)
    return {n if by_place else column.name for n, column in columns if column.kind == "drop"}


def choose_columns(estimator: Any, table: Named, *, reset: bool) -> Named:
    """Return the columns of a table that the estimator was trained on; take them all if `reset`.

    Raises
    ------
    TableError, ShapeError
        If it lacks one, or has another number of columns where they had no names.
    """
    if reset:
        estimator.n_features_in_ = len(table.names)
        estimator.feature_names_in_ = np.array(table.names, dtype=object)
        return table
    names = tuple(getattr(estimator, "feature_names_in_", table.names))
    for name in names:
        if name not in table.names:
            message = f"{table.path or 'X'} has no column {name!r}, which was there in training"
            raise TableError(message)
    if len(names) != estimator.n_features_in_:
        message = f"X has {len(names)} columns, expected {estimator.n_features_in_}"
        raise ShapeError(message)
    return table.choose(names)


def check_cells(estimator: Any, X: Any, *, reset: bool) -> Table | Array:
    """Return an array of objects, text or times as a table, or as numbers if all are.

    Raises
    ------
    LaminaError, ValueError
        If a cell cannot be used, or X has other features than the estimator.
    """
    table = _to_table(estimator, X, reset=reset)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if all(column.dtype.kind in "fiub" for column in table.columns):
        return numbers(table)
    return table


def is_cells(X: Any) -> bool:
    """Return whether `check_cells` takes it: an array that is not of numbers."""
    return isinstance(X, np.ndarray) and X.dtype.kind in "OUTSM" and X.ndim == 2


def check_sparse(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return a sparse matrix by rows, its numbers finite.

    Raises
    ------
    LaminaError, ValueError, TypeError
        If it cannot be used, or has other features than the estimator.
    """
    return to_rows(validate_data(estimator, X, reset=reset, dtype="numeric", accept_sparse="csr"))


def check_any(estimator: Any, X: Any, *, reset: bool) -> Rows | None:
    """Return X as Rows if it is something else than an array of numbers."""
    if sparse.issparse(X):
        return Rows(check_sparse(estimator, X, reset=reset))
    if is_path(X):
        X = ParquetRows.open(X)
    if isinstance(X, ParquetRows):
        return Rows(choose_columns(estimator, X, reset=reset))
    if is_frame(X):
        return Rows(check_table(estimator, X, reset=reset))
    if isinstance(X, (list, tuple)):
        X = _of_lists(X)
    if is_cells(X):
        values = check_cells(estimator, X, reset=reset)
        missing = isinstance(values, np.ndarray) and bool(np.isnan(values).any())
        return Rows(values, missing=missing)
    return None


def _of_lists(X: Any) -> Any:
    """Return lists of rows as an array that keeps what each cell is; others as they are."""
    try:
        array = np.asarray(X)
    except (TypeError, ValueError):
        return X
    return np.array(X, dtype=object) if array.dtype.kind in "UTSM" else array


def numbers(table: Table) -> Array:
    """Return the cells of a table of numbers, float64, N × C."""
    pairs = zip(table.names, table.columns, strict=True)
    return np.column_stack([numbers_of(name, column) for name, column in pairs])
