"""A trained model in plain terms: what every export is written from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lamina.data.calendar import PARTS
from lamina.data.encoded_columns import MISSING, OTHER, Column
from lamina.data.expansion import HUGE, Expansion
from lamina.data.scaling import Scaling
from lamina.exceptions import InvalidValueError
from lamina.network.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lamina.network.network import Network

    Array = npt.NDArray[Any]

N_SAMPLES = 8
"""Rows with their predictions that an export carries to test itself."""


class Cell(NamedTuple):
    """A number that a model takes: its name, and of a category what each code 0..K-1 means."""

    name: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Layer:
    """A = σ(W A + b).

    Attributes
    ----------
    W, b : S_l × S_{l-1} and S_l numbers
    activation, parameters
        The name of σ, and its numbers by name.
    blocks : tuple of int
        The units that σ mixes, one block after the other; one of all S_l for a plain softmax.
    """

    W: Array
    b: Array
    activation: str
    parameters: Mapping[str, Any]
    blocks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Head:
    """What is made of the outputs A_L.

    Attributes
    ----------
    output : {"variable", "probabilities", "scores"}
        What comes out: predicted numbers, probabilities, or outputs that decide between classes.
    form : {"affine", "log", "box-cox", "quantile", "same", "pair", "exp", "shares", "shifted",
            "certain"}
        How it is made of A_L: v = A scale + center of the first outputs; v mapped back, see `map`;
        A; 1 - A and A; e^A; A / Σ A, and equal shares where Σ A = 0; A - middle; or 1, for a single
        class.
    n_outputs : int
        How many numbers come out.
    center, scale : n_outputs numbers
        Of v.
    map : array, m × n_outputs
        Of "box-cox" λ: y = (1 + λ max(v, -1 / λ))^(1 / λ), or e^v for λ = 0. Of "quantile" y at
        the probabilities (j + 1/2) / m, and in between y at Φ(v). "log" is e^v without numbers.
    decision : {"none", "largest", "above"}
        The class is that of the largest A; or the second of two, or a label, where A > middle.
    middle : float
    classes : tuple of arrays of labels
        Sorted; of each target, whose outputs come in blocks; empty for numbers.
    several : bool
        Whether each of the labels of the only target is decided by itself.
    """

    output: str
    form: str
    n_outputs: int
    center: Array = field(default_factory=lambda: np.zeros(1))
    scale: Array = field(default_factory=lambda: np.ones(1))
    map: Array = field(default_factory=lambda: np.empty((0, 1)))
    decision: str = "none"
    middle: float = 0.0
    classes: tuple[Array, ...] = ()
    several: bool = False

    @property
    def is_mapped(self) -> bool:
        """Whether v is mapped back, which is done in float64 whatever the precision is."""
        return self.form in {"log", "box-cox", "quantile"}

    @property
    def threshold(self) -> float:
        """Above which an answer says yes: where the answer, and not A, is compared."""
        return 0.0 if self.form == "shifted" else self.middle


@dataclass(frozen=True, eq=False)
class Portable:
    """A trained model: cells become features, features pass the layers, outputs an answer.

    Attributes
    ----------
    columns : tuple of Column
        Of the table, in its order; those that are not used have the kind "drop".
    expansion : Expansion
        How the C cells become S_0 features.
    fills : bool
        Whether a missing number is the center; else NaN goes through to the answer.
    layers : tuple of Layer
    head : Head
    dtype : data type
        float32 or float64: of everything computed.
    samples : two arrays, n × C and n × n_outputs
        Cells of some rows, and what the model answers.
    """

    columns: tuple[Column, ...]
    expansion: Expansion
    fills: bool
    layers: tuple[Layer, ...]
    head: Head
    dtype: np.dtype[Any]
    samples: tuple[Array, Array] = (np.empty((0, 0)), np.empty((0, 0)))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The C numbers that the model takes."""
        return tuple(cell for column in self.columns for cell in cells_of(column))

    @property
    def sizes(self) -> list[int]:
        """S_0, ..., S_L."""
        return [self.expansion.n_features, *(len(layer.b) for layer in self.layers)]

    @property
    def scales_inputs(self) -> bool:
        """Whether a feature is moved or stretched."""
        return not self.expansion.scaling.is_identity

    @property
    def scales_outputs(self) -> bool:
        """Whether a prediction is moved or stretched."""
        return bool(np.any(self.head.center != 0.0) or np.any(self.head.scale != 1.0))

    @property
    def centers(self) -> tuple[Array, Array]:
        """The centers of the features as a sum of two numbers each, of the model's precision.

        The first is the nearest number there is, and x minus it is exact for x near it: a center
        such as 2020 takes no digits from float32.
        """
        center = self.expansion.scaling.center
        near = center.astype(self.dtype)
        return near, (center - near).astype(self.dtype)

    @property
    def limit(self) -> float:
        """What is as good as infinite for clipping, and whose square still is a number."""
        return HUGE if self.dtype == np.float64 else 1e18

    @property
    def eps(self) -> float:
        """To how many digits an export answers as the model, relative to the largest answer."""
        return 1e-12 if self.dtype == np.float64 else 1e-6

    def of_type(self, dtype: npt.DTypeLike) -> Portable:
        """Return the model in another precision; its samples stay.

        Raises
        ------
        InvalidValueError
            If it is neither float32 nor float64.
        """
        kind = np.dtype(dtype)
        if kind not in (np.float32, np.float64):
            message = f"an export computes in float32 or float64, got dtype={dtype!r}"
            raise InvalidValueError(message)
        parts = [replace(l, W=l.W.astype(kind), b=l.b.astype(kind)) for l in self.layers]
        return replace(self, layers=tuple(parts), dtype=kind)


def cells_of(column: Column) -> list[Cell]:
    """Return the cells of a column."""
    if column.kind == "categorical":
        ends = [*column.levels, *[OTHER] * column.other, *[MISSING] * column.missing]
        return [Cell(column.name, tuple(ends))]
    if column.kind == "datetime":
        return [
            Cell(f"{column.name}.{part}", tuple(map(str, range(PARTS[part]))))
            for part in column.parts
        ]
    return [] if column.kind == "drop" else [Cell(column.name)]


def numeric_columns(names: Sequence[str]) -> tuple[Column, ...]:
    """Return columns of plain numbers."""
    return tuple(Column(str(name), "numeric") for name in names)


def layers_of(network: Network) -> tuple[Layer, ...]:
    """Return the layers of a network, copied.

    Raises
    ------
    UnknownNameError
        If an activation is not registered, so that it has no name.
    """
    layers = []
    for l, activation in enumerate(network.recipe.activations, start=1):
        spelled = ACTIVATIONS.spell(activation)
        name = spelled.pop("name")
        blocks = (network.S[l],)
        if name == "blocks":
            name, blocks, spelled = spelled["activation"], spelled["sizes"], {}
        W, b = network.W[l].copy(), network.b[l][:, 0].copy()
        layers.append(Layer(W, b, name, spelled, tuple(blocks)))
    return tuple(layers)


def describe_network(network: Network) -> Portable:
    """Return a bare network: rows of features in, rows of A_L out.

    Raises
    ------
    UnknownNameError
        If an activation is not registered.
    """
    S_0, S_L = network.S[0], network.S[-1]
    numbers = np.zeros(S_0, dtype=int), np.zeros(S_0, dtype=bool)
    rows = np.random.default_rng(0).normal(size=(N_SAMPLES, S_0)).astype(network.dtype)
    return Portable(
        columns=numeric_columns([f"x{n}" for n in range(S_0)]),
        expansion=Expansion(*numbers, Scaling.identity(S_0)),
        fills=False,
        layers=layers_of(network),
        head=Head("variable", "affine", S_L, np.zeros(S_L), np.ones(S_L)),
        dtype=network.dtype,
        samples=(rows, network(rows.T).T),
    )
