"""Which inputs matter: by shuffling them, and by the slopes of the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.utils.validation import check_is_fitted

from lamina.reports.base import Panel, Report, label
from lamina.reports.inspected import Inspected
from lamina.reports.layers import input_names, output_names
from lamina.reports.palette import INK, NEGATIVE, POSITIVE
from lamina.reports.rows import as_rows, count, names_of, sample, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy.typing as npt

    Array = npt.NDArray[Any]

BARS = 15
"""Inputs that are drawn, the strongest ones."""
NUMBERS = 4_000_000
"""Slopes held at once."""


class Importance(Report):
    """How much the score falls when a column is shuffled.

    Parameters
    ----------
    features : list of S_0 names
    falls : array, S_0 × n_repeats
        In the unit of the score: R² or accuracy, unless `scoring` was given.
    """

    def __init__(self, features: Sequence[str], falls: Array) -> None:
        """Keep the falls."""
        self.features, self.falls = list(features), np.asarray(falls, float)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        scoring: Any = None,
        n_repeats: int = 5,
        random_state: Any = 0,
        max_samples: float = 1.0,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """Return the importances of a fitted estimator; see `sklearn.inspection`.

        Parameters
        ----------
        X, y : as for `score`
            Rows that the estimator has not seen tell what helps on new ones.
        scoring, n_repeats, random_state, max_samples : as for `permutation_importance`
        feature_names : list of str, optional
            Names of the columns of X, where neither the estimator nor X has any.
        """
        check_is_fitted(estimator, "network_")
        X = as_rows(X)
        inspected = Inspected(estimator, X)
        found = permutation_importance(
            inspected, inspected.codes, y, scoring=scoring, n_repeats=n_repeats,
            random_state=random_state, max_samples=max_samples,
        )  # fmt: skip
        return cls(names_of(estimator, X, feature_names), found.importances)

    def columns(self) -> dict[str, Any]:
        """Return feature, mean and standard deviation over repeats, greatest mean first."""
        mean = self.falls.mean(axis=1)
        order = np.argsort(-mean, kind="stable")
        names = [self.features[place] for place in order]
        spread = self.falls.std(axis=1)[order]
        return {"feature": names, "importance": mean[order], "std": spread}

    def panels(self) -> list[Panel]:
        """Return bars for the greatest, with their spread over repeats."""
        return [Panel("Permutation importance", self._draw, 4.6, _height(len(self.features)))]

    def _draw(self, ax: Any) -> None:
        """Draw the bars."""
        columns = self.columns()
        names, mean, spread = (columns[n][:BARS] for n in ("feature", "importance", "std"))
        _bars(ax, names, mean, spread)
        ax.set_xlabel("fall of the score when shuffled")


class Sensitivity(Report):
    """How much each output moves with each input: slopes over rows, scaled.

    A slope is the change of the output, in units of y or of probability, for one standard
    deviation of the input over the given rows.

    Parameters
    ----------
    features, outputs : lists of names
    size, mean : arrays, S_L × S_0
        The mean of the size of the slope over the rows, and of the slope itself.
    """

    def __init__(
        self, features: Sequence[str], outputs: Sequence[str], size: Array, mean: Array
    ) -> None:
        """Keep the slopes."""
        self.features, self.outputs = list(features), list(outputs)
        self.size, self.mean = np.asarray(size, float), np.asarray(mean, float)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """Return the sensitivities of a fitted estimator on X, N × S_0; y is not needed.

        They are of the network's inputs: of a column of categories each level is one.

        Parameters
        ----------
        feature_names : list of str, optional
            Names of the columns of X, where neither the estimator nor X has any.
        """
        del y  # every display is made with it
        check_is_fitted(estimator, "network_")
        X = as_rows(X)
        network, scaling = estimator.network_, getattr(estimator, "target_scaling_", None)
        most = max(1, NUMBERS // (network.S[0] * network.S[-1]))
        rows = take(X, sample(count(X), most))
        A = np.asarray(estimator.transform(rows, layer=0), dtype=float).T
        slopes = network.input_jacobian(A) * A.std(axis=1)  # N × S_L × S_0
        if scaling is not None:
            slopes = slopes * np.resize(scaling.scale, network.S[-1])[:, np.newaxis]
        names = input_names(estimator, names_of(estimator, X, feature_names))
        size, mean = np.abs(slopes).mean(axis=0), slopes.mean(axis=0)
        return cls(names, output_names(estimator), size, mean)

    def columns(self) -> dict[str, Any]:
        """Return output, feature, size and mean of the slope; greatest size of an output first."""
        S = self.size.shape[1]
        order = np.argsort(-self.size, axis=1, kind="stable")
        return {
            "output": np.repeat(np.array(self.outputs, dtype=object), S),
            "feature": [self.features[place] for row in order for place in row],
            "size": np.take_along_axis(self.size, order, axis=1).ravel(),
            "mean": np.take_along_axis(self.mean, order, axis=1).ravel(),
        }

    def panels(self) -> list[Panel]:
        """Return bars for the greatest, over all outputs; colored by sign if there is one."""
        return [Panel("Sensitivity", self._draw, 4.6, _height(len(self.features)))]

    def _draw(self, ax: Any) -> None:
        """Draw the bars."""
        size, mean = self.size.mean(axis=0), self.mean.mean(axis=0)
        order = np.argsort(-size, kind="stable")[:BARS]
        names = [self.features[place] for place in order]
        signed = len(self.outputs) == 1
        colors = [POSITIVE if mean[k] >= 0 or not signed else NEGATIVE for k in order]
        _bars(ax, names, size[order], None, colors)
        if signed:
            ax.plot([], [], "s", color=POSITIVE, label="rises")
            ax.plot([], [], "s", color=NEGATIVE, label="falls")
            ax.legend(frameon=False, loc="lower right")
        what = "change of the output" if signed else "mean change of the outputs"
        ax.set_xlabel(f"{what} for one std of the input")


def _height(n: int) -> float:
    """Return the height of bars for so many inputs, in inches."""
    return 1.1 + 0.21 * min(n, BARS) + 0.2


def _bars(
    ax: Any,
    names: Sequence[str],
    values: Array,
    spread: Array | None,
    colors: Sequence[str] | str = POSITIVE,
) -> None:
    """Draw a bar for each name, the first on top."""
    places = range(len(names))
    ax.barh(places, values, 0.72, color=colors, alpha=0.85)
    if spread is not None:
        ax.errorbar(values, places, xerr=spread, fmt="none", ecolor=INK, elinewidth=1)
    ax.set_yticks(places, [label(name) for name in names])
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_ylim(len(names) - 0.4, -0.6)
