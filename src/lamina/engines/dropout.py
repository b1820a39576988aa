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

WEYL = 0x9E3779B97F4A7C15
"""2⁶⁴ divided by the golden ratio: the step of the counter."""


def mix(x: Array) -> Array:
    """Turn 64-bit counters into 64 well-mixed bits each, in place.

    Source: Steele, Lea and Flood 2014.
    """
    shifted = np.empty_like(x)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        x ^= np.right_shift(x, np.uint64(shift), out=shifted)
        x *= np.uint64(factor)
    return x


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
    state = np.zeros(1, dtype=np.uint64)
    for part in key:
        state = mix(state + np.uint64(WEYL * (int(part) + 1) % 2**64))
    first = positions.astype(np.uint64) * np.uint64(units)
    counters = np.arange(1, units + 1, dtype=np.uint64)[:, np.newaxis] + first
    counters *= np.uint64(WEYL)
    counters += state
    bits = mix(counters)
    bits >>= np.uint64(11)  # a uniform number from 0 to 1 in steps of 2⁻⁵³, times 2⁵³
    return (bits >= np.uint64(ceil(rate * 2.0**53))) * (1.0 / (1.0 - rate))
