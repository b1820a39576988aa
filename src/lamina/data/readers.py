"""Tables of numbers from CSV files; what cannot be read is named by its line and column."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.cells import complaint, quote, to_numbers, to_texts
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Record = tuple[int, list[str]]

DELIMITERS = ",;\t"
CHUNK = 8192
"""Rows turned into numbers together: the text of a large table is never all in memory."""
_STRANGERS = {
    b"PK\x03\x04": "a spreadsheet or zip archive; open it and export one sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; open it and export one sheet as CSV",
    b"\x1f\x8b": "a compressed file; unpack it first",
    b"PAR1": "a Parquet file; export it as CSV",
    b"\xff\xfe": "text in UTF-16; save it as 'CSV UTF-8'",
    b"\xfe\xff": "text in UTF-16; save it as 'CSV UTF-8'",
}
_NAMES_LIMIT = 12  # in a message


@dataclass(frozen=True, eq=False)
class Table:
    """What was read from a CSV file.

    Attributes
    ----------
    path : str
        The file, as messages name it.
    names : tuple of str
        The columns of numbers, in the order asked for.
    values : float64 array, N × S
        Their cells, all finite; a column for each name.
    texts : dict of str to tuple of str
        The cells of the columns that may hold text, none of them empty; spaces around a
        cell do not count.
    lines : tuple of int
        The line of the file where each row begins; the header is line 1.
    unused : tuple of str
        Columns of the file that were not asked for; their cells were not looked at.
    """

    path: str
    names: tuple[str, ...]
    values: Array
    texts: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]
    unused: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of rows N."""
        return len(self.lines)

    def numbers(self, name: str) -> Array:
        """Return a column that may hold text as N numbers.

        Raises
        ------
        TableError
            If a cell is no finite number; the message names its line.
        """
        return to_numbers(self.path, self.lines, [name], [self.texts[name]])[:, 0]


def read_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    text: Collection[str] = (),
) -> Table:
    r"""Read a CSV file: a header with the names of the columns, then rows of numbers.

    UTF-8 with or without a byte order mark; cells are separated by commas, semicolons or
    tabs, whichever the header has most of, and may be quoted. Blank lines at the end do not
    count. Nothing is guessed or filled in.

    Parameters
    ----------
    path : str or path-like
    columns : sequence of str, optional
        The columns of numbers to read; all that are not in `text` by default.
    text : collection of str, optional
        Columns that may hold text.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        If the file is no such table; the message names line and column and says what to do.
    OSError
        If there is no such file, or it may not be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "table.csv")
    >>> _ = path.write_text("height;kind\n1.5;oak\n2;elm\n", encoding="utf-8")
    >>> table = read_table(path, text=["kind"])
    >>> table.names, table.values.tolist(), table.texts
    (('height',), [[1.5], [2.0]], {'kind': ('oak', 'elm')})
    >>> folder.cleanup()
    """
    shown = os.fspath(path)
    with _open(shown) as file:
        _refuse_strangers(shown, file.peek(4096))
        decoded = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
        lines = _checked_lines(shown, decoded)
        header = next(lines, "")
        delimiter = max(DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
        reader = csv.reader(
            chain([header], lines), delimiter=delimiter, skipinitialspace=True, strict=True
        )
        try:
            return _parse(shown, reader, columns, tuple(text))
        except csv.Error as problem:
            message = f"{shown}, line {reader.line_num}: {_explain(str(problem))}"
            raise TableError(message) from problem


def missing_column(path: str, wanted: str, names: Sequence[str]) -> TableError:
    """Return the error for a column that a table lacks; it says which there are."""
    close = get_close_matches(wanted, names, 1)
    hint = f"; did you mean {quote(close[0])}?" if close else ""
    if not close and all(complaint(name) is None for name in names):
        hint = "; the first line must hold the names of the columns"
    listed = ", ".join(map(quote, names[:_NAMES_LIMIT]))
    more = f" and {len(names) - _NAMES_LIMIT} more" if len(names) > _NAMES_LIMIT else ""
    return TableError(f"{path} has no column {quote(wanted)}; it has {listed}{more}{hint}")


def _open(path: str) -> io.BufferedReader:
    """Open a file for reading; the system's refusal says what to do."""
    advice = {
        errno.ENOENT: "there is no such table; check its name and folder",
        errno.EISDIR: "a table is needed, and this is a folder; name a CSV file in it",
        errno.EACCES: "the table may not be read; change its permissions",
    }
    try:
        return Path(path).open("rb")
    except OSError as problem:
        code = problem.errno or 0
        raise OSError(code, advice.get(code, problem.strerror), path) from problem
    except ValueError as problem:
        raise TableError(f"{quote(path)} can be no file's name: {problem}") from problem


def _refuse_strangers(path: str, start: bytes) -> None:
    """Refuse an empty file by its first bytes, and what is often taken for CSV."""
    if not start.removeprefix(b"\xef\xbb\xbf").strip():
        raise TableError(f"{path} is empty; the first line must hold the names of the columns")
    for magic, what in _STRANGERS.items():
        if start.startswith(magic):
            raise TableError(f"{path} is no CSV file but {what}")
    if b"\0" in start:
        raise TableError(f"{path} is a binary file and no table; export the data as CSV")


def _checked_lines(path: str, file: Iterable[str]) -> Iterator[str]:
    """Yield the lines, and refuse one that is not UTF-8 or holds a NUL."""
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise TableError(f"{path}, line {number}: a NUL byte; the file is damaged, or no text")
        if not line.isascii() and re.search("[\udc80-\udcff]", line):
            raise TableError(f"{path}, line {number}: not UTF-8; save the table as 'CSV UTF-8'")
        yield line


def _parse(path: str, reader: Any, columns: Sequence[str] | None, text: Sequence[str]) -> Table:
    """Turn the records into a table; the first one is the header."""
    names = _names(path, next(reader))
    numeric = tuple(n for n in names if n not in text) if columns is None else tuple(columns)
    for name in (*numeric, *text):
        if name not in names:
            raise missing_column(path, name, names)
    lines: list[int] = []
    parts: list[Array] = []
    texts: dict[str, list[str]] = {name: [] for name in text}
    records = _records(path, reader, len(names))
    while chunk := list(islice(records, CHUNK)):
        begins = [line for line, _ in chunk]
        cells = dict(zip(names, zip(*(row for _, row in chunk), strict=True), strict=True))
        lines += begins
        parts.append(to_numbers(path, begins, numeric, [cells[name] for name in numeric]))
        for name in text:
            texts[name] += to_texts(path, begins, name, cells[name])
    if not lines:
        raise TableError(f"{path} has a header and no rows; a row is needed for each data point")
    return Table(
        path,
        numeric,
        np.concatenate(parts),
        {name: tuple(column) for name, column in texts.items()},
        tuple(lines),
        tuple(name for name in names if name not in numeric and name not in text),
    )


def _names(path: str, header: list[str]) -> list[str]:
    """Return the names of the columns; each must be there, and once."""
    names = [name.strip() for name in header]
    if not any(names):
        raise TableError(f"{path}, line 1 is blank; it must hold the names of the columns")
    for place, name in enumerate(names, 1):
        if not name:
            raise TableError(
                f"{path}, line 1: column {place} of {len(names)} has no name; give it one, or "
                "remove it (a data frame is saved without its index by to_csv(..., index=False))"
            )
        if name in names[: place - 1]:
            first = names.index(name) + 1
            raise TableError(
                f"{path}, line 1: columns {first} and {place} are both called {quote(name)}; "
                "rename or remove one"
            )
    return names


def _records(path: str, reader: Any, width: int) -> Iterator[Record]:
    """Yield every row with the line where it begins; blank lines may only stand at the end."""
    begins, blank = reader.line_num + 1, 0
    for cells in reader:
        if not cells or (len(cells) == 1 < width and not cells[0].strip()):
            blank = blank or begins
        elif blank:
            raise TableError(f"{path}, line {blank} is blank; remove it")
        elif len(cells) != width:
            raise TableError(
                f"{path}, line {begins} has {len(cells)} cells and the header has {width}; give "
                "every row a cell for each column, and quote cells that hold the separator"
            )
        else:
            yield begins, cells
        begins = reader.line_num + 1


def _explain(problem: str) -> str:
    """Return what the csv module says, with what to do."""
    if "field larger" in problem:
        return "a cell of more than 131072 characters; look for a quote that is not closed"
    if "unexpected end" in problem:
        return "the file ends within quotes; look for a quote that is not closed"
    if "expected after" in problem:
        return "text follows a closing quote; write a quote within a cell twice"
    return f"{problem}; save the table as CSV again"
