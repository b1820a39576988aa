"""Learning rates over time: a factor of the initial rate, as a function of the epoch.

A schedule is called with the epoch (0 at the start, 0.5 in the middle of the first) and
the number of epochs planned. A function of your own takes the epoch alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.formulas import require_number, require_positive
from lamina.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Schedule:
    """The learning rate as a factor of `learning_rate_init`."""

    def __call__(self, epoch: float, epochs: float) -> float:
        """Return the factor at `epoch` of `epochs` planned ones."""
        raise NotImplementedError

    def factors(self, epoch: int, steps: int, epochs: float) -> Array:
        """Return the factors at the begins of the steps of an epoch."""
        times = epoch + np.arange(steps) / steps
        return np.array([self(float(time), epochs) for time in times])


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.builtin("constant")
@dataclass(frozen=True)
class Constant(Schedule):
    """Factor 1."""

    def __call__(self, epoch: float, epochs: float) -> float:
        del epoch, epochs
        return 1.0

    def factors(self, epoch: int, steps: int, epochs: float) -> Array:
        """Return ones."""
        del epoch, epochs
        return np.ones(steps)


@SCHEDULES.builtin("step")
@dataclass(frozen=True)
class Step(Schedule):
    """Factor `factor` ** (epoch // `every`): a cut every so many epochs."""

    every: int = 30
    factor: float = 0.1

    def __post_init__(self) -> None:
        require_positive("every", self.every)
        require_positive("factor", self.factor)

    def __call__(self, epoch: float, epochs: float) -> float:
        del epochs
        return float(np.float64(self.factor) ** (epoch // self.every))


@SCHEDULES.builtin("exponential")
@dataclass(frozen=True)
class Exponential(Schedule):
    """Factor `factor` ** epoch."""

    factor: float = 0.98

    def __post_init__(self) -> None:
        require_positive("factor", self.factor)

    def __call__(self, epoch: float, epochs: float) -> float:
        del epochs
        return float(np.float64(self.factor) ** epoch)


@SCHEDULES.builtin("inverse_time")
@dataclass(frozen=True)
class InverseTime(Schedule):
    """Factor 1 / (1 + `rate` · epoch)."""

    rate: float = 0.1

    def __post_init__(self) -> None:
        require_positive("rate", self.rate)

    def __call__(self, epoch: float, epochs: float) -> float:
        del epochs
        return 1.0 / (1.0 + self.rate * epoch)


@SCHEDULES.builtin("cosine")
@dataclass(frozen=True)
class Cosine(Schedule):
    """From 1 down to `final` along half a cosine, then constant.

    `epochs` is the length; None takes the number of epochs planned (`max_iter`). Source:
    Loshchilov and Hutter 2017, (5), without restarts.
    """

    epochs: float | None = None
    final: float = 0.0

    def __post_init__(self) -> None:
        _require_factors(self.epochs, final=self.final)

    def __call__(self, epoch: float, epochs: float) -> float:
        done = min(epoch / (self.epochs or epochs), 1.0)
        return self.final + (1.0 - self.final) * 0.5 * (1.0 + cos(pi * done))


@SCHEDULES.builtin("one_cycle")
@dataclass(frozen=True)
class OneCycle(Schedule):
    """From `start` up to 1 in the first `rise` of the epochs, then down to `final`, by cosines.

    Source: Smith and Topin 2018, with half cosines for its straight lines.
    """

    epochs: float | None = None
    rise: float = 0.3
    start: float = 0.04
    final: float = 1e-4

    def __post_init__(self) -> None:
        _require_factors(self.epochs, rise=self.rise, start=self.start, final=self.final)
        if not 0 < self.rise < 1:
            message = f"one_cycle needs 0 < rise < 1, got {self.rise!r}"
            raise InvalidValueError(message)

    def __call__(self, epoch: float, epochs: float) -> float:
        done = min(epoch / (self.epochs or epochs), 1.0)
        if done < self.rise:
            return 1.0 + (self.start - 1.0) * 0.5 * (1.0 + cos(pi * done / self.rise))
        fall = (done - self.rise) / (1.0 - self.rise)
        return self.final + (1.0 - self.final) * 0.5 * (1.0 + cos(pi * fall))


@dataclass(frozen=True)
class Custom(Schedule):
    """A user's own function of the epoch."""

    function: Callable[[float], float]

    def __call__(self, epoch: float, epochs: float) -> float:
        del epochs
        factor = self.function(epoch)
        try:
            number = float(factor)
        except (TypeError, ValueError) as problem:
            message = f"the schedule must give a number; at epoch {epoch} it is {factor!r}"
            raise InvalidTypeError(message) from problem
        if not 0 <= number < float("inf"):
            message = (
                f"the schedule must give a factor of 0 or more; at epoch {epoch} it is {number}"
            )
            raise InvalidValueError(message)
        return number


def _require_factors(epochs: float | None, **factors: float) -> None:
    """Refuse a length that is not positive, and factors below 0."""
    if epochs is not None:
        require_positive("epochs", epochs)
    for name, factor in factors.items():
        require_number(name, factor)
        if factor < 0:
            message = f"{name} must be 0 or more, got {factor!r}"
            raise InvalidValueError(message)


def get_schedule(spec: Any) -> Schedule:
    """Return the schedule named (`"cosine"`, `"step(every=10)"`), given, or made of a function.

    Raises
    ------
    UnknownNameError, InvalidTypeError
        If there is no such schedule, or `spec` is nothing that could be one.
    """
    if isinstance(spec, str):
        return SCHEDULES.parse(spec)
    if isinstance(spec, Schedule):
        return spec
    if callable(spec):
        return Custom(spec)
    message = f"a schedule is a name, a Schedule or a function of the epoch, got {spec!r}"
    raise InvalidTypeError(message)


def refuse_endless(schedule: Schedule) -> None:
    """Refuse a schedule over the epochs of one call, where calls go on from each other.

    Raises
    ------
    InvalidValueError
        If its length is that of a call.
    """
    if getattr(schedule, "epochs", 0) is None:
        message = (
            f"{schedule!r} spans the epochs of one call and would then stand still; "
            "to go on, give its length, as in learning_rate='cosine(epochs=100)'"
        )
        raise InvalidValueError(message)
