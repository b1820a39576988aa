"""The recipe of a network: its layers and its error. With a vector θ it is a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.activations import Activation, get_activation
from lamina.network.errors import get_error
from lamina.network.penalties import Penalty, per_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.network.error_kinds import Error


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


def make_recipe(
    sizes: Sequence[int],
    activations: Sequence[str | Activation],
    error: str | Error,
    penalties: Penalty | Sequence[Penalty | None] | None,
) -> Recipe:
    """Return the recipe of these layers and this error, everything checked."""
    given = list(sizes) if hasattr(sizes, "__iter__") else []
    if len(given) < 2 or not all(isinstance(S, (int, np.integer)) and S > 0 for S in given):
        message = f"sizes are two or more positive integers S_0, ..., S_L, got {sizes!r}"
        raise InvalidValueError(message)
    sizes = [int(size) for size in given]
    L = len(sizes) - 1
    if isinstance(activations, (str, Activation)) or not hasattr(activations, "__len__"):
        message = f"activations is a list, one for each layer 1..{L}, got {activations!r}"
        raise InvalidTypeError(message)
    error = get_error(error)
    if sizes[-1] % error.outputs_per_target:
        message = (
            f"{error!r} needs a multiple of {error.outputs_per_target} outputs, got {sizes[-1]}"
        )
        raise InvalidValueError(message)
    if error.n_targets not in (None, sizes[-1] // error.outputs_per_target):
        message = f"{error!r} needs {error.n_targets} targets, which {sizes[-1]} outputs are not"
        raise InvalidValueError(message)
    natural = [error.output_activation] if len(activations) == L - 1 else []
    chosen = [get_activation(activation) for activation in [*activations, *natural]]
    if len(chosen) != L:
        message = f"expected {L} activations for layers 1..{L}, got {len(activations)}"
        raise InvalidValueError(message)
    for l, sigma in enumerate(chosen, start=1):
        if sigma.units not in (None, sizes[l]):
            message = f"layer {l} has {sizes[l]} units, and {sigma!r} needs {sigma.units}"
            raise InvalidValueError(message)
    return Recipe(tuple(map(Dense, sizes, sizes[1:], chosen, per_layer(penalties, L))), error)
