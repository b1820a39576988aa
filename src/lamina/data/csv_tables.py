"""Tables from CSV files: chunks of rows become columns, so the text is never all in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.cells import quote, refuse, to_numbers
from lamina.data.csv_text import check_names, csv_records
from lamina.data.inference import CLASSES, LABEL, Column, infer
from lamina.data.table import Table
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO, NoReturn

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Choose = Callable[[tuple[str, ...]], Sequence[str]]
    Note = Callable[[str], None]

CELLS, ROWS = 2**12, 128
"""Cells that are text together, few enough for a processor's cache; but so many rows at least."""


@dataclass
class _Cells:
    """A column while it is read: numbers as long as all its cells are, else numbered words.

    Attributes
    ----------
    words : dict
        Every different cell and its number, in the order of their first rows.
    is_text : bool
        Whether words are counted, and not numbers.
    parts : list of arrays
        A chunk each: its numbers, or the numbers of its words.
    again : bool
        Whether a word came after numbers whose spelling is gone: the file is read again.
    """

    is_text: bool
    words: dict[str, int] = field(default_factory=dict)
    parts: list[Array] = field(default_factory=list)
    again: bool = False

    def add(self, cells: Sequence[str]) -> None:
        """Take the cells of a chunk."""
        if self.again:
            return
        numbers = None if self.is_text else to_numbers(cells)
        if numbers is not None:
            self.parts.append(numbers)
        elif self.parts and not self.is_text:
            self.again = True
            self.parts.clear()
        else:
            self.is_text = True
            words = self.words
            numbered = [words.setdefault(cell, len(words)) for cell in cells]
            self.parts.append(np.array(numbered, dtype=np.int32))

    def whole(self) -> Array:
        """Return all parts as one array, and forget them."""
        whole = np.concatenate(self.parts) if len(self.parts) > 1 else self.parts[0]
        self.parts.clear()
        return whole


def read_csv(
    path: str,
    file: BinaryIO,
    *,
    choose: Choose,
    kinds: Mapping[str, str],
    encoding: str | None,
    note: Note,
) -> Table:
    """Return the chosen columns of a CSV file, in the order chosen; see `read_table`.

    Parameters
    ----------
    file : binary file that can be read again from its start
    """
    told = {name for name, kind in kinds.items() if kind in {"categorical", "boolean", "datetime"}}
    columns, lines, delimiter = _read(path, file, encoding, choose, told)
    again = [name for name, column in columns.items() if column.again]
    if again:  # as text from the start
        columns |= _read(path, file, encoding, lambda _: again, set(again))[0]
    arrays = []
    for name, column in columns.items():
        found = column.whole()
        if column.is_text:
            about = _About(path, name, lines, delimiter == ";", note)
            found = _values(about, kinds.get(name), list(column.words), found)
        arrays.append(found)
    return Table(tuple(columns), tuple(arrays), path, lines)


def _read(
    path: str, file: BinaryIO, encoding: str | None, choose: Choose, told: set[str]
) -> tuple[dict[str, _Cells], tuple[int, ...], str]:
    """Read the chosen columns; return them, the lines where rows begin, and the separator."""
    with csv_records(path, file, encoding) as (delimiter, records):
        names = check_names(path, next(records)[1])
        chosen = choose(names)
        columns = {name: _Cells(name in told) for name in chosen}
        places = [(names.index(name), column) for name, column in columns.items()]
        lines: list[int] = []
        while chunk := list(islice(records, max(ROWS, CELLS // len(names)))):
            lines += [line for line, _ in chunk]
            cells = list(zip(*(row for _, row in chunk), strict=True))
            for place, column in places:
                column.add(cells[place])
    if not lines:
        raise TableError(f"{path} has a header and no rows; a row is needed for each data point")
    return columns, tuple(lines), delimiter


@dataclass(frozen=True)
class _About:
    """What messages about a column need."""

    path: str
    name: str
    lines: Sequence[int]
    comma: bool
    note: Note


def _values(about: _About, kind: str | None, words: list[str], numbered: Array) -> Array:
    """Return the values of a column of numbered words."""

    def refuse_word(place: int, problem: str) -> NoReturn:
        line = about.lines[int(np.argmax(numbered == place))]
        refuse(about.path, line, about.name, problem)

    def note(message: str) -> None:
        about.note(f"{about.path}, column {quote(about.name)}: {message}")

    way_out = f"column_kinds={{{about.name!r}: 'categorical'}}"
    if kind in {LABEL, CLASSES}:
        way_out = "--task classification"
    counts = np.bincount(numbered, minlength=len(words)).tolist()
    column = Column(words, counts, about.comma, way_out, refuse_word, note)
    return infer(column, kind)[numbered]
