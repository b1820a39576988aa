"""Sparse tables as columns: what is not stored is zero, and a batch at a time is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.scaling import Scaling, fit_scaling
from lamina.exceptions import InvalidTypeError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """The rows of a sparse table, N × S, as columns of a scaled matrix.

    Zeros are scaled like other numbers, so a center that is not 0 costs nothing here.

    Attributes
    ----------
    values : array
        The stored numbers, row by row, of any real type.
    starts : N + 1 integers
        Where among them each row begins, and the end.
    places : integers
        The column of each stored number; none twice in a row.
    width : int
        S.
    affine : Scaling or None
        Applied to what is taken.
    dtype : data type
        Of what is taken.
    """

    values: Array
    starts: Array
    places: Array
    width: int
    affine: Scaling | None
    dtype: npt.DTypeLike

    @classmethod
    def of(cls, matrix: Any, affine: Scaling | None, dtype: npt.DTypeLike) -> SparseRows:
        """Return the rows of a sparse matrix of SciPy; see `to_rows`."""
        rows = to_rows(matrix)
        starts = rows.indptr.astype(np.int64)
        return cls(rows.data, starts, rows.indices, rows.shape[1], affine, dtype)

    @property
    def scaling(self) -> tuple[Array, Array] | None:
        """Center and scale, or None where nothing changes."""
        if self.affine is None or self.affine.is_identity:
            return None
        return self.affine.center, self.affine.scale

    def __len__(self) -> int:
        """Return N."""
        return len(self.starts) - 1

    def take(self, points: Array | slice) -> Array:
        """Return the chosen data points as an S × n matrix, each column contiguous."""
        first, last = self.starts[:-1][points], self.starts[1:][points]
        counts = last - first
        row = np.repeat(np.arange(len(counts)), counts)
        stored = np.arange(counts.sum()) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        scaled = self.affine is not None and not self.affine.is_identity
        rows = np.zeros((len(counts), self.width), dtype=float if scaled else self.dtype)
        rows[row, self.places[stored]] = self.values[stored]
        if self.affine is None or not scaled:
            return rows.T
        return np.ascontiguousarray(self.affine.apply(rows, self.dtype)).T


def to_rows(matrix: Any) -> Any:
    """Return a sparse matrix of SciPy by rows (CSR), each column at most once in a row.

    One that is so already is not copied.

    Raises
    ------
    InvalidTypeError
        If it does not hold real numbers.
    """
    if matrix.dtype.kind not in "fiub":
        message = f"X must hold real numbers, got a sparse matrix of {matrix.dtype}"
        raise InvalidTypeError(message)
    rows = matrix.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy() if rows is matrix else rows
        rows.sum_duplicates()
    return rows


def fit_sparse_scaling(method: str, rows: Any, weights: Array | None = None) -> Scaling:
    """Return the scaling of a sparse table by rows that the method asks for; see `fit_scaling`.

    It is bit for bit that of the same numbers as an array: some rows at a time are one.
    """
    return fit_scaling(method, _Dense(rows), weights)  # type: ignore[arg-type]  # all it needs


class _Dense:
    """A sparse table whose slices are arrays."""

    def __init__(self, rows: Any) -> None:
        self.rows, self.shape = rows, rows.shape

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, part: slice) -> Array:
        return np.asarray(self.rows[part].toarray())
