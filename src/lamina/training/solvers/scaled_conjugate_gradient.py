"""Scaled conjugate gradients: a step length from the curvature along p, without a line search.

With r = -dJ/dθ, μ = pᵗr, and the curvature κ along p from a difference of gradients, the step is

    α = μ / δ,    δ = |p|² (κ + λ),    κ = pᵗ (r(θ) - r(θ + σ p/|p|)) / (σ |p|),

where λ damps: it becomes -2κ, so that κ + λ = |κ|, wherever κ + λ <= 0. The step is kept if J
falls. How the fall compares to the one that the parabola foretells,

    Δ = 2 δ (J(θ) - J(θ + α p)) / μ²,

sets the next λ: a fourth of it where Δ >= 3/4; where Δ < 1/4, more by δ (1 - Δ) / |p|², which
is the curvature of the parabola through what was measured. The next direction is

    p ← r' + β p,    β = (|r'|² - r'ᵗ r) / μ,    and p ← r' after every P steps.

Source: Møller 1993, section 4, with his δ, λ and λ̄ written as one sum. We also go back to r'
where p does not lead downhill or fails, which he does not discuss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.formulas import require_positive
from lamina.training.solvers.base import Advance, Solver
from lamina.training.solvers.evaluation import Evaluation

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

UNKNOWN, LOWEST = -98.0, -1e6
"""Δ where J is infinite, so that a hundredth of the step follows, and the least that is believed
elsewhere: beside an overflow the parabola says nothing."""


@dataclass(frozen=True)
class ScaledConjugateGradient(Solver):
    """Conjugate gradients on all data; one epoch is one step that lowers J.

    Parameters
    ----------
    sigma : float > 0, default 1e-5
        How far apart the gradients are whose difference is the curvature; Møller has at most
        1e-4. In float32, or where θ is long, it is √ε (1 + |θ|), which rounding needs.
    damping : float > 0, default 1e-6
        The first λ; Møller has at most 1e-6.
    max_tries : int >= 1, default 40
        Steps tried in one epoch until J falls.
    """

    sigma: float = 1e-5
    damping: float = 1e-6
    max_tries: int = 40

    minibatch: ClassVar[bool] = False
    default_tol: ClassVar[float] = 1e-8

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        for name in ("sigma", "damping"):
            require_positive(name, getattr(self, name))
        if not (isinstance(self.max_tries, int) and self.max_tries >= 1):
            message = f"scaled_conjugate_gradient needs a whole max_tries >= 1, got {self!r}"
            raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return no direction, λ, and the steps since the last restart."""
        del dtype  # the memory is float64 for any precision of θ
        return {
            "direction": np.zeros(recipe.size),
            "damping": np.full(1, float(self.damping)),
            "since": np.zeros(1),
        }

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Step along the direction; if that fails, once along the gradient."""
        del settings  # no option of its own: `Settings` refuses those that would be ignored
        evaluate, memory = Evaluation.of(engine, data, state), state.memory
        theta = state.theta.astype(float)
        J, gradient = evaluate.both(theta)
        norm = float(np.linalg.norm(gradient))
        if not np.isfinite(J + norm) or norm == 0.0:
            return Advance(J, norm, 0.0, stalled=norm == 0.0)
        here = _Place(theta, J, gradient)
        p, found = memory["direction"].copy(), None
        if p @ gradient < 0.0:
            found = self._search(evaluate, here, p, float(memory["damping"][0]))
        if found is None:
            p, memory["since"][:] = -gradient, 0.0
            found = self._search(evaluate, here, p, self.damping)
        if found is None:
            for name, array in self.start(engine.recipe, float).items():
                memory[name][:] = array
            return Advance(J, norm, 0.0, stalled=True)
        rate, moved, memory["damping"][:] = found
        lower, after = evaluate.both(moved)
        state.theta[:] = moved
        self._turn(memory, p, gradient, after)
        state.step += 1
        return Advance(lower, float(np.linalg.norm(after)), rate)

    def _search(
        self, evaluate: Evaluation, here: _Place, p: Array, damping: float
    ) -> tuple[float, Array, float] | None:
        """Return α, θ + αp and the next λ, or None where no step along p lowers J."""
        mu, size = -float(p @ here.gradient), float(p @ p)
        curvature = self._curvature(evaluate, here, p)
        for _ in range(self.max_tries):
            if not curvature + damping > 0.0:
                damping = -2.0 * curvature
            damped = curvature + damping  # δ / |p|²
            rate = mu / (size * damped)
            moved = here.theta + rate * p
            if np.array_equal(evaluate.rounded(moved), evaluate.rounded(here.theta)):
                return None
            lower = evaluate.trial(moved)
            ratio = UNKNOWN
            if np.isfinite(lower):
                ratio = max(LOWEST, 2.0 * (here.J - lower) / (rate * mu))
            if ratio < 0.25:
                damping += damped * (1.0 - ratio)
            elif ratio >= 0.75:
                damping = max(0.25 * damping, np.finfo(float).eps * self.damping)
            if lower < here.J:
                return rate, moved, damping
        return None

    def _curvature(self, evaluate: Evaluation, here: _Place, p: Array) -> float:
        """Return κ, 0 where the gradient beside θ is not finite."""
        rounding = np.sqrt(np.finfo(evaluate.rounded(here.theta).dtype).eps)
        sigma = max(self.sigma, float(rounding * (1.0 + np.linalg.norm(here.theta))))
        unit = p / np.linalg.norm(p)
        change = evaluate.slope(here.theta + sigma * unit) - here.gradient
        curvature = float(unit @ change) / sigma
        return curvature if np.isfinite(curvature) else 0.0

    @staticmethod
    def _turn(memory: dict[str, Array], p: Array, gradient: Array, after: Array) -> None:
        """Set the direction of the next step: conjugate to p, or downhill after P steps."""
        memory["since"] += 1.0
        beta = float(after @ after - after @ gradient) / -float(p @ gradient)
        direction = beta * p - after
        if memory["since"][0] >= len(p) or not np.all(np.isfinite(direction)):
            direction, memory["since"][:] = -after, 0.0
        memory["direction"][:] = direction


class _Place(NamedTuple):
    """θ in float64, with J and its gradient."""

    theta: Array
    J: float
    gradient: Array
