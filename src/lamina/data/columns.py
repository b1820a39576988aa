"""Tables as the note's matrices: the only place where rows become columns.

A user's table has a data point in each row; the note's X and T have one in each column.
A source hands out the columns that an engine asks for by index, scaled and in the
engine's precision. The table itself is never copied, cast or written to as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.data.scaling import Scaling

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """The rows of a numeric table, N × S, as columns of a scaled matrix.

    Attributes
    ----------
    rows : array, N × S
        Any real type and memory order; may be read-only or a memory map.
    affine : Scaling or None
        Applied to what is taken.
    dtype : data type
        Of what is taken.
    """

    rows: Array
    affine: Scaling | None
    dtype: npt.DTypeLike
    classes: ClassVar[None] = None

    @property
    def scaling(self) -> tuple[Array, Array] | None:
        """Center and scale, or None where nothing changes."""
        if self.affine is None or self.affine.is_identity:
            return None
        return self.affine.center, self.affine.scale

    def __len__(self) -> int:
        """Return N."""
        return len(self.rows)

    def take(self, points: Array | slice) -> Array:
        """Return the chosen data points as an S × n matrix, each column contiguous."""
        rows = self.rows[points]
        if self.affine is None or self.affine.is_identity:
            return np.asarray(rows, dtype=self.dtype, order="C").T
        return np.ascontiguousarray(self.affine.apply(rows, self.dtype)).T


@dataclass(frozen=True)
class OneHot:
    """Class codes 0..K-1 as the columns of a K × N indicator matrix.

    Attributes
    ----------
    codes : N integers
        The class of each data point.
    n_classes : int
        K; with K = 1 the codes 0 and 1 themselves are the single row.
    low, high : float
        What stands for "not this class" and "this class": 0 and 1, or -1 and 1 for hinge.
    """

    codes: Array
    n_classes: int
    dtype: npt.DTypeLike
    low: float = 0.0
    high: float = 1.0
    scaling: ClassVar[None] = None

    @property
    def rows(self) -> Array:
        """The codes."""
        return self.codes

    @property
    def classes(self) -> tuple[int, float, float]:
        """K, and what stands for "not this class" and "this class"."""
        return self.n_classes, self.low, self.high

    def __len__(self) -> int:
        """Return N."""
        return len(self.codes)

    def take(self, points: Array | slice) -> Array:
        """Return the chosen data points as a K × n matrix, each column contiguous."""
        codes = self.codes[points]
        if self.n_classes == 1:
            hit = codes[:, np.newaxis] == 1
        else:
            hit = codes[:, np.newaxis] == np.arange(self.n_classes)
        return np.where(hit, self.high, self.low).astype(self.dtype).T


@dataclass(frozen=True)
class Matrix:
    """A matrix that has data points as columns already, S × N."""

    columns: Array
    dtype: npt.DTypeLike
    scaling: ClassVar[None] = None
    classes: ClassVar[None] = None

    @property
    def rows(self) -> Array:
        """The matrix with data points as rows; a view."""
        return self.columns.T

    def __len__(self) -> int:
        """Return N."""
        return int(self.columns.shape[1])

    def take(self, points: Array | slice) -> Array:
        """Return the chosen columns as an S × n matrix."""
        return np.asarray(self.columns[:, points], dtype=self.dtype)
