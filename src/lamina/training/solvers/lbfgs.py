"""L-BFGS: SciPy's limited-memory inverse Hessian, along SciPy's Wolfe line search.

One epoch is one iteration on all data. The memory is plain arrays, so training can stop
after any iteration and go on later with the same bits, which `scipy.optimize.minimize`
does not offer.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.exceptions import InvalidValueError
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
class Lbfgs(Solver):
    """Quasi-Newton steps from the last `memory` changes of θ and gradient.

    Source: Nocedal and Wright 2006, algorithms 7.4 and 7.5 with eq. 7.20, and the strong
    Wolfe conditions, eq. 3.7, with c₁ = 1e-4, c₂ = 0.9. Where no step satisfies them, as across
    a kink, the lowest J that the search met is taken.

    Parameters
    ----------
    memory : int >= 1, default 10
        How many changes are remembered.
    max_evaluations : int >= 1, default 20
        Steps tried in one iteration until a minimum is bracketed; narrowing the bracket
        takes a few more.
    """

    memory: int = 10
    max_evaluations: int = 20

    minibatch: ClassVar[bool] = False
    default_tol: ClassVar[float] = 1e-8

    def __post_init__(self) -> None:
        """Refuse a memory or search of nothing."""
        for count in (self.memory, self.max_evaluations):
            if not isinstance(count, Integral) or count < 1:
                message = f"lbfgs needs whole memory and max_evaluations >= 1, got {self!r}"
                raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return the memory of no step: changes s of θ and y of the gradient, one a row."""
        del dtype  # the memory is float64 for any precision of θ
        return {"s": np.empty((0, recipe.size)), "y": np.empty((0, recipe.size))}

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Search along the quasi-Newton direction; if that fails, once along the gradient."""
        del settings  # no option of its own: `Settings` refuses those that would be ignored
        evaluate = Evaluation.of(engine, data, state)
        theta = state.theta.astype(float)
        J, gradient = evaluate.both(theta)
        norm = float(np.linalg.norm(gradient))
        if not np.isfinite(J + norm) or norm == 0.0:
            return Advance(J, norm, 0.0, stalled=norm == 0.0)
        found = _search(evaluate, theta, self._direction(state, gradient), self)
        if found is None and len(state.memory["s"]):
            state.memory = self.start(engine.recipe, float)
            found = _search(evaluate, theta, self._direction(state, gradient), self)
        if found is None:
            return Advance(J, norm, 0.0, stalled=True)
        rate, moved = found
        state.theta[:] = moved
        s = state.theta.astype(float) - theta
        J, after = evaluate.both(moved)
        self._remember(state, s, after - gradient)
        state.step += 1
        return Advance(J, float(np.linalg.norm(after)), rate)

    def _direction(self, state: TrainingState, gradient: Array) -> Array:
        """Return -H g, H the inverse Hessian of the memory scaled by γ = s·y / y·y, eq. 7.20."""
        from scipy.optimize import LbfgsInvHessProduct

        s, y = state.memory["s"], state.memory["y"]
        if not len(s):
            return np.asarray(-gradient / np.linalg.norm(gradient))
        # SciPy starts its recursion from I. With s/√γ and √γ y it gives H/γ started from γI.
        gamma = (s[-1] @ y[-1]) / (y[-1] @ y[-1])
        H = LbfgsInvHessProduct(s / np.sqrt(gamma), y * np.sqrt(gamma))
        return np.asarray(-gamma * H.matvec(gradient))

    def _remember(self, state: TrainingState, s: Array, y: Array) -> None:
        """Keep the last change of θ and gradient, if the curvature along it is positive."""
        if s @ y > np.finfo(float).eps * np.linalg.norm(s) * np.linalg.norm(y):
            for name, row in (("s", s), ("y", y)):
                state.memory[name] = np.vstack([state.memory[name], row])[-self.memory :]


def _search(
    evaluate: Evaluation, theta: Array, direction: Array, settings: Lbfgs
) -> tuple[float, Array] | None:
    """Return a step length and the θ it leads to, or None where none was found that lowers J.

    Across a kink no length may satisfy Wolfe's conditions; then the lowest J met counts.
    """
    from scipy.optimize import line_search

    J, gradient = evaluate.both(theta)
    lowest = (J, theta)

    def value(trial: Array) -> float:
        nonlocal lowest
        lowest = min(lowest, (evaluate.value(trial), trial), key=itemgetter(0))
        return evaluate.value(trial)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # SciPy warns of what the None says
        found = line_search(
            value,
            evaluate.slope,
            theta,
            direction,
            gfk=gradient,
            old_fval=J,
            maxiter=settings.max_evaluations,
        )
    rate, lowered = found[0], found[3]
    if rate is not None and lowered is not None and lowered < J:
        return float(rate), theta + rate * direction
    if lowest[0] < J:
        length = np.linalg.norm(lowest[1] - theta) / np.linalg.norm(direction)
        return float(length), lowest[1]
    return None
