"""What error bars are asked for: one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.registry import Registry
from lamina.training.settings import require

INTERVALS = ("auto", "conformal", "newton", "refits")
MATRICES = 6
"""Of P × P that stand in memory at once: G and R, and of a part G, the rest, its factor and R."""

ERROR_BARS: Registry[Any] = Registry("error_bars")


@ERROR_BARS.builtin("error_bars")
@dataclass(frozen=True)
class ErrorBars:
    """How the error bars of an estimator are made; `error_bars=True` is `ErrorBars()`.

    Parameters
    ----------
    intervals : {"auto", "conformal", "newton", "refits"}, default "auto"
        Where the intervals of a regressor come from: "conformal", held-out validation data;
        "newton", a Gauss-Newton step without each part of the training data; "refits", training
        anew without each part. "auto" takes the first where there are such data, else the second
        where it is exact (least squares without hidden layers, at the minimum), else the third,
        which takes `folds` more trainings.
    folds : int >= 2, default 10
        The parts.
    max_memory : float > 0, default 4e9
        Bytes that the matrices may take; larger networks are refused.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one of them is something else.
    """

    intervals: str = "auto"
    folds: int = 10
    max_memory: float = 4e9

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        if self.intervals not in INTERVALS:
            message = f"intervals must be one of {', '.join(INTERVALS)}; got {self.intervals!r}"
            raise InvalidValueError(message)
        require("folds", self.folds, whole=True, least=2)
        require("max_memory", self.max_memory, above=0.0)

    def check_size(self, P: int) -> None:
        """Refuse a network whose matrices would not fit in `max_memory`.

        Raises
        ------
        InvalidValueError
            If they would not.
        """
        needed = 8.0 * MATRICES * P**2
        if needed > self.max_memory:
            message = (
                f"error bars need {needed / 1e9:.1f} GB for the matrices of {P:,} parameters and "
                f"may use {self.max_memory / 1e9:.1f} GB: choose fewer units, error_bars=False, or "
                "ErrorBars(max_memory=...)"
            )
            raise InvalidValueError(message)


def get_error_bars(spec: Any) -> ErrorBars | None:
    """Return the record for True, None for False, or the record given.

    Raises
    ------
    InvalidTypeError
        If it is none of them.
    """
    if isinstance(spec, ErrorBars):
        return spec
    if spec is True or spec is False:
        return ErrorBars() if spec else None
    message = (
        f"error_bars must be True, False or an ErrorBars such as ErrorBars(folds=5), got {spec!r}"
    )
    raise InvalidTypeError(message)
