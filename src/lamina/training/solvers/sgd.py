"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lamina.exceptions import InvalidValueError
from lamina.network.formulas import require_number
from lamina.training.solvers.base import FirstOrder

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sgd(FirstOrder):
    """v ← momentum · v - rate · g;  θ ← θ + v, or θ + momentum · v - rate · g (Nesterov's).

    Source: Sutskever et al. 2013, section 2, with the gradient taken at θ.

    Parameters
    ----------
    momentum : float, 0 <= momentum < 1, default 0.9
    nesterov : bool, default True
    """

    momentum: float = 0.9
    nesterov: bool = True

    slots: ClassVar[int] = 1
    default_rate: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        """Refuse a momentum that would not decay."""
        require_number("momentum", self.momentum)
        if not 0 <= self.momentum < 1:
            message = f"sgd needs 0 <= momentum < 1, got {self.momentum!r}"
            raise InvalidValueError(message)

    def coefficients(self, rates: Array, steps: Array) -> tuple[Any, ...]:
        """Return momentum and rate, and how much of velocity and gradient θ moves by."""
        del steps
        ahead = (self.momentum, rates) if self.nesterov else (1.0, 0.0)
        return self.momentum, rates, *ahead

    @staticmethod
    def move(theta: Any, gradient: Any, memory: Any, coefficients: Any) -> Any:
        """Take the step for one number."""
        (velocity,) = memory
        momentum, rate, by_velocity, by_gradient = coefficients
        velocity = momentum * velocity - rate * gradient
        return theta + by_velocity * velocity - by_gradient * gradient, (velocity,)
