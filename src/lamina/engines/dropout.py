"""Which units a data point drops: a pure function of seed, epoch, layer, point and unit.

Inverted dropout multiplies what is kept by 1/(1 - rate), so nothing changes at
prediction. Source: Srivastava et al. 2014. The mask does not depend on how
data points are cut into batches or threads.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

WEYL = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ divided by the golden ratio: the step of the counter."""
FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11))
ONE = np.uint64(1)


def mix(x: Any) -> Any:
    """Return 64 well-mixed bits for each 64-bit counter. Source: Steele, Lea and Flood 2014."""
    x = (x ^ (x >> SHIFTS[0])) * FACTORS[0]
    x = (x ^ (x >> SHIFTS[1])) * FACTORS[1]
    return x ^ (x >> SHIFTS[2])


def bits(state: Any, position: Any, unit: Any, units: Any) -> Any:
    """Return 53 random bits for a unit, 0..units - 1, of the data point at a position."""
    return mix(state + WEYL * (position * units + unit + ONE)) >> SHIFTS[3]


def threshold(rate: float) -> np.uint64:
    """Return what 53 random bits are below with probability `rate`."""
    return np.uint64(ceil(rate * 2.0**53))


def start(key: tuple[int, int, int]) -> np.uint64:
    """Return where the counters of a seed, epoch and layer begin."""
    state = np.zeros(1, dtype=np.uint64)
    for part in key:
        state = mix(state + np.uint64(int(WEYL) * (int(part) + 1) % 2**64))
    return np.uint64(state[0])


def mask(key: tuple[int, int, int], units: int, positions: Array, rate: float) -> Array:
    """Return the mask of one layer: 0 with probability `rate`, else 1/(1 - rate).

    Parameters
    ----------
    key : three non-negative integers
        Seed, epoch and layer.
    units : int
        S_l.
    positions : n integers
        Where the data points stand in the epoch's order.
    rate : float, 0 <= rate < 1
        The probability to drop.

    Returns
    -------
    matrix, S_l × n, float64
    """
    position, unit = positions.astype(np.uint64), np.arange(units, dtype=np.uint64)[:, np.newaxis]
    drawn = bits(np.full(1, start(key)), position, unit, np.uint64(units))
    return np.asarray((drawn >= threshold(rate)) * (1.0 / (1.0 - rate)))
