"""Cells of a table as features: categories become one-hot, missing numbers the mean and a flag.

A table keeps one number in each cell: a number, NaN where it is missing, or the code of a
category. A network wants features. The cells are expanded for the data points of a batch only, so
that neither memory nor a file ever holds the wide matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.data.scaling import Scaling

    Array = npt.NDArray[Any]

HUGE = 1e150
"""Where a number is as good as infinite for clipping, and its square still is a float64."""


@dataclass(frozen=True, eq=False)
class Expansion:
    """How the C cells of a data point become its S_0 features, in the order of the cells.

    Attributes
    ----------
    levels : C integers
        0 for a number; K >= 1 for codes 0..K-1, which become K features: 1 at the code, else 0.
        A code that is none of these becomes K zeros.
    indicator : C truth values
        Whether a number is followed by a feature that is 1 where it is missing, and else 0.
    scaling : Scaling
        Of all S_0 features; center 0 and scale 1 for those that are 0 or 1. A missing number is
        0 after scaling: the center.
    clip : float > 0, default inf
        Scaled numbers x become x / sqrt(1 + (x / clip)²), which is within ±clip: the smooth
        clipping of Holzmüller, Grinsztajn and Steinwart 2024; inf leaves them as they are.

    Raises
    ------
    InvalidValueError
        If the parts do not fit each other.

    Examples
    --------
    >>> from lamina.data.scaling import Scaling
    >>> expansion = Expansion(np.array([0, 3]), np.array([True, False]), Scaling.identity(5))
    >>> expansion.expand(np.array([[2.5, 1.0], [np.nan, 0.0]]))
    array([[2.5, 0. , 0. , 1. , 0. ],
           [0. , 1. , 1. , 0. , 0. ]])
    """

    levels: Array
    indicator: Array
    scaling: Scaling
    clip: float = float("inf")

    def __post_init__(self) -> None:
        """Refuse parts that do not fit each other."""
        levels, indicator = self.levels, self.indicator
        if levels.ndim != 1 or levels.dtype.kind not in "iu" or np.any(levels < 0):
            raise InvalidValueError(f"levels must be integers >= 0, one a column; got {levels!r}")
        if indicator.shape != levels.shape or np.any(indicator & (levels > 0)):
            message = "there is one indicator for each column, and only for numbers"
            raise InvalidValueError(f"{message}; got {indicator!r} for levels {levels!r}")
        if not self.clip > 0:
            message = f"clip must be > 0, in units of scaled numbers; got {self.clip!r}"
            raise InvalidValueError(message)
        center, scale = self.scaling.center, self.scaling.scale
        if center.shape != (self.n_features,) or scale.shape != center.shape:
            message = f"there are {self.n_features} features, and a scaling of {len(center)}"
            raise InvalidValueError(message)
        flags = ~self.is_number
        if np.any(center[flags] != 0.0) or np.any(scale[flags] != 1.0):
            raise InvalidValueError("features that are 0 or 1 must have center 0 and scale 1")

    @cached_property
    def widths(self) -> Array:
        """The number of features of each column."""
        return np.where(self.levels > 0, self.levels, 1 + self.indicator).astype(np.int64)

    @cached_property
    def starts(self) -> Array:
        """The first feature of each column."""
        return np.cumsum(self.widths) - self.widths

    @property
    def n_features(self) -> int:
        """S_0."""
        return int(self.widths.sum())

    @cached_property
    def is_number(self) -> Array:
        """Which features are scaled numbers: S_0 truth values."""
        numbers = np.zeros(self.n_features, dtype=bool)
        numbers[self.starts[self.levels == 0]] = True
        return numbers

    def expand(self, cells: Array, dtype: npt.DTypeLike = float) -> Array:
        """Return the features of rows of cells, n × C, as a new array, n × S_0."""
        features = np.zeros((len(cells), self.n_features), dtype=dtype)
        for column, (K, start) in enumerate(zip(self.levels, self.starts, strict=True)):
            x = cells[:, column].astype(float)
            if K > 0:
                features[:, start : start + K] = x[:, np.newaxis] == np.arange(K)
                continue
            missing = np.isnan(x)
            scaled = (x - self.scaling.center[start]) / self.scaling.scale[start]
            if self.clip < float("inf"):
                u = np.clip(scaled / self.clip, -HUGE, HUGE)
                scaled = self.clip * u / np.sqrt(1.0 + u**2)
            features[:, start] = np.where(missing, 0.0, scaled)
            if self.indicator[column]:
                features[:, start + 1] = missing
        return features


@dataclass(frozen=True, eq=False)
class Expanded:
    """The rows of a table of cells, N × C, as columns of the S_0 × N matrix of features.

    Attributes
    ----------
    cells : array, N × C
        Any real type and memory order; may be read-only or a memory map.
    expansion : Expansion
        Applied to what is taken.
    dtype : data type
        Of what is taken.
    """

    cells: Array
    expansion: Expansion
    dtype: npt.DTypeLike

    def __len__(self) -> int:
        """Return N."""
        return len(self.cells)

    def take(self, points: Array | slice) -> Array:
        """Return the chosen data points as an S_0 × n matrix, each column contiguous."""
        return self.expansion.expand(self.cells[points], self.dtype).T
