"""How well numbers are predicted: against the truth, and what is left of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.reports.base import Panel, Report, label
from lamina.reports.palette import BLUE, INK, ORANGE
from lamina.reports.rows import as_rows, column, names_of, sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy.typing as npt

    Array = npt.NDArray[Any]

DRAWN = 1_000
"""Points drawn at most; the numbers and histograms are of all."""
INPUTS = 7
"""Inputs that residuals are drawn against, those that tell most of their size."""
LEVELS = 8
"""Levels of a column of text that are drawn."""


class RegressionReport(Report):
    """Predicted against true values, a histogram of residuals, and residuals against inputs.

    Parameters
    ----------
    true, predicted : N numbers each
    inputs : dict of name to N numbers or texts, optional
    name : str, default "y"
        What is predicted.
    """

    def __init__(
        self, true: Array, predicted: Array, inputs: dict[str, Array] | None = None, name: str = "y"
    ) -> None:
        """Keep the columns."""
        self.true, self.predicted = np.asarray(true, float), np.asarray(predicted, float)
        self.inputs, self.name = inputs or {}, name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        output: int = 0,
        feature_names: Sequence[str] | None = None,
        name: str | None = None,
    ) -> Self:
        """Return the report of a fitted regressor on X, N × S_0, and y, N or N × K.

        Parameters
        ----------
        output : int, default 0
            Which column of `predict(X)`, if there are several targets or quantiles.
        feature_names : list of str, optional
            Names of the columns of X, where neither the estimator nor X has any.
        name : str, optional
            What is predicted.

        Raises
        ------
        InvalidValueError
            If there is no such output.
        """
        predicted = np.asarray(estimator.predict(X), dtype=float)
        predicted = predicted.reshape(len(predicted), -1)
        true = np.asarray(y, dtype=float).reshape(len(predicted), -1)
        if not 0 <= output < predicted.shape[1]:
            message = f"output must be from 0 to {predicted.shape[1] - 1}, got {output!r}"
            raise InvalidValueError(message)
        target = output % true.shape[1]  # several quantiles come in blocks of the targets
        X = as_rows(X)
        names = names_of(estimator, X, feature_names)
        inputs = {n: column(X, place) for place, n in enumerate(names)}
        word = name or (f"y{output}" if predicted.shape[1] > 1 else "y")
        known = np.isfinite(true[:, target])
        kept = {n: values[known] for n, values in inputs.items()}
        return cls(true[known, target], predicted[known, output], kept, word)

    @property
    def residual(self) -> Array:
        """True minus predicted, N numbers."""
        return np.asarray(self.true - self.predicted)

    def columns(self) -> dict[str, Any]:
        """Return the columns true, predicted and residual."""
        return {"true": self.true, "predicted": self.predicted, "residual": self.residual}

    def panels(self) -> list[Panel]:
        """Return predicted against true, the histogram, and residuals against inputs."""
        panels = [
            Panel("Predicted against true", self._draw_predictions),
            Panel("Residuals", self._draw_histogram),
        ]
        for name in self._telling()[:INPUTS]:
            draw = partial(self._draw_against, values=self.inputs[name], name=name)
            panels.append(Panel(f"Residual against {label(name)}", draw))
        return panels

    def _telling(self) -> list[str]:
        """Return the names of inputs, first those that the residual goes with most."""
        strength = {name: _shared(values, self.residual) for name, values in self.inputs.items()}
        return sorted(strength, key=lambda name: -strength[name])

    def _draw_predictions(self, ax: Any) -> None:
        """Draw a point for each row, and the diagonal of those that are right."""
        chosen = sample(len(self.true), DRAWN)
        _points(ax, self.true[chosen], self.predicted[chosen])
        ends = [float(f(self.true)) for f in (np.min, np.max)]
        ax.plot(ends, ends, color=INK, linewidth=1, linestyle="--")
        word = label(self.name)
        ax.set(xlabel=f"true {word}", ylabel=f"predicted {word}")

    def _draw_histogram(self, ax: Any) -> None:
        """Draw how often a residual of each size is, and 0."""
        bins = np.histogram_bin_edges(self.residual, bins="sturges")
        ax.hist(self.residual, bins=bins, color=BLUE, alpha=0.8)
        ax.axvline(0.0, color=INK, linewidth=1, linestyle="--")
        ax.set(xlabel="true - predicted", ylabel="rows")

    def _draw_against(self, ax: Any, values: Array, name: str) -> None:
        """Draw residuals over an input, with their mean in ten parts of it."""
        ax.axhline(0.0, color=INK, linewidth=1, linestyle="--")
        chosen = sample(len(values), DRAWN // 2)
        if values.dtype.kind == "f":
            _points(ax, values[chosen], self.residual[chosen])
            centers, means = _trend(values, self.residual)
            ax.plot(centers, means, color=ORANGE, linewidth=1.8)
            ax.locator_params(axis="x", nbins=5)
        else:
            levels, codes, sizes = np.unique(values, return_inverse=True, return_counts=True)
            order = np.argsort(-sizes, kind="stable")[:LEVELS]
            boxes = [self.residual[codes == code] for code in order]
            lines = {part: {"color": INK} for part in ("boxprops", "whiskerprops", "capprops")}
            ax.boxplot(boxes, widths=0.6, sym="", medianprops={"color": BLUE}, **lines)
            texts = [label(levels[code] or "(missing)", 9) for code in order]
            ax.set_xticks(range(1, len(order) + 1), texts, rotation=30, ha="right")
        ax.set(xlabel=label(name), ylabel="true - predicted")


def _points(ax: Any, x: Array, y: Array) -> None:
    """Draw points that may lie on each other."""
    ax.plot(x, y, "o", color=BLUE, markersize=2.6, alpha=0.5, markeredgewidth=0)


def _trend(x: Array, y: Array, parts: int = 10) -> tuple[Array, Array]:
    """Return mean x and mean y of ten parts of the rows in order of x, or of each of few values."""
    few = np.unique(x[np.isfinite(x)])
    if len(few) <= parts:
        return few, np.array([y[x == value].mean() for value in few])
    order = np.argsort(x[np.isfinite(x)], kind="stable")
    x, y = x[np.isfinite(x)][order], y[np.isfinite(x)][order]
    pieces = [piece for piece in np.array_split(np.arange(len(x)), parts) if len(piece)]
    return np.array([x[p].mean() for p in pieces]), np.array([y[p].mean() for p in pieces])


def _shared(values: Array, residual: Array) -> float:
    """Return how much of the residual's variance the means of ten parts of an input have."""
    spread = float(np.var(residual))
    if spread == 0.0 or len(values) < 20:
        return 0.0
    if values.dtype.kind == "f":
        means = _trend(values, residual)[1]
        return float(np.var(means)) / spread if len(means) else 0.0
    _, codes, sizes = np.unique(values, return_inverse=True, return_counts=True)
    if len(sizes) > len(values) / 4:  # nearly a name of each row
        return 0.0
    means = np.bincount(codes, residual) / sizes
    return float(np.average((means - residual.mean()) ** 2, weights=sizes)) / spread
