"""`FeedForwardClassifier`: classes and labels, in scikit-learn's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from lamina.data.columns import Columns, OneHot
from lamina.estimators.base import FeedForward, Target
from lamina.estimators.validation import Validation
from lamina.exceptions import InvalidValueError
from lamina.network.activations import get_activation
from lamina.network.errors import Error, get_error
from lamina.network.special import log_softmax

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.training.loop import Metric

    Array = npt.NDArray[Any]

PROBABILISTIC = ("softmax", "logistic", "log_softmax")
"""Output activations that make probabilities."""


def _has_probabilities(estimator: Any) -> bool:
    """Return whether the outputs are probabilities; raise AttributeError where they are not."""
    check = getattr(estimator, "network_", None)
    if check is None:
        return True
    output = check.recipe.activation(check.L)
    if output not in [get_activation(name) for name in PROBABILISTIC]:
        message = f"the output activation {output!r} gives no probabilities; use decision_function"
        raise AttributeError(message)
    return True


class FeedForwardClassifier(ClassifierMixin, FeedForward):
    """A feed-forward network that classifies: two classes, many, or many labels at once.

    Minimizes J = Σ ω_n J_n + Σ_l (l1 Σ|W_l| + alpha/2 Σ W_l²), where ω_n are the sample
    weights divided by their sum; penalties are not divided by the number of samples.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default (100,)
        S_1, ..., S_{L-1}; an empty tuple gives a linear model.
    activation : str, Activation, or list of one for each hidden layer, default "relu"
    output_activation : str or Activation, default "auto"
        "auto" takes the natural one of the loss.
    loss : str or Error, default "auto"
        "auto" is "cross_entropy" (softmax) for more than two classes, and
        "binary_cross_entropy" (logistic) for two classes or several labels.
    solver : {"adam", "adamw", "sgd", "lbfgs"} or Solver, default "adam"
        Settings of a solver belong to it: `solver=lamina.Sgd(momentum=0.8)` or "sgd(0.8)".
    alpha, l1 : float >= 0, or list of one for each layer 1..L, default 1e-4 and 0
        Strengths of the L2 and L1 penalties; biases are exempt.
    dropout : float in [0, 1), or list of one for each hidden layer, default 0
        The probability to drop a hidden unit's activation while training.
    initialization : str or vector θ, default "auto"
    batch_size : int or "auto", default "auto"
        "auto" is min(200, n_samples).
    learning_rate : str, Schedule or function of the epoch, default "constant"
        The factor of `learning_rate_init` over time, such as "cosine" or "step(every=20)".
    learning_rate_init : float > 0 or "auto", default "auto"
        "auto" is 0.001 for adam and adamw, 0.01 for sgd.
    max_iter : int >= 1, default 200
        Epochs; for lbfgs iterations.
    shuffle : bool, default True
    tol : float or "auto", default "auto"
        The fall of the loss that counts as progress; "auto" is 1e-4, for lbfgs 1e-8.
    n_iter_no_change : int >= 1, default 10
        Epochs without progress before training stops.
    early_stopping : bool, default False
        Watch the loss on validation data, and keep the network where it was lowest.
    validation_fraction : float in (0, 1), default 0.1
        What is set apart for that if `fit` gets no validation data.
    gradient_tol : float >= 0, default 0
    goal : float, optional
    max_time : float, optional
        Stop at a gradient norm, at a loss, or after so many seconds.
    max_gradient_norm : float > 0, optional
        Longer gradients are shortened to this.
    scale_inputs : {"standard", "minmax", "none"}, default "standard"
    class_weight : dict, "balanced", or list of dict for several labels, optional
        Multiplies the sample weights.
    dtype : {"float64", "float32"}, default "float64"
    n_layers, width : int, optional
        Number of hidden layers and units in each, in place of `hidden_layer_sizes`.
    warm_start : bool, default False
        Whether `fit` goes on where the last one ended; ten fits of one epoch are one of ten.
    random_state : int, RandomState or None, default None
    verbose : bool, default False
        Whether to show a progress bar.

    Attributes
    ----------
    network_ : Network
    classes_ : array
    state_ : TrainingState
    history_ : History
    stop_reason_ : str
        A key of `lamina.training.stopping.REASONS`.
    input_scaling_ : Scaling
    coefs_, intercepts_, loss_, loss_curve_, validation_curve_, n_iter_, n_layers_,
    n_outputs_, out_activation_, n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = FeedForwardClassifier(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        activation: Any = "relu",
        output_activation: Any = "auto",
        loss: Any = "auto",
        solver: Any = "adam",
        alpha: Any = 1e-4,
        l1: Any = 0.0,
        dropout: Any = 0.0,
        initialization: Any = "auto",
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        tol: Any = "auto",
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        gradient_tol: float = 0.0,
        goal: float | None = None,
        max_time: float | None = None,
        max_gradient_norm: float | None = None,
        scale_inputs: str = "standard",
        class_weight: Any = None,
        dtype: Any = "float64",
        n_layers: int | None = None,
        width: int | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        """Keep the parameters; they are checked in `fit`."""
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_activation = output_activation
        self.loss = loss
        self.solver = solver
        self.alpha = alpha
        self.l1 = l1
        self.dropout = dropout
        self.initialization = initialization
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.gradient_tol = gradient_tol
        self.goal = goal
        self.max_time = max_time
        self.max_gradient_norm = max_gradient_norm
        self.scale_inputs = scale_inputs
        self.class_weight = class_weight
        self.dtype = dtype
        self.n_layers = n_layers
        self.width = width
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> FeedForwardClassifier:
        """Train the network.

        Parameters
        ----------
        X : table of numbers, N × S_0
            Of any real type and memory order; read-only and memory maps too.
        y : N labels, or an N × K table of 0 and 1
            Classes, or several labels at once.
        sample_weight : N numbers >= 0, optional
        X_val, y_val, sample_weight_val : as X, y, sample_weight, optional
            Validation data, followed in the history and watched by `early_stopping`.

        Returns
        -------
        self

        Raises
        ------
        LaminaError, ValueError, TypeError
            If data or parameters are wrong; the message says which and what to do.
        """
        validation = Validation(X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation, partial=False)  # type: ignore[no-any-return]

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> FeedForwardClassifier:
        """Train for one epoch on this part of the data.

        Scaling is learned from the first part, and stays.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`
        classes : labels, optional
            All classes there will be; needed in the first call unless y has them all.
        """
        if self.early_stopping:
            message = "partial_fit sees one part at a time and cannot watch any: early_stopping=False"
            raise InvalidValueError(message)
        if classes is not None:
            classes = np.unique(classes)
            if hasattr(self, "network_") and not np.array_equal(classes, self.classes_):
                message = f"classes were {self.classes_} in the first call and are {classes} now"
                raise InvalidValueError(message)
        self._announced = classes
        try:
            return self._fit(X, y, sample_weight, Validation(), partial=True)  # type: ignore[no-any-return]
        finally:
            del self._announced

    def predict(self, X: Any) -> Array:
        """Return the class, or the table of labels, of each row of X."""
        outputs = self._outputs(X)
        low, high = self._coding()
        if self._multilabel:
            return (outputs > 0.5 * (low + high)).astype(int)
        if self.network_.S[-1] == 1:
            codes = (outputs[:, 0] > 0.5 * (low + high)).astype(int)
            return self.classes_[np.minimum(codes, len(self.classes_) - 1)]  # type: ignore[no-any-return]
        return self.classes_[outputs.argmax(axis=1)]  # type: ignore[no-any-return]

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, N × n_classes; each label's own if several."""
        outputs = self._outputs(X)
        if self.network_.recipe.activation(self.network_.L) == get_activation("log_softmax"):
            outputs = np.exp(outputs)
        if self._multilabel:
            return outputs
        if self.network_.S[-1] == 1:
            both = np.column_stack([1.0 - outputs[:, 0], outputs[:, 0]])
            return both[:, : len(self.classes_)]
        return outputs / outputs.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`; -inf where a probability is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(lambda self: not _gives(self, _has_probabilities))
    def decision_function(self, X: Any) -> Array:
        """Return the outputs, N × n_classes, or N numbers for two classes (above the middle: the second)."""
        outputs = self._outputs(X)
        low, high = self._coding()
        return outputs[:, 0] - 0.5 * (low + high) if outputs.shape[1] == 1 else outputs

    def input_gradient(self, X: Any) -> Array:
        """Return the slope of every output in every input, N × S_L × S_0, in units of the inputs.

        For two classes with one output, N × S_0: the slope of the second class.
        """
        jacobian = self._input_jacobian(X)
        return jacobian[:, 0] if jacobian.shape[1] == 1 else jacobian

    # What the machinery asks ----------------------------------------------------------

    @property
    def _multilabel(self) -> bool:
        """Whether y is a table of labels."""
        return bool(self._is_multilabel)

    def _check_y(self, y: Any) -> Array:
        check_classification_targets(y)
        if type_of_target(y).startswith("multilabel"):
            return np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        y = np.asarray(y)
        if y.ndim > 1 and y.shape[1] > 1:
            message = "y has several columns that are no labels of 0 and 1; fit one model for each"
            raise InvalidValueError(message)
        return np.asarray(column_or_1d(y, warn=True))

    def _learn_target(self, y: Array, weights: Array | None) -> None:
        announced = getattr(self, "_announced", None)
        self._is_multilabel = y.ndim == 2
        if self._is_multilabel:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y) if announced is None else announced

    def _target(self, y: Array) -> Target:
        error, dtype = self._error(), np.dtype(self.dtype)
        low, high = self._coding(error)
        if self._multilabel:
            if y.ndim != 2 or y.shape[1] != len(self.classes_):
                message = f"y must be a table of {len(self.classes_)} labels, got {y.shape}"
                raise InvalidValueError(message)
            labels = np.where(y > 0, high, low) if low != 0.0 else y
            return Target(Columns(labels, None, dtype), y.shape[1], error)
        if y.ndim != 1:
            message = f"y must be one class for each row, as before; got {y.shape}"
            raise InvalidValueError(message)
        codes = self._codes(y)
        one = len(self.classes_) <= 2 and error.output_activation != "softmax"
        n_outputs = 1 if one and self.output_activation != "softmax" else len(self.classes_)
        return Target(OneHot(codes, n_outputs, dtype, low, high), n_outputs, error)

    def _codes(self, y: Array) -> Array:
        """Return the number of each label's class."""
        codes = np.searchsorted(self.classes_, y)
        codes = np.minimum(codes, len(self.classes_) - 1)
        unseen = self.classes_[codes] != y
        if np.any(unseen):
            message = (
                f"y holds the label {y[unseen][0]!r}, which is none of the classes "
                f"{list(self.classes_)}; give partial_fit all classes in its first call"
            )
            raise InvalidValueError(message)
        return codes

    def _error(self) -> Error:
        """Return the error, chosen by the kind of y for "auto"."""
        if isinstance(self.loss, str) and self.loss == "auto":
            many = not self._multilabel and len(self.classes_) > 2
            wants_softmax = isinstance(self.output_activation, str) and "softmax" in str(
                self.output_activation
            )
            return get_error("cross_entropy" if many or wants_softmax else "binary_cross_entropy")
        error = get_error(self.loss)
        if error.outputs_per_target != 1:
            message = f"{error!r} predicts numbers, not classes; choose another loss"
            raise InvalidValueError(message)
        return error

    def _coding(self, error: Error | None = None) -> tuple[float, float]:
        """Return what stands for "no" and "yes" in T."""
        error = self.network_.recipe.error if error is None else error
        return (-1.0, 1.0) if error.targets == "sign" else (0.0, 1.0)

    def _strata(self, y: Array) -> Array | None:
        return y if y.ndim == 1 else None

    def _weights(self, sample_weight: Any, X: Array, y: Array) -> Array | None:
        weights = super()._weights(sample_weight, X, y)
        if self.class_weight is None:
            return weights
        balanced = np.asarray(compute_sample_weight(self.class_weight, y))
        weights = balanced if weights is None else weights * balanced
        if not np.any(weights > 0):
            message = "sample_weight and class_weight leave no row with a positive weight"
            raise InvalidValueError(message)
        return weights

    def _metrics(self) -> Mapping[str, Metric]:
        return {"accuracy": self._accuracy}

    def _accuracy(self, T: Array, A: Array) -> float:
        """Return the share of data points whose labels are all right; T and A are S_L × n."""
        if len(A) == 1 or self._multilabel:
            middle = 0.5 * sum(self._coding())
            return float(np.mean(np.all((middle < A) == (middle < T), axis=0)))
        return float(np.mean(A.argmax(axis=0) == T.argmax(axis=0)))

    def __sklearn_tags__(self) -> Any:
        """Say that several labels can be learned at once."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _gives(estimator: Any, check: Any) -> bool:
    """Return whether a check that may raise AttributeError holds."""
    try:
        return bool(check(estimator))
    except AttributeError:
        return False
