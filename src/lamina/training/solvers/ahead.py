"""Steps ahead: an engine takes some damped steps in one go, and each epoch is given one of them.

A step needs little more than some microseconds where a problem is small, and its way through Python
as much again. What an epoch is does not change: θ, memory and history are those of its step, and
the next one depends on θ and memory alone, so that training goes on bit for bit wherever it ended.
Only the steps behind a stop were taken in vain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.training.solvers.base import Advance

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import DampingRule, Data, Engine
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

MOST = 16
"""Steps in one go."""


class Ahead:
    """The steps of one call of `train` that are taken and not yet given to an epoch.

    At first one step is taken, then twice as many each time, up to `MOST`.
    """

    def __init__(self, rule: DampingRule, tries: int) -> None:
        self._rule, self._tries, self._most = rule, tries, 1
        self._left: list[tuple[Array, Array, Array, Advance]] = []

    def next(self, engine: Engine, data: Data, state: TrainingState) -> Advance | None:
        """Move the state by the next step; None if the solver has to take it."""
        if not self._left:
            self._take(engine, data, state)
        if not self._left:
            return None
        theta, scale, trust, advance = self._left.pop()
        state.theta[:] = theta
        state.memory["scale"][:] = scale
        state.memory["damping"][:] = trust
        state.step += 1
        return advance

    def _take(self, engine: Engine, data: Data, state: TrainingState) -> None:
        """Let the engine take some steps."""
        steps = engine.damped_steps(
            state.theta, data, state.memory, self._rule, self._tries, self._most
        )
        self._most = min(2 * self._most, MOST)
        if steps is not None:
            numbers = zip(
                steps.losses.tolist(),
                steps.gradient_norms.tolist(),
                steps.dampings.tolist(),
                strict=True,
            )
            advances = [Advance(*three) for three in numbers]
            self._left = [*zip(steps.thetas, steps.scales, steps.trusts, advances, strict=True)]
            self._left.reverse()
