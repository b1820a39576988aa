"""Levenberg-Marquardt: damped Gauss-Newton steps, for any error.

The direction is p = -(G + λ D)⁻¹ g with the Gauss-Newton matrix G, the gradient g and a scale D:
the largest entry of diag G so far for all parameters alike, as Levenberg 1944 has one λ, or each
one's own (Marquardt 1963; the maximum: Moré 1978, section 6). λ is
that of `trust`, by the model gᵗp + pᵗGp/2. With the squared error G is 𝒥ᵗ𝒥 and this is least
squares. Small problems are solved by the engine itself, some steps in one go.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.engines.linear_algebra import serial
from lamina.engines.protocol import DampingRule
from lamina.exceptions import InvalidValueError
from lamina.training.solvers.ahead import Ahead
from lamina.training.solvers.base import Advance, Solver
from lamina.training.solvers.trust import (
    GROWTH,
    distrusted,
    fresh,
    is_kept,
    objective,
    take_step,
    trusted,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

MATRICES = 3
"""Of P × P that stand in memory at once: G, what is factored, and its factor."""
NOTHING = float(np.finfo(float).eps) ** 2
"""Curvature that is none beside the largest, as a part of it."""


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
    scaling : {"identity", "marquardt"}, default "identity"
        D: the same for all parameters, or each one's own curvature. With standardized columns
        the same for all reaches lower J (benchmarks/NOTES.md).
    """

    damping: float = 1e-3
    max_tries: int = 40
    max_memory: float = 4e9
    scaling: str = "identity"

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
        if self.scaling not in {"identity", "marquardt"}:
            message = f"scaling must be 'identity' or 'marquardt', got {self.scaling!r}"
            raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return λ and ν, and the largest diag G so far.

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
        return {"damping": fresh(self.damping), "scale": np.zeros(recipe.size)}

    def strength(self, state: TrainingState) -> float:
        """Return the l2 that is added to the penalties of the recipe; none here."""
        del state
        return 0.0

    def model(self, engine: Engine, data: Data, state: TrainingState) -> tuple[float, Array, Array]:
        """Return J, dJ/dθ and G at θ; `state.scratch["gauss_newton"]` has them without `strength`.

        J is that of `value`, to the last bit, so that trials compare to it.
        """
        theta, kept = state.theta, state.scratch
        if not np.array_equal(kept.get("place", ()), theta):
            kept.pop("gauss_newton", None)  # so that MATRICES are enough
            J = objective(engine, data, theta)
            kept["gauss_newton"] = J, *engine.gauss_newton(theta, data)[1:]
            kept["place"] = theta.copy()
        J, gradient, G = kept["gauss_newton"]
        l2 = self.strength(state)
        if l2 == 0.0:
            return J, gradient, G
        wide, G = theta.astype(float), G.copy(order="F")
        G[np.diag_indices_from(G)] += l2
        return J + 0.5 * l2 * float(wide @ wide), gradient + l2 * wide, G

    def value(self, engine: Engine, data: Data, state: TrainingState, theta: Array) -> float:
        """Return J at another θ."""
        wide = theta.astype(float)
        return objective(engine, data, theta) + 0.5 * self.strength(state) * float(wide @ wide)

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Damp until a step lowers J, and take it, if the engine has not done so ahead."""
        del settings  # no option of its own: `Settings` refuses those that would be ignored
        if not self.finds_penalty:
            if "ahead" not in state.scratch:
                state.scratch["ahead"] = Ahead(self.rule, self.max_tries)
            ahead: Ahead = state.scratch["ahead"]
            if advance := ahead.next(engine, data, state):
                return advance
        J, norm, damping = self._step(engine, data, state)
        if damping is None:
            return Advance(J, norm, 0.0, stalled=bool(np.isfinite(J + norm)))
        J, gradient, _ = self.model(engine, data, state)
        return Advance(J, float(np.linalg.norm(gradient)), damping)

    @property
    def rule(self) -> DampingRule:
        """The formulas of a step."""
        scale = one_scale if self.scaling == "identity" else own_scale
        return DampingRule(scale, fall, is_kept, trusted, distrusted, GROWTH)

    def _step(
        self, engine: Engine, data: Data, state: TrainingState
    ) -> tuple[float, float, float | None]:
        """Move θ if J can be lowered; return J and |dJ/dθ| before, and the λ that led on.

        A function of its own, so that this G is gone before the next one is made.
        """
        J, gradient, G = self.model(engine, data, state)
        norm = float(np.linalg.norm(gradient))
        if not (np.isfinite(J + norm) and np.all(np.isfinite(np.diag(G)))) or norm == 0.0:
            return J, norm, None
        largest, rule = state.memory["scale"], self.rule
        np.maximum(largest, np.diag(G), out=largest)
        D = rule.scale(largest, largest.max())
        found = take_step(
            state,
            J,
            lambda theta: self.value(engine, data, state, theta),
            lambda damping: _propose(gradient, G, damping * D, rule.fall),
            self.damping,
            self.max_tries,
        )
        return J, norm, None if found is None else found[1]


def one_scale(largest: Any, most: Any) -> Any:  # noqa: ARG001 - called like `own_scale`
    """Return d_i for "identity": the largest diag G so far of all parameters; 1 if that is 0."""
    return np.where(most > 0.0, most, 1.0)


def own_scale(largest: Any, most: Any) -> Any:
    """Return d_i for "marquardt": the largest diag G so far of the parameter itself.

    What has had no curvature is damped like what had most, as Moré's section 6 has 1 there: it
    may have a slope nevertheless, such as that of a penalty l1 on what a dead unit reads.
    """
    return np.where(largest > NOTHING * most, largest, np.where(most > 0.0, most, 1.0))


def fall(p: Any, slope: Any, damp: Any) -> Any:
    """Return what a parameter adds to -(gᵗp + pᵗGp/2), where (G + λD) p = -g."""
    return 0.5 * p * (damp * p - slope)


def _propose(gradient: Array, G: Array, damp: Array, fall: Any) -> tuple[Array, float] | None:
    """Return p for the damping λD and the fall that it foretells, or None if G is too singular."""
    from scipy.linalg.lapack import dposv

    damped = G.copy(order="F")
    damped[np.diag_indices_from(damped)] += damp
    with serial(len(G)):
        _, p, failed = dposv(damped, -gradient, lower=False, overwrite_a=True, overwrite_b=True)
    if failed:  # not positive definite to rounding: damp more
        return None
    return p, float(np.sum(fall(p, gradient, damp)))
