"""What a person sees of an estimator: the doctor's findings, and its picture in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from lamina.engines.protocol import Data
    from lamina.network.backpropagation import Backpropagation
    from lamina.network.network import Network
    from lamina.reports.diagnosis import Diagnosis


class WithReports:
    """Diagnosis and picture, made by `lamina.reports` when they are asked for."""

    network_: Network

    def _data(self, X: Any, y: Any, sample_weight: Any) -> Data:
        """Return X and y as the data that J is made of."""
        raise NotImplementedError

    def backpropagate(self, X: Any, y: Any, sample_weight: Any = None) -> Backpropagation:
        """Return J, and Z, A, Δ, H and the gradient of every layer, on X and y, (4.1) and (4.2).

        In the network's terms: columns are data points, inputs and targets are scaled. All
        matrices are held at once, so give a sample of many rows.
        """
        check_is_fitted(self, "network_")
        data = self._data(X, y, sample_weight)
        X, T = (source.take(data.points) for source in (data.X, data.T))
        return self.network_.backpropagate(X, T, data.omega(data.points))

    def diagnose(self, X: Any = None, y: Any = None) -> Diagnosis:
        """Look for what often goes wrong; each finding has its evidence and a remedy.

        Parameters
        ----------
        X, y : as for `fit`, optional
            Rows to look at, of which at most 2,000 are drawn at random; rows that the estimator
            has not seen show whether it is overfitted. Without them only what training left
            behind is looked at.

        Returns
        -------
        Diagnosis
            A report: print it, or take its `findings`, `frame()` and `plot()`.

        Raises
        ------
        NotFittedError, InvalidValueError
            If the estimator is not fitted, or y comes without X.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> import lamina
        >>> X, y = load_iris(return_X_y=True)
        >>> print(lamina.FeedForwardClassifier(random_state=0).fit(X, y).diagnose(X, y))
        Nothing found.
        """
        from lamina.reports.diagnosis import diagnose

        return diagnose(self, X, y)

    def _html_repr(self) -> str:
        """Return scikit-learn's diagram and, of a fitted estimator, layers and loss below it."""
        from lamina.reports.notebook import estimator_html

        return estimator_html(self)
