"""What is learned of one column: its kind, and its levels or parts; exact, in any order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.calendar import PARTS, calendar
from lamina.data.conversion import absent, converted, numbers_of
from lamina.data.encoded_columns import Column
from lamina.data.kinds import ENOUGH, Facts, decide
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections import Counter

    import numpy.typing as npt

    Array = npt.NDArray[Any]

LEVELS = 254
"""Levels of a category that have a feature of their own, at most; the most frequent ones."""
MOST_TEXTS = 2**20
"""Different texts that are counted, at most."""
FAMILIES = {"numeric": "number", "boolean": "bool", "categorical": "text", "datetime": "time"}
"""What the cells of a column are, by the kind that it is told to be."""


class ColumnLearner:
    """Learn a column from its cells, part by part.

    Parameters
    ----------
    name : str
    told : one of `KINDS`, or None
        What the user says it is.
    """

    def __init__(self, name: str, told: str | None = None) -> None:
        self.name, self.told = name, told
        self._facts = Facts()
        self._bounds: dict[str, tuple[float, float]] = {}

    def add(self, column: Array) -> None:
        """Learn from more cells.

        Raises
        ------
        TableError
            If a cell is not what the column is told to be, or is infinite.
        """
        if self.told == "drop":
            return
        family, values = self._understood(column)
        missing = absent(values)
        facts, there = self._facts, values[~missing]
        facts.rows += len(values)
        facts.missing += len(values) - len(there)
        if not len(there):  # which may look like another family
            return
        facts.families.add(family)
        if family in {"text", "bool"}:
            self._count(family, there)
            return
        facts.low = min(facts.low, float(there.min().astype(float)))
        facts.high = max(facts.high, float(there.max().astype(float)))
        for part, cells in (calendar(there) if family == "time" else {}).items():
            low, high = self._bounds.get(part, (np.inf, -np.inf))
            self._bounds[part] = min(low, float(cells.min())), max(high, float(cells.max()))

    def _understood(self, column: Array) -> tuple[str, Array]:
        """Return what the cells are, and the cells as such."""
        if self.told is not None:
            return FAMILIES[self.told], converted(self.name, column, self.told)
        kind = column.dtype.kind
        if kind in "fiu":
            return "number", numbers_of(self.name, column)
        return {"b": "bool", "O": "text", "M": "time"}[kind], column

    def _count(self, family: str, there: Array) -> None:
        """Count texts, or truth values as text."""
        counts = self._facts.counts
        if family == "bool":
            n = int(np.count_nonzero(there))
            counts.update({text: k for text, k in (("True", n), ("False", len(there) - n)) if k})
        else:
            counts.update(there.tolist())
        if len(counts) > MOST_TEXTS:
            message = (
                f"column {self.name!r} has more than {MOST_TEXTS:,} different texts; leave it out "
                f"with column_kinds={{{self.name!r}: 'drop'}}"
            )
            raise TableError(message)

    def finish(self) -> Column:
        """Return what was learned.

        Raises
        ------
        TableError
            If the column is an id or free text, or changed what it is.
        """
        facts = self._facts
        kind, note = decide(self.name, facts, self.told)
        if kind == "drop":
            return Column(self.name, kind, note)
        missing = facts.missing > 0
        if kind == "datetime":
            parts = tuple(part for part in PARTS if np.ptp(self._bounds[part]) > 0)
            return Column(self.name, kind, missing=missing, parts=parts)
        if kind != "categorical":
            return Column(self.name, kind, missing=missing)
        levels, other = choose_levels(facts.counts)
        rarer = facts.n_different - len(levels)
        note = f"{rarer} rarer level{'s' * (rarer > 1)} together" if other else ""
        return Column(self.name, kind, note, missing=missing, levels=levels, other=other)


def choose_levels(counts: Counter[str]) -> tuple[tuple[str, ...], bool]:
    """Return the levels that get a feature of their own, sorted, and whether some do not.

    These are the 254 most frequent ones. Among 20 rows and more, a level that stands in a single
    one has none: it tells nothing of its own, and stands for levels that will be seen first when
    the network is used.
    """
    enough = counts.total() >= ENOUGH
    several = [level for level, count in counts.items() if count > 1 or not enough]
    ranked = sorted(several or counts, key=lambda level: (-counts[level], level))
    levels = tuple(sorted(ranked[:LEVELS]))
    return levels, len(levels) < len(counts)
