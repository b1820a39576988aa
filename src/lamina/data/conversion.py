"""Columns of a table as what they are told, or were found, to be."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lamina.data.cells import MISSING, is_number, quote
from lamina.data.objects import from_objects, is_missing, texts_of
from lamina.data.table import TIME
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

TRUTH = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}
"""What stands for truth values, in lower case."""


def converted(name: str, column: Array, kind: str) -> Array:
    """Return a column as numbers, truth values, times or text.

    Parameters
    ----------
    column : array, N
        Of one of the types of a `Table`.
    kind : {"numeric", "boolean", "categorical", "datetime"}

    Returns
    -------
    array, N
        float64 with NaN; float64 with 0, 1 and NaN; str objects with None; datetime64[us].

    Raises
    ------
    TableError
        If a cell cannot be that; the message names its row.
    """
    makers = {
        "numeric": numbers_of,
        "boolean": booleans_of,
        "datetime": times_of,
    }
    return texts_of(column) if kind == "categorical" else makers[kind](name, column)


def numbers_of(name: str, column: Array) -> Array:
    """Return a column of numbers, truth values or spelled numbers as finite float64 or NaN."""
    if column.dtype.kind in "fiub":
        values = column.astype(float, copy=False)
    elif column.dtype == object:
        values = _by_text(column, _number)
        _refuse_lost(
            name, column, values, "is no number, as the column was before or is told to be"
        )
    else:
        message = f"column {name!r} holds times and not numbers; tell it is 'datetime' or 'drop'"
        raise TableError(message)
    infinite = np.isinf(values)
    if infinite.any():
        _refuse(name, column, infinite, "is infinite; put a finite number, or leave it missing")
    return values


def booleans_of(name: str, column: Array) -> Array:
    """Return a column of truth values as 0, 1 and NaN."""
    if column.dtype == bool:
        return column.astype(float)
    texts = texts_of(column)
    values = _by_text(texts, lambda text: TRUTH.get(text.lower(), np.nan))
    _refuse_lost(
        name, texts, values, "is no truth value; they are True and False, yes and no, 1 and 0"
    )
    return values


def times_of(name: str, column: Array) -> Array:
    """Return a column of times or ISO dates in microseconds."""
    if column.dtype == TIME:
        return column
    if column.dtype == object:
        moments = {text: _moment(text) for text in set(column.tolist())}
        cells = [moments[text] for text in column.tolist()]
        values = from_objects(name, cells)
        lost = np.array([(a is None) != (b is None) for a, b in zip(cells, column, strict=True)])
        if lost.any():
            _refuse(name, column, lost, "is no date; write 2024-05-31 or 2024-05-31 14:00")
        return values if values.dtype == TIME else np.full(len(cells), np.datetime64("NaT"), TIME)
    if column.dtype.kind == "f" and np.isnan(column).all():
        return np.full(len(column), np.datetime64("NaT"), dtype=TIME)
    message = f"column {name!r} holds numbers and not times; make them dates first, or drop it"
    raise TableError(message)


def absent(values: Array) -> Array:
    """Return where a column of one of the types of a `Table` has no value."""
    if values.dtype == object:
        return np.array([value is None for value in values.tolist()], dtype=bool)
    return np.asarray(values != values)  # noqa: PLR0124 - NaN and NaT differ from themselves


def _number(text: str) -> float:
    """Return the number that a text spells, or NaN."""
    text = text.strip()
    return float(text) if is_number(text) else np.nan


def _moment(text: str | None) -> datetime | None:
    """Return the time that a text spells, or None."""
    try:
        return None if text is None else datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _by_text(column: Array, value_of: Callable[[str], float]) -> Array:
    """Return a number for each text, NaN where it is missing; each text is looked at once."""
    cells = column.tolist()
    values = {text: np.nan if is_missing(text) else value_of(str(text)) for text in set(cells)}
    return np.array([values[text] for text in cells], dtype=float)


def _refuse_lost(name: str, column: Array, values: Array, problem: str) -> None:
    """Refuse the first text that became NaN and does not stand for a missing value."""
    lost = np.isnan(values)
    lost[lost] = [str(text).strip().lower() not in MISSING for text in column[lost]]
    if lost.any():
        _refuse(name, column, lost, problem)


def _refuse(name: str, column: Array, rows: Array, problem: str) -> NoReturn:
    """Raise the TableError of the first of some rows."""
    row = int(np.argmax(rows))
    raise TableError(f"column {name!r}, row {row}: {quote(str(column[row]))} {problem}")
