"""Activations with parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.network.activations import ACTIVATIONS, Elementwise
from lamina.network.formulas import require_number, require_positive


@ACTIVATIONS.builtin("leaky_relu")
@dataclass(frozen=True)
class LeakyRelu(Elementwise):
    """a = z for z > 0, slope · z otherwise."""

    slope: float = 0.01
    initialization = "he_uniform"

    def __post_init__(self) -> None:
        require_number("slope", self.slope)

    @staticmethod
    def value(z: Any, slope: float) -> Any:
        return np.where(z > 0, z, slope * z)

    @staticmethod
    def derivative(z: Any, a: Any, slope: float) -> Any:
        return np.where(z > 0, 1.0, slope)


@ACTIVATIONS.builtin("elu")
@dataclass(frozen=True)
class Elu(Elementwise):
    """a = z for z > 0, alpha (e^z - 1) otherwise. Source: Clevert et al. 2016."""

    alpha: float = 1.0
    initialization = "he_uniform"

    def __post_init__(self) -> None:
        require_number("alpha", self.alpha)

    @staticmethod
    def value(z: Any, alpha: float) -> Any:
        return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0)))

    @staticmethod
    def derivative(z: Any, a: Any, alpha: float) -> Any:
        return np.where(z > 0, 1.0, a + alpha)


@ACTIVATIONS.builtin("sine")
@dataclass(frozen=True)
class Sine(Elementwise):
    """a = sin(frequency · z). Source: Sitzmann et al. 2020."""

    frequency: float = 1.0
    initialization = "lecun_uniform"

    def __post_init__(self) -> None:
        require_number("frequency", self.frequency)

    @staticmethod
    def value(z: Any, frequency: float) -> Any:
        return np.sin(frequency * z)

    @staticmethod
    def derivative(z: Any, a: Any, frequency: float) -> Any:
        return frequency * np.cos(frequency * z)


@ACTIVATIONS.builtin("inverse_square_root")
@dataclass(frozen=True)
class InverseSquareRoot(Elementwise):
    """a = z / √(1 + alpha z²), alpha > 0. Source: Carlile et al. 2017."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        require_positive("alpha", self.alpha)

    @staticmethod
    def value(z: Any, alpha: float) -> Any:
        return z / np.sqrt(1.0 + alpha * z * z)

    @staticmethod
    def derivative(z: Any, a: Any, alpha: float) -> Any:
        return (1.0 + alpha * z * z) ** -1.5
