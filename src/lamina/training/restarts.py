"""Several trainings from different first θ, of which the best is kept."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from math import inf, isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import DivergenceError, InterruptedWarning
from lamina.training import loop
from lamina.training.stage import Stage, Trained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lamina.engines.protocol import Data, Engine
    from lamina.training.loop import Metric, Observer
    from lamina.training.settings import Settings
    from lamina.training.stage import Keep
    from lamina.training.state import TrainingState

    Draw = Callable[[int], TrainingState]

LAST = {"goal", "interrupted", "callback"}
"""Reasons to stop after which no further training is begun."""


def train(
    engine: Engine,
    data: Data,
    draw: Draw,
    settings: Settings,
    *,
    validation: Data | None = None,
    metrics: Mapping[str, Metric] | None = None,
    observers: Sequence[Observer] = (),
    stage: Stage | None = None,
    keep: Keep | None = None,
) -> tuple[TrainingState, str]:
    """Train `settings.n_restarts` times, and return the state of the best and why training ended.

    The best has the lowest validation error at the θ to use; without validation data the lowest J
    at its end, or the highest evidence where the solver finds the penalty. Of `max_time` each
    training has an equal share of what is left. A reached goal, Ctrl-C or an observer's wish ends
    all, and the best so far is kept. One that diverges in its first epoch counts for nothing unless
    all do.

    Parameters
    ----------
    engine, data, settings, validation, metrics, observers
        As for `lamina.training.loop.train`. Where there are several trainings, rows of the
        observers say which it is: `restart`, from 1.
    draw : function
        Returns the state to begin the training of a number with, from 0.
    stage : Stage, optional
        Where an earlier call was broken off, to go on as if it had not been.
    keep : function, optional
        Called with the stage after every epoch.

    Returns
    -------
    (TrainingState, str)
        `state.restarts` has what was compared, a number for each training, lower is better; NaN
        for one that diverged in its first epoch. Empty where there was only one to do.

    Raises
    ------
    DivergenceError
        If J is not finite in the first epoch of every training.

    Warns
    -----
    DivergenceWarning, InterruptedWarning
        If a training ended early; its last completed epoch counts.
    """
    stage = Stage(draw(0)) if stage is None else stage
    begun = time.perf_counter() - stage.seconds
    best, merits = stage.best, [*stage.merits]
    reason, failure = "", None
    for number in range(len(merits), settings.n_restarts):
        plan = _share(settings, number, time.perf_counter() - begun)
        if plan is None:
            break
        now = stage if number == len(stage.merits) else Stage(draw(number))
        now = replace(now, merits=tuple(merits), best=best)
        told = _told(observers, keep, now, settings, begun)
        watching: Any = {"validation": validation, "metrics": metrics, "observers": told}
        try:
            reason = loop.train(engine, data, now.state, plan, done=now.epochs, **watching)
        except DivergenceError as problem:
            failure = problem
            merits.append(nan)
            continue
        merits.append(_merit(now.state, settings, watched=validation is not None))
        if best is None or merits[-1] < best.merit:
            best = Trained(number, merits[-1], now.state, reason)
        if reason in LAST:
            break
    if best is None:
        raise failure if failure is not None else AssertionError  # something was tried
    return _conclude(best, merits, reason, settings)


def _conclude(
    best: Trained, merits: list[float], reason: str, settings: Settings
) -> tuple[TrainingState, str]:
    """Return the state of the best and why training ended; warn if it was interrupted."""
    if settings.n_restarts > 1:
        best.state.restarts = np.array(merits)
    if reason != "interrupted":
        return best.state, best.reason
    _warn_interrupted(best, settings)
    return best.state, reason


def _told(
    observers: Sequence[Observer], keep: Keep | None, now: Stage, settings: Settings, begun: float
) -> Sequence[Observer]:
    """Return the observers of the training that begins: those given, and the one that keeps."""
    if settings.n_restarts > 1:
        observers = _numbered(observers, len(now.merits))
    return observers if keep is None else [_keeper(keep, now, begun), *observers]


def _keeper(keep: Keep, now: Stage, begun: float) -> Observer:
    """Return the observer that tells `keep` the stage after each epoch of a training."""
    before = now.state.epoch - now.epochs

    def observe(state: TrainingState, _: Mapping[str, float]) -> None:
        keep(replace(now, epochs=state.epoch - before, seconds=time.perf_counter() - begun))

    return observe


def _share(settings: Settings, number: int, elapsed: float) -> Settings | None:
    """Return the settings with this training's share of the time, or None if none is left."""
    left = (settings.max_time - elapsed) / (settings.n_restarts - number)
    if number and left <= 0.0:
        return None
    return replace(settings, max_time=left) if left > 0.0 else settings


def _numbered(observers: Sequence[Observer], number: int) -> list[Observer]:
    """Return the observers with the training's number in every row."""

    def with_number(observe: Observer) -> Observer:
        return lambda state, row: observe(state, {**row, "restart": number + 1.0})

    return [with_number(observe) for observe in observers]


def _merit(state: TrainingState, settings: Settings, *, watched: bool) -> float:
    """Return what trainings are compared by, lower is better; infinite where there is nothing."""
    if not len(state.history):
        return inf
    if settings.early_stopping and state.best_theta is not None:
        merit = state.best_loss
    elif watched:
        merit = state.history["validation_loss"][-1]
    else:
        merit = settings.solver.merit(state)
    return inf if isnan(merit) else merit


def _warn_interrupted(best: Trained, settings: Settings) -> None:
    """Say which network was kept."""
    which = f" of training {best.number + 1}" if settings.n_restarts > 1 else ""
    message = f"training was interrupted; the network of epoch {best.state.epoch}{which} was kept"
    warnings.warn(message, InterruptedWarning, stacklevel=5)
