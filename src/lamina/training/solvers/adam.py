"""Adam, and AdamW with its weight decay outside of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.formulas import require_number
from lamina.network.parameters import blocks
from lamina.training.solvers.base import FirstOrder

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]


def step(theta: Any, gradient: Any, memory: Any, coefficients: Any) -> Any:
    """Take Adam's step for one number."""
    m, v = memory
    new_m, new_v, epsilon, rate, correction = coefficients
    m = m + new_m * (gradient - m)
    v = v + new_v * (gradient * gradient - v)
    return theta - rate * m / (np.sqrt(v * correction) + epsilon), (m, v)


@dataclass(frozen=True)
class Adam(FirstOrder):
    """Steps of the size of the rate, by running means m of g and v of g².

    m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;
    θ ← θ - rate · (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε).
    Source: Kingma and Ba 2015, algorithm 1.

    Parameters
    ----------
    beta_1, beta_2 : float, 0 <= beta < 1, defaults 0.9 and 0.999
    epsilon : float > 0, default 1e-8
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    slots: ClassVar[int] = 2
    default_rate: ClassVar[float] = 0.001

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        for name in ("beta_1", "beta_2", "epsilon"):
            require_number(name, getattr(self, name))
        if not (0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1 and self.epsilon > 0):
            message = f"expected 0 <= beta_1, beta_2 < 1 and epsilon > 0, got {self!r}"
            raise InvalidValueError(message)

    def coefficients(self, rates: Array, steps: Array) -> tuple[Any, ...]:
        """Return 1 - β₁, 1 - β₂, ε, and the factors of rate and v that correct the first means."""
        rate = rates / (1.0 - self.beta_1**steps)
        return (
            1.0 - self.beta_1,
            1.0 - self.beta_2,
            self.epsilon,
            rate,
            1.0 / (1.0 - self.beta_2**steps),
        )

    move = staticmethod(step)


@dataclass(frozen=True)
class AdamW(FirstOrder):
    """Adam, with θ ← θ - rate · weight_decay · θ on weights beside each step; biases do not decay.

    Source: Loshchilov and Hutter 2019, algorithm 2.

    Parameters
    ----------
    weight_decay : float >= 0, default 0.01
    beta_1, beta_2, epsilon : as for Adam
    """

    weight_decay: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    slots: ClassVar[int] = 3
    default_rate: ClassVar[float] = 0.001

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        Adam(self.beta_1, self.beta_2, self.epsilon)
        require_number("weight_decay", self.weight_decay)
        if self.weight_decay < 0:
            message = f"adamw needs weight_decay >= 0, got {self.weight_decay!r}"
            raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return Adam's memory and a third vector: 1 for what decays, 0 for biases."""
        memory = super().start(recipe, dtype)
        for weights, _ in blocks(recipe):
            memory["slots"][2, weights] = 1.0
        return memory

    def coefficients(self, rates: Array, steps: Array) -> tuple[Any, ...]:
        """Return Adam's, and how much decays."""
        adam = Adam(self.beta_1, self.beta_2, self.epsilon)
        return *adam.coefficients(rates, steps), rates * self.weight_decay

    @staticmethod
    def move(theta: Any, gradient: Any, memory: Any, coefficients: Any) -> Any:
        """Decay the number, then take Adam's step."""
        m, v, decays = memory
        new_m, new_v, epsilon, rate, correction, decay = coefficients
        theta = theta - decay * decays * theta
        adam = (new_m, new_v, epsilon, rate, correction)
        theta, (m, v) = step(theta, gradient, (m, v), adam)
        return theta, (m, v, decays)
