"""How well a model predicts: the measures of classes and of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

LABELS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "objective": "objective J",
    "seconds": "seconds to train",
}
"""The measures by the names they have in JSON, and as a person reads them."""


def measure(estimator: Any, X: Any, y: Array) -> dict[str, float]:
    """Return the measures that are defined for these rows.

    Parameters
    ----------
    estimator : fitted classifier or regressor, ours or scikit-learn's
    X : array, N × S_0, or table of N rows
    y : N classes that the estimator knows, or N numbers
    """
    if hasattr(estimator, "classes_"):
        return _of_classes(estimator, X, y)
    predicted = np.asarray(estimator.predict(X), dtype=float)
    if predicted.shape != y.shape:  # several quantiles are no prediction of y
        return {"objective": float(estimator.objective(X, y))}
    residual = y - predicted
    measures = {
        "rmse": float(np.sqrt(np.mean(residual**2))),
        "mae": float(np.mean(np.abs(residual))),
    }
    total = float(np.mean((y - np.mean(y)) ** 2))
    if total > 0.0:
        measures = {"r2": 1.0 - measures["rmse"] ** 2 / total, **measures}
    return measures


def _of_classes(estimator: Any, X: Any, y: Array) -> dict[str, float]:
    """Return accuracy, mean recall of the classes present, log loss and area under the ROC."""
    from sklearn.metrics import log_loss, roc_auc_score

    classes = estimator.classes_
    right = estimator.predict(X) == y
    recalls = [np.mean(right[y == kind]) for kind in np.unique(y)]
    measures = {
        "accuracy": float(np.mean(right)),
        "balanced_accuracy": float(np.mean(recalls)),
    }
    score = None
    if hasattr(estimator, "predict_proba"):
        probabilities = estimator.predict_proba(X)
        measures["log_loss"] = float(log_loss(y, probabilities, labels=classes))
        score = probabilities[:, -1]
    elif len(classes) == 2:
        score = np.ravel(estimator.decision_function(X))
    if len(classes) == 2 and len(recalls) == 2:
        measures["roc_auc"] = float(roc_auc_score(y == classes[1], score))
    return measures
