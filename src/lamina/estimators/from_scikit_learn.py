"""scikit-learn's multilayer perceptrons as estimators of Lamina, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from lamina.data.scaling import Scaling
from lamina.estimators.classifier import FeedForwardClassifier
from lamina.estimators.exporting import describe_model
from lamina.estimators.regressor import FeedForwardRegressor
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.interchange.exports.folding import folded
from lamina.network.network import Network
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.estimators.base import FeedForward
    from lamina.interchange.exports.portable import Layer

    Array = npt.NDArray[Any]

HIDDEN = ("identity", "logistic", "tanh", "relu")
"""The activations that scikit-learn's MLP has too, all of the same name."""
LOSSES = {
    "softmax": "cross_entropy",
    "logistic": "binary_cross_entropy",
    "identity": "squared",
    "exp": "poisson",
}
"""The loss of each output activation of theirs."""
OUTPUTS = {"exp": "exponential"}
"""Their names of output activations where ours differ."""


def from_sklearn(mlp: MLPClassifier | MLPRegressor) -> FeedForward:
    """Return a fitted estimator that predicts as a fitted MLP of scikit-learn does.

    What the MLP remembers of its training is not carried over: `warm_start` and `partial_fit`
    begin with fresh moments.

    Parameters
    ----------
    mlp : MLPClassifier or MLPRegressor, fitted

    Raises
    ------
    InvalidTypeError
        If it is neither.
    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> X = np.linspace(-1.0, 1.0, 20)[:, np.newaxis]
    >>> y = X[:, 0] ** 2
    >>> mlp = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit(X, y)
    >>> bool(np.allclose(from_sklearn(mlp).predict(X), mlp.predict(X)))
    True
    """
    if not isinstance(mlp, (MLPClassifier, MLPRegressor)):
        message = f"expected an MLPClassifier or MLPRegressor, got a {type(mlp).__name__}"
        raise InvalidTypeError(message)
    check_is_fitted(mlp, "coefs_")
    theirs = mlp.out_activation_
    output, loss = OUTPUTS.get(theirs, theirs), LOSSES[theirs]
    hidden = tuple(len(b) for b in mlp.intercepts_[:-1])
    dtype = mlp.coefs_[0].dtype.name
    parameters: dict[str, Any] = {
        "activation": mlp.activation,
        "output_activation": output,
        "loss": loss,
        "scale_inputs": "none",
        "dtype": dtype,
        "alpha": mlp.alpha,
        "random_state": mlp.random_state,
        "warm_start": mlp.warm_start,
    }
    made: FeedForward
    if is_classifier(mlp):
        made = FeedForwardClassifier(hidden, **parameters)
    else:
        made = FeedForwardRegressor(hidden, scale_targets="none", **parameters)
    sizes = [mlp.n_features_in_, *hidden, mlp.n_outputs_]
    theta = np.concatenate(
        [np.r_[W.ravel(), b] for W, b in zip(mlp.coefs_, mlp.intercepts_, strict=True)]
    )
    made.network_ = Network(
        sizes,
        [*[mlp.activation] * len(hidden), output],
        error=loss,
        dtype=dtype,
        initialization=theta,
    )
    _learned(made, mlp)
    return made


def _learned(estimator: FeedForward, mlp: Any) -> None:
    """Give an estimator with a network what it would have learned of X and y."""
    theta = estimator.network_.theta.copy()
    estimator.state_ = TrainingState(theta, 0, epoch=int(mlp.n_iter_))
    estimator.stop_reason_, estimator.solver_ = "max_iter", ""
    estimator.solver_choice_ = "trained by scikit-learn"
    estimator._found = {}  # noqa: SLF001 - ours
    estimator._scaled_by = estimator._scaling_methods()  # noqa: SLF001 - ours
    estimator.encoding_, estimator.error_bars_ = None, None
    estimator.input_scaling_ = Scaling.identity(mlp.n_features_in_)
    estimator.n_features_in_ = mlp.n_features_in_
    if hasattr(mlp, "feature_names_in_"):
        estimator.feature_names_in_ = mlp.feature_names_in_
    if is_classifier(mlp):
        estimator.classes_ = np.asarray(mlp.classes_)
        estimator._is_multilabel = mlp._label_binarizer.y_type_.startswith("multilabel")  # noqa: SLF001 - theirs says so nowhere else
    else:
        estimator._flat, estimator._has_gaps = mlp.n_outputs_ == 1, False  # noqa: SLF001 - ours
        estimator.target_transform_ = None
        estimator.target_scaling_ = Scaling.identity(mlp.n_outputs_)


def to_sklearn(estimator: Any) -> MLPClassifier | MLPRegressor:
    """Return a fitted MLP of scikit-learn that predicts as a fitted estimator of ours does.

    Scalings are folded into its weights.

    Parameters
    ----------
    estimator : FeedForwardClassifier or FeedForwardRegressor, fitted

    Raises
    ------
    InvalidTypeError
        If it is neither.
    InvalidValueError
        If an MLP cannot have such layers or inputs.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, (FeedForwardClassifier, FeedForwardRegressor)):
        message = f"expected an estimator of Lamina, got a {type(estimator).__name__}"
        raise InvalidTypeError(message)
    described = describe_model(estimator)
    layers = folded(described)
    hidden = _check_layers(estimator, layers)
    made = MLPClassifier if is_classifier(estimator) else MLPRegressor
    mlp = made(
        tuple(len(layer.b) for layer in layers[:-1]),
        activation=hidden,
        random_state=estimator.random_state if isinstance(estimator.random_state, int) else None,
    )
    mlp.coefs_ = [np.ascontiguousarray(layer.W.T) for layer in layers]
    mlp.intercepts_ = [layer.b for layer in layers]
    mlp.n_layers_, mlp.n_outputs_ = len(layers) + 1, len(layers[-1].b)
    mlp.out_activation_ = {"exponential": "exp"}.get(layers[-1].activation, layers[-1].activation)
    mlp.n_features_in_, mlp.n_iter_ = estimator.n_features_in_, estimator.n_iter_
    mlp.t_, mlp.loss_, mlp.loss_curve_ = 0, estimator.loss_, list(estimator.loss_curve_)
    if hasattr(estimator, "feature_names_in_"):
        mlp.feature_names_in_ = estimator.feature_names_in_
    if is_classifier(estimator):
        known = np.eye(len(estimator.classes_), dtype=int)
        several = described.head.several
        mlp._label_binarizer = LabelBinarizer().fit(known if several else estimator.classes_)  # noqa: SLF001 - what their predict needs
        mlp.classes_ = mlp._label_binarizer.classes_  # noqa: SLF001 - as above
    return mlp


def _check_layers(estimator: Any, layers: tuple[Layer, ...]) -> str:
    """Return the activation of all hidden layers.

    Raises
    ------
    InvalidValueError
        If they differ, or an activation is none of scikit-learn's, or the output another than
        theirs.
    """
    hidden = {layer.activation for layer in layers[:-1]} or {"identity"}
    output, several = layers[-1].activation, len(layers[-1].blocks) > 1
    allowed: tuple[str, ...] = ("identity", "exponential")
    if is_classifier(estimator):
        multilabel = getattr(estimator, "_is_multilabel", False)
        single = len(layers[-1].b) == 1
        allowed = ("logistic",) if multilabel or single else ("softmax",)
    if len(hidden) > 1 or not hidden <= set(HIDDEN):
        message = (
            f"scikit-learn's MLP has one activation in all hidden layers, of {', '.join(HIDDEN)}; "
            f"this network has {', '.join(sorted(hidden))}"
        )
        raise InvalidValueError(message)
    if output not in allowed or several:
        message = f"scikit-learn's MLP has outputs of {allowed[0]} here, and this network {output}"
        raise InvalidValueError(message)
    return hidden.pop()
