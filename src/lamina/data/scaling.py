"""Scaling of inputs and targets: (x - center) / scale, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Array = npt.NDArray[Any]

METHODS = ("standard", "minmax", "mean", "none")
CHUNK, NUMBERS = 4096, 2**20
"""Rows looked at together, and their numbers, so that no copy of a whole table is made."""


@dataclass(frozen=True)
class Scaling:
    """An affine map of each feature: x → (x - center) / scale.

    Attributes
    ----------
    center, scale : vectors of float64, one entry for each feature
        In the units of the data; a constant feature has scale 1, so it becomes 0.
    """

    center: Array
    scale: Array

    @cached_property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return bool(np.all(self.center == 0.0) and np.all(self.scale == 1.0))

    def apply(self, rows: Array, dtype: npt.DTypeLike = float) -> Array:
        """Return the scaled rows, n × S, as a new array of the given precision."""
        return np.asarray((rows - self.center) / self.scale, dtype=dtype)

    def invert(self, rows: Array) -> Array:
        """Return rows in the units of the data, in float64; n × S."""
        return np.asarray(rows * self.scale + self.center)

    @classmethod
    def identity(cls, size: int) -> Scaling:
        """Return the scaling that changes nothing."""
        return cls(np.zeros(size), np.ones(size))


def fit_scaling(method: str, rows: Array, weights: Array | None = None) -> Scaling:
    """Return the scaling of a table that the method asks for.

    Parameters
    ----------
    method : {"standard", "minmax", "mean", "none"}
        To mean 0 and standard deviation 1; to the range 0..1; to a mean size of 1 without
        moving 0, for counts and other positive numbers; or not at all.
    rows : array, N × S
        The table, of any real type and memory order; it is not copied.
    weights : N numbers, optional
        Weights of the rows; a row of weight 0 counts as absent.

    Raises
    ------
    InvalidValueError
        If the method is unknown, or a feature spans more than float64 can hold.
    """
    if method not in METHODS:
        message = f"scaling must be one of {', '.join(METHODS)}; got {method!r}"
        raise InvalidValueError(message)
    S = rows.shape[1]
    if method == "none" or len(rows) == 0 or (weights is not None and not np.any(weights > 0)):
        return Scaling.identity(S)
    weights = np.ones(len(rows)) if weights is None else weights
    low, high = _range(rows, weights)
    with np.errstate(over="ignore", invalid="ignore"):
        span = high - low
    if not np.all(np.isfinite(span)):
        column = int(np.argmin(np.isfinite(span)))
        message = (
            f"feature {column} runs from {low[column]:.3g} to {high[column]:.3g}, "
            "which is too wide for float64; rescale or clip it, or correct NaN, first"
        )
        raise InvalidValueError(message)
    if method == "mean":
        return Scaling(np.zeros(S), _mean_size(rows, weights, np.maximum(-low, high)))
    center, scale = low, span
    if method == "standard":
        center, scale = _moments(rows, weights, np.where(span > 0, span, 1.0), low)
    rounding = 10 * np.finfo(float).eps * np.maximum(np.abs(low), np.abs(high))
    varies = (span > rounding) & (scale > 0)
    return Scaling(np.where(varies, center, low), np.where(varies, scale, 1.0))


def _counted(rows: Array, weights: Array) -> Iterator[tuple[Array, Array]]:
    """Yield the rows of positive weight, and their weights, some at a time."""
    chunk = max(1, min(CHUNK, NUMBERS // rows.shape[1]))
    for start in range(0, len(rows), chunk):
        w = weights[start : start + chunk]
        if np.any(w > 0):
            yield rows[start : start + chunk][w > 0], w[w > 0]


def _range(rows: Array, weights: Array) -> tuple[Array, Array]:
    """Return the smallest and largest entry of each feature."""
    low = np.full(rows.shape[1], np.inf)
    high = -low
    for part, _ in _counted(rows, weights):
        low = np.minimum(low, part.min(axis=0).astype(float))
        high = np.maximum(high, part.max(axis=0).astype(float))
    return low, high


def _mean_size(rows: Array, weights: Array, largest: Array) -> Array:
    """Return the weighted mean of |x| of each feature, 1 where all are 0; `largest` bounds |x|."""
    unit = np.where(largest > 0, largest, 1.0)
    total = np.zeros(rows.shape[1])
    for part, w in _counted(rows, weights):
        total += w @ np.abs(part / unit)
    mean = unit * (total / weights.sum())
    return np.where(mean > 0, mean, 1.0)


def _moments(rows: Array, weights: Array, span: Array, low: Array) -> tuple[Array, Array]:
    """Return weighted mean and standard deviation, by chunks (Chan, Golub and LeVeque 1983).

    Entries are first mapped to 0..1 by `low` and `span`, so that no square overflows.
    """
    total, mean, square = 0.0, np.zeros(len(span)), np.zeros(len(span))
    for chunk, w in _counted(rows, weights):
        part = (chunk - low) / span
        added = float(w.sum())
        part_mean = w @ part / added
        gap = part_mean - mean
        square += w @ (part - part_mean) ** 2 + gap**2 * (total * (added / (total + added)))
        total += added
        mean += gap * (added / total)
    return low + span * mean, span * np.sqrt(square / total)
