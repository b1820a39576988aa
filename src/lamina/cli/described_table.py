"""`lamina describe TABLE`: what each column holds, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.cli.show import grid, plural, shortened
from lamina.cli.wording import in_options
from lamina.data.encoded_columns import Column
from lamina.data.learning import ColumnLearner
from lamina.data.readers import missing_column, read_table
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt
    from rich.table import Table as Grid

    from lamina.data.table import Table

    Array = npt.NDArray[Any]

_FEW, _WIDE = 5, 24  # levels shown, and their letters


@dataclass(frozen=True, eq=False)
class Finding:
    """A column, and what would be learned of it.

    Attributes
    ----------
    name : str
    values : array
    column : Column or None
        None where it is refused.
    problem : str
        Why it is refused.
    """

    name: str
    values: Array
    column: Column | None
    problem: str = ""

    @property
    def missing(self) -> int:
        """In how many rows there is no value."""
        if self.values.dtype == object:
            return sum(cell is None for cell in self.values.tolist())
        return int(np.count_nonzero(self.values != self.values))

    def document(self) -> dict[str, Any]:
        """Return it in JSON's terms."""
        kind = None if self.column is None else self.column.kind
        low, high = self._range()
        return {
            "name": self.name,
            "kind": kind,
            "missing": self.missing,
            "levels": list(self.column.levels) if self.column else [],
            "low": low,
            "high": high,
            "features": list(self.column.features) if self.column else [],
            "note": self.problem or (self.column.note if self.column else ""),
        }

    def _range(self) -> tuple[Any, Any]:
        """Return the least and the greatest number or time, or None."""
        if self.values.dtype.kind not in "fiuM":
            return None, None
        there = self.values[self.values == self.values]
        if not len(there):
            return None, None
        if self.values.dtype.kind == "M":
            return str(there.min()), str(there.max())
        return float(there.min()), float(there.max())

    def holds(self) -> str:
        """Return what it holds in words: levels, or a range."""
        low, high = self._range()
        if isinstance(low, float):
            return f"{low:.6g} to {high:.6g}"
        if low is not None:
            return f"{low} to {high}"
        if self.missing == len(self.values):
            return "nothing"
        kinds = {str(cell) for cell in self.values.tolist() if cell is not None}
        levels = (k if len(k) <= _WIDE else f"{k[: _WIDE - 3]}..." for k in sorted(kinds))
        return shortened(list(levels), limit=_FEW)

    def becomes(self) -> str:
        """Return what becomes of it, in words."""
        if self.column is None:
            return f"refused: {self.problem.removeprefix(f'column {self.name!r} ')}"
        if self.column.kind == "drop":
            return f"left out: {self.column.note}"
        features = plural(len(self.column.features), "feature")
        return f"{features}; {self.column.note}" if self.column.note else features


def find_columns(
    path: Path, kinds: Mapping[str, str], encoding: str | None, note: Callable[[str], None]
) -> tuple[Table, list[Finding]]:
    """Read a table and learn each of its columns; one that is refused says why.

    Raises
    ------
    TableError
        If the table cannot be read, or lacks a column that is named.
    """

    def choose(names: tuple[str, ...]) -> tuple[str, ...]:
        for name in kinds:
            if name not in names:
                raise missing_column(str(path), name, names)
        return names

    table = read_table(path, choose=choose, kinds=kinds, encoding=encoding, note=note)
    pairs = zip(table.names, table.columns, strict=True)
    return table, [_find(name, values, kinds.get(name)) for name, values in pairs]


def _find(name: str, values: Array, kind: str | None) -> Finding:
    """Return what is learned of a column."""
    learner = ColumnLearner(name, kind)
    try:
        learner.add(values)
        return Finding(name, values, learner.finish())
    except TableError as problem:
        return Finding(name, values, None, in_options(str(problem)))


def columns_grid(findings: list[Finding]) -> Grid:
    """Return the columns, a row each."""
    rows = [
        [
            finding.name,
            finding.column.kind if finding.column else "text",
            f"{finding.missing:,}" if finding.missing else "",
            finding.holds(),
            finding.becomes(),
        ]
        for finding in findings
    ]
    return grid(["column", "kind", "missing", "holds", "becomes"], rows, text=(0, 1, 3, 4))
