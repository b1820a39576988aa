"""How the prediction moves with one input, the others as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.inspection import partial_dependence
from sklearn.utils.validation import check_is_fitted

from lamina.data.table import TIME
from lamina.exceptions import InvalidValueError
from lamina.reports.base import Panel, Report, label
from lamina.reports.inspected import Inspected
from lamina.reports.palette import FAINT, SERIES
from lamina.reports.rows import YEAR, as_rows, count, names_of, sample, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy.typing as npt

    Array = npt.NDArray[Any]

MOST_ROWS = 500
"""Rows averaged over at most: the average of so many is known to some percent of its spread."""
LEVELS = 12
"""Levels of a column of text that are tried, the most frequent ones."""


@dataclass(frozen=True)
class Dependence:
    """The mean prediction over values of one input.

    Attributes
    ----------
    feature : str
    values : n numbers or texts
    averages : array, outputs × n
    seen : array
        The values of the input in the rows, whose tenths are marked; empty for text.
    """

    feature: str
    values: Array
    averages: Array
    seen: Array


class PartialDependence(Report):
    """The mean prediction over values of single inputs.

    Parameters
    ----------
    dependences : list of Dependence
    outputs : list of str
    """

    def __init__(self, dependences: Sequence[Dependence], outputs: Sequence[str]) -> None:
        """Keep what was averaged."""
        self.dependences, self.outputs = list(dependences), list(outputs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        features: Sequence[int | str] = (0,),
        grid_resolution: int = 40,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """Return the dependences of a fitted estimator on some columns of X; y is not needed.

        Averages are over at most 500 rows, drawn at random; see `sklearn.inspection`.

        Parameters
        ----------
        features : list of int or str, default (0,)
            Places or names of the columns.
        grid_resolution : int, default 40
            Values of a number that are tried, between its 5th and 95th percentiles.
        feature_names : list of str, optional
            Names of the columns of X, where neither the estimator nor X has any.

        Raises
        ------
        InvalidValueError
            If there is no such column.
        """
        del y  # every display is made with it
        check_is_fitted(estimator, "network_")
        X = as_rows(X)
        names = names_of(estimator, X, feature_names)
        places = [_place(feature, names) for feature in features]
        inspected = Inspected(estimator, take(X, sample(count(X), MOST_ROWS)))
        found = [_average(inspected, place, names[place], grid_resolution) for place in places]
        names = _outputs(estimator, len(found[0].averages))
        if len(names) == 2 and names[0] == str(getattr(estimator, "classes_", [""])[0]):
            found = [replace(part, averages=part.averages[1:]) for part in found]
            names = names[1:]
        return cls(found, names)

    def columns(self) -> dict[str, Any]:
        """Return feature, value (as text), output and average."""
        rows = [
            (part.feature, str(value), output, average)
            for part in self.dependences
            for output, averages in zip(self.outputs, part.averages, strict=True)
            for value, average in zip(part.values.tolist(), averages.tolist(), strict=True)
        ]
        names = ("feature", "value", "output", "average")
        return dict(zip(names, zip(*rows, strict=True), strict=True))

    def panels(self) -> list[Panel]:
        """Return a picture for each input, all with the same range of predictions."""
        every = np.concatenate([part.averages.ravel() for part in self.dependences])
        room = 0.06 * (float(np.ptp(every)) or 1.0)
        ends = float(every.min()) - room, float(every.max()) + room
        return [
            Panel(label(part.feature), partial(self._draw, part=part, ends=ends))
            for part in self.dependences
        ]

    def _draw(self, ax: Any, part: Dependence, ends: tuple[float, float]) -> None:
        """Draw the averages over the values, and where the rows are."""
        many = len(self.outputs) > len(SERIES)
        for place, averages in enumerate(part.averages):
            color = SERIES[place % len(SERIES)]
            text = None if many or len(self.outputs) == 1 else label(self.outputs[place], 12)
            style = {"color": color, "label": text, "linewidth": 1.6}
            if part.values.dtype.kind == "f":
                ax.plot(part.values, averages, **style)
            else:
                ax.plot(range(len(averages)), averages, marker="o", **style | {"linewidth": 0})
        if part.values.dtype.kind == "f" and np.any(np.isfinite(part.seen)):
            tenths = np.nanpercentile(part.seen, range(10, 100, 10))
            ax.plot(tenths, np.full(9, ends[0]), "|", color=FAINT, markersize=9)
        elif part.values.dtype.kind != "f":
            texts = [label(value or "(missing)", 12) for value in part.values]
            ax.set_xticks(range(len(texts)), texts, rotation=35, ha="right")
        if len(self.outputs) > 1 and not many:
            ax.legend(frameon=False, fontsize=7.5)
        ax.set(xlabel=label(part.feature), ylabel="mean prediction", ylim=ends)


def _place(feature: int | str, names: Sequence[str]) -> int:
    """Return the place of a column."""
    if isinstance(feature, str) and feature in names:
        return names.index(feature)
    if not isinstance(feature, str) and 0 <= int(feature) < len(names):
        return int(feature)
    message = f"features must be names or places of columns, from 0 to {len(names) - 1}; got "
    raise InvalidValueError(message + repr(feature))


def _average(inspected: Inspected, place: int, name: str, resolution: int) -> Dependence:
    """Return the dependence on one column: over a grid of numbers, or over levels."""
    levels, codes = inspected.levels[place], inspected.codes
    used, sizes = np.unique(codes[np.isfinite(codes[:, place]), place], return_counts=True)
    if isinstance(levels, np.ndarray):
        used = np.sort(used[np.argsort(-sizes, kind="stable")[:LEVELS]])
    elif len(used) > resolution:
        low, high = np.nanpercentile(codes[:, place], [5, 95]).tolist()
        used = np.linspace(low, high, resolution)
    elif not len(used):
        used = np.array([np.nan])  # nothing but missing values
    custom = {place: used}
    found = partial_dependence(inspected, codes, [place], kind="average", custom_values=custom)
    grid, averages = np.asarray(found["grid_values"][0]), found["average"]
    if isinstance(levels, np.ndarray):
        texts = np.array([levels[int(code)] or "" for code in grid], dtype=str)
        return Dependence(name, texts, averages, np.empty(0))
    years = isinstance(levels, np.dtype) and levels == TIME
    grid, seen = ((1970.0 + v / YEAR if years else v) for v in (grid, codes[:, place]))
    return Dependence(name, grid, averages, seen)


def _outputs(estimator: Any, n: int) -> list[str]:
    """Return what scikit-learn averages: probabilities of classes, or predictions."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return ["prediction"] if n == 1 else [f"prediction {k}" for k in range(n)]
    names = [str(kind) for kind in classes]
    return names[-1:] if n == 1 else names
