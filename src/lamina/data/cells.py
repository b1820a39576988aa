"""The cells of a text file: which are numbers, which are missing, and what is wrong with others."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

MISSING = frozenset(
    ["", "na", "n/a", "#n/a", "<na>", "nan", "+nan", "-nan", "null", "none", "?", "-"]
)
"""Cells, in lower case, that stand for a missing value among numbers, truth values and dates."""
MISSING_TEXT = MISSING - {"none", "-"}
"""The same in a column of text, where "none" and "-" may be values like others."""
EXACT = 2**53
"""From here on, neighboring integers may be the same float64."""
_DIGITS = len(str(EXACT))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL
_NEARLY = [
    (
        re.compile(r"[+-]?inf(inity)?", _FLAGS),
        "{} is not finite; put a finite number, or leave the cell empty",
    ),
    (
        re.compile(
            r"[+-]?\d{1,3}([,.' _\u00a0\u202f\u2019]\d{3})+([.,]\d+)?|[+-]?\d*,\d+(e[+-]?\d+)?",
            _FLAGS,
        ),
        "{} is no number here; write 1234.5: a point before decimals, nothing between thousands",
    ),
]
"""What a person may have meant as a number."""
_SPELLINGS = {
    spelling: "nan"
    for word in MISSING
    for spelling in (word, word.upper(), word.title(), word.capitalize())
} | {"NaN": "nan"}
_QUOTE_LIMIT = 40


def quote(text: str, limit: int = _QUOTE_LIMIT) -> str:
    """Return a text in quotes, shortened, with unprintable characters spelled out."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def refuse(path: str, line: int, name: str, problem: str) -> NoReturn:
    """Raise the TableError of a cell."""
    raise TableError(f"{path}, line {line}, column {quote(name)}: {problem}")


def is_number(cell: str, *, comma: bool = False) -> bool:
    """Return whether a stripped cell is a decimal number; with `comma` for the point.

    Stricter than `float`: no underscores, no digits of other scripts, no "nan" and "inf".
    """
    return (_COMMA_NUMBER if comma else _NUMBER).fullmatch(cell) is not None


def is_huge(cell: str) -> bool:
    """Return whether a stripped cell is an integer that a float64 may round."""
    if len(cell) < _DIGITS or not is_integer(cell):
        return False
    digits = cell.lstrip("+-").lstrip("0")
    return len(digits) > _DIGITS or (len(digits) == _DIGITS and int(digits) > EXACT)


def is_integer(cell: str) -> bool:
    """Return whether a stripped cell is an integer, written without decimals."""
    return _INTEGER.fullmatch(cell) is not None


def nearly(cell: str) -> str | None:
    """Return what is wrong with a stripped cell that was meant as a finite number, or None.

    Examples
    --------
    >>> nearly("-inf")
    "'-inf' is not finite; put a finite number, or leave the cell empty"
    >>> nearly("oak") is None
    True
    """
    for pattern, problem in _NEARLY:
        if pattern.fullmatch(cell):
            return problem.format(quote(cell))
    return None


def complaint(cell: str) -> str | None:
    """Return what keeps a cell from being a finite number and what to do, or None.

    Spaces around a cell do not count.

    Examples
    --------
    >>> complaint("1.5e3") is None
    True
    >>> complaint("1e999")
    "'1e999' is too large for a float64 (at most 1.8e308); use another unit"
    """
    cell = cell.strip()
    if is_number(cell):
        if math.isfinite(float(cell)):
            return None
        return f"{quote(cell)} is too large for a float64 (at most 1.8e308); use another unit"
    if not cell:
        return "the cell is empty; fill in a number, or leave out the row"
    if cell.lower() in MISSING:
        return f"{quote(cell)} is no number; fill one in, or leave out the row"
    return nearly(cell) or f"{quote(cell)} is text; write it as a number, or leave the cell empty"


def to_numbers(cells: Sequence[str]) -> Array | None:
    """Return cells as float64, NaN where one is missing; None if any is something else.

    None as well if an integer might be rounded, or a number is infinite: whoever looks at the
    cells one by one can say more.
    """
    together = "".join(cells)
    if "_" in together or not together.isascii():
        return None  # float() would take 1_000, and digits of other scripts
    try:
        values = np.array(list(map(float, cells)))
    except ValueError:
        get = _SPELLINGS.get
        try:
            values = np.array([float(get(cell, cell)) for cell in map(str.strip, cells)])
        except ValueError:
            return None
    largest = np.max(np.abs(values), initial=0.0, where=~np.isnan(values))
    if largest < EXACT:
        return values
    return None if np.isinf(largest) or any(is_huge(cell.strip()) for cell in cells) else values
