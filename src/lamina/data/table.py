"""A table as it comes: named columns of numbers, truth values, text or times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import TableError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

TIME = np.dtype("datetime64[us]")
"""How times are kept: microseconds, in UTC where the data know their zone."""


@dataclass(frozen=True, eq=False)
class Table:
    """N rows of named columns.

    Attributes
    ----------
    names : tuple of str
        All different.
    columns : tuple of arrays, N each
        A float, signed or unsigned integer, bool, object or datetime64[us] array for each name.
        Objects are text, or None where a cell is missing; NaN and NaT are missing too.
    path : str, default ""
        The file that it was read from, as messages name it.
    lines : tuple of int, optional
        The line of the file where each row begins.

    Raises
    ------
    TableError
        If names and columns do not fit each other, or two columns have one name.

    Examples
    --------
    >>> table = Table(("height", "kind"), (np.array([1.5, np.nan]), np.array(["oak", None])))
    >>> len(table), table["kind"].tolist()
    (2, ['oak', None])
    """

    names: tuple[str, ...]
    columns: tuple[Array, ...]
    path: str = ""
    lines: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse columns that make no table."""
        place = self.path or "the table"
        if len(self.names) != len(self.columns):
            message = f"{place} has {len(self.names)} names for {len(self.columns)} columns"
            raise TableError(message)
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            message = f"{place} has two columns called {twice[0]!r}; rename one"
            raise TableError(message)
        lengths = {column.shape for column in self.columns}
        if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
            shapes = ", ".join(map(str, sorted(lengths)))
            message = f"the columns of {place} must have one length, got shapes {shapes}"
            raise TableError(message)
        for name, column in zip(self.names, self.columns, strict=True):
            if column.dtype.kind not in "fiubO" and column.dtype != TIME:
                message = (
                    f"column {name!r} of {place} is of {column.dtype}; a column holds numbers, "
                    "bool, str objects or datetime64[us]"
                )
                raise TableError(message)

    def __len__(self) -> int:
        """Return the number of rows N."""
        return len(self.columns[0]) if self.columns else 0

    def __getitem__(self, name: str) -> Array:
        """Return the column of a name.

        Raises
        ------
        KeyError
            If there is none.
        """
        try:
            return self.columns[self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def choose(self, names: tuple[str, ...]) -> Table:
        """Return the columns of these names, in this order.

        Raises
        ------
        KeyError
            If there is none of a name.
        """
        return Table(names, tuple(map(self.__getitem__, names)), self.path, self.lines)

    def rows(self, points: Array | slice) -> Table:
        """Return the rows of these indices."""
        lines = self.lines
        if lines is not None:
            kept = lines[points] if isinstance(points, slice) else tuple(lines[n] for n in points)
            lines = kept
        return Table(self.names, tuple(c[points] for c in self.columns), self.path, lines)
