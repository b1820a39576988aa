"""Classes and labels as targets of a network, and outputs as classes and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from lamina.data.columns import Columns, OneHot
from lamina.exceptions import InvalidValueError
from lamina.network.errors import Error, get_error

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Source

    Array = npt.NDArray[Any]


PROBABILISTIC = ("softmax", "logistic", "log_softmax")
"""Output activations that make probabilities."""
SUITING = {
    "softmax": "cross_entropy",
    "logistic": "binary_cross_entropy",
    "log_softmax": "negative_log_likelihood",
}
"""The loss that "auto" means where one of them is asked for."""


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
        return OneHot(self._codes(y), self.n_outputs, dtype, low, high)

    def _codes(self, y: Array) -> Array:
        """Return the number of each label's class."""
        codes = np.minimum(np.searchsorted(self.classes, y), len(self.classes) - 1)
        unseen = self.classes[codes] != y
        if np.any(unseen):
            message = (
                f"y holds the label {y[unseen][0]!r}, which is none of the classes "
                f"{self.classes.tolist()}; give partial_fit all classes in its first call"
            )
            raise InvalidValueError(message)
        return codes

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
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))

    def accuracy(self, T: Array, A: Array) -> float:
        """Return the share of data points whose labels are all right; T and A are S_L × n."""
        if self.multilabel or self.n_outputs == 1:
            return float(np.mean(np.all((self.middle < A) == (self.middle < T), axis=0)))
        return float(np.mean(A.argmax(axis=0) == T.argmax(axis=0)))


def check_labels(y: Any) -> Array:
    """Return y as N classes, or as an N × K table of labels.

    Raises
    ------
    InvalidValueError, ValueError
        If y is continuous, or several classes at once.
    """
    check_classification_targets(y)
    if type_of_target(y).startswith("multilabel"):
        return np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[1] > 1:
        message = "y has several columns that are no labels of 0 and 1; fit one model for each"
        raise InvalidValueError(message)
    return np.asarray(column_or_1d(y, warn=True))


def choose_labels(classes: Array, *, multilabel: bool, loss: Any, output: Any) -> Labels:
    """Return how these classes are learned, with the loss and output activation asked for.

    Raises
    ------
    InvalidValueError
        If the loss predicts numbers.
    """
    if isinstance(loss, str) and loss == "auto":
        many = len(classes) > 2 and not multilabel
        usual = "cross_entropy" if many else "binary_cross_entropy"
        loss = SUITING.get(output if isinstance(output, str) else "", usual)
    error = get_error(loss)
    if error.outputs_per_target != 1:
        message = f"{error!r} predicts numbers, not classes; choose another loss"
        raise InvalidValueError(message)
    activation = error.output_activation if isinstance(output, str) and output == "auto" else output
    softmax = isinstance(activation, str) and "softmax" in activation
    single = len(classes) <= 2 and not multilabel and not softmax
    return Labels(classes, multilabel, error, 1 if single else len(classes))
