"""How training went: the loss over epochs, and what else was recorded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lamina.reports.base import Panel, Report
from lamina.reports.palette import BLUE, FAINT, GREEN, ORANGE, PURPLE
from lamina.training.history import COLUMNS

if TYPE_CHECKING:
    from typing import Self

    import numpy.typing as npt

    from lamina.training.history import History

    Array = npt.NDArray[Any]


class TrainingCurves(Report):
    """Loss, validation loss, gradient and learning rate of every epoch.

    Parameters
    ----------
    history : History
    best_epoch : int, default 0
        The epoch whose network was kept, if it is not the last one; 0 for the last one.
    """

    def __init__(self, history: History, best_epoch: int = 0) -> None:
        """Keep what is drawn."""
        self.history, self.best_epoch = history, best_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, y: Any = None) -> Self:
        """Return the curves of a fitted estimator; X and y are not needed."""
        del X, y  # every display is made with them
        check_is_fitted(estimator, "network_")
        kept = estimator.state_.best_theta is not None
        return cls(estimator.history_, estimator.state_.best_epoch if kept else 0)

    def columns(self) -> dict[str, Any]:
        """Return the columns of the history."""
        return self.history.columns()

    def frame(self, backend: str | None = None) -> Any:
        """Return the history as a data frame, see `History.frame`."""
        return self.history.frame(backend)

    def panels(self) -> list[Panel]:
        """Return the loss, metrics on validation data if there are any, gradient and rate."""
        columns = {n: np.asarray(c, dtype=float) for n, c in self.history.columns().items()}
        metrics = [n for n in columns if n not in COLUMNS and np.any(np.isfinite(columns[n]))]
        panels = [Panel("Loss", partial(self._draw_loss, columns=columns))]
        if metrics:
            measured = partial(_draw_metrics, columns=columns, names=metrics)
            panels.append(Panel("On validation data", measured))
        panels.append(Panel("Gradient and step", partial(_draw_gradient, columns=columns)))
        return panels

    def _draw_loss(self, ax: Any, columns: dict[str, Array]) -> None:
        """Draw the losses, and mark the epoch that was kept."""
        for name, text, color in (
            ("loss", "training", BLUE),
            ("validation_loss", "validation", ORANGE),
        ):
            if np.any(np.isfinite(columns[name])):
                _line(ax, columns["epoch"], columns[name], text, color)
        if self.best_epoch:
            ax.axvline(self.best_epoch, color=FAINT, linestyle="--", linewidth=1)
            ax.plot([], [], color=FAINT, linestyle="--", label=f"kept: epoch {self.best_epoch}")
        losses = np.concatenate([columns["loss"], columns["validation_loss"]])
        _scale(ax, losses[np.isfinite(losses)])
        ax.set_xlabel("epoch")
        ax.set_ylabel("J", rotation=0)
        ax.legend(frameon=False)


def _line(ax: Any, x: Array, y: Array, text: str, color: str) -> None:
    """Draw a curve; a few epochs are shown as points too."""
    ax.plot(x, y, label=text, color=color, linewidth=1.6, marker="o" if len(x) < 3 else None)


def _scale(ax: Any, values: Array) -> None:
    """Use powers of ten where positive values span more than one of them."""
    if values.size and values.min() > 0 and values.max() / values.min() > 10:
        ax.set_yscale("log")


def _draw_metrics(ax: Any, columns: dict[str, Array], names: list[str]) -> None:
    """Draw what was measured on validation data."""
    for name, color in zip(names, (GREEN, PURPLE, ORANGE, BLUE), strict=False):
        _line(ax, columns["epoch"], columns[name], name.replace("_", " "), color)
    ax.set(xlabel="epoch")
    ax.legend(frameon=False)


def _draw_gradient(ax: Any, columns: dict[str, Array]) -> None:
    """Draw the norm of the gradient, and the rate of the steps."""
    for name, text, color in (
        ("gradient_norm", "|dJ/dθ|", GREEN),
        ("learning_rate", "learning rate", PURPLE),
    ):
        values = np.where(columns[name] > 0, columns[name], np.nan)
        _line(ax, columns["epoch"], values, text, color)
    if np.any(columns["gradient_norm"] > 0):
        ax.set_yscale("log")
    ax.set(xlabel="epoch")
    ax.legend(frameon=False)
