"""What every report is: columns that a frame is made of, and panels that a plot is made of."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.framing import make_frame
from lamina.exceptions import InvalidValueError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

COLUMNS_OF_PANELS = 3
"""Panels side by side in one figure."""
LONGEST_NAME = 22
"""Letters of a name in a plot; what is longer ends in an ellipsis."""


@dataclass(frozen=True)
class Panel:
    """One picture of a report.

    Attributes
    ----------
    title : str
    draw : function of a Matplotlib Axes
    width, height : float
        The size that it is made for, in inches.
    """

    title: str
    draw: Callable[[Any], None]
    width: float = 4.2
    height: float = 3.1


class Report:
    """A report in scikit-learn's manner of displays.

    Attributes
    ----------
    ax_ : Axes, or array of Axes if there are several panels
    figure_ : Figure
        Both after `plot`.
    """

    ax_: Any
    figure_: Any

    def columns(self) -> Mapping[str, Any]:
        """Return the numbers of the report: columns of equal length by name."""
        raise NotImplementedError

    def panels(self) -> list[Panel]:
        """Return the pictures of the report."""
        raise NotImplementedError

    def frame(self, backend: str | None = None) -> Any:
        """Return the numbers of the report as a data frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}, optional
            The library of the frame; the first of these that is installed by default.

        Raises
        ------
        InvalidValueError
            If `backend` is another word.
        MissingDependencyError
            If that library is not installed, or none is.
        """
        return make_frame(self.columns(), backend)

    def plot(self, ax: Any = None) -> Self:
        """Draw the report.

        Parameters
        ----------
        ax : Matplotlib Axes, optional
            Where to draw; several panels share its place. A new figure by default.

        Returns
        -------
        self

        Raises
        ------
        MissingDependencyError
            If Matplotlib is not installed.
        """
        panels = self.panels()
        axes = _places(panels, ax)
        for panel, place in zip(panels, axes, strict=True):
            panel.draw(place)
            place.set_title(panel.title)
        self.ax_ = axes[0] if len(axes) == 1 else np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return self


def require_matplotlib() -> None:
    """Say which extra is missing where Matplotlib is.

    Raises
    ------
    MissingDependencyError
        If it cannot be imported.
    """
    if find_spec("matplotlib") is None:
        raise MissingDependencyError("plots need Matplotlib: pip install 'lamina[plot]'")


def _places(panels: list[Panel], ax: Any) -> list[Any]:
    """Return an Axes for each panel: of a new figure, or in the place of the one given."""
    require_matplotlib()
    n = len(panels)
    if ax is not None and n == 1:
        return [ax]
    columns = min(n, COLUMNS_OF_PANELS)
    rows = -(-n // columns)
    if ax is None:
        import matplotlib.pyplot as plt

        size = (columns * panels[0].width, rows * panels[0].height)
        figure = plt.figure(figsize=size, layout="constrained")
        grid = figure.add_gridspec(rows, columns)
    else:
        from matplotlib.gridspec import GridSpecFromSubplotSpec

        figure = ax.figure
        if ax.get_subplotspec() is None:
            message = "a report of several panels shares the place of an Axes of a grid; give "
            message += "one of plt.subplots(), or none"
            raise InvalidValueError(message)
        grid = GridSpecFromSubplotSpec(rows, columns, subplot_spec=ax.get_subplotspec())
        ax.remove()
    return [figure.add_subplot(grid[place // columns, place % columns]) for place in range(n)]


def label(name: Any, longest: int = LONGEST_NAME) -> str:
    """Return a name as it may stand in a plot: one line, not too long, no formula.

    Examples
    --------
    >>> label("price per square foot of land")
    'price per square foot…'
    """
    text = " ".join("".join(c if c.isprintable() else " " for c in str(name)).split())
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return short.replace("\\", "\\\\").replace("$", r"\$")
