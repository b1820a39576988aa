"""An estimator as scikit-learn's inspection can ask it: on plain matrices, whatever its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from lamina.data.table import Table
from lamina.reports.rows import coded_column, decoded_column

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Inspected(BaseEstimator):
    """An estimator whose rows are float64 codes: texts, truth values and times are numbered.

    Parameters
    ----------
    estimator : fitted estimator
    X : array, sparse matrix or Table

    Attributes
    ----------
    codes : array, N × C
        The rows of the table.
    levels : list of C
        For each column what its codes mean, see `coded_column`.
    """

    def __init__(self, estimator: Any, X: Any) -> None:
        """Turn the columns of X into codes."""
        self.estimator, self.X = estimator, X
        self._estimator_type = getattr(estimator, "_estimator_type", None)
        if isinstance(X, Table):
            pairs = [coded_column(values) for values in X.columns]
            self.codes = np.column_stack([codes for codes, _ in pairs])
            self.levels = [levels for _, levels in pairs]
        else:
            array = X.toarray() if hasattr(X, "toarray") else X
            self.codes, self.levels = array.astype(float), [None] * array.shape[1]
        if hasattr(estimator, "classes_"):
            self.classes_ = estimator.classes_
        for name in ("predict_proba", "decision_function"):
            if hasattr(estimator, name):
                setattr(self, name, self._asking(name))

    def fit(self, *_: Any) -> Inspected:
        """Return self: the estimator is fitted."""
        return self

    def predict(self, codes: Array) -> Any:
        """Return the predictions for rows of codes."""
        return self.estimator.predict(self.decoded(codes))

    def score(self, codes: Array, y: Any) -> float:
        """Return the score on rows of codes."""
        return float(self.estimator.score(self.decoded(codes), y))

    def decoded(self, codes: Array) -> Any:
        """Return rows of codes as a table of the kind of X."""
        if not isinstance(self.X, Table):
            return codes
        pairs = zip(np.asarray(codes).T, self.levels, strict=True)
        return Table(self.X.names, tuple(decoded_column(*pair) for pair in pairs))

    def _asking(self, name: str) -> Any:
        """Return a method of the estimator that takes codes."""
        return lambda codes: getattr(self.estimator, name)(self.decoded(codes))

    def __sklearn_is_fitted__(self) -> bool:
        """Return true: the estimator is fitted."""
        return True

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator."""
        return self.estimator.__sklearn_tags__()
