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
    Numbers = tuple[float, ...]


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

    @staticmethod
    def update(
        theta: Array, gradient: Array, memory: Array, rate: float, step: int, settings: Numbers
    ) -> None:
        """Move θ and the velocity by one gradient."""
        momentum, nesterov = settings
        velocity = memory[0]
        velocity *= momentum
        velocity -= rate * gradient
        if nesterov:
            theta += momentum * velocity - rate * gradient
        else:
            theta += velocity
