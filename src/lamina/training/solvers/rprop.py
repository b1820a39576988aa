"""iRprop⁺: a step of its own for each weight, from nothing but the signs of its slope.

With g the gradient of J at θ, g' the one before, and Δ the steps, for each weight by itself:

    g' g > 0:  Δ ← min(η⁺ Δ, largest),    θ moves by -sign(g) Δ;
    g' g < 0:  Δ ← max(η⁻ Δ, smallest),   the last move is taken back if J rose, and g ← 0;
    g' g = 0:                             θ moves by -sign(g) Δ.

A move to where J or its gradient is not finite is shortened until they are.

Source: Igel and Hüsken 2000, section 2.3; η⁺, η⁻ and the largest step from Riedmiller and Braun
1993, the first step from Igel and Hüsken 2003, whose smallest step is 0: ours leaves every weight
able to move again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.formulas import require_number
from lamina.training.solvers.base import Advance, Solver
from lamina.training.solvers.evaluation import Evaluation

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Rprop(Solver):
    """Steps by the signs of the slopes, with weight backtracking; J may rise for a while.

    Parameters
    ----------
    eta_plus : float > 1, default 1.2
        Factor of a step while the sign of its slope stays.
    eta_minus : float, 0 < eta_minus < 1, default 0.5
        Factor of a step whose slope changed sign.
    first_step : float > 0, default 0.0125
    smallest_step, largest_step : float > 0, defaults 1e-9 and 50
    """

    eta_plus: float = 1.2
    eta_minus: float = 0.5
    first_step: float = 0.0125
    smallest_step: float = 1e-9
    largest_step: float = 50.0

    minibatch: ClassVar[bool] = False
    default_tol: ClassVar[float] = 1e-6

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        for name in ("eta_plus", "eta_minus", "first_step", "smallest_step", "largest_step"):
            require_number(name, getattr(self, name))
        factors = 0 < self.eta_minus < 1 < self.eta_plus
        if not (factors and 0 < self.smallest_step <= self.first_step <= self.largest_step):
            message = (
                "rprop needs 0 < eta_minus < 1 < eta_plus and "
                f"0 < smallest_step <= first_step <= largest_step, got {self!r}"
            )
            raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return steps, and no move, gradient or J before."""
        del dtype  # the memory is float64 for any precision of θ
        return {
            "steps": np.full(recipe.size, float(self.first_step)),
            "move": np.zeros(recipe.size),
            "gradient": np.zeros(recipe.size),
            "J": np.zeros(1),
        }

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Move every weight once."""
        del settings  # no option of its own: `Settings` refuses those that would be ignored
        evaluate = Evaluation.of(engine, data, state)
        theta, memory = state.theta.astype(float), state.memory
        J, gradient = evaluate.both(theta)
        norm = float(np.linalg.norm(gradient))
        if not np.isfinite(J + norm) or norm == 0.0:
            return Advance(J, norm, 0.0, stalled=norm == 0.0)
        steps, move, used = self._rule(memory, J, gradient)
        shorter = min(self.eta_minus, 0.5)
        while not np.isfinite(evaluate.trial(theta + move)):
            move, steps = move * shorter, np.maximum(steps * shorter, self.smallest_step)
            if np.array_equal(evaluate.rounded(theta + move), state.theta):
                return Advance(J, norm, 0.0, stalled=True)
        for name, array in (("steps", steps), ("move", move), ("gradient", used), ("J", J)):
            memory[name][:] = array
        state.theta[:] = theta + move
        state.step += 1
        after, slope = evaluate.both(theta + move)
        return Advance(after, float(np.linalg.norm(slope)), float(steps.mean()))

    def _rule(
        self, memory: dict[str, Array], J: float, gradient: Array
    ) -> tuple[Array, Array, Array]:
        """Return the new Δ, what θ moves by, and the gradient to remember."""
        kept = np.sign(memory["gradient"]) * np.sign(gradient)
        longer = np.minimum(memory["steps"] * self.eta_plus, self.largest_step)
        shorter = np.maximum(memory["steps"] * self.eta_minus, self.smallest_step)
        steps = np.where(kept > 0, longer, np.where(kept < 0, shorter, memory["steps"]))
        back = -memory["move"] if memory["J"][0] < J else np.zeros_like(gradient)
        move = np.where(kept < 0, back, -np.sign(gradient) * steps)
        return steps, move, np.where(kept < 0, 0.0, gradient)
