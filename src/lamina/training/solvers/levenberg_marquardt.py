"""Levenberg-Marquardt: damped Gauss-Newton steps, for any error.

The direction is p = -(G + λ D)⁻¹ g with the Gauss-Newton matrix G, the gradient g and the scale
D = max over the steps so far of diag G (Marquardt 1963; the maximum: Moré 1978, section 6). The
search is that of a trust region: a step is kept if J falls, and the ratio ρ of the fall to the
one that the model gᵗp + pᵗGp/2 foretold sets the next λ (Nielsen 1999; Madsen, Nielsen and
Tingleff 2004, section 3.2). With the squared error G is 𝒥ᵗ𝒥 and this is least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network import backpropagation
from lamina.training.solvers.base import Advance, Solver

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

MATRICES = 3
"""Of P × P that stand in memory at once: G, what is factored, and its factor."""
LEAST_RATIO = 1e-4
"""ρ from which on a step is kept."""


@dataclass(frozen=True)
class LevenbergMarquardt(Solver):
    """Damped Gauss-Newton steps on all data; one epoch is one step that lowers J.

    Parameters
    ----------
    damping : float > 0, default 1e-3
        The first λ, relative to diag G.
    max_tries : int >= 1, default 40
        Dampings tried in one epoch until J falls.
    max_memory : float > 0, default 4e9
        Bytes that the matrices may take; larger networks are refused.
    """

    damping: float = 1e-3
    max_tries: int = 40
    max_memory: float = 4e9

    minibatch: ClassVar[bool] = False
    default_tol: ClassVar[float] = 1e-10

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        numbers = (self.damping, self.max_memory)
        right = all(isinstance(n, Real) and 0 < n < float("inf") for n in numbers)
        if not (right and isinstance(self.max_tries, int) and self.max_tries >= 1):
            message = (
                "levenberg_marquardt needs finite damping and max_memory > 0 and a whole "
                f"max_tries >= 1, got {self!r}"
            )
            raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return λ with the factor that the next failure multiplies it by, and D.

        Raises
        ------
        InvalidValueError
            If the matrices of this network would not fit in `max_memory`.
        """
        del dtype  # all is float64
        needed = 8.0 * MATRICES * recipe.size**2
        if needed > self.max_memory:
            message = (
                f"levenberg_marquardt needs {needed / 1e9:.1f} GB for the matrices of "
                f"{recipe.size:,} parameters and may use {self.max_memory / 1e9:.1f} GB: choose "
                "fewer units, a solver without matrices such as 'lbfgs' or 'gauss_newton_cg', or "
                "LevenbergMarquardt(max_memory=...)"
            )
            raise InvalidValueError(message)
        return {"damping": np.array([self.damping, 2.0]), "scale": np.zeros(recipe.size)}

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Damp until a step lowers J, and take it."""
        del settings  # no option of its own: `Settings` refuses those that would be ignored
        J, gradient, G = engine.gauss_newton(state.theta, data)
        norm = float(np.linalg.norm(gradient))
        if not np.isfinite(J + norm) or norm == 0.0:
            return Advance(J, norm, 0.0, stalled=norm == 0.0)
        scale = state.memory["scale"]
        np.maximum(scale, np.diag(G), out=scale)
        D = np.maximum(scale, np.finfo(float).eps * scale.max() + np.finfo(float).tiny)
        for _ in range(self.max_tries):
            damping = float(state.memory["damping"][0])
            found = self._try(engine, data, state.theta, (J, gradient, G), damping * D)
            if found is not None:
                state.theta[:], lower, ratio = found
                _trust(state.memory["damping"], ratio)
                state.step += 1
                return Advance(lower, norm, damping)
            _distrust(state.memory["damping"])
        state.memory["damping"][:] = self.damping, 2.0
        return Advance(J, norm, 0.0, stalled=True)

    @staticmethod
    def _try(
        engine: Engine, data: Data, theta: Array, model: tuple[float, Array, Array], damp: Array
    ) -> tuple[Array, float, float] | None:
        """Return θ + p, its J and ρ for a damping λD; or None if J does not fall enough."""
        from scipy.linalg import LinAlgError, cho_factor, cho_solve

        J, gradient, G = model
        damped = G.copy(order="F")
        damped[np.diag_indices_from(damped)] += damp
        try:
            factor = cho_factor(damped, lower=False, overwrite_a=True, check_finite=False)
        except LinAlgError:  # not positive definite to rounding: damp more
            return None
        p = -cho_solve(factor, gradient, check_finite=False)
        foretold = 0.5 * float(p @ (damp * p - gradient))
        moved = (theta + p).astype(theta.dtype)
        lower = objective(engine, data, moved)
        if not (foretold > 0.0 and lower < J):
            return None
        ratio = (J - lower) / foretold
        return (moved, lower, ratio) if ratio >= LEAST_RATIO else None


def objective(engine: Engine, data: Data, theta: Array) -> float:
    """Return J with penalties at θ."""
    return engine.error(theta, data) + float(backpropagation.penalty(engine.recipe, theta))


def _trust(damping: Array, ratio: float) -> None:
    """Lower λ the more, the better the model foretold the fall; Madsen et al. 2004, (2.21)."""
    damping[:] = damping[0] * max(1.0 / 3.0, 1.0 - (2.0 * min(ratio, 1.0) - 1.0) ** 3), 2.0


def _distrust(damping: Array) -> None:
    """Raise λ, each time by twice the factor."""
    damping[:] = damping[0] * damping[1], 2.0 * damping[1]
