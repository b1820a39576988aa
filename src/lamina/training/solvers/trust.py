"""The damping of a trust region: how λ follows what the model of J foretold.

For each λ a model proposes a step p and foretells by how much it lowers J. With ρ the ratio of
the fall to what was foretold, and ν = 2 at first,

    p is kept where ρ >= 1e-4:    λ ← λ max(1/3, 1 - (2ρ - 1)³),  ν ← 2;
    elsewhere it is not:          λ ← λ ν,  ν ← 2ν.

The rules are formulas of numbers, for an engine may take several steps by itself.

Source: Nielsen 1999; Madsen, Nielsen and Tingleff 2004, section 3.2, eq. 2.21.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network import backpropagation

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

LEAST_RATIO = 1e-4
"""ρ from which on a step is kept."""
LEAST_DAMPING = 1e-20
"""λ is not lowered below this: it would round to nothing beside the model's curvature."""
GROWTH = 2.0
"""ν after a step that is kept."""


def is_kept(J: Any, lower: Any, foretold: Any) -> Any:
    """Return whether a step is kept that brings J to `lower`; one to infinity or NaN never is."""
    falls = (abs(lower) < inf) & (lower < J) & (foretold > 0.0)
    return falls & (J - lower >= LEAST_RATIO * foretold)


def trusted(damping: Any, J: Any, lower: Any, foretold: Any) -> Any:
    """Return λ after a step that is kept: the lower, the better the model foretold the fall."""
    ratio = min((J - lower) / foretold, 1.0)
    return max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), LEAST_DAMPING)


def distrusted(damping: Any, growth: Any) -> Any:
    """Return λ and ν after a step that is not: λ grows, each time by twice the factor."""
    return damping * growth, 2.0 * growth


def objective(engine: Engine, data: Data, theta: Array) -> float:
    """Return J with penalties at θ."""
    return engine.error(theta, data) + float(backpropagation.penalty(engine.recipe, theta))


def fresh(damping: float) -> Array:
    """Return λ and ν to begin with."""
    return np.array([damping, GROWTH])


def take_step(
    state: TrainingState,
    J: float,
    value: Callable[[Array], float],
    propose: Callable[[float], tuple[Array, float] | None],
    first: float,
    tries: int,
) -> tuple[float, float] | None:
    """Damp until a step lowers J, and move θ by it; if none does, once more from the first λ.

    Parameters
    ----------
    state : TrainingState
        θ moves in place, and so do λ and ν, which are `state.memory["damping"]`.
    J : float
        The objective at θ, as `value` gives it.
    value : function
        Returns J at a θ in the network's precision; what is not finite is never kept.
    propose : function
        Returns for a λ the step p, P numbers in float64, and the fall of J that it foretells;
        None where the model has no step for so little damping.
    first : float
        λ to begin with again.
    tries : int
        Dampings tried at most, each time.

    Returns
    -------
    (float, float) or None
        J at the new θ, and the λ that led there; None if no step lowers J.
    """
    memory = state.memory["damping"]
    found, again = None, True
    while found is None and again:
        again = memory[0] > first  # from there less damping is another step, not a smaller one
        found = _damp(state, J, value, propose, tries)
        if found is None:
            memory[:] = fresh(first)
    return found


def _damp(
    state: TrainingState,
    J: float,
    value: Callable[[Array], float],
    propose: Callable[[float], tuple[Array, float] | None],
    tries: int,
) -> tuple[float, float] | None:
    """Raise λ until a step lowers J, and move θ by it; None if no step does."""
    theta, memory = state.theta, state.memory["damping"]
    for _ in range(tries):
        damping = float(memory[0])
        proposal = propose(damping)
        if proposal is not None:
            p, foretold = proposal
            moved = (theta + p).astype(theta.dtype)
            if np.array_equal(moved, theta):
                return None  # more damping makes it smaller still
            lower = value(moved)
            if is_kept(J, lower, foretold):
                theta[:] = moved
                memory[:] = trusted(damping, J, lower, foretold), GROWTH
                state.step += 1
                return lower, damping
        memory[:] = distrusted(*memory)
    return None
