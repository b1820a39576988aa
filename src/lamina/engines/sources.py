"""What sources of data points are made of, for an engine that reads them by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lamina.engines.protocol import Source

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class TableSource(Source, Protocol):
    """Numbers, or codes of classes.

    Attributes
    ----------
    rows : array, N × S, or N codes of classes
        A user's table, never copied or written to.
    scaling : pair of vectors, or None
        `center` and `scale`: (x - center) / scale is what is taken.
    classes : (K, low, high), or None
        `rows` are codes 0..K-1 of classes, taken as `high` in the row of their class and
        `low` elsewhere; with K = 1 they are 0 or 1, taken as `low` or `high`.
    """

    @property
    def rows(self) -> Array: ...  # noqa: D102 - see above
    @property
    def scaling(self) -> Any: ...  # noqa: D102 - see above
    @property
    def classes(self) -> tuple[int, float, float] | None: ...  # noqa: D102 - see above


class CellSource(Source, Protocol):
    """Cells of which each becomes one feature or some.

    Attributes
    ----------
    cells : array, N × C
        A table, never copied or written to.
    expansion : record
        Its `levels` and `indicator` say what becomes of each cell: a scaled number, 0 where it is
        missing, with an indicator of that behind it or not, or the indicators of K levels.
        `scaling` has `center` and `scale` of all S_0 features, and `clip` softly limits numbers.
    """

    @property
    def cells(self) -> Array: ...  # noqa: D102 - see above
    @property
    def expansion(self) -> Any: ...  # noqa: D102 - see above


class SparseSource(Source, Protocol):
    """Rows of which only some numbers are stored; the others are 0.

    Attributes
    ----------
    values, places : arrays
        The stored numbers, row by row, and their columns; no column twice in a row.
    starts : N + 1 integers
        int64: where each row begins among them, and the end.
    scaling : pair of vectors, or None
        `center` and `scale`: (x - center) / scale is what is taken, also of zeros.
    """

    @property
    def values(self) -> Array: ...  # noqa: D102 - see above
    @property
    def places(self) -> Array: ...  # noqa: D102 - see above
    @property
    def starts(self) -> Array: ...  # noqa: D102 - see above
    @property
    def scaling(self) -> Any: ...  # noqa: D102 - see above
