"""How the columns of a table become cells, and cells features: learned once, used on any rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.encoded_columns import Column, LearnedColumns
from lamina.data.expansion import Expansion
from lamina.data.frames import from_array, to_table
from lamina.data.kinds import told_kinds
from lamina.data.learning import ColumnLearner
from lamina.data.scaling import Scaling, fit_scaling
from lamina.data.table import Table
from lamina.exceptions import ShapeError, TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

CLIP = 3.0
"""Scaled numbers stay within this, if scaled robustly; the value of Holzmüller et al. 2024."""
ROWS = 4096
"""Rows of an array looked at together."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """What was learned of a table: its columns, and how their features are scaled.

    Attributes
    ----------
    columns : LearnedColumns
        All columns of the table, in its order; those that are dropped too.
    scaling : Scaling
        Of the features.
    clip : float
        As in `Expansion`.

    Examples
    --------
    >>> from lamina.data.frames import to_table
    >>> table = to_table({"size": [1.0, None, 3.0], "tree": ["oak", "elm", "oak"]})
    >>> encoding = learn_encoding(table)
    >>> encoding.columns
    size: numeric; some missing
    tree: categorical; 2 levels: elm, oak
    >>> encoding.feature_names
    ('size', 'size=(missing)', 'tree=elm', 'tree=oak')
    >>> encoding.expansion().expand(encoding.cells(table))
    array([[-1.,  0.,  0.,  1.],
           [ 0.,  1.,  1.,  0.],
           [ 1.,  0.,  0.,  1.]])
    """

    columns: LearnedColumns
    scaling: Scaling
    clip: float = float("inf")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the S_0 features."""
        return tuple(name for column in self.columns for name in column.features)

    @property
    def is_numeric(self) -> bool:
        """Whether a row of the table is a row of cells: all columns are numeric."""
        return all(column.kind == "numeric" for column in self.columns)

    def expansion(self) -> Expansion:
        """Return how cells become features."""
        return self._expansion

    @cached_property
    def _expansion(self) -> Expansion:
        """See `expansion`."""
        levels = [levels for column in self.columns for levels in column.cells]
        flags = [
            column.missing and place == 0 and column.kind != "categorical"
            for column in self.columns
            for place in range(len(column.cells))
        ]
        return Expansion(np.array(levels, dtype=int), np.array(flags), self.scaling, self.clip)

    def cells(self, data: Table | Array) -> Array:
        """Return the cells of a table, float64, N × C; or the array itself where it has them.

        A number that is missing is NaN. A category has the code of its level, the next code where
        it is rare or new, the last one where it is missing; without such in training, NaN.

        Parameters
        ----------
        data : Table, or array with a column for each that was learned
            Of a table the columns are chosen by name, of an array by place.

        Raises
        ------
        ShapeError, TableError
            If it lacks columns, or has cells of another kind.
        """
        if isinstance(data, Table):
            columns: Sequence[Array] = self._by_name(data)
        elif data.ndim != 2 or data.shape[1] != len(self.columns):
            message = f"expected {len(self.columns)} columns, got an array of shape {data.shape}"
            raise ShapeError(message)
        elif self.is_numeric and data.dtype.kind in "fiub":
            return data
        else:
            columns = [from_array(*pair) for pair in zip(self.names, data.T, strict=True)]
        cells = np.empty((len(data), len(self._expansion.levels)))
        place = 0
        for known, column in zip(self.columns, columns, strict=True):
            for values in known.encode(column):
                cells[:, place] = values
                place += 1
        return cells

    def _by_name(self, table: Table) -> Sequence[Array]:
        """Return the columns that were learned."""
        lacking = [name for name in self.names if name not in table.names]
        if lacking:
            message = f"{table.path or 'the table'} has no column {lacking[0]!r}, as in training"
            raise TableError(message)
        return table.choose(self.names).columns

    def to_document(self) -> dict[str, Any]:
        """Return all but the scaling in JSON's terms."""
        columns = [column.to_document() for column in self.columns]
        return {"columns": columns, "clipped": self.clip == CLIP}

    @classmethod
    def from_document(cls, document: Any, scaling: Scaling) -> Encoding:
        """Return the encoding that `to_document` described.

        Raises
        ------
        KeyError, TypeError, ValueError, LaminaError
            If it describes none.
        """
        columns = LearnedColumns(map(Column.from_document, document["columns"]))
        encoding = cls(columns, scaling, CLIP if document["clipped"] else float("inf"))
        encoding.expansion()  # refuses a scaling of other features
        return encoding


class EncodingLearner:
    """Learn the columns of a table, part by part; the order of rows and parts does not matter.

    Parameters
    ----------
    column_kinds : mapping of name or index to kind, optional
        Kinds of columns, one of `KINDS`, where they are not what they look like.
    """

    def __init__(self, column_kinds: Any = None) -> None:
        self._kinds = column_kinds
        self._columns: list[ColumnLearner] | None = None

    def add(self, table: Table, weights: Array | None = None) -> None:
        """Learn from more rows; those of weight 0 count as absent.

        Raises
        ------
        LaminaError
            If columns are others than before, or hold what cannot be used.
        """
        if self._columns is None:
            told = told_kinds(self._kinds, table.names)
            self._columns = [ColumnLearner(n, told.get(i)) for i, n in enumerate(table.names)]
        if weights is not None:
            table = table.rows(np.flatnonzero(weights > 0))
        for learner in self._columns:
            learner.add(table[learner.name])

    def finish(self) -> Encoding:
        """Return what was learned; its features are not scaled yet.

        Raises
        ------
        TableError
            If a column is an id or free text, or none is left to learn from.
        """
        columns = LearnedColumns(learner.finish() for learner in self._columns or ())
        if all(column.kind == "drop" for column in columns):
            listed = "; ".join(map(str, columns))
            message = f"no column is left to learn from: {listed or 'the table has none'}"
            raise TableError(message)
        return _unscaled(columns)


def _unscaled(columns: LearnedColumns) -> Encoding:
    """Return an encoding whose features are not scaled."""
    return Encoding(columns, Scaling.identity(sum(len(column.features) for column in columns)))


def scale_encoding(
    encoding: Encoding, cells: Array, method: str, weights: Array | None = None
) -> Encoding:
    """Return an encoding whose features are scaled as the method asks for.

    Parameters
    ----------
    encoding : Encoding
        Not scaled yet.
    cells : array, N × C
        What it makes of a table; of any real type, not copied.
    method : {"standard", "minmax", "robust", "none"}
        As for `fit_scaling`; "robust" clips smoothly too.
    weights : N numbers, optional
        Rows of weight 0 do not count.

    Raises
    ------
    InvalidValueError
        If the method is unknown, or a column spans more than float64 can hold.
    """
    found, expansion = fit_scaling(method, cells, weights), encoding.expansion()
    center, scale = encoding.scaling.center.copy(), encoding.scaling.scale.copy()
    numbers = expansion.levels == 0
    center[expansion.is_number], scale[expansion.is_number] = (
        found.center[numbers],
        found.scale[numbers],
    )
    clip = CLIP if method == "robust" else float("inf")
    return replace(encoding, scaling=Scaling(center, scale), clip=clip)


def learn_columns(
    data: Table | Array, column_kinds: Any = None, weights: Array | None = None
) -> Encoding:
    """Return the encoding of a table, or of an array of N × C; its features are not scaled yet.

    An array of numbers keeps all of its columns, unless `column_kinds` says something of them.

    Parameters
    ----------
    data : Table or array
    column_kinds : mapping of name or index to kind, optional
        As for `EncodingLearner`.
    weights : N numbers, optional
        Rows of weight 0 do not count.

    Raises
    ------
    LaminaError
        If a column cannot be used; the message says what to do.
    """
    if not isinstance(data, Table) and not column_kinds and data.dtype.kind in "fiub":
        return _learn_rows(data, weights)
    learner = EncodingLearner(column_kinds)
    learner.add(to_table(data), weights)
    return learner.finish()


def learn_encoding(
    data: Table | Array,
    column_kinds: Any = None,
    *,
    scale: str = "standard",
    weights: Array | None = None,
) -> Encoding:
    """Return the encoding of a table, scaled: `learn_columns` and `scale_encoding` in one."""
    encoding = learn_columns(data, column_kinds, weights)
    return scale_encoding(encoding, encoding.cells(data), scale, weights)


def _learn_rows(rows: Array, weights: Array | None = None) -> Encoding:
    """Return the encoding of an array of numbers, N × C, not scaled yet; all columns are kept."""
    count = np.zeros(rows.shape[1], dtype=int)
    for start in range(0, len(rows), ROWS):
        hole = np.isnan(rows[start : start + ROWS])
        counted = slice(None) if weights is None else weights[start : start + ROWS] > 0
        count += hole[counted].sum(axis=0)
    n = len(rows) if weights is None else np.count_nonzero(weights > 0)
    flags = ((count > 0) & (count < n)).tolist()
    columns = (Column(f"x{i}", "numeric", missing=flag) for i, flag in enumerate(flags))
    return _unscaled(LearnedColumns(columns))
