"""What decides how a training goes: settings, first θ, seed and data, to be compared later."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.training.schedules import SCHEDULES
from lamina.training.settings import Settings
from lamina.training.solvers import SOLVERS

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

SAMPLE, RUN = 4096, 64
"""Data points that are looked at, and how many of them stand side by side."""


def describe_course(
    settings: Settings, first: TrainingState, data: Data, watched: Data | None
) -> dict[str, Any]:
    """Return by name what must be the same for two trainings to be the same, bit for bit.

    Two things are left out: `max_time`, for no two runs are equally fast, and the network's
    recipe, for it has a description of its own.

    Raises
    ------
    UnknownNameError
        If the solver or the schedule is not registered: a function has no name to compare.
    """
    names = [f.name for f in fields(Settings) if f.name not in {"solver", "schedule", "max_time"}]
    course: dict[str, Any] = {name: getattr(settings, name) for name in names}
    course["solver"] = SOLVERS.spell(settings.solver)
    course["learning_rate"] = SCHEDULES.spell(settings.schedule)
    course["seed"], course["epochs before"] = first.seed, first.epoch
    course["the first θ"] = _digest(first.theta)
    course |= _describe_data(data, "")
    return course | ({} if watched is None else _describe_data(watched, "validation "))


def _describe_data(data: Data, prefix: str) -> dict[str, Any]:
    """Return digests of data, each of little cost however much there is.

    X and T count as the network sees them: scaled, so that a change in any row, which moves
    center and scale, is seen in all. Of more than `SAMPLE` data points, runs of `RUN` are looked
    at, evenly spread; which points there are, and their weights, count in full.
    """
    points = np.asarray(data.points)
    chosen = points
    if len(points) > SAMPLE:
        starts = np.linspace(0, len(points) - RUN, SAMPLE // RUN).astype(int)
        chosen = points[(starts[:, np.newaxis] + np.arange(RUN)).ravel()]
    weights = np.empty(0) if data.weights is None else data.weights[points]
    parts = {"X": data.X.take(chosen), "y": data.T.take(chosen), "rows": points, "weights": weights}
    return {prefix + name: _digest(part) for name, part in parts.items()}


def _digest(array: Array) -> str:
    """Return the SHA-256 of type, shape and numbers of an array."""
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(array.data.cast("B") if array.size else b"")
    return digest.hexdigest()
