"""What a solver is: frozen settings, and one epoch that moves the state of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.engines.protocol import Epoch
from lamina.network.penalties import Penalty
from lamina.training.randomness import Purpose, Streams

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Advance:
    """What one epoch of a solver came to.

    Attributes
    ----------
    loss, gradient_norm, learning_rate : float
        For the history.
    stalled : bool
        Whether the solver can find no lower J from here.
    """

    loss: float
    gradient_norm: float
    learning_rate: float
    stalled: bool = False


class Solver:
    """A way to choose θ. Its settings are frozen; what it remembers is in the state."""

    minibatch: ClassVar[bool] = True
    """Whether an epoch is many steps, each on a batch."""
    default_tol: ClassVar[float] = 1e-4
    """The fall of the loss that counts as progress, if no `tol` is given."""
    finds_penalty: ClassVar[bool] = False
    """Whether it chooses the penalties itself, and so needs a recipe without any."""

    def working(self, recipe: Recipe, state: TrainingState) -> Recipe:
        """Return the recipe to evaluate: without penalties that this solver found before."""
        ours = self.finds_penalty and state.solver == type(self).__name__
        return recipe.penalized(Penalty()) if ours else recipe

    def settled(self, recipe: Recipe, state: TrainingState) -> Recipe:
        """Return the recipe of the J that was minimized: with penalties that were found."""
        del state
        return recipe

    def merit(self, state: TrainingState) -> float:
        """Return what tells restarts without validation data apart, lower is better: J."""
        return state.history["loss"][-1]

    def found(self, state: TrainingState) -> dict[str, float]:
        """Return the numbers that it found beside θ, by name."""
        del state
        return {}

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return the memory to begin with."""
        raise NotImplementedError

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Move `state` by one epoch."""
        raise NotImplementedError


class FirstOrder(Solver):
    """A solver that takes a step for each batch, by one formula on flat vectors."""

    slots: ClassVar[int]
    """How many vectors of the length of θ it remembers."""
    default_rate: ClassVar[float]
    """The learning rate if none is given."""

    def coefficients(self, rates: Array, steps: Array) -> tuple[Any, ...]:
        """Return the numbers that `move` takes at each step, one or an array of one a step.

        `rates` are the learning rates of the steps, and `steps` their counts since training
        began, from 1.
        """
        raise NotImplementedError

    @staticmethod
    def move(theta: Any, gradient: Any, memory: Any, coefficients: Any) -> Any:
        """Return θ and memory after one step: a formula for each number by itself.

        `memory` and `coefficients` are tuples, of `slots` and of what `coefficients` returns.
        """
        raise NotImplementedError

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return memory of zeros."""
        return {"slots": np.zeros((self.slots, recipe.size), dtype=dtype)}

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Take one step for each batch."""
        epoch = self._plan(data, state, settings)
        report = engine.epoch(state.theta, state.memory["slots"], self.move, data, epoch)
        state.step += len(epoch.rates)
        return Advance(report.loss, report.gradient_norm, float(epoch.rates[-1]))

    def _plan(self, data: Data, state: TrainingState, settings: Settings) -> Epoch:
        """Return order, batches and learning rates of the epoch that comes next."""
        n = len(data.points)
        size = min(settings.batch_size or min(200, n), n)
        steps = -(-n // size)
        order = data.points
        if settings.shuffle:
            fresh = state.scratch.get("order") or Streams(state.seed, Purpose.ORDER)
            order = state.scratch.setdefault("order", fresh).at(state.epoch).permutation(order)
        factors = settings.schedule.factors(state.epoch, steps, settings.max_iter)
        rates = (settings.learning_rate_init or self.default_rate) * factors
        numbers = self.coefficients(rates, state.step + np.arange(1.0, steps + 1.0))
        coefficients = np.empty((steps, len(numbers)))
        for column, number in zip(coefficients.T, numbers, strict=True):
            column[:] = number
        return Epoch(
            order=order,
            batch_size=size,
            rates=rates,
            coefficients=coefficients,
            dropout=settings.dropout,
            key=(state.seed, state.epoch),
            max_gradient_norm=settings.max_gradient_norm,
        )
