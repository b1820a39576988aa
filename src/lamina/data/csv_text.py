"""CSV files as text: their encoding, their separator, and records with the lines they begin on."""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from lamina.data.cells import quote
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    Record = tuple[int, list[str]]

DELIMITERS = ",;\t|"
_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_START = 4096  # bytes, to tell text from what is none
_LINES = 1000  # checked together


@contextmanager
def csv_records(
    path: str, file: BinaryIO, encoding: str | None
) -> Iterator[tuple[str, Iterator[Record]]]:
    """Read a CSV file from its start: give its separator, and the records, the header first.

    Each record comes with the line where it begins; blank lines at the end are left out.

    Parameters
    ----------
    path : str
        The file, as messages name it.
    file : binary file
        Is left open.
    encoding : str or None
        By default what the byte order mark says, or UTF-8 where there is none.

    Raises
    ------
    TableError
        If the file is no text in this encoding, or no CSV; the message names the line.
    """
    file.seek(0)
    start = file.read(_START)
    name = choose_encoding(path, start, encoding)
    file.seek(0)
    errors = "strict" if name.startswith(("utf-16", "utf-32")) else "surrogateescape"
    text = io.TextIOWrapper(file, name, errors=errors, newline="")
    try:
        lines = _checked_lines(path, text, name)
        header = next(lines, "").removeprefix("\ufeff")
        if not header:
            raise TableError(f"{path} is empty; the first line must hold the names of the columns")
        delimiter = max(DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
        reader = csv.reader(
            chain([header], lines), delimiter=delimiter, skipinitialspace=True, strict=True
        )
        yield delimiter, _records(path, reader)
    finally:
        text.detach()


def choose_encoding(path: str, start: bytes, told: str | None) -> str:
    """Return the name of an encoding: as told, by the byte order mark, or UTF-8.

    Raises
    ------
    TableError
        If there is no such encoding, or the file begins as no text does.
    """
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if told is not None:
        try:
            name = codecs.lookup(told).name
            "".encode(name)
        except LookupError as problem:
            message = f"unknown encoding {told!r}; names are utf-8, utf-16, cp1252, latin-1, ..."
            raise TableError(message) from problem
        return "utf-8-sig" if name == "utf-8" else name
    if marked is None and b"\0" in start:
        for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if start.count(b"\0") == start[place::2].count(0) >= len(start) // 4:
                message = f"{path} looks like UTF-16 without a byte order mark"
                raise TableError(f"{message}; pass --encoding {name}, or save it as 'CSV UTF-8'")
        raise TableError(f"{path} is a binary file and no table; export the data as CSV")
    if not start.removeprefix(codecs.BOM_UTF8).strip():
        raise TableError(f"{path} is empty; the first line must hold the names of the columns")
    return marked or "utf-8"


def _checked_lines(path: str, file: Iterator[str], encoding: str) -> Iterator[str]:
    """Yield the lines, and refuse one that is not in this encoding or holds a NUL."""
    shown = "UTF-8" if encoding.startswith("utf-8") else encoding
    number = 0
    try:
        while lines := list(islice(file, _LINES)):
            together = "".join(lines)
            if "\0" in together or not together.isascii():
                for place, line in enumerate(lines, number + 1):
                    _check_line(f"{path}, line {place}", line, shown)
            yield from lines
            number += len(lines)
    except UnicodeError as problem:
        message = f"{path} is damaged, or not {shown} all through; save it as 'CSV UTF-8'"
        raise TableError(message) from problem


def _check_line(place: str, line: str, encoding: str) -> None:
    """Refuse a line that holds a NUL, or bytes that could not be decoded."""
    if "\0" in line:
        raise TableError(f"{place}: a NUL byte; the file is damaged, or no text")
    if not line.isascii() and re.search("[\udc80-\udcff]", line):
        hint = "pass --encoding cp1252, or what it is, or save the table as 'CSV UTF-8'"
        raise TableError(f"{place}: not {encoding}; {hint}")


def _records(path: str, reader: Any) -> Iterator[Record]:
    """Yield the header, then every row, with the lines where they begin."""
    try:
        header = next(reader)
        yield 1, header
        yield from _rows(path, reader, len(header))
    except csv.Error as problem:
        message = f"{path}, line {reader.line_num}: {_explain(str(problem))}"
        raise TableError(message) from problem


def _rows(path: str, reader: Any, width: int) -> Iterator[Record]:
    """Yield every row; each has a cell for each column, and blank lines only stand at the end."""
    begins, blank = reader.line_num + 1, 0
    for cells in reader:
        if not cells or (len(cells) == 1 < width and not cells[0].strip()):
            blank = blank or begins
        elif blank:
            raise TableError(f"{path}, line {blank} is blank; remove it")
        elif len(cells) != width:
            advice = "give every row a cell for each column, and quote cells that hold the"
            advice = f"{advice} separator"
            if len(cells) == width + 1 and not cells[-1].strip():
                advice = "remove the separator at the end of the line"
            raise TableError(
                f"{path}, line {begins} has {len(cells)} cells and the header has {width}; {advice}"
            )
        else:
            yield begins, cells
        begins = reader.line_num + 1


def check_names(path: str, header: list[str]) -> tuple[str, ...]:
    """Return the names of the columns, without the spaces around them.

    Raises
    ------
    TableError
        If one is missing, or there twice.
    """
    names = [name.strip() for name in header]
    if not any(names):
        raise TableError(f"{path}, line 1 is blank; it must hold the names of the columns")
    places: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name:
            advice = "remove it (a data frame is saved without its index by to_csv(index=False))"
            if place == len(names):
                advice = "or remove the separators at the ends of the lines"
            raise TableError(
                f"{path}, line 1: column {place} of {len(names)} has no name; give it one, {advice}"
            )
        if name in places:
            raise TableError(
                f"{path}, line 1: columns {places[name]} and {place} are both called "
                f"{quote(name)}; rename or remove one"
            )
        places[name] = place
    return tuple(names)


def _explain(problem: str) -> str:
    """Return what the csv module says, with what to do."""
    if "field larger" in problem:
        return "a cell of more than 131072 characters; look for a quote that is not closed"
    if "unexpected end" in problem:
        return "the file ends within quotes; look for a quote that is not closed"
    if "expected after" in problem:
        return "text follows a closing quote; write a quote within a cell twice"
    return f"{problem}; save the table as CSV again"
