"""What a target column asks: classes or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lamina.data.cells import EXACT, quote, refuse
from lamina.data.inference import BOOLEANS
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.data.table import Table

    Array = npt.NDArray[Any]

FEW = 20
"""Up to so many different integers are taken for classes, if each occurs twice on average."""
_REPEATS = 2


@dataclass(frozen=True, eq=False)
class Target:
    """The target's column, where it is not missing.

    Attributes
    ----------
    y : N classes (text or int64) or N numbers (float64)
    rows : N integers
        Of the table; in the others the target is missing.
    task : {"classification", "regression"}
    holds : str
        What is in y, in words.
    both : bool
        Whether the task was chosen here, and the other one could have been.
    """

    y: Array
    rows: Array
    task: str
    holds: str
    both: bool


def learn_target(table: Table, name: str, task: str, note: Callable[[str], None]) -> Target:
    """Decide what is to be learned of a column.

    Parameters
    ----------
    table : Table
        With the column among others.
    task : {"auto", "classification", "regression"}
    note : function
        Called with what a person might want to know.

    Raises
    ------
    TableError
        If the column does not fit the task, or there is nothing to learn.
    """
    y, rows = present_values(table, name, note)
    kinds, is_text = np.unique(y), y.dtype.kind == "U"
    if len(kinds) == 1:
        only = str(kinds[0]) if is_text else f"{kinds[0]:.15g}"
        what = f"holds {quote(only)} in every row: there is nothing to learn"
        raise TableError(f"{table.path}, column {quote(name)} {what}")
    whole = is_text or bool(np.all(y == np.rint(y)))
    few = len(kinds) <= FEW and _REPEATS * len(kinds) <= len(y)
    holds = f"{len(kinds):,} different {'integers' if whole else 'numbers'}"
    if is_text:
        holds = _words_in_words(kinds)
    both = task == "auto" and whole and not is_text
    if task == "auto" and is_text and len(kinds) > max(FEW, len(y) / _REPEATS):
        problem = "almost every row holds another text; name the column that is to be predicted"
        raise TableError(f"{table.path}, column {quote(name)}: {problem}")
    if task == "regression" and is_text:
        refuse_row(
            table, name, rows[0], f"{quote(str(y[0]))} is text, and numbers are to be learned"
        )
    if task == "auto":
        task = "classification" if is_text or (whole and few) else "regression"
    if task == "classification":
        y = _classes(table, name, y, rows)
    return Target(y, rows, task, holds, both)


def present_values(table: Table, name: str, note: Callable[[str], None]) -> tuple[Array, Array]:
    """Return a column's text or numbers where it is not missing, and the rows of these.

    Raises
    ------
    TableError
        If it holds dates, or nothing.
    """
    column = table[name]
    if column.dtype.kind == "M":
        problem = "dates are no target; give a number, as the days since one of them"
        raise TableError(f"{table.path}, column {quote(name)}: {problem}")
    if column.dtype == object:
        there = np.array([cell is not None for cell in column])
    else:
        there = ~np.isnan(column.astype(float))
    rows = np.flatnonzero(there)
    if not len(rows):
        problem = "is empty in every row; name the column that is to be predicted"
        raise TableError(f"{table.path}, column {quote(name)} {problem}")
    absent = len(column) - len(rows)
    if absent:
        lack = "1 row is" if absent == 1 else f"{absent:,} rows are"
        note(f"{lack} left out, where {quote(name)} is missing")
    values = column[rows]
    if values.dtype.kind in "Ob":
        return _spelled_alike(name, values.astype(str), note), rows
    return values.astype(np.float64) if values.dtype.kind == "f" else values, rows


def _spelled_alike(name: str, y: Array, note: Callable[[str], None]) -> Array:
    """Return text with truth values in one spelling, if they come in several."""
    kinds = np.unique(y)
    lower = {kind.lower() for kind in kinds.tolist()}
    if len(lower) < len(kinds) and any(lower <= words for words in BOOLEANS):
        note(f"{quote(name)} spells {' and '.join(sorted(lower))} in several ways, taken as one")
        return np.char.lower(y)
    return y


def _words_in_words(kinds: Array) -> str:
    """Return what a target holds that is no numbers."""
    if [kind.lower() for kind in kinds] == ["false", "true"]:
        return f"{kinds[1]} and {kinds[0]}"
    return f"text, {len(kinds):,} classes"


def _classes(table: Table, name: str, y: Array, rows: Array) -> Array:
    """Return y as classes: text, or integers."""
    if y.dtype.kind != "f":
        return y if y.dtype.kind == "U" else y.astype(np.int64)
    for strange, why in ((y != np.rint(y), "has decimals"), (np.abs(y) >= EXACT, "is too large")):
        if np.any(strange):
            place = int(np.argmax(strange))
            advice = "pass --task regression, or give the classes names"
            problem = f"'{y[place]:.15g}' {why}, which no class may: {advice}"
            refuse_row(table, name, rows[place], problem)
    return y.astype(np.int64)


def refuse_row(table: Table, name: str, row: int, problem: str) -> NoReturn:
    """Raise the TableError of a cell, with its line if there is one."""
    if table.lines is not None:
        refuse(table.path, table.lines[row], name, problem)
    raise TableError(f"{table.path}, row {row + 1}, column {quote(name)}: {problem}")
