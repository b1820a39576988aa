"""What the cells of a column of text are: numbers, truth values, dates, or text.

The whole column decides, and each different cell is looked at once. A column is what all of
its cells are that are not missing; where none fits all, it is text, unless a few cells among
many of a kind look like mistakes: then the first of them is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.cells import (
    MISSING,
    MISSING_TEXT,
    complaint,
    is_huge,
    is_integer,
    is_number,
    nearly,
    quote,
)
from lamina.data.conversion import TRUTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    import numpy.typing as npt

    Array = npt.NDArray[Any]

LABEL, CLASSES = "label", "classes"
"""What a target is: truth values stay text, and among classes numbers may stand beside text."""
BOOLEANS = ({"true", "false"}, {"yes", "no"})
"""The words for truth values, in lower case; a column that was not told has one of the pairs."""
MOSTLY = 0.9
"""With so many cells of a kind, and different ones, the others are taken for mistakes."""
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?( ?(Z|[+-]\d\d:?\d\d))?)?", re.ASCII
)
_DATE_LIKE = re.compile(
    r"(\d{4}[/.-]\d{1,2}[/.-]\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d\d))([T ,]+\d{1,2}:\d\d.*)?"
    r"|\d{1,2}[ -][A-Za-z]{3,9}\.?[ -]\d{2,4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}",
    re.ASCII,
)


@dataclass(frozen=True, eq=False)
class Column:
    """The different cells of a column, as they stand in the file, and what they may be.

    Attributes
    ----------
    cells : sequence of str
        Each once, in the order of their first rows.
    counts : sequence of int
        In how many rows each stands.
    comma : bool
        Whether decimals may follow a comma.
    way_out : str
        What a person passes to have the column taken as text.
    refuse : function of a cell's place and a problem
        Raises the error that names its line.
    note : function of a message
        Told what a person might want to know.
    """

    cells: Sequence[str]
    counts: Sequence[int]
    comma: bool
    way_out: str
    refuse: Callable[[int, str], NoReturn]
    note: Callable[[str], None]


def infer(column: Column, kind: str | None = None) -> Array:
    """Return a value for each different cell: float64, bool, datetime64[us] or str objects.

    A missing value is NaN, NaT or None; truth values of which some are missing are text.

    Parameters
    ----------
    column : Column
    kind : {"numeric", "boolean", "categorical", "datetime"}, LABEL or CLASSES, optional
        By default the cells decide.

    Raises
    ------
    Whatever `column.refuse` raises, where a cell looks like a mistake, or is not of the kind.
    """
    cells = [cell.strip() for cell in column.cells]
    present = [place for place, cell in enumerate(cells) if cell.lower() not in MISSING]
    if kind in _TOLD:
        return _TOLD[kind](column, cells, present)
    there = [cells[place] for place in present]
    if _are_numbers(there):  # as of none: a column without anything is NaN
        return _whole_numbers(column, cells, present)
    if column.comma and all(is_number(cell, comma=True) for cell in there):
        return _numbers(column, cells, present)
    if all(map(_ISO.fullmatch, there)):
        return _dates(column, cells, present)
    if kind is None and _are_booleans(there):
        return _booleans(column, cells, present)
    if kind != CLASSES and not _are_booleans(there):
        _refuse_mistakes(column, cells, present)
    return _texts(column, cells, present)


def _are_numbers(there: Sequence[str]) -> bool:
    """Return whether all cells are numbers with a decimal point."""
    return all(map(is_number, there))


def _are_booleans(there: Sequence[str]) -> bool:
    """Return whether all cells are of one pair of words."""
    return any({cell.lower() for cell in there} <= words for words in BOOLEANS)


def _whole_numbers(column: Column, cells: Sequence[str], present: Sequence[int]) -> Array:
    """Return numbers; or text, where all are integers and float64 would round some."""
    there = [cells[place] for place in present]
    if all(map(is_integer, there)) and any(map(is_huge, there)):
        column.note(
            f"holds integers beyond 2^53 as {quote(next(filter(is_huge, there)))}, which numbers "
            "would round: taken as text"
        )
        return _texts(column, cells, present)
    return _numbers(column, cells, present)


def _numbers(column: Column, cells: Sequence[str], present: Sequence[int]) -> Array:
    """Return numbers, or refuse the first cell that is none."""
    comma = column.comma and not _are_numbers([cells[place] for place in present])
    values = np.full(len(cells), np.nan)
    for place in present:
        cell = cells[place]
        point = cell.replace(",", ".") if comma and is_number(cell, comma=True) else cell
        problem = complaint(point)
        if problem:
            column.refuse(place, problem)
        values[place] = float(point)
    return values


def _booleans(column: Column, cells: Sequence[str], present: Sequence[int]) -> Array:
    """Return truth values, text where some are missing; or refuse the first cell that is none."""
    for place in present:
        if cells[place].lower() not in TRUTH:
            problem = f"{quote(cells[place])} is no truth value; write yes or no, or leave it empty"
            column.refuse(place, problem)
    if len(present) == len(cells):
        return np.array([TRUTH[cell.lower()] == 1.0 for cell in cells])
    values = np.full(len(cells), None, dtype=object)
    for place in present:
        values[place] = str(TRUTH[cells[place].lower()] == 1.0)
    return values


def _dates(column: Column, cells: Sequence[str], present: Sequence[int]) -> Array:
    """Return times in UTC where an offset is given, or as they stand where none is."""
    values = np.full(len(cells), np.datetime64("NaT"), dtype="datetime64[us]")
    zoned: bool | None = None
    for place in present:
        cell = cells[place]
        try:
            moment = datetime.fromisoformat(_iso(cell))
        except ValueError:
            column.refuse(place, f"{quote(cell)} is no date; write 2024-05-31 or 2024-05-31 14:00")
        has_zone = moment.tzinfo is not None
        if zoned is not None and has_zone != zoned:
            column.refuse(
                place,
                f"{quote(cell)} has {'an' if has_zone else 'no'} offset from UTC, and others have "
                f"{'none' if has_zone else 'one'}; write all times with it, or all without",
            )
        zoned = has_zone
        naive = moment.astimezone(UTC).replace(tzinfo=None) if has_zone else moment
        values[place] = np.datetime64(naive, "us")
    return values


def _iso(cell: str) -> str:
    """Return a time as `datetime.fromisoformat` takes it, or nothing where it would take more."""
    if not _ISO.fullmatch(cell):
        return ""
    return cell.replace(" ", "T", 1).replace(" ", "").replace(",", ".")


def _texts(column: Column, cells: Sequence[str], present: Sequence[int]) -> Array:
    """Return text; None where it is missing, of which "none" and "-" are no signs here."""
    del column, present
    values = np.full(len(cells), None, dtype=object)
    for place, cell in enumerate(cells):
        if cell.lower() not in MISSING_TEXT:
            values[place] = cell
    return values


def _refuse_mistakes(column: Column, cells: Sequence[str], present: Sequence[int]) -> None:
    """Refuse what is nearly a number everywhere, a date of another form, or a rare exception."""
    there = [cells[place] for place in present]
    numbers = [is_number(cell) for cell in there]
    problems = [None if good else nearly(cell) for good, cell in zip(numbers, there, strict=True)]
    meant = [good or problem is not None for good, problem in zip(numbers, problems, strict=True)]
    counts = [column.counts[place] for place in present]
    if _most(meant, counts):
        for place, problem in zip(present, problems, strict=True):
            if problem:
                column.refuse(place, problem)
        place = present[meant.index(False)]
        advice = f"correct it, leave the cell empty, or pass {column.way_out}"
        column.refuse(place, f"{quote(cells[place])} is no number, others are: {advice}")
    dates = [_DATE_LIKE.fullmatch(cell) is not None for cell in there]
    if _most(dates, counts):
        iso = [_ISO.fullmatch(cell) is not None for cell in there]
        place = present[iso.index(False)]
        advice = f"write every date as 2024-05-31 or 2024-05-31 14:00, or pass {column.way_out}"
        what = "a date" if dates[iso.index(False)] else "text"
        column.refuse(place, f"{quote(cells[place])} is {what} that cannot be read: {advice}")


def _most(hits: Sequence[bool], counts: Sequence[int]) -> bool:
    """Return whether nearly all different cells, and nearly all rows, are hits."""
    rows = sum(count for hit, count in zip(hits, counts, strict=True) if hit)
    return sum(hits) >= MOSTLY * len(hits) and rows >= MOSTLY * sum(counts)


_TOLD = {
    "numeric": _numbers,
    "boolean": _booleans,
    "categorical": _texts,
    "datetime": _dates,
}
"""How a column becomes what it is told to be."""
