"""Errors with parameters, or with several outputs for each target."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network import special
from lamina.network.activations import get_activation
from lamina.network.error_kinds import ElementwiseError, Error, JointError
from lamina.network.errors import ERRORS
from lamina.network.formulas import Matrix, require_positive

if TYPE_CHECKING:
    from lamina.network.activations import Activation

LOG_2_PI = log(2.0 * pi)


@ERRORS.builtin("huber")
@dataclass(frozen=True)
class Huber(ElementwiseError):
    """r²/2 for |r| <= delta, delta (|r| - delta/2) beyond; r = a - t. Source: Huber 1964."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        require_positive("delta", self.delta)

    @staticmethod
    def value(t: Any, a: Any, delta: float) -> Any:
        size = np.maximum(a - t, t - a)
        return np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))

    @staticmethod
    def derivative(t: Any, a: Any, delta: float) -> Any:
        return np.minimum(np.maximum(a - t, -delta), delta)


@ERRORS.builtin("tweedie")
@dataclass(frozen=True)
class Tweedie(ElementwiseError):
    """Half the unit deviance of power 1 < p < 2. Source: Jørgensen 1987."""

    p: float = 1.5
    output_activation = "exponential"
    targets = "nonnegative"

    def __post_init__(self) -> None:
        if not 1 < self.p < 2:
            message = f"tweedie needs 1 < p < 2 (at 1 use poisson, at 2 gamma), got {self.p!r}"
            raise InvalidValueError(message)

    def seen_from(self, activation: Activation) -> Error | None:
        return TweedieOfExponential(self.p) if activation == get_activation("exponential") else None

    @staticmethod
    def value(t: Any, a: Any, p: float) -> Any:
        own = t ** (2 - p) / ((1 - p) * (2 - p))
        return own - t * a ** (1 - p) / (1 - p) + a ** (2 - p) / (2 - p)

    @staticmethod
    def derivative(t: Any, a: Any, p: float) -> Any:
        return (a - t) * a**-p


@dataclass(frozen=True)
class TweedieOfExponential(ElementwiseError):
    """tweedie seen from the Z_L of an exponential."""

    p: float

    @staticmethod
    def value(t: Any, z: Any, p: float) -> Any:
        z = special.bounded(z)
        own = t ** (2 - p) / ((1 - p) * (2 - p))
        return own - t * np.exp((1 - p) * z) / (1 - p) + np.exp((2 - p) * z) / (2 - p)

    @staticmethod
    def derivative(t: Any, z: Any, p: float) -> Any:
        y = special.bounded(z)
        return np.where(special.inside(z), np.exp((2 - p) * y) - t * np.exp((1 - p) * y), 0.0)


@ERRORS.builtin("quantile")
@dataclass(frozen=True)
class Quantile(ElementwiseError):
    """q r for r > 0, (q - 1) r otherwise, r = t - a. Source: Koenker and Bassett 1978.

    With several q the outputs come in blocks, one block of the rows of T for each q.
    """

    q: float | tuple[float, ...] = 0.5

    def __post_init__(self) -> None:
        if isinstance(self.q, list):
            object.__setattr__(self, "q", tuple(self.q))
        real = all(isinstance(q, Real) and 0 < q < 1 for q in self.levels)
        if not self.levels or not real:
            message = f"quantile needs one q or several, each between 0 and 1, got {self.q!r}"
            raise InvalidValueError(message)

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantiles asked for, as a tuple."""
        return self.q if isinstance(self.q, tuple) else (self.q,)

    @property
    def outputs_per_target(self) -> int:  # type: ignore[override]  # here it depends on q
        """One block of outputs for each q."""
        return len(self.levels)

    @property
    def blocks(self) -> tuple[tuple[Any, ...], ...]:
        """Each block of outputs has its q."""
        return tuple((q,) for q in self.levels)

    @staticmethod
    def value(t: Any, a: Any, q: Any) -> Any:
        return np.maximum(q * (t - a), (q - 1.0) * (t - a))

    @staticmethod
    def derivative(t: Any, a: Any, q: Any) -> Any:
        return np.where(t > a, -q, 1.0 - q)


@ERRORS.builtin("gaussian_nll")
@dataclass(frozen=True)
class GaussianNll(JointError):
    """(s + (t - m)² e^-s + log 2π) / 2 with mean m and log-variance s as outputs.

    The outputs are the rows of means, then the rows of log-variances. Source: Nix and
    Weigend 1994.
    """

    outputs_per_target = 2

    @staticmethod
    def value(t: Any, outputs: Any) -> Any:
        mean, log_variance = outputs
        precision = np.exp(special.bounded(-log_variance))
        return 0.5 * (log_variance + (t - mean) ** 2 * precision + LOG_2_PI)

    @staticmethod
    def derivative(t: Any, outputs: Any) -> Any:
        mean, log_variance = outputs
        precision = np.exp(special.bounded(-log_variance))
        shrink = np.where(special.inside(-log_variance), (t - mean) ** 2 * precision, 0.0)
        return (mean - t) * precision, 0.5 * (1.0 - shrink)

    def point(self, A: Matrix) -> Matrix:
        return np.split(A, 2)[0]
