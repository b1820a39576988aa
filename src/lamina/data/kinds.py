"""What a column is: numbers, truth values, categories or times; and what cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any

from lamina.data.cells import quote
from lamina.exceptions import InvalidTypeError, InvalidValueError, TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("numeric", "boolean", "categorical", "datetime", "drop")
"""What a column can be told to be."""
ENOUGH = 20
"""From so many rows on, a column of text may be refused for having too many different ones."""
MOSTLY_DIFFERENT = 0.9
"""An id: more different texts than this share of the rows."""
WORDY, WORDS = 0.5, 4.0
"""Free text: more different texts than this share of the rows, of so many words on average."""
BOOLEANS = {"True", "False"}
"""The text that stands for truth values where some are missing."""


@dataclass
class Facts:
    """What is known of a column, of all rows that count.

    Attributes
    ----------
    rows, missing : int
    families : set of {"number", "bool", "text", "time"}
        What its cells were; empty if all are missing.
    low, high : float
        The range of its numbers; of times in microseconds.
    counts : Counter
        How often each text, or truth value as text, stands there.
    """

    rows: int = 0
    missing: int = 0
    families: set[str] = field(default_factory=set)
    low: float = float("inf")
    high: float = float("-inf")
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def n_different(self) -> int:
        """Different texts."""
        return len(self.counts)

    @property
    def words(self) -> float:
        """Mean number of words of the different texts."""
        return sum(len(text.split()) for text in self.counts) / max(1, self.n_different)


def told_kinds(column_kinds: Any, names: Sequence[str]) -> dict[int, str]:
    """Return the kinds that the user told, by the index of the column.

    Parameters
    ----------
    column_kinds : mapping of name or index to kind, or None

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is no such mapping, or names a column or kind that there is not.
    """
    if column_kinds is None:
        return {}
    if not isinstance(column_kinds, Mapping):
        message = f"column_kinds must map names to kinds, got a {type(column_kinds).__name__}"
        raise InvalidTypeError(message)
    told: dict[int, str] = {}
    for key, kind in column_kinds.items():
        is_index = isinstance(key, Integral) and not isinstance(key, bool)
        known = 0 <= int(key) < len(names) if is_index else key in names
        if not known:
            shown = ", ".join(map(quote, names[:12])) + (", ..." if len(names) > 12 else "")
            message = f"column_kinds names a column {key!r}; the table has {shown}"
            raise InvalidValueError(message)
        if kind not in KINDS:
            message = f"the kind of column {key!r} must be one of {', '.join(KINDS)}; got {kind!r}"
            raise InvalidValueError(message)
        place = int(key) if is_index else names.index(key)
        if told.setdefault(place, kind) != kind:
            message = f"column_kinds calls column {names[place]!r} {told[place]} and {kind}"
            raise InvalidValueError(message)
    return told


def told_to_drop(column_kinds: Any) -> set[str | int]:
    """Return the names and indices of columns that the user leaves out."""
    if not isinstance(column_kinds, Mapping):
        return set()
    return {key for key, kind in column_kinds.items() if kind == "drop"}


def decide(name: str, facts: Facts, told: str | None) -> tuple[str, str]:
    """Return the kind of a column, one of `KINDS`, and a note on why it is dropped, or "".

    Numbers are numeric, integers too; whether a number is the name of a category only a user can
    know. Text is categorical unless nearly every row has another one.

    Parameters
    ----------
    told : one of `KINDS`, or None
        What the user says; only empty and constant columns are dropped nevertheless.

    Raises
    ------
    TableError
        If the column is free text or an id, or its parts are of several families.
    """
    if told == "drop":
        return "drop", "told to drop"
    if not facts.families:
        return "drop", "empty"
    if len(facts.families) > 1 and told is None and not _are_booleans(facts):
        found = " and ".join(sorted(facts.families))
        message = f"column {name!r} has {found} in different parts; say what it is: {_ways(name)}"
        raise TableError(message)
    kind = told or _found(facts)
    if facts.missing == 0 and _is_constant(facts):
        return "drop", "constant"
    if kind == "categorical" and told is None:
        _refuse_different(name, facts)
    return kind, ""


def _are_booleans(facts: Facts) -> bool:
    """Return whether there are truth values, in parts where some are missing as text."""
    return facts.families == {"bool", "text"} and set(facts.counts) <= BOOLEANS


def _found(facts: Facts) -> str:
    """Return the kind that the cells of a column suggest."""
    if "text" in facts.families:
        return "boolean" if set(facts.counts) <= BOOLEANS else "categorical"
    (family,) = facts.families
    return {"number": "numeric", "bool": "boolean", "time": "datetime"}[family]


def _is_constant(facts: Facts) -> bool:
    """Return whether all cells that are not missing are the same."""
    return facts.n_different == 1 if facts.counts else facts.low == facts.high


def _refuse_different(name: str, facts: Facts) -> None:
    """Refuse text of which nearly every row has another one."""
    there, n = facts.rows - facts.missing, facts.n_different
    if there < ENOUGH:
        return
    what = ""
    if n > MOSTLY_DIFFERENT * there:
        what = "is an id or free text"
    elif n > WORDY * there and facts.words >= WORDS:
        what = "is free text"
    if what:
        example = quote(next(iter(facts.counts)))
        message = (
            f"column {name!r} {what}: {n} different texts in {there} rows, such as {example}. "
            f"Leave it out with column_kinds={{{name!r}: 'drop'}}, or say what else it is: "
            f"{_ways(name)}"
        )
        raise TableError(message)


def _ways(name: str) -> str:
    """Return what may be told of a column of text."""
    return f"column_kinds={{{name!r}: 'categorical'}}, or 'numeric', 'datetime' or 'drop'"
