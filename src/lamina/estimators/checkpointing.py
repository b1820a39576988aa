"""Checkpoints of an estimator's training: model files of the estimator as it stands."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from lamina.estimators.callbacks import standing
from lamina.estimators.options import make_seed
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.training import loop
from lamina.training.course import describe_course
from lamina.training.stage import Stage

if TYPE_CHECKING:
    from lamina.engines.protocol import Data
    from lamina.interchange.container import Document
    from lamina.training.settings import Settings
    from lamina.training.stage import Keep


def check_checkpoints(checkpoints: Any, *, partial: bool) -> None:
    """Refuse what are no checkpoints, and any for `partial_fit`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If they are of another type, or data come in parts.
    """
    if checkpoints is None:
        return
    from lamina.interchange.checkpoints import Checkpoints

    if not isinstance(checkpoints, Checkpoints):
        message = f"checkpoints must be None or lamina.Checkpoints(folder), got {checkpoints!r}"
        raise InvalidTypeError(message)
    if partial:
        message = "partial_fit is one epoch and writes no checkpoints: checkpoints=None, and save()"
        raise InvalidValueError(message)


def first_seed(estimator: Any) -> int:
    """Return the seed to begin with: the given one, or that of the training to go on with."""
    seed = None
    if estimator.checkpoints is not None and estimator.random_state is None:
        seed = estimator.checkpoints.seed()
    return make_seed(estimator.random_state) if seed is None else seed


def begin(
    estimator: Any, data: Data, watched: Data | None, settings: Settings
) -> tuple[Stage | None, Keep | None]:
    """Return the stage to begin with and what keeps stages, or None twice without checkpoints."""
    checkpoints = estimator.checkpoints
    if checkpoints is None:
        return None, None
    from lamina.estimators.persistence import describe_estimator

    def model(stage: Stage) -> Document:
        shown = copy.copy(estimator)
        state = stage.state
        shown.__dict__ |= standing(estimator, state, settings, loop.chosen(state, settings))
        return describe_estimator(shown)

    course = describe_course(settings, estimator.state_, data, watched)
    first = Stage(estimator.state_)
    return checkpoints.begin(first, estimator.network_, course, model)  # type: ignore[no-any-return]  # a pair
