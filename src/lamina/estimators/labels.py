"""Classes and labels as targets of a network, and outputs as classes and labels."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from lamina.data.columns import Columns, OneHot
from lamina.exceptions import InvalidTypeError, InvalidValueError, UnknownNameError
from lamina.network.activations import ACTIVATIONS, Activation, get_activation
from lamina.network.error_kinds import DOMAINS, Error
from lamina.network.errors import get_error
from lamina.training.settings import require

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Source

    Array = npt.NDArray[Any]


PROBABILISTIC = ("softmax", "logistic", "log_softmax", "blocks")
"""Output activations that make probabilities."""
SUITING = {
    "softmax": "cross_entropy",
    "logistic": "binary_cross_entropy",
    "log_softmax": "negative_log_likelihood",
}
"""The loss that "auto" means where one of them is asked for."""


def has_probabilities(estimator: Any) -> bool:
    """Return whether the outputs are probabilities; before `fit` they may be."""
    return not hasattr(estimator, "network_") or estimator.out_activation_ in PROBABILISTIC


def has_none(estimator: Any) -> bool:
    """Return whether the outputs are no probabilities."""
    return not has_probabilities(estimator)


@dataclass(frozen=True, eq=False)
class Labels:
    """How classes, or several labels at once, stand in T and A_L.

    Attributes
    ----------
    classes : K labels, sorted
        Of a classification; 0..K-1 for K labels at once.
    multilabel : bool
        Whether each row has any number of the K labels.
    error : Error
        Decides between 0 and 1 or -1 and 1 in T.
    n_outputs : int
        S_L: 1 where a single output tells two classes apart, else K.
    """

    classes: Array
    multilabel: bool
    error: Error
    n_outputs: int

    @property
    def coding(self) -> tuple[float, float]:
        """What stands in T for "no" and for "yes"."""
        return (-1.0, 1.0) if self.error.targets == "sign" else (0.0, 1.0)

    @property
    def middle(self) -> float:
        """The output between "no" and "yes"."""
        return 0.5 * sum(self.coding)

    def encode(self, y: Array, dtype: npt.DTypeLike) -> Source:
        """Return y as T, S_L × N.

        Raises
        ------
        InvalidValueError
            If y has another form than before, or a label that is no class.
        """
        low, high = self.coding
        if self.multilabel != (y.ndim == 2) or (self.multilabel and y.shape[1] != self.n_outputs):
            form = f"a table of {self.n_outputs} labels" if self.multilabel else "one class a row"
            message = f"y must be {form}, as before; got an array of shape {y.shape}"
            raise InvalidValueError(message)
        if self.multilabel:
            return Columns(y if low == 0.0 else np.where(y > 0, high, low), None, dtype)
        return OneHot(find_codes(self.classes, y), self.n_outputs, dtype, low, high)

    def decode(self, outputs: Array) -> Array:
        """Return the class of each row of outputs, N × S_L, or its labels, N × K of 0 and 1."""
        if self.multilabel:
            return (outputs > self.middle).astype(int)
        if self.n_outputs == 1:
            codes = (outputs[:, 0] > self.middle).astype(int)
            return np.asarray(self.classes[np.minimum(codes, len(self.classes) - 1)])
        return np.asarray(self.classes[outputs.argmax(axis=1)])

    def probabilities(self, outputs: Array, activation: str) -> Array:
        """Return the probability of each class or label, N × K, from outputs, N × S_L."""
        if activation == "log_softmax":
            outputs = np.exp(outputs)
        if self.multilabel:
            return outputs
        if self.n_outputs == 1:
            both = np.column_stack([1.0 - outputs[:, 0], outputs[:, 0]])
            return both if len(self.classes) == 2 else np.ones_like(outputs)
        total = outputs.sum(axis=1, keepdims=True)  # 0 where every logistic output is
        equal = np.full_like(outputs, 1.0 / outputs.shape[1])
        return np.asarray(np.divide(outputs, total, out=equal, where=total > 0))

    def accuracy(self, T: Array, A: Array) -> float:
        """Return the share of data points whose labels are all right; T and A are S_L × n."""
        if self.multilabel or self.n_outputs == 1:
            return float(np.mean(np.all((self.middle < A) == (self.middle < T), axis=0)))
        return float(np.mean(A.argmax(axis=0) == T.argmax(axis=0)))


def find_codes(classes: Array, y: Array) -> Array:
    """Return the number of each label's class.

    Raises
    ------
    InvalidValueError
        If a label is no class.
    """
    try:
        codes = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        unseen = np.asarray(classes[codes] != y)
    except TypeError:  # text among numbers
        codes, unseen = np.zeros(len(y), dtype=int), ~np.isin(y, classes)
    if np.any(unseen):
        message = (
            f"y holds the label {y[unseen][:1].tolist()[0]!r}, which is none of the classes "
            f"{reprlib.repr(classes.tolist())}; fit a new estimator to all of them, or "
            "give partial_fit all classes in its first call"
        )
        raise InvalidValueError(message)
    return codes


def sort_classes(labels: Any) -> Array:
    """Return the different labels in order.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If they have no order, as numbers among text, or one is NaN.
    """
    try:
        classes = np.unique(labels)
    except TypeError as problem:
        kinds = ", ".join(sorted({type(label).__name__ for label in np.ravel(labels)}))
        message = f"labels must be all numbers or all text, got {kinds}; make them one kind"
        raise InvalidTypeError(message) from problem
    if classes.dtype.kind == "f" and not np.all(np.isfinite(classes)):
        message = f"labels must be finite, got {classes.tolist()}"
        raise InvalidValueError(message)
    return classes


def weigh_classes(class_weight: Any, y: Array) -> Array | None:
    """Return the weight of each row's class, or classes, or None where all are equal.

    Raises
    ------
    LaminaError, ValueError
        If `class_weight` is neither "balanced" nor a dict of numbers >= 0 (for several labels a
        list of dict), or lacks a class.
    """
    if class_weight is None:
        return None
    several = isinstance(class_weight, list)
    for weights in class_weight if several else [class_weight]:
        if several and not isinstance(weights, dict):
            message = f"class_weight for several labels is a list of dict, got {class_weight!r}"
            raise InvalidTypeError(message)
        for weight in weights.values() if isinstance(weights, dict) else ():
            require("class_weight", weight, least=0.0)
    return np.asarray(compute_sample_weight(class_weight, y))


def name_activation(activation: Any) -> str:
    """Return the name of an activation, or "" if it is not registered."""
    try:
        return str(ACTIVATIONS.spell(get_activation(activation))["name"])
    except UnknownNameError:
        if isinstance(activation, Activation):
            return ""
        raise


def choose_labels(classes: Array, *, multilabel: bool, loss: Any, output: Any) -> Labels:
    """Return how these classes are learned, with the loss and output activation asked for.

    Raises
    ------
    InvalidValueError
        If the loss, or the output activation, does not suit classes.
    """
    natural = isinstance(output, str) and output == "auto"
    name = "" if natural else name_activation(output)
    if isinstance(loss, str) and loss == "auto":
        many = len(classes) > 2 and not multilabel
        loss = SUITING.get(name, "cross_entropy" if many else "binary_cross_entropy")
    error = get_error(loss)
    if error.outputs_per_target != 1:
        message = f"{error!r} predicts numbers, not classes; choose another loss"
        raise InvalidValueError(message)
    softmax = "softmax" in (error.output_activation if natural else name)
    _refuse_unsuited(error, name, softmax=softmax, multilabel=multilabel)
    single = len(classes) <= 2 and not multilabel and not softmax
    return Labels(classes, multilabel, error, 1 if single else len(classes))


def _refuse_unsuited(error: Error, name: str, *, softmax: bool, multilabel: bool) -> None:
    """Refuse what could only learn nonsense."""
    words, suits = DOMAINS[error.targets]
    low, high = Labels(np.empty(0), multilabel, error, 1).coding
    if not np.all(suits(np.array([low, high]))):
        message = (
            f"{error!r} needs targets that are {words}, and classes stand as {low:g} and {high:g}; "
            "choose another loss"
        )
        raise InvalidValueError(message)
    if error.targets == "sign" and name in PROBABILISTIC:
        message = f"{error!r} needs outputs of both signs, and {name!r} has none; use 'identity'"
        raise InvalidValueError(message)
    if softmax and multilabel:
        message = (
            "softmax outputs choose one of the labels, and y has several in a row; use "
            "loss='binary_cross_entropy', or output_activation='logistic'"
        )
        raise InvalidValueError(message)
    if "softmax" in error.output_activation and not softmax and ACTIVATIONS.is_builtin(name):
        message = (
            f"{error!r} compares outputs that sum to 1, which {name!r} ones do not; use "
            f"output_activation='softmax', or another loss"
        )
        raise InvalidValueError(message)
