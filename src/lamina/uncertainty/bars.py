"""What `fit` learns for error bars: all that is needed later, as arrays and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.uncertainty.intervals import Residuals
from lamina.uncertainty.posterior import Posterior

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Array = npt.NDArray[Any]

WORDS = ("posterior", "intervals", "evidence")
"""What is said of each part: how it was made, or why there is none."""


@dataclass(frozen=True)
class Intervals:
    """Networks and their residuals of data that they have not seen.

    Attributes
    ----------
    networks : matrix, F × P
        θ of each.
    sizes : matrix, N × K
        R_i of each target, in the network's units.
    owners : N integers
        The network of each residual.
    weights : vector, N
    """

    networks: Array
    sizes: Array
    owners: Array
    weights: Array

    def of_target(self, k: int) -> Residuals:
        """Return the residuals of target k."""
        return Residuals.of(self.sizes[:, k], self.owners, self.weights, len(self.networks))


@dataclass(frozen=True)
class Bars:
    """Everything learned.

    Attributes
    ----------
    points : n integers
        The rows that the network was trained on.
    posterior : Posterior or None
        None where the error has no second derivative.
    leverage : vector, n
    without : matrix, n × K
        Residuals t - a of each point by the network without it, in the network's units.
    standard_errors : vector, P
    evidence : float
        NaN where there is none.
    intervals : Intervals or None
    words : dict
        See `WORDS`.
    """

    points: Array
    posterior: Posterior | None
    leverage: Array
    without: Array
    standard_errors: Array
    evidence: float
    intervals: Intervals | None
    words: dict[str, str] = field(default_factory=dict)

    def to_arrays(self) -> dict[str, Array]:
        """Return all but the words as arrays."""
        arrays = {name: np.asarray(getattr(self, name)) for name in _PLAIN}
        for name, part in (("posterior", self.posterior), ("intervals", self.intervals)):
            if part is not None:
                arrays |= {f"{name}.{n}": np.asarray(a) for n, a in vars(part).items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], words: dict[str, str]) -> Bars:
        """Return what `to_arrays` described.

        Raises
        ------
        KeyError, TypeError
            If an array is missing, or one too many.
        """
        parts: dict[str, Any] = {}
        kinds: dict[str, Any] = {"posterior": Posterior, "intervals": Intervals}
        for name, kind in kinds.items():
            found: dict[str, Any] = {
                n[len(name) + 1 :]: a for n, a in arrays.items() if n.startswith(f"{name}.")
            }
            found |= {n: found[n].item() for n in ("N", "gamma") if n in found}
            parts[name] = kind(**found) if found else None
        plain: dict[str, Any] = {name: arrays[name] for name in _PLAIN}
        plain["evidence"] = arrays["evidence"].item()
        return cls(**plain, **parts, words=words)


_PLAIN = ("points", "leverage", "without", "standard_errors", "evidence")
