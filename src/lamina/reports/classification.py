"""How well classes are predicted: confusion, ROC, precision and recall, calibration, thresholds."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.reports import classification_plots as plots
from lamina.reports.base import Panel, Report

if TYPE_CHECKING:
    from typing import Self

    import numpy.typing as npt

    Array = npt.NDArray[Any]


class ClassificationReport(Report):
    """Each class, or each of several labels, against the rest.

    Parameters
    ----------
    truth, predicted : bool arrays, N × K
        Whether a row is of a class, and whether that was predicted.
    scores : array, N × K
        Probabilities, or other numbers that are higher for likelier classes.
    classes : list of K names
    probabilities : bool, default True
        Whether the scores are probabilities.
    exclusive : bool, default True
        Whether every row is of one class; false for several labels.
    """

    def __init__(
        self,
        truth: Array,
        predicted: Array,
        scores: Array,
        classes: list[Any],
        *,
        probabilities: bool = True,
        exclusive: bool = True,
    ) -> None:
        """Keep what is compared."""
        self.truth, self.predicted = np.asarray(truth, bool), np.asarray(predicted, bool)
        self.scores, self.classes = np.asarray(scores, float), list(classes)
        self.probabilities, self.exclusive = probabilities, exclusive

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any) -> Self:
        """Return the report of a fitted classifier on X, N × S_0, and y, its N labels.

        Raises
        ------
        InvalidValueError
            If y holds a class that the estimator does not know.
        """
        predicted, classes = np.asarray(estimator.predict(X)), estimator.classes_
        y = np.asarray(y)
        exclusive = predicted.ndim == 1
        if exclusive:
            unknown = [kind for kind in y.tolist() if kind not in set(classes.tolist())]
            if unknown:
                message = (
                    f"y holds {unknown[0]!r}, and the classes of the estimator are "
                    f"{classes.tolist()}; leave out such rows"
                )
                raise InvalidValueError(message)
            truth, predicted = (part[:, np.newaxis] == classes for part in (y, predicted))
        else:
            truth = y
        probabilities = hasattr(estimator, "predict_proba")
        scores = estimator.predict_proba(X) if probabilities else estimator.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        options = {"probabilities": probabilities, "exclusive": exclusive}
        return cls(truth, predicted, scores, classes.tolist(), **options)

    @cached_property
    def confusion(self) -> Array:
        """Counts: true class × predicted class, K × K; of several labels K × (tn, fp, fn, tp)."""
        from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

        if not self.exclusive:
            counts = multilabel_confusion_matrix(self.truth, self.predicted)
            return np.asarray(counts.reshape(-1, 4))
        codes = (np.argmax(part, axis=1) for part in (self.truth, self.predicted))
        return np.asarray(confusion_matrix(*codes, labels=range(len(self.classes))))

    @property
    def curves(self) -> list[int]:
        """The classes that curves are drawn of: of two that exclude each other the second."""
        K = len(self.classes)
        shown = [1] if self.exclusive and K == 2 else range(K)
        return [k for k in shown if 0 < self.truth[:, k].sum() < len(self.truth)]

    def columns(self) -> dict[str, Any]:
        """Return what is measured of each class: a row for each.

        Precision and recall are NaN where they are undefined, areas where a class has all rows
        or none; the Brier score is of probabilities only.
        """
        from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

        both = self.truth & self.predicted
        hits, rows, claims = (
            a.sum(axis=0).astype(float) for a in (both, self.truth, self.predicted)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            precision, recall, f1 = hits / claims, hits / rows, 2.0 * hits / (rows + claims)
        areas: dict[str, Array] = {}
        measures = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}
        if self.probabilities:
            measures["brier"] = brier_score_loss
        for name, measure in measures.items():
            areas[name] = np.full(len(self.classes), np.nan)
            for k, (t, s) in enumerate(zip(self.truth.T, self.scores.T, strict=True)):
                if 0 < t.sum() < len(t):
                    areas[name][k] = measure(t, s)
        named = {"class": self.classes, "rows": rows.astype(int)}
        return named | {"precision": precision, "recall": recall, "f1": f1} | areas

    def panels(self) -> list[Panel]:
        """Return confusion, ROC, precision and recall, calibration and thresholds."""
        side = 3.4 + 0.16 * max(0, len(self.classes) - 6)
        draw = partial(plots.draw_confusion, report=self)
        panels = [Panel("Confusion", draw, max(4.2, side + 0.6), max(3.1, side))]
        if self.curves:
            panels += [
                Panel("ROC", partial(plots.draw_roc, report=self)),
                Panel("Precision and recall", partial(plots.draw_precision, report=self)),
            ]
        if self.probabilities:
            panels.append(Panel("Calibration", partial(plots.draw_calibration, report=self)))
        if self.curves and (len(self.curves) == 1 or not self.exclusive):
            panels += [
                Panel(
                    plots.threshold_title(self, k), partial(plots.draw_thresholds, report=self, k=k)
                )
                for k in self.curves[: plots.FEW]
            ]
        elif self.probabilities:
            panels.append(Panel("Only sure answers", partial(plots.draw_sureness, report=self)))
        return panels
