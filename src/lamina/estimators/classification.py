"""What a classifier predicts, and how classes and labels become its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from lamina.estimators import labels, multioutput, targets
from lamina.estimators.averaged import WithAverages
from lamina.estimators.base import FeedForward, Target
from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.network.blocks import BlockError
    from lamina.training.loop import Metric

    Array = npt.NDArray[Any]


class Classification(ClassifierMixin, FeedForward, WithAverages):
    """The predictions of `FeedForwardClassifier`, and what the machinery asks it."""

    class_weight: Any
    classes_: Array | list[Array]
    _is_multilabel: bool

    def predict(self, X: Any) -> Array:
        """Return the class of each row of X, or its labels or the classes of its targets, N × K."""
        outputs = self._outputs(X)
        return np.asarray(self._labels().decode(outputs))

    @available_if(labels.has_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn's
    def predict_proba(self, X: Any, *, averaged: bool = False) -> Any:
        """Return the probability of each class, N × n_classes; each label's own if several.

        For several targets with classes a list, one such array for each target.

        With `averaged` the mean over the posterior of θ, which is less sure far from the data; it
        needs error_bars=True.
        """
        if averaged and isinstance(self.classes_, list):
            message = "averaged probabilities are of one target; fit a model for each"
            raise InvalidValueError(message)
        if averaged:
            return self._averaged_probabilities(X)
        outputs = self._outputs(X)
        return self._labels().probabilities(outputs, self.out_activation_)

    @available_if(labels.has_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn's
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`; -inf where a probability is 0."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if isinstance(probabilities, list):
                return [np.log(block) for block in probabilities]
            return np.asarray(np.log(probabilities))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of rows of which all labels, or targets, are right.

        Parameters
        ----------
        X : table, N × S_0
        y : as in `fit`
        sample_weight : N numbers >= 0, optional
        """
        check_is_fitted(self, "network_")
        if not isinstance(self.classes_, list):
            return float(super().score(X, y, sample_weight))
        right = np.all(self._check_y(y) == self.predict(X), axis=1)
        return float(np.average(right, weights=sample_weight))

    @available_if(labels.has_none)  # type: ignore[untyped-decorator]  # scikit-learn's
    def decision_function(self, X: Any) -> Array:
        """Return the outputs, N × n_classes; for two classes N numbers, positive for the second."""
        outputs = self._outputs(X)
        return outputs[:, 0] - self._labels().middle if outputs.shape[1] == 1 else outputs

    def input_gradient(self, X: Any) -> Array:
        """Return the slope of every output in every input, N × S_L × S_0, in units of the inputs.

        For two classes with one output, N × S_0: the slope of the second class.
        """
        jacobian = self._input_jacobian(X)
        return jacobian[:, 0] if jacobian.shape[1] == 1 else jacobian

    # What the machinery asks ----------------------------------------------------------

    def _labels(self) -> Any:
        """Return how the learned classes stand in T and A_L, as Labels or Choices."""
        recipe = self.network_.recipe
        if isinstance(self.classes_, list):
            return multioutput.Choices(self.classes_, cast("BlockError", recipe.error))
        return labels.Labels(self.classes_, self._is_multilabel, recipe.error, recipe.S[-1])

    def _check_y(self, y: Any) -> Array:
        announced = getattr(self, "_announced", getattr(self, "classes_", None))
        return targets.check_labels(y, several=isinstance(announced, list))

    def _learn_target(self, y: Array, weights: Array | None) -> None:
        announced = getattr(self, "_announced", None)
        several = isinstance(announced, list)
        self._is_multilabel = targets.is_indicator(y) and not several
        if y.ndim == 2 and not self._is_multilabel:
            self.classes_ = multioutput.learn_choices(y) if announced is None else announced
            return
        learned = np.arange(y.shape[1]) if self._is_multilabel else labels.sort_classes(y)
        self.classes_ = learned if announced is None else announced
        if self._is_multilabel and not np.array_equal(self.classes_, learned):
            message = (
                f"y has {len(learned)} labels, 0 to {len(learned) - 1}; got classes={announced}"
            )
            raise InvalidValueError(message)

    def _target(self, y: Array) -> Target:
        asked = {"loss": self.loss, "output": self.output_activation}
        chosen: Any
        if isinstance(self.classes_, list):
            chosen = multioutput.choose_choices(self.classes_, **asked)
        else:
            several = self._is_multilabel
            chosen = labels.choose_labels(self.classes_, multilabel=several, **asked)
        return Target(chosen.encode(y, np.dtype(self.dtype)), chosen.n_outputs, chosen.error)

    def _strata(self, y: Array) -> Array | None:
        return y if y.ndim == 1 else None

    def _class_weights(self, y: Array) -> Array | None:
        return labels.weigh_classes(self.class_weight, y)

    def _metrics(self) -> Mapping[str, Metric]:
        return {"accuracy": self._labels().accuracy}

    def __sklearn_tags__(self) -> Any:
        """Say that several labels, and several targets, can be learned at once."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags
