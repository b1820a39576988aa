"""The pictures of `ClassificationReport`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.reports.base import label
from lamina.reports.palette import BLUE, FAINT, GREEN, INK, ORANGE, SERIES

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.reports.classification import ClassificationReport

    Array = npt.NDArray[Any]

FEW = 8
"""Classes with a curve and a color of their own; of more the curves are thin and alike."""
WRITTEN = 12
"""Classes whose counts are written into the confusion matrix."""
NAMED = 40
"""Classes whose names are written beside it."""
BINS, ENOUGH = 10, 5
"""Parts of the range of probabilities, and the rows that a part must have to be drawn."""
STEPS = 400
"""Points that a curve is drawn through at most."""


def draw_confusion(ax: Any, report: ClassificationReport) -> None:
    """Draw a cell for each pair of classes, as dark as its share of the true class."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    counts = report.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    K, width = counts.shape
    places = [(i, k) for i in range(K) for k in range(width) if counts[i, k]]
    cells = [Rectangle((k - 0.5, i - 0.5), 1, 1) for i, k in places]
    alphas = [0.06 + 0.74 * shares[i, k] for i, k in places]
    ax.add_collection(PatchCollection(cells, facecolor=BLUE, alpha=alphas, linewidth=0))
    if K <= WRITTEN:
        for i, k in places:
            ax.text(k, i, f"{counts[i, k]:,}", ha="center", va="center", color=INK, fontsize=8)
    names = [label(name, 12) for name in report.classes]
    wide = max(map(len, names)) * width > 30
    turned = {"rotation": 90 if K > WRITTEN else 35, "ha": "center" if K > WRITTEN else "right"}
    across = names if report.exclusive else ["right no", "false", "missed", "right yes"]
    if K <= NAMED:
        ax.set_xticks(range(width), across, fontsize=8, **(turned if wide else {}))
        ax.set_yticks(range(K), names, fontsize=8)
    ax.set(xlim=(-0.5, width - 0.5), ylim=(K - 0.5, -0.5))
    ax.set(xlabel="predicted", ylabel="true" if report.exclusive else "label")
    ax.tick_params(length=0)


def draw_roc(ax: Any, report: ClassificationReport) -> None:
    """Draw the share of a class that is found over the share of others that is taken for it."""
    from sklearn.metrics import auc, roc_curve

    def curve(truth: Array, scores: Array) -> tuple[Array, Array, str]:
        false, found, _ = roc_curve(truth, scores)
        return false, found, f"{auc(false, found):.3f}"

    ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    _draw_curves(ax, report, curve, "lower right")
    ax.set(xlabel="false positive rate", ylabel="true positive rate")


def draw_precision(ax: Any, report: ClassificationReport) -> None:
    """Draw the share of claims that is right over the share of a class that is found."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    def curve(truth: Array, scores: Array) -> tuple[Array, Array, str]:
        precision, recall, _ = precision_recall_curve(truth, scores)
        return recall, precision, f"{average_precision_score(truth, scores):.3f}"

    _draw_curves(ax, report, curve, "best")
    ax.set(xlabel="recall", ylabel="precision")


def _draw_curves(
    ax: Any,
    report: ClassificationReport,
    curve: Callable[[Array, Array], tuple[Array, Array, str]],
    corner: str,
) -> None:
    """Draw a curve for each class, with the area below it in the legend."""
    many = len(report.curves) > FEW
    areas = []
    for place, k in enumerate(report.curves):
        x, y, area = curve(report.truth[:, k], report.scores[:, k])
        areas.append(float(area))
        color = BLUE if many else SERIES[place]
        text = None if many else f"{label(report.classes[k], 14)}: area {area}"
        chosen = _thinned(len(x))
        ax.plot(
            x[chosen], y[chosen], color=color, label=text, lw=0.8 if many else 1.5,
            alpha=0.6 if many else 1.0,
        )  # fmt: skip
    if many:
        ax.plot([], [], color=BLUE, label=f"{len(areas)} classes, mean {np.mean(areas):.3f}")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    ax.legend(frameon=False, loc=corner, fontsize=7.5 if len(areas) > 4 else 8.5)


def draw_calibration(ax: Any, report: ClassificationReport) -> None:
    """Draw how often what has a probability comes true, over all classes that are drawn."""
    from sklearn.calibration import calibration_curve

    shown = report.curves or [0]
    truth, p = report.truth[:, shown].ravel(), np.clip(report.scores[:, shown].ravel(), 0.0, 1.0)
    edges = np.linspace(0.0, 1.0, BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], p), minlength=BINS)  # as scikit-learn does
    ax.bar(edges[:-1], counts / counts.max(), 1 / BINS, align="edge", color=FAINT, alpha=0.25)
    ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    happened, said = calibration_curve(truth, p, n_bins=BINS, strategy="uniform")
    enough = counts[counts > 0] >= ENOUGH
    ax.plot(said[enough], happened[enough], color=BLUE, marker="o", markersize=4, linewidth=1.5)
    ax.set(xlabel="predicted probability", ylabel="share that came true")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))


def threshold_title(report: ClassificationReport, k: int) -> str:
    """Return what a picture of thresholds is of."""
    return f"Thresholds for {label(report.classes[k], 16)}"


def draw_thresholds(ax: Any, report: ClassificationReport, k: int) -> None:
    """Draw precision, recall and F1 of a class over the score from which it is claimed."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(report.truth[:, k], report.scores[:, k])
    precision, recall = precision[:-1], recall[:-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = int(np.argmax(f1))
    chosen = _thinned(len(thresholds))
    for values, text, color in (
        (precision, "precision", BLUE),
        (recall, "recall", ORANGE),
        (f1, "F1", GREEN),
    ):
        ax.plot(thresholds[chosen], values[chosen], color=color, label=text, linewidth=1.5)
    ax.axvline(thresholds[best], color=FAINT, linewidth=1, linestyle="--")
    ax.plot([], [], color=FAINT, linestyle="--", label=f"best F1: {thresholds[best]:.2f}")
    ax.set(xlabel="probability" if report.probabilities else "score", ylim=(-0.02, 1.04))
    if report.probabilities:
        ax.set_xlim(-0.02, 1.02)
    ax.legend(frameon=False, loc="best", fontsize=8)


def draw_sureness(ax: Any, report: ClassificationReport) -> None:
    """Draw how often the answer is right if only the surest rows are answered."""
    sure = report.scores.max(axis=1)
    right = np.all(report.truth == report.predicted, axis=1)[np.argsort(-sure, kind="stable")]
    answered = np.arange(1, len(right) + 1) / len(right)
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    chosen = _thinned(len(right))
    ax.plot(answered[chosen], share[chosen], color=BLUE, linewidth=1.5)
    ax.set(xlabel="share of rows answered, surest first", ylabel="accuracy of the answers")
    room = 0.05 * max(1.0 - float(share.min()), 0.02)
    ax.set(xlim=(-0.02, 1.02), ylim=(float(share.min()) - room, 1.0 + room))


def _thinned(n: int) -> Array:
    """Return which points of a curve are drawn: all, or some at equal distances and the last."""
    return np.unique(np.linspace(0, n - 1, min(n, STEPS)).astype(int))
