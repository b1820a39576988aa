"""When to stop, after each epoch: one rule a line, the first that holds gives the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamina.training.settings import Settings
    from lamina.training.solvers import Advance
    from lamina.training.state import TrainingState

REASONS = {
    "goal": "the goal was reached",
    "gradient": "the gradient is as small as asked",
    "stalled": "the solver finds no lower J from here: a minimum, to rounding",
    "no_change": "the loss no longer falls",
    "patience": "the validation loss no longer falls; the best network was restored",
    "max_time": "the time is used up",
    "max_iter": "all epochs were done; where the loss still falls, more (max_iter) may help",
    "interrupted": "stopped from the keyboard",
    "callback": "a callback or an observer asked to stop",
    "unfinished": "training goes on; this is how it stood after an epoch",
    "diverged": "J became infinite or NaN; the last good network was restored",
}
"""Every reason to stop, in plain words."""


def watch(state: TrainingState, validation_loss: float, loss: float, settings: Settings) -> None:
    """Note the best θ, and for how many epochs the watched loss has not fallen by `tol`."""
    watched = validation_loss if settings.early_stopping else loss
    if settings.early_stopping and watched < state.best_loss:
        state.best_theta = state.theta.copy()
        state.best_loss, state.best_epoch = watched, state.epoch
    tol = settings.solver.default_tol if settings.tol is None else settings.tol
    if watched < state.watched_loss - tol:
        state.watched_loss, state.stale = watched, 0
    else:
        state.stale += 1


def reason_to_stop(
    state: TrainingState, advance: Advance, settings: Settings, elapsed: float, longest: float
) -> str | None:
    """Return a key of `REASONS`, or None to go on; times in seconds."""
    rules = (
        ("goal", advance.loss <= settings.goal),
        ("gradient", advance.gradient_norm <= settings.gradient_tol),
        ("stalled", advance.stalled),
        ("no_change", state.stale >= settings.n_iter_no_change and not settings.early_stopping),
        ("patience", state.stale >= settings.n_iter_no_change and settings.early_stopping),
        ("max_time", elapsed + longest > settings.max_time),
    )
    return next((reason for reason, holds in rules if holds), None)
