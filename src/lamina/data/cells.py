"""The cells of a table as finite numbers; one that is none is named, with what to do."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMPLAINTS = [
    ("", "the cell is empty; fill in a number, or leave out the row or the column"),
    (
        r"na|n/a|nan|null|none|nil|\?|-|\.|#n/a|<na>",
        "{} is no number; fill one in, or leave out the row or the column",
    ),
    (r"[+-]?inf(inity)?", "{} is not finite; put a finite number, or leave out the row"),
    (
        r"[+-]?\d{1,3}([,.' _\u00a0\u202f\u2019]\d{3})+([.,]\d+)?|[+-]?\d*,\d+(e[+-]?\d+)?",
        "{} is no number here; write 1234.5: a point before decimals, nothing between thousands",
    ),
    ("true|false|yes|no", "{} is text; write 1 for yes and 0 for no"),
    (".*", "{} is text; write it as a number, or leave out the column"),
]
_QUOTE_LIMIT = 40


def complaint(cell: str) -> str | None:
    """Return what keeps a cell from being a finite number and what to do, or None.

    Stricter than `float`: no underscores, no digits of other scripts, no "nan". Spaces around
    a cell do not count.

    Examples
    --------
    >>> complaint("1.5e3") is None
    True
    >>> complaint("1e999")
    "'1e999' is too large for a float64 (at most 1.8e308); use another unit"
    """
    cell = cell.strip()
    if _NUMBER.fullmatch(cell):
        if math.isfinite(float(cell)):
            return None
        return f"{quote(cell)} is too large for a float64 (at most 1.8e308); use another unit"
    flags = re.ASCII | re.IGNORECASE | re.DOTALL
    text = next(text for kind, text in _COMPLAINTS if re.fullmatch(kind, cell, flags))
    return text.format(quote(cell))


def quote(text: str, limit: int = _QUOTE_LIMIT) -> str:
    """Return a text in quotes, shortened, with unprintable characters spelled out."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def to_numbers(
    path: str, lines: Sequence[int], names: Sequence[str], columns: Sequence[Sequence[str]]
) -> Array:
    """Return columns of cells as an n × S matrix of finite numbers, C-ordered.

    Parameters
    ----------
    path, lines, names
        The file, the line of every row and the name of every column, for messages.
    columns : S sequences of n cells

    Raises
    ------
    TableError
        If a cell is no finite number: the first one, row by row.
    """
    values = np.empty((len(lines), len(names)))
    for place, cells in enumerate(columns):
        numbers = _numbers(cells)
        if numbers is None:
            _refuse_first(path, lines, names, columns)
        values[:, place] = numbers
    return values


def to_texts(path: str, lines: Sequence[int], name: str, cells: Iterable[str]) -> list[str]:
    """Return cells without the spaces around them.

    Raises
    ------
    TableError
        If one is empty then.
    """
    stripped = [cell.strip() for cell in cells]
    if "" in stripped:
        problem = "the cell is empty; fill it in, or leave out the row"
        refuse(path, lines[stripped.index("")], name, problem)
    return stripped


def refuse(path: str, line: int, name: str, problem: str) -> NoReturn:
    """Raise the TableError of a cell."""
    raise TableError(f"{path}, line {line}, column {quote(name)}: {problem}")


def _numbers(cells: Sequence[str]) -> list[float] | None:
    """Return the cells as numbers, or None if there is a complaint about any."""
    together = "".join(cells)
    if ("_" in together or not together.isascii()) and any(map(complaint, cells)):
        return None  # float() would take 1_000, and digits of other scripts
    try:
        numbers = list(map(float, cells))
    except ValueError:
        if any(map(complaint, cells)):
            return None
        numbers = [float(cell.strip()) for cell in cells]  # float() strips less than strip()
    return numbers if all(map(math.isfinite, numbers)) else None


def _refuse_first(
    path: str, lines: Sequence[int], names: Sequence[str], columns: Sequence[Sequence[str]]
) -> NoReturn:
    """Raise the TableError of the first cell, row by row, that is no number."""
    for line, row in zip(lines, zip(*columns, strict=True), strict=True):
        for name, cell in zip(names, row, strict=True):
            problem = complaint(cell)
            if problem:
                refuse(path, line, name, problem)
    raise AssertionError  # never: it is called because there is such a cell
