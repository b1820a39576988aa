"""Data frames of any library, dicts and arrays as a `Table`; narwhals knows the libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.objects import ADVICE, from_objects, is_missing, leave_out, text_of
from lamina.data.table import TIME, Table
from lamina.exceptions import InvalidTypeError, ShapeError, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

REFUSED = {
    "Duration": ADVICE["timedelta"],
    "Time": ADVICE["time"],
    "Binary": ADVICE["bytes"],
    "List": "a list in each cell; give every entry a column of its own",
    "Array": "an array in each cell; give every entry a column of its own",
    "Struct": "a record in each cell; give every field a column of its own",
}
"""Types of columns that are no numbers, truth values, text or times; and what to do."""


def is_frame(X: Any) -> bool:
    """Return whether `to_table` takes it by the names of its columns: a frame, dict or Table."""
    if isinstance(X, (Table, Mapping)):
        return True
    if isinstance(X, (np.ndarray, list, tuple)):
        return False
    import narwhals as nw

    return bool(nw.dependencies.is_into_dataframe(X)) or _is_lazy(X)


def to_table(frame: Any, ignored: Collection[str | int] = ()) -> Table:
    """Return a data frame as a Table; columns of numbers are views where the frame allows.

    Numbers with missing values become float64 with NaN, truth values with missing values text;
    categories become text; dates and times become datetime64[us], in UTC where they have a zone.

    Parameters
    ----------
    frame : data frame, mapping of names to columns, array of N × C or of records, or Table
        A frame of pandas, polars, pyarrow, modin or any other library that narwhals knows. The
        columns of an array are called x0, x1, ...
    ignored : collection of names and indices
        Columns whose cells are not looked at; all of them are taken as missing.

    Raises
    ------
    TableError
        If two columns have one name, or the columns are not equally long.
    InvalidTypeError
        If a column holds durations, lists, records or other objects, or the frame is lazy or
        none.

    Examples
    --------
    >>> table = to_table({"size": [1.5, None], "kind": ["oak", "elm"]})
    >>> [column.tolist() for column in table.columns]
    [[1.5, nan], ['oak', 'elm']]
    """
    if isinstance(frame, Table):
        return frame
    if isinstance(frame, Mapping):
        return _table(frame.items(), from_array, ignored)
    if isinstance(frame, np.ndarray):
        return _from_rows(frame, ignored)
    import narwhals as nw

    try:
        known = nw.from_native(frame, pass_through=True)
    except nw.exceptions.DuplicateError as problem:
        message = f"the {type(frame).__name__} has two columns of one name; rename one"
        raise TableError(message) from problem
    if isinstance(known, nw.LazyFrame):
        message = f"the {type(frame).__name__} is lazy; call its collect() first"
        raise InvalidTypeError(message)
    if not isinstance(known, nw.DataFrame):
        message = (
            f"a table must be a data frame, a dict of columns, or an N × C array, got a "
            f"{type(frame).__name__}"
        )
        raise InvalidTypeError(message)
    return _table(((series.name, series) for series in known.iter_columns()), _column, ignored)


def from_array(name: str, values: Any) -> Array:
    """Return an array or sequence of cells as a column of one of the types of a `Table`.

    Raises
    ------
    InvalidTypeError, ShapeError
        If its cells are none of these, or it is no single column.
    """
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if np.ma.isMaskedArray(array):
        hidden, array = np.ma.getmaskarray(array), np.array(array.data, dtype=object)
        array[hidden] = None
    if array.ndim != 1:
        message = f"column {name!r} must have one cell in each row, got shape {array.shape}"
        raise ShapeError(message)
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "M":
        return array.astype(TIME)
    if array.dtype.kind in "OUT":
        return from_objects(name, array.astype(object))
    kind = {"S": "bytes", "V": "records", "m": "timedelta", "c": "complex"}[array.dtype.kind]
    message = f"column {name!r} holds {ADVICE.get(kind, kind)}; {leave_out(name)}"
    raise InvalidTypeError(message)


def _is_lazy(frame: Any) -> bool:
    """Return whether a frame has yet to be computed."""
    import narwhals as nw

    known = nw.from_native(frame, pass_through=True)
    return isinstance(known, nw.LazyFrame)


def _table(
    columns: Iterable[tuple[Any, Any]],
    convert: Callable[[str, Any], Array],
    ignored: Collection[str | int],
) -> Table:
    """Return a table of columns that are converted, but those that are ignored."""
    names, arrays = [], []
    for place, (key, column) in enumerate(columns):
        name = str(key)
        names.append(name)
        unseen = name in ignored or place in ignored
        arrays.append(np.full(len(column), np.nan) if unseen else convert(name, column))
    return Table(tuple(names), tuple(arrays))


def _from_rows(rows: Array, ignored: Collection[str | int]) -> Table:
    """Return the columns of an array as a table, called x0, x1, ..., or as its fields are."""
    if rows.dtype.names:
        return _table(((name, rows[name]) for name in rows.dtype.names), from_array, ignored)
    if rows.ndim != 2:
        message = f"a table must be N × C, got an array of shape {rows.shape}"
        raise ShapeError(message)
    return _table(((f"x{i}", column) for i, column in enumerate(rows.T)), from_array, ignored)


def _column(name: str, series: Any) -> Array:
    """Return a column of a frame as one of the types of a `Table`."""
    import narwhals as nw

    dtype = series.dtype
    kind = type(dtype).__name__
    if kind in REFUSED:
        message = f"column {name!r} holds {REFUSED[kind]}; {leave_out(name)}"
        raise InvalidTypeError(message)
    if dtype.is_numeric():
        return _numbers(series)
    if dtype == nw.Boolean and not series.is_null().any():
        return np.asarray(series.to_numpy(), dtype=bool)
    if dtype == nw.Datetime:
        return _times(series)
    if dtype in (nw.Categorical, nw.Enum):
        return _categories(series)
    return from_objects(name, series.to_list())


def _numbers(series: Any) -> Array:
    """Return numbers, NaN where one is missing; a view where there is none."""
    import narwhals as nw

    dtype = series.dtype
    inexact = dtype.is_decimal() or dtype in (nw.Int128, nw.UInt128)
    if inexact or (dtype.is_integer() and series.is_null().any()):
        series = series.cast(nw.Float64)
    values = np.asarray(series.to_numpy())
    if values.dtype.kind in "fiu" and values.itemsize <= 8:
        return values
    return values.astype(float)


def _times(series: Any) -> Array:
    """Return times in microseconds, in UTC where they have a zone."""
    if series.dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return np.asarray(series.to_numpy()).astype(TIME)


def _categories(series: Any) -> Array:
    """Return categories as text, None where one is missing; they are no numbers."""
    cells = series.to_list()
    texts = {cell: None if is_missing(cell) else text_of(cell) for cell in set(cells)}
    return np.array([texts[cell] for cell in cells], dtype=object)
