"""What was learned of each column of a table, and the cells and features that it becomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.calendar import PARTS, calendar
from lamina.data.conversion import converted
from lamina.data.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

OTHER, MISSING = "(other)", "(missing)"
"""How features of rare and unseen levels, and of missing ones, are called."""
SHOWN, LONG = 5, 24
"""Levels named in a line, and the characters of one."""


@dataclass(frozen=True)
class Column:
    """What was learned of a column.

    Attributes
    ----------
    name : str
    kind : {"numeric", "boolean", "categorical", "datetime", "drop"}
    note : str
        Why it is dropped, or what a person may want to know.
    missing : bool
        Whether values were missing in training.
    levels : tuple of str
        The categories that have a feature of their own, sorted.
    other : bool
        Whether there were rarer ones in training, which share a feature.
    parts : tuple of str
        The parts of a time that vary, keys of `calendar.PARTS`.
    """

    name: str
    kind: str
    note: str = ""
    missing: bool = False
    levels: tuple[str, ...] = ()
    other: bool = False
    parts: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[int, ...]:
        """For each cell that the column becomes: 0 for a number, else the number of its codes."""
        if self.kind == "categorical":
            return (len(self.levels) + self.other + self.missing,)
        if self.kind == "datetime":
            return tuple(PARTS[part] for part in self.parts)
        return () if self.kind == "drop" else (0,)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features that the column becomes."""
        if self.kind == "categorical":
            ends = [*self.levels, *[OTHER] * self.other, *[MISSING] * self.missing]
            return tuple(f"{self.name}={end}" for end in ends)
        flag = [f"{self.name}={MISSING}"] * self.missing
        if self.kind != "datetime":
            return () if self.kind == "drop" else (self.name, *flag)
        names: list[str] = []
        for place, part in enumerate(self.parts):
            codes = [f"{self.name}.{part}={code}" for code in range(PARTS[part])]
            names += codes or [f"{self.name}.{part}"]
            names += flag if place == 0 else []
        return tuple(names)

    def __str__(self) -> str:
        """Return the column in a line."""
        facts = [self.kind]
        if self.kind == "categorical":
            facts.append(_levels(self.levels) + (" and rarer ones" if self.other else ""))
        if self.parts:
            facts.append(", ".join(self.parts))
        if self.missing:
            facts.append("some missing")
        return f"{self.name}: {'; '.join([*facts, *[self.note] * bool(self.note)])}"

    def to_document(self) -> dict[str, Any]:
        """Return the fields in JSON's terms."""
        return asdict(self) | {"levels": list(self.levels), "parts": list(self.parts)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Column:
        """Return the column of these fields.

        Raises
        ------
        TypeError, ValueError
            If they are no fields of a column, or contradict each other.
        """
        several = {name: tuple(document[name]) for name in ("levels", "parts")}
        column = cls(**{**document, **several})
        texts = (column.name, column.note, *column.levels, *column.parts)
        flags = (column.missing, column.other)
        typed = all(type(t) is str for t in texts) and all(type(f) is bool for f in flags)
        ordered = list(column.levels) == sorted(set(column.levels))
        known = column.kind in KINDS and set(column.parts) <= PARTS.keys()
        if not (typed and ordered and known):
            message = f"the column {column.name!r} contradicts itself"
            raise ValueError(message)
        return column

    @cached_property
    def _codes(self) -> dict[str | None, float]:
        """The code of each level; what is not there has that of rare ones, or none."""
        codes: dict[str | None, float] = {level: code for code, level in enumerate(self.levels)}
        if self.missing:
            codes[None] = len(self.levels) + self.other
        return codes

    def encode(self, column: Array) -> Iterator[Array]:
        """Yield the cells of a column, N each, in float64.

        Raises
        ------
        TableError
            If a cell is not of the kind.
        """
        if self.kind == "drop":
            return
        values = converted(self.name, column, self.kind)
        if self.kind == "categorical":
            codes, rest = self._codes, float(len(self.levels)) if self.other else np.nan
            cells = values.tolist()
            yield np.fromiter((codes.get(cell, rest) for cell in cells), float, len(cells))
        elif self.kind == "datetime":
            parts = calendar(values)
            yield from (parts[part] for part in self.parts)
        else:
            yield values


class LearnedColumns(tuple[Column, ...]):
    """The columns of a table; printed, a line for each."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return a line for each column."""
        return "\n".join(map(str, self))


def _levels(levels: Sequence[str]) -> str:
    """Return how many levels there are, and the first ones."""
    shown = ", ".join(
        level if len(level) <= LONG else f"{level[: LONG - 1]}…" for level in levels[:SHOWN]
    )
    shown += ", ..." if len(levels) > SHOWN else ""
    return f"{len(levels)} level{'s' * (len(levels) != 1)}: {shown}"
