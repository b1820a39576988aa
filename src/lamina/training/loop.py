"""The loop: epoch after epoch until there is a reason to stop."""

from __future__ import annotations

import time
import warnings
from collections import deque
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import DivergenceError, DivergenceWarning
from lamina.training.divergence import describe_divergence
from lamina.training.stopping import reason_to_stop, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.training.settings import Settings
    from lamina.training.solvers import Advance
    from lamina.training.state import Snapshot, TrainingState

    Array = npt.NDArray[Any]
    Metric = Callable[[Array, Array], float]
    Observer = Callable[[TrainingState, Mapping[str, float]], object]


def train(
    engine: Engine,
    data: Data,
    state: TrainingState,
    settings: Settings,
    *,
    validation: Data | None = None,
    metrics: Mapping[str, Metric] | None = None,
    observers: Sequence[Observer] = (),
    done: int = 0,
) -> str:
    """Move `state` until there is a reason to stop, and return the reason.

    Parameters
    ----------
    engine : Engine
        Evaluates the recipe.
    data, validation : Data
        What J is made of, and what early stopping watches.
    state : TrainingState
        Where training stands; changed in place. On return `state.theta` is the θ to go on
        from and `chosen(state, settings)` the θ to use.
    settings : Settings
        How to train.
    metrics : mapping from name to function, optional
        Each maps T and A_L, S_L × n, of the validation data to a number for the history.
    observers : functions, optional
        Each is called after every epoch with the state, to look at, and the new row of the
        history. If one returns something true, training stops.
    done : int, default 0
        Epochs that were done before: `state` is that of a training which was broken off there.

    Returns
    -------
    str
        A key of `lamina.training.stopping.REASONS`.

    Raises
    ------
    DivergenceError
        If J is not finite before a single epoch was completed.

    Warns
    -----
    DivergenceWarning
        If training ended early; the last completed epoch is kept, as it is after Ctrl-C.
    """
    before = state.history["seconds"][-1] if len(state.history) else 0.0
    begun, longest = time.perf_counter(), 0.0
    _take_up(engine, state, settings, done)
    completed = deque([state.snapshot()], maxlen=2)
    try:
        for _ in range(done, settings.max_iter):
            epoch_begun = time.perf_counter()
            outcome = _epoch(engine, data, state, settings, validation, metrics or {})
            if isinstance(outcome, str):
                return _give_up(outcome, engine, data, state, completed)
            advance, row = outcome
            row["seconds"] = before + time.perf_counter() - begun
            _note(state, row, settings)
            completed.append(state.snapshot())
            if observers and _tell(observers, state, row):
                return "callback"
            now = time.perf_counter()
            longest = max(longest, now - epoch_begun)
            if reason := reason_to_stop(state, advance, settings, now - begun, longest):
                return reason
    except KeyboardInterrupt:
        state.restore(completed[-1])
        return "interrupted"
    except BaseException:
        state.restore(completed[-1])
        raise
    finally:
        state.scratch.clear()
    return "max_iter"


def _epoch(
    engine: Engine,
    data: Data,
    state: TrainingState,
    settings: Settings,
    validation: Data | None,
    metrics: Mapping[str, Metric],
) -> tuple[Advance, dict[str, float]] | str:
    """Return what one epoch came to and its row of the history; or where J is not finite."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        advance = settings.solver.advance(engine, data, state, settings)
        if not _is_finite(advance, state):
            return describe_divergence(engine, data, state, settings)
        return advance, _row(engine, state, advance, validation, metrics)


def _note(state: TrainingState, row: dict[str, float], settings: Settings) -> None:
    """Count an epoch that was completed."""
    state.epoch += 1
    state.history.append(row)
    watch(state, row["validation_loss"], row["loss"], settings)


def _tell(observers: Sequence[Observer], state: TrainingState, row: dict[str, float]) -> bool:
    """Tell every observer of an epoch; return whether one of them asks to stop."""
    answers = [observe(state, row) for observe in observers]
    return any(answers)


def _take_up(engine: Engine, state: TrainingState, settings: Settings, done: int) -> None:
    """Give the state to the solver, with fresh memory if another one had it before."""
    if done:
        return  # it was given to it in the call that was broken off
    name = type(settings.solver).__name__
    if state.solver != name:
        state.solver, state.step = name, 0
        state.memory = settings.solver.start(engine.recipe, state.theta.dtype)
    if state.stale >= settings.n_iter_no_change:
        state.stale = 0  # it stopped for this before; being asked again means: go on
    if settings.early_stopping and state.best_theta is None:
        # Only now the validation error is watched: what J was before says nothing of it.
        state.best_loss = state.watched_loss = float("inf")
        state.stale = 0


def chosen(state: TrainingState, settings: Settings) -> Array:
    """Return the θ to use: the one of the best epoch where that was watched, else the last."""
    if settings.early_stopping and state.best_theta is not None:
        return state.best_theta
    return state.theta


def _row(
    engine: Engine,
    state: TrainingState,
    advance: Advance,
    validation: Data | None,
    metrics: Mapping[str, Metric],
) -> dict[str, float]:
    """Return the epoch's row of the history, without its time."""
    row = {
        "epoch": float(state.epoch + 1),
        "loss": advance.loss,
        "validation_loss": float("nan"),
        "gradient_norm": advance.gradient_norm,
        "learning_rate": advance.learning_rate,
    }
    if validation is not None:
        row["validation_loss"] = engine.error(state.theta, validation)
    if validation is not None and metrics:
        outputs = engine.outputs(state.theta, validation.X, validation.points)
        targets = validation.T.take(validation.points)
        row |= {f"validation_{name}": metric(targets, outputs) for name, metric in metrics.items()}
    return row


def _is_finite(advance: Advance, state: TrainingState) -> bool:
    """Return whether J, its gradient and θ are all finite."""
    numbers = isfinite(advance.loss) and isfinite(advance.gradient_norm)
    return numbers and bool(np.isfinite(state.theta).all())


def _give_up(
    message: str, engine: Engine, data: Data, state: TrainingState, completed: deque[Snapshot]
) -> str:
    """Go back to the last good epoch and warn, or raise if there is none."""
    state.restore(completed[-1])
    J, gradient = engine.gradient(state.theta, data)
    if not (np.isfinite(J) and np.all(np.isfinite(gradient))):
        state.restore(completed[0])  # the last step of that epoch had gone too far already
    if state.epoch == 0:
        raise DivergenceError(message)
    kept = f"{message}. The network of epoch {state.epoch} was kept."
    warnings.warn(kept, DivergenceWarning, stacklevel=5)
    return "diverged"
