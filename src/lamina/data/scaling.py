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

METHODS = ("standard", "minmax", "robust", "mean", "none")
INPUT_METHODS = ("standard", "minmax", "robust", "none")
"""How inputs can be scaled."""
CHUNK, NUMBERS = 4096, 2**20
"""Rows looked at together, and their numbers, so that no copy of a whole table is made."""
SAMPLE = 2**14
"""Rows from which quartiles are taken, at most: all, or every 2nd, 4th, 8th, ... one."""


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
    """Return the scaling of a table that the method asks for; NaN does not count.

    Parameters
    ----------
    method : {"standard", "minmax", "robust", "mean", "none"}
        To mean 0 and standard deviation 1; to the range 0..1; to median 0 and a distance of 1
        between the quartiles, or of 2 between the ends where these are equal; to a mean size of 1
        without moving 0, for counts and other positive numbers; or not at all.
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
    if method == "robust":
        center, scale = _quartiles(rows, weights, low, span)
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
    """Return the smallest and largest entry of each feature; 0 and 0 where there is none."""
    low = np.full(rows.shape[1], np.inf)
    high = -low
    for part, _ in _counted(rows, weights):
        low = np.fmin(low, _reduced(np.minimum, np.fmin, part))
        high = np.fmax(high, _reduced(np.maximum, np.fmax, part))
    empty = low > high
    return np.where(empty, 0.0, low), np.where(empty, 0.0, high)


def _reduced(plain: np.ufunc, careful: np.ufunc, part: Array) -> Array:
    """Return an extreme of each feature; NaN, which the careful function passes over, is rare."""
    found = plain.reduce(part, axis=0)
    if np.isnan(found).any():
        found = careful.reduce(part, axis=0)
    return np.asarray(found, dtype=float)


def _quartiles(rows: Array, weights: Array, low: Array, span: Array) -> tuple[Array, Array]:
    """Return the median and the distance of the quartiles; half the range where that is 0.

    Source: Holzmüller, Grinsztajn and Steinwart 2024.
    """
    counted = np.flatnonzero(weights > 0)
    stride = 1
    while len(counted) > SAMPLE * stride:
        stride *= 2
    counted = counted[::stride]
    center, scale = low + span / 2, span / 2
    width = max(1, NUMBERS // len(counted))
    for start in range(0, rows.shape[1], width):
        for column, values in enumerate(rows[counted, start : start + width].T, start):
            there = ~np.isnan(values)
            if there.any():
                first, center[column], third = np.quantile(
                    values[there].astype(float),
                    [0.25, 0.5, 0.75],
                    weights=weights[counted][there],
                    method="inverted_cdf",
                )
                scale[column] = third - first if third > first else scale[column]
    return center, scale


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
    total, mean, square = np.zeros((3, len(span)))
    for chunk, w in _counted(rows, weights):
        part = (chunk - low) / span
        added = np.full(len(span), w.sum())
        part_mean = w @ part / added
        if np.isnan(part_mean).any():  # what is missing is put at the mean, and weighs nothing
            hole = np.isnan(part)
            added = w @ ~hole
            part_mean = w @ np.where(hole, 0.0, part) / np.where(added > 0, added, 1.0)
            part = np.where(hole, part_mean, part)
        gap = part_mean - mean
        together = total + added
        share = added / np.where(together > 0, together, 1.0)
        square += w @ (part - part_mean) ** 2 + gap**2 * (total * share)
        total = together
        mean += gap * share
    return low + span * mean, span * np.sqrt(square / np.where(total > 0, total, 1.0))
