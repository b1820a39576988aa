"""How to train: one frozen record, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.training.schedules import Constant, Schedule
from lamina.training.solvers import Adam, Solver


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    solver : Solver
    learning_rate_init : float, optional
        Of first-order solvers; the solver's own default if None.
    schedule : Schedule
        Factor of the learning rate over time.
    batch_size : int, optional
        Data points in each step of a first-order solver; min(200, N) if None.
    shuffle : bool
        Whether each epoch has an order of its own.
    dropout : tuple of float
        Rates for A_0, ..., A_{L-1}; empty for none.
    max_gradient_norm : float
        A longer gradient is shortened to this, in first-order solvers.
    max_iter : int
        Epochs at most in this call; for solvers on all data iterations.
    tol, n_iter_no_change
        Stop when the watched loss has not fallen by more than `tol` in so many epochs;
        the solver's own default if None.
    early_stopping : bool
        Watch the validation error instead of J, and return the θ where it was lowest.
    gradient_tol : float
        Stop at |dJ/dθ| <= gradient_tol.
    goal : float
        Stop at J <= goal.
    max_time : float
        Seconds; no epoch is begun that would not fit.
    n_restarts : int
        Trainings, each from another first θ, of which the best is kept; `max_time` is for all.
    """

    solver: Solver = field(default_factory=Adam)
    learning_rate_init: float | None = None
    schedule: Schedule = field(default_factory=Constant)
    batch_size: int | None = None
    shuffle: bool = True
    dropout: tuple[float, ...] = ()
    max_gradient_norm: float = float("inf")
    max_iter: int = 200
    tol: float | None = None
    n_iter_no_change: int = 10
    early_stopping: bool = False
    gradient_tol: float = 0.0
    goal: float = -float("inf")
    max_time: float = float("inf")
    n_restarts: int = 1

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges, and options that the solver cannot honor."""
        if self.learning_rate_init is not None:
            require("learning_rate_init", self.learning_rate_init, above=0.0)
        if self.batch_size is not None:
            require("batch_size", self.batch_size, whole=True, least=1)
        require("max_gradient_norm", self.max_gradient_norm, above=0.0, infinite=True)
        require("max_iter", self.max_iter, whole=True, least=1)
        if self.tol is not None:
            require("tol", self.tol, least=-float("inf"), infinite=True)
        require("n_iter_no_change", self.n_iter_no_change, whole=True, least=1)
        require("gradient_tol", self.gradient_tol, least=0.0)
        require("goal", self.goal, least=-float("inf"), infinite=True)
        require("max_time", self.max_time, above=0.0, infinite=True)
        require("n_restarts", self.n_restarts, whole=True, least=1)
        for name in ("shuffle", "early_stopping"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                message = f"{name} must be True or False, got {getattr(self, name)!r}"
                raise InvalidTypeError(message)
        self._check_dropout()
        self._refuse_ignored()

    def _check_dropout(self) -> None:
        """Refuse rates that are no probabilities, and what is no tuple of rates."""
        if not isinstance(self.dropout, (tuple, list)):
            message = f"dropout is a tuple of rates for A_0, ..., A_(L-1), got {self.dropout!r}"
            raise InvalidTypeError(message)
        for rate in self.dropout:
            require("dropout", rate, least=0.0, below=1.0)

    @property
    def of_minibatches(self) -> list[str]:
        """The options that were asked for and that only minibatch solvers can honor."""
        asked = {
            "learning_rate_init": self.learning_rate_init is not None,
            "learning_rate": self.schedule != Constant(),
            "batch_size": self.batch_size is not None,
            "shuffle=False": not self.shuffle,
            "dropout": any(self.dropout),
            "max_gradient_norm": self.max_gradient_norm != float("inf"),
        }
        return [name for name, given in asked.items() if given]

    def _refuse_ignored(self) -> None:
        """Refuse what a full-batch solver has no use for, rather than ignore it."""
        if self.solver.minibatch or not self.of_minibatches:
            return
        message = (
            f"{self.solver!r} uses all data in every step and cannot honor "
            f"{', '.join(self.of_minibatches)}; "
            "leave that out, or choose a minibatch solver such as 'adam'"
        )
        raise InvalidValueError(message)


def require(
    name: str,
    number: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    below: float = float("inf"),
    whole: bool = False,
    infinite: bool = False,
) -> None:
    """Refuse a number of the wrong kind or outside its range, naming both.

    Raises
    ------
    InvalidTypeError
        If it is no number, or no integer where `whole`.
    InvalidValueError
        If it is outside the range.
    """
    kind = Integral if whole else Real
    if not isinstance(number, kind) or isinstance(number, bool):
        message = f"{name} must be {'an integer' if whole else 'a number'}, got {number!r}"
        raise InvalidTypeError(message)
    try:
        value = float(number)
    except OverflowError:
        value = float("nan")  # beyond float64
    high = value <= below if infinite else value < below
    if (least is not None and not value >= least) or (above is not None and not value > above):
        high = False
    if not high:
        low = f">= {least}" if least is not None else f"> {above}"
        finite = "" if infinite or np.isfinite(value) else " and finite"
        upper = f" and < {below}" if below != float("inf") else finite
        message = f"{name} must be {low}{upper}, got {number!r}"
        raise InvalidValueError(message)
