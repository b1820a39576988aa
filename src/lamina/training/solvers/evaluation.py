"""J and its gradient in float64, each θ evaluated once: what a search on all data asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]


class Evaluation:
    """J and its gradient at a θ; the last one is kept, for it is asked for piece by piece."""

    def __init__(self, engine: Engine, data: Data, dtype: npt.DTypeLike) -> None:
        self._engine, self._data, self._dtype = engine, data, dtype
        self._theta: Array | None = None
        self._result: tuple[float, Array] = (float("nan"), np.empty(0))

    @classmethod
    def of(cls, engine: Engine, data: Data, state: TrainingState) -> Evaluation:
        """Return that of this call of `train`, so that an epoch begins with what is known."""
        fresh = cls(engine, data, state.theta.dtype)
        kept: Evaluation = state.scratch.setdefault("evaluation", fresh)
        return kept

    def rounded(self, theta: Array) -> Array:
        """Return θ in the precision of the network."""
        return theta.astype(self._dtype)

    def both(self, theta: Array) -> tuple[float, Array]:
        """Return J and dJ/dθ in float64; the array is kept, so do not write to it."""
        rounded = self.rounded(theta)
        if self._theta is None or not np.array_equal(rounded, self._theta):
            J, gradient = self._engine.gradient(rounded, self._data)
            self._theta, self._result = rounded, (J, gradient.astype(float))
        return self._result

    def value(self, theta: Array) -> float:
        """Return J, infinite where it is not a number, so that the search turns back."""
        J = self.both(theta)[0]
        return J if np.isfinite(J) else float("inf")

    def slope(self, theta: Array) -> Array:
        """Return dJ/dθ."""
        return self.both(theta)[1]

    def trial(self, theta: Array) -> float:
        """Return J, infinite where one could not go on: where J or the gradient is not finite."""
        return self.value(theta) if np.all(np.isfinite(self.slope(theta))) else float("inf")
