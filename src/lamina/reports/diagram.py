"""The network as a picture: units, and the weights between them as lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lamina.network.activations import ACTIVATIONS
from lamina.reports.base import Panel, Report, label
from lamina.reports.layers import input_names, output_names
from lamina.reports.palette import FAINT, INK, NEGATIVE, PAPER, POSITIVE
from lamina.reports.rows import as_rows, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy.typing as npt

    from lamina.network.network import Network

    Array = npt.NDArray[Any]

READABLE = 100
"""Units that are drawn one by one; of larger networks the strongest ones."""
TALLEST = 36
"""Units drawn above each other in one layer."""
LINES = 900
"""Lines drawn between two layers, the strongest ones."""
CLASSES = 6
"""Steps of width and strength of color."""


@dataclass(frozen=True)
class Shown:
    """The units of a layer that are drawn: their numbers, and how many are not."""

    units: Array
    hidden: int


class NetworkDiagram(Report):
    """Units in columns, weights as lines: width and strength of color by size, color by sign.

    Up to about a hundred units all are drawn. Of larger networks each layer shows the units of
    the largest weights, and how many more there are.

    Parameters
    ----------
    network : Network
    inputs, outputs : lists of S_0 and S_L names, optional
    """

    def __init__(
        self,
        network: Network,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        """Choose the units that are drawn."""
        S = network.S
        self.network = network
        self.inputs = list(inputs or (f"x{k}" for k in range(S[0])))
        self.outputs = list(outputs or (f"y{k}" for k in range(S[-1])))
        self.shown = _choose(network)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """Return the diagram of a fitted estimator; of X at most the names are used."""
        del y  # every display is made with it
        check_is_fitted(estimator, "network_")
        table = None if X is None else as_rows(X)
        names = input_names(estimator, names_of(estimator, table, feature_names))
        return cls(estimator.network_, names, output_names(estimator))

    def columns(self) -> dict[str, Any]:
        """Return layer, to, from and weight of every weight; from -1 are the biases."""
        columns: dict[str, list[Array]] = {"layer": [], "to": [], "from": [], "weight": []}
        pairs = zip(self.network.W[1:], self.network.b[1:], strict=True)
        for l, (W, b) in enumerate(pairs, start=1):
            table = np.hstack([b, W])
            to, origin = np.indices(table.shape)
            parts = np.full(table.size, l), to.ravel(), origin.ravel() - 1, table.ravel()
            for column, part in zip(columns.values(), parts, strict=True):
                column.append(part)
        return {name: np.concatenate(parts) for name, parts in columns.items()}

    def panels(self) -> list[Panel]:
        """Return the one picture."""
        tallest = max(len(part.units) + bool(part.hidden) for part in self.shown)
        width = 2.6 + 1.6 * len(self.shown)
        return [Panel("Network", self._draw, width, 1.3 + 0.19 * max(tallest, 8))]

    def _draw(self, ax: Any) -> None:
        """Draw lines, then units over them, then the words."""
        heights = [_heights(len(part.units), bool(part.hidden)) for part in self.shown]
        for l in range(1, len(self.shown)):
            chosen = np.ix_(self.shown[l].units, self.shown[l - 1].units)
            _draw_lines(ax, l, self.network.W[l][chosen], heights[l - 1], heights[l])
        for l, (part, y) in enumerate(zip(self.shown, heights, strict=True)):
            _draw_units(ax, l, y, self.network.b[l][part.units, 0] if l else None)
            if part.hidden:
                ax.text(l, -0.035, f"and {part.hidden:,} more", ha="center", va="top", fontsize=8)
        self._write(ax, heights)
        ax.set(xlim=(-0.75, len(self.shown) - 1 + 0.6), ylim=(-0.17, 1.16))
        ax.set_axis_off()

    def _write(self, ax: Any, heights: list[Array]) -> None:
        """Write the names of inputs and outputs, and of the layers."""
        ends = ((0, self.inputs, -0.07, "right"), (-1, self.outputs, 0.07, "left"))
        for l, names, offset, side in ends:
            x = (len(self.shown) - 1 if l else 0) + offset
            for unit, y in zip(self.shown[l].units, heights[l], strict=True):
                ax.text(x, y, label(names[unit], 16), ha=side, va="center", fontsize=7.5)
        recipe = self.network.recipe
        names = [label(ACTIVATIONS.text(layer.activation), 14) for layer in recipe.layers]
        pairs = zip(recipe.S, ["inputs", *names], strict=True)
        titles = [f"{size:,} {word}" for size, word in pairs]
        for l, title in enumerate(titles):
            ax.text(l, 1.07, title, ha="center", va="bottom", fontsize=8.5)
        legend = "lines: weights, wide where large within their layer; "
        legend += "blue above zero, orange below"
        ax.text((len(titles) - 1) / 2, -0.15, legend, ha="center", va="bottom", fontsize=7.5,
                color=FAINT)  # fmt: skip


def _choose(network: Network) -> list[Shown]:
    """Return the units of each layer that are drawn, in their order."""
    S = network.S
    most = TALLEST if sum(S) <= READABLE else max(5, min(18, READABLE // len(S)))
    shown = []
    for l, size in enumerate(S):
        weight = np.zeros(size)
        if l > 0:
            weight += np.square(network.W[l]).sum(axis=1)
        if l < network.L:
            weight += np.square(network.W[l + 1]).sum(axis=0)
        chosen = np.sort(np.argsort(-weight, kind="stable")[:most])
        shown.append(Shown(chosen, size - len(chosen)))
    return shown


def _heights(n: int, more: bool) -> Array:  # noqa: FBT001 - one of two layouts
    """Return where units stand, from the top of 0..1; with room below for words."""
    low = 0.06 if more else 0.0
    if n == 1:
        return np.array([0.5])
    room = (1.0 - low) / n / 2 if n < 6 else 0.0  # a few units stand closer together
    return np.linspace(1.0 - room, low + room, n)


def _draw_lines(ax: Any, l: int, W: Array, below: Array, above: Array) -> None:
    """Draw the lines of one layer, a path for each step of width and each sign."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    size = np.abs(W).astype(float)
    largest = size.max() if size.size else 0.0
    if not largest > 0.0:
        return
    least = np.partition(size.ravel(), -min(LINES, size.size))[-min(LINES, size.size)]
    steps = np.ceil(CLASSES * size / largest).astype(int)
    for step in range(1, CLASSES + 1):
        for sign, color in ((1, POSITIVE), (-1, NEGATIVE)):
            to, origin = np.nonzero((steps == step) & (np.sign(W) == sign) & (size >= least))
            if not len(to):
                continue
            ends = np.stack(
                [np.full(len(to), l - 1.0), below[origin], np.full(len(to), float(l)), above[to]]
            )
            path = Path(ends.T.reshape(-1, 2), [Path.MOVETO, Path.LINETO] * len(to))
            strength = step / CLASSES
            style = {"linewidth": 0.35 + 2.4 * strength**1.5, "alpha": 0.12 + 0.73 * strength}
            ax.add_patch(PathPatch(path, fill=False, edgecolor=color, zorder=step, **style))


def _draw_units(ax: Any, l: int, heights: Array, biases: Array | None) -> None:
    """Draw the units of a layer, filled by the sign and size of their biases."""
    size = max(3.0, min(9.0, 130.0 / max(len(heights), 1)))
    style = {"marker": "o", "linestyle": "", "markersize": size, "zorder": CLASSES + 1}
    ax.plot(np.full(len(heights), l), heights, color=PAPER, markeredgecolor=INK, **style)
    if biases is None or not np.any(biases):
        return
    largest = float(np.abs(biases).max())
    for y, bias in zip(heights, biases, strict=True):
        color = POSITIVE if bias > 0 else NEGATIVE
        alpha = float(abs(bias) / largest)
        ax.plot([l], [y], color=color, alpha=alpha, markeredgewidth=0, **style | {"zorder": 9})
