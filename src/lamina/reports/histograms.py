"""How weights, and activations, are distributed in each layer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lamina.reports.base import Panel, Report
from lamina.reports.palette import BLUE, GREEN, INK
from lamina.reports.rows import as_rows, count, sample, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy.typing as npt

    Array = npt.NDArray[Any]

BINS = 40
NUMBERS = 1_000_000
"""Activations of a layer looked at, at most."""


class _Histograms(Report):
    """Counts of numbers in equal intervals, for each layer.

    Parameters
    ----------
    values : list of arrays
        The numbers of each layer.
    layers : list of int
        The number of each layer.
    """

    what = ""
    color = BLUE

    def __init__(self, values: Sequence[Array], layers: Sequence[int]) -> None:
        """Count."""
        self.layers = list(layers)
        self.counts = [np.histogram(np.asarray(v, dtype=float), bins=BINS) for v in values]

    def columns(self) -> dict[str, Any]:
        """Return layer, low and high end of each interval, and count."""
        return {
            "layer": np.repeat(self.layers, BINS),
            "low": np.concatenate([edges[:-1] for _, edges in self.counts]),
            "high": np.concatenate([edges[1:] for _, edges in self.counts]),
            "count": np.concatenate([counts for counts, _ in self.counts]),
        }

    def panels(self) -> list[Panel]:
        """Return a histogram for each layer."""
        return [
            Panel(f"{self.what} of layer {layer}", partial(self._draw, place=place), 3.4, 2.5)
            for place, layer in enumerate(self.layers)
        ]

    def _draw(self, ax: Any, place: int) -> None:
        """Draw one histogram, and 0."""
        counts, edges = self.counts[place]
        ax.stairs(counts, edges, fill=True, color=self.color, alpha=0.8)
        if edges[0] < 0 < edges[-1]:
            ax.axvline(0.0, color=INK, linewidth=0.8, linestyle="--")
        ax.set_ylabel("count")


class WeightHistograms(_Histograms):
    """The weights W_l of each layer, biases not among them."""

    what = "Weights"

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, y: Any = None) -> Self:
        """Return the histograms of a fitted estimator; X and y are not needed."""
        del X, y  # every display is made with them
        check_is_fitted(estimator, "network_")
        weights = estimator.network_.W[1:]
        return cls([W.ravel() for W in weights], range(1, len(weights) + 1))


class ActivationHistograms(_Histograms):
    """The activations A_l of each layer, the scaled inputs A_0 among them, on some rows."""

    what = "Activations"
    color = GREEN

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None) -> Self:
        """Return the histograms of a fitted estimator on X, N × S_0; y is not needed.

        Of many rows some are drawn at random.
        """
        del y  # every display is made with it
        check_is_fitted(estimator, "network_")
        X = as_rows(X)
        L, widest = estimator.network_.L, max(estimator.network_.S)
        rows = take(X, sample(count(X), max(1, NUMBERS // widest)))
        forward = estimator.network_.forward(np.asarray(estimator.transform(rows, layer=0)).T)
        return cls([A.ravel() for A in forward[1]], range(L + 1))
