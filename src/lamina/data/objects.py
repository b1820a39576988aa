"""Arrays of objects and of text as the columns of a table: each cell says what it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import repeat
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.table import TIME
from lamina.exceptions import InvalidTypeError, TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

MISSING_TYPES = ("NAType", "NaTType")
"""What pandas calls its missing values; it is not imported to know them."""
ADVICE = {
    "timedelta64": "durations; turn them into numbers, for example of seconds",
    "timedelta": "durations; turn them into numbers, for example of seconds",
    "Timedelta": "durations; turn them into numbers, for example of seconds",
    "time": "times without a date; turn them into numbers, for example of hours",
    "complex": "complex numbers; give real and imaginary parts a column each",
    "bytes": "bytes; decode them to text",
}


def leave_out(name: str) -> str:
    """Return how a column is left out, as messages say it."""
    return f"or leave the column out with column_kinds={{{name!r}: 'drop'}}"


def is_missing(cell: Any) -> bool:
    """Return whether a cell holds nothing: None, NaN, NaT, or pandas' NA."""
    if cell is None or type(cell).__name__ in MISSING_TYPES:
        return True
    if isinstance(cell, np.datetime64):
        return bool(np.isnat(cell))
    return isinstance(cell, Real) and cell != cell  # noqa: PLR0124 - only NaN differs from itself


def text_of(value: Any) -> str:
    """Return a number, truth value, time or text as the text of a level: 1.0 and 1 are one.

    Parameters
    ----------
    value : str, bool, number, or datetime64
        Not missing.
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, (Real, Decimal)):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def texts_of(column: Array) -> Array:
    """Return a column as text, None where it is missing; text stays as it is."""
    if column.dtype == object:
        return column
    values, places = np.unique(column, return_inverse=True)
    texts = [None if is_missing(value) else text_of(value) for value in values]
    return np.array(texts, dtype=object)[places]


def from_objects(name: str, cells: Sequence[Any] | Array) -> Array:
    """Return cells of any type as a column of one of the types of a `Table`.

    All numbers (Decimal and Fraction too) are float64; all truth values are bool, or text where
    some are missing; all dates and times are datetime64[us], in UTC where they have a zone;
    text, and text among numbers, is text.

    Raises
    ------
    TableError, InvalidTypeError
        If a cell is something else, or times with and without a zone stand together.
    """
    cells = cells.tolist() if isinstance(cells, np.ndarray) and cells.dtype != object else cells
    if set(map(type, cells)) <= {str, type(None)} and any(map(isinstance, cells, repeat(str))):
        return np.array(cells, dtype=object)
    missing = np.fromiter(map(is_missing, cells), dtype=bool, count=len(cells))
    rows = np.flatnonzero(~missing).tolist()
    kinds = {_kind(name, row, cells[row]) for row in rows}
    there = (cells[row] for row in rows)
    if kinds <= {"number"}:
        return _filled(missing, map(float, there), np.full(len(missing), np.nan))
    if kinds == {"time"}:
        return _times(name, missing, there)
    if kinds == {"bool"} and not missing.any():
        return np.array(list(there), dtype=bool)
    return _filled(missing, map(text_of, there), np.full(len(missing), None, dtype=object))


def _kind(name: str, row: int, cell: Any) -> str:
    """Return "number", "bool", "time" or "text", or refuse the cell."""
    if isinstance(cell, str):
        return "text"
    if isinstance(cell, (bool, np.bool_)):
        return "bool"
    if isinstance(cell, (datetime, date, np.datetime64)):
        return "time"
    if isinstance(cell, (Real, Decimal)) and not isinstance(cell, np.timedelta64):
        return "number"
    what = type(cell).__name__
    found = ADVICE.get(what, f"a {what}, and an argument must be a text string or a number")
    raise InvalidTypeError(f"column {name!r}, row {row}, holds {found}; {leave_out(name)}")


def _times(name: str, missing: Array, there: Iterable[Any]) -> Array:
    """Return dates and times in microseconds, in UTC where they have a zone."""
    values = list(there)
    zoned = {isinstance(value, datetime) and value.tzinfo is not None for value in values}
    if len(zoned) > 1:
        message = f"column {name!r} has times with and without a zone; write all in one way"
        raise TableError(message)
    moments = (_moment(value) for value in values)
    return _filled(missing, moments, np.full(len(missing), np.datetime64("NaT"), dtype=TIME))


def _moment(value: Any) -> np.datetime64:
    """Return a date or time, in UTC if it has a zone."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return np.datetime64(value).astype(TIME)


def _filled(missing: Array, values: Iterable[Any], column: Array) -> Array:
    """Return the column with values where none is missing."""
    for row, value in zip(np.flatnonzero(~missing), values, strict=True):
        column[row] = value
    return column
