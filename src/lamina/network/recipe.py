"""The recipe of a network: its layers and its error. With a vector θ it is a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error
    from lamina.network.penalties import Penalty


@dataclass(frozen=True)
class Dense:
    """One dense layer: Z = W A + b with W of `units` × `inputs`, then its activation."""

    inputs: int
    units: int
    activation: Activation
    penalty: Penalty

    @property
    def size(self) -> int:
        """The number of parameters, weights and biases."""
        return self.units * (self.inputs + 1)


@dataclass(frozen=True)
class Recipe:
    """Layers 1..L and the error function: all of a network but its parameters θ."""

    layers: tuple[Dense, ...]
    error: Error

    def penalized(self, penalty: Penalty) -> Recipe:
        """Return the recipe with this penalty in every layer."""
        return replace(self, layers=tuple(replace(l, penalty=penalty) for l in self.layers))

    @property
    def L(self) -> int:
        """The index of the output layer."""
        return len(self.layers)

    @property
    def S(self) -> list[int]:
        """The sizes S_0..S_L."""
        return [self.layers[0].inputs, *(layer.units for layer in self.layers)]

    @property
    def size(self) -> int:
        """The length of θ."""
        return sum(layer.size for layer in self.layers)

    @property
    def activations(self) -> list[Activation]:
        """The activations sigma_1..sigma_L."""
        return [layer.activation for layer in self.layers]

    def activation(self, l: int) -> Activation:
        """Return sigma_l, 1 <= l <= L."""
        return self.layers[l - 1].activation

    @property
    def pair(self) -> Error | None:
        """The error as a function of Z_L, where it has a stable form for this output layer."""
        return self.error.seen_from(self.activation(self.L))
