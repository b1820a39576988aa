"""Monotone maps of targets: what the network learns is g(y), and predictions come back as y.

- "log": log y, for y > 0.
- "box-cox": (y^λ - 1) / λ, and log y for λ = 0, for y > 0; λ >= 0 is the most likely exponent of
  each target, for a negative one would have a pole amid the predictions. Source: Box and Cox 1964.
- "quantile": each target's place among the learned ones as a quantile of the standard normal
  distribution, linear in between; predictions stay in the range of y that was learned.

The maps increase, so that medians, quantiles and ends of intervals are those of y. A mean is not:
`predict` returns g⁻¹ of the predicted g(y), which for symmetric noise in g(y) is the median of y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import boxcox, inv_boxcox, ndtr, ndtri
from sklearn.preprocessing import PowerTransformer

from lamina.exceptions import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Map = Callable[[Array, Array], Array]

NAMES = ("log", "box-cox", "quantile")
POSITIVE = ("log", "box-cox")
"""Those of numbers above zero."""
MOST = 1000
"""Quantiles that are learned of a target, at most."""


@dataclass(frozen=True, eq=False)
class Transform:
    """A map of each of K targets.

    Attributes
    ----------
    name : {"log", "box-cox", "quantile"}
    numbers : array, m × K
        What was learned: nothing, λ of each target, or m quantiles of each.
    """

    name: str
    numbers: Array

    def apply(self, table: Array) -> Array:
        """Return g(y) for y, N × K; NaN stays NaN.

        Raises
        ------
        InvalidValueError
            If an entry is none that can be mapped.
        """
        check_domain(self.name, table)
        return self._each(_FORWARD[self.name], table)

    def invert(self, values: Array) -> Array:
        """Return y for g(y), N × K, or N × (blocks · K) as of several quantiles."""
        return self._each(_BACK[self.name], values)

    def slope(self, values: Array) -> Array:
        """Return dy/dg at g(y), N × K or N × (blocks · K)."""
        return self._each(_SLOPE[self.name], values)

    def _each(self, map_: Map, table: Array) -> Array:
        """Return what a map makes of each column, with the numbers of its target."""
        K = self.numbers.shape[1]
        result = np.empty(table.shape)
        with np.errstate(over="ignore"):
            for k, column in enumerate(table.T):
                result[:, k] = map_(column.astype(float), self.numbers[:, k % K])
        return result


def learn_transform(name: Any, table: Array, weights: Array | None) -> Transform | None:
    """Return the map that `target_transform` asks for, learned from y, N × K, or None.

    Rows of weight 0 and NaN do not count; all others count alike.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If there is no such map, or an entry of y is none that it can map.
    """
    check_name(name)
    if name is None:
        return None
    check_domain(name, table)
    counted = table if weights is None else table[weights > 0]
    columns = [column[~np.isnan(column)] for column in counted.T.astype(float)]
    if name == "box-cox":
        numbers = np.array([[_exponent(column) for column in columns]])
    elif name == "quantile":
        m = min(MOST, *map(len, columns))
        levels = np.linspace(0.0, 1.0, m)
        numbers = np.stack([np.quantile(column, levels) for column in columns], axis=1)
    else:
        numbers = np.empty((0, len(columns)))
    return Transform(name, numbers)


def check_name(name: Any) -> None:
    """Refuse a parameter `target_transform` that names no map.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is neither None nor one of the names.
    """
    message = f"target_transform must be None or one of {', '.join(NAMES)}; got {name!r}"
    if name is not None and not isinstance(name, str):
        raise InvalidTypeError(message)
    if name is not None and name not in NAMES:
        raise InvalidValueError(message)


def check_domain(name: str, table: Array) -> None:
    """Refuse numbers that are not above zero where the map needs that.

    Raises
    ------
    InvalidValueError
        If there is one.
    """
    bad = np.argwhere(table <= 0) if name in POSITIVE else np.empty((0, 2), dtype=int)
    if len(bad):
        row, k = bad[0]
        message = (
            f"target_transform={name!r} needs y above zero, and row {row} has {table[row, k]:g}; "
            "add a constant to y, or use 'quantile', or loss='poisson' for counts"
        )
        raise InvalidValueError(message)


def encode_transform(transform: Transform | None, tensors: dict[str, Array]) -> str | None:
    """Return the name of a map, and add its numbers to the tensors of a model file."""
    if transform is None:
        return None
    tensors["target_transform_.numbers"] = transform.numbers
    return transform.name


def decode_transform(name: Any, tensors: Mapping[str, Array], K: int) -> Transform | None:
    """Return the map that `encode_transform` stored.

    Raises
    ------
    KeyError, ValueError, LaminaError
        If it is none of K targets.
    """
    check_name(name)
    if name is None:
        return None
    numbers = tensors["target_transform_.numbers"]
    rows = {"log": (0, 0), "box-cox": (1, 1), "quantile": (1, MOST)}[name]
    right = numbers.ndim == 2 and numbers.dtype == float and numbers.shape[1] == K
    right = right and rows[0] <= len(numbers) <= rows[1] and bool(np.all(np.isfinite(numbers)))
    if (
        not right
        or np.any(np.diff(numbers, axis=0) < 0)
        or (name == "box-cox" and numbers.min() < 0)
    ):
        message = f"expected the numbers of a {name} map of {K} targets"
        raise ValueError(message)
    return Transform(name, numbers)


def _exponent(column: Array) -> float:
    """Return λ >= 0 of Box and Cox; 1 for a target that does not vary."""
    if not np.ptp(column) > 0:
        return 1.0
    power = PowerTransformer(method="box-cox", standardize=False).fit(column[:, np.newaxis])
    return max(0.0, float(power.lambdas_[0]))


def _levels(quantiles: Array) -> Array:
    """Return the probability that stands for each learned quantile: (j + 1/2) / m."""
    m = len(quantiles)
    return (np.arange(m) + 0.5) / m


def _to_normal(y: Array, quantiles: Array) -> Array:
    """Return the normal quantile of each number's place; equal quantiles have one in the middle."""
    levels = _levels(quantiles)
    from_below = np.interp(y, quantiles, levels)
    from_above = -np.interp(-y, -quantiles[::-1], -levels[::-1])
    return np.asarray(ndtri(0.5 * (from_below + from_above)))


def _quantile_slope(z: Array, quantiles: Array) -> Array:
    """Return dy/dz: the density of z times the slope of the piece it is on; 0 beyond the ends."""
    levels, m = _levels(quantiles), len(quantiles)
    if m == 1:
        return np.zeros_like(z)
    p = ndtr(z)
    piece = np.clip(np.searchsorted(levels, p, side="right") - 1, 0, m - 2)
    slope = np.diff(quantiles)[piece] * m
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return np.where((p < levels[0]) | (p > levels[-1]), 0.0, slope * density)


def _least(z: Array, power: Array) -> Array:
    """Return z where (y^λ - 1) / λ takes it for some y >= 0, else the least such value."""
    return np.maximum(z, -1.0 / power[0]) if power[0] > 0 else z


_FORWARD: dict[str, Map] = {
    "log": lambda y, _: np.log(y),
    "box-cox": lambda y, power: boxcox(y, power[0]),
    "quantile": _to_normal,
}
_BACK: dict[str, Map] = {
    "log": lambda z, _: np.exp(z),
    "box-cox": lambda z, power: inv_boxcox(_least(z, power), power[0]),
    "quantile": lambda z, quantiles: np.interp(ndtr(z), _levels(quantiles), quantiles),
}
_SLOPE: dict[str, Map] = {
    "log": lambda z, _: np.exp(z),
    "box-cox": lambda z, power: inv_boxcox(_least(z, power), power[0]) ** (1.0 - power[0]),
    "quantile": _quantile_slope,
}
