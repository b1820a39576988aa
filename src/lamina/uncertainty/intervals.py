"""Intervals that cover a new observation with a stated probability, whatever its distribution.

Networks f_1..f_F, each with residuals of data points that it was not trained on,

    R_i = |t_i - f_k(i)(x_i)| / s_k(i)(x_i),                                   (u5)

give the interval from the ⌊(1 - c)(N + 1)⌋-th smallest of f_k(i)(x) - s_k(i)(x) R_i to the
⌈c (N + 1)⌉-th smallest of f_k(i)(x) + s_k(i)(x) R_i, c being the coverage. With one network and
data that were held out this is split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei,
G'Sell, Rinaldo, Tibshirani and Wasserman 2018): at least c. With a network for each part of the
training data, fitted to the other parts, it is CV+ (Barber, Candès, Ramdas and Tibshirani 2021,
section 3): at least 2c - 1 - √(2/N), and about c where the networks are much alike. s is 1, or the
standard deviation that the network predicts itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

HALVINGS = 64
"""Of a bracket around a quantile: to the last bit of what it is made of."""
ROUNDING = 1e-9
"""So much less counts as enough, where c (N + 1) is a whole number but for rounding."""


@dataclass(frozen=True)
class Residuals:
    """R_i of one target, in the order of their networks, ascending for each.

    Attributes
    ----------
    sizes : vector, N
        R_i >= 0.
    weights : vector, N
        1, or how often each counts; mean 1.
    ends : F + 1 integers
        Network k has those from ends[k] to ends[k + 1].
    """

    sizes: Array
    weights: Array
    ends: Array

    @classmethod
    def of(cls, sizes: Array, owners: Array, weights: Array, F: int) -> Residuals:
        """Return residuals, N numbers, of the networks `owners` out of F."""
        order = np.lexsort((sizes, owners))
        ends = np.searchsorted(owners[order], np.arange(F + 1))
        return cls(sizes[order], weights[order] / weights.mean(), ends)

    def needed(self, coverage: float) -> float:
        """Return c (N + 1), the weight that an end of the interval must reach.

        Raises
        ------
        InvalidValueError
            If all N together do not, so that only an infinite interval would do.
        """
        N = len(self.sizes)
        if coverage * (N + 1) > N + ROUNDING * N:
            least = int(np.ceil(coverage / (1.0 - coverage) - ROUNDING))
            message = (
                f"a coverage of {coverage} needs {least} residuals for a finite interval, and "
                f"there are {N}: ask for {N / (N + 1):.4g} at most, or fit (or hold out) more rows"
            )
            raise InvalidValueError(message)
        return coverage * (N + 1) - ROUNDING * N

    def upper(self, centers: Array, spreads: Array, coverage: float) -> Array:
        """Return the upper ends of n intervals for f_k(x) and s_k(x), each F × n, (u5)."""
        needed, F = self.needed(coverage), len(centers)
        parts = [slice(*self.ends[k : k + 2]) for k in range(F)]
        reached = [np.concatenate([[0.0], np.cumsum(self.weights[part])]) for part in parts]
        smallest, largest = self.sizes.min(), self.sizes.max()
        low = (centers + spreads * smallest).min(axis=0)
        high = (centers + spreads * largest).max(axis=0)
        low = np.nextafter(low, -np.inf)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            weight = np.zeros_like(middle)
            for k, part in enumerate(parts):
                room = (middle - centers[k]) / spreads[k]
                weight += reached[k][np.searchsorted(self.sizes[part], room, side="right")]
            enough = weight >= needed
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        return np.asarray(high)

    def interval(self, centers: Array, spreads: Array, coverage: float) -> Array:
        """Return both ends of n intervals, 2 × n."""
        return np.stack(
            [-self.upper(-centers, spreads, coverage), self.upper(centers, spreads, coverage)]
        )
