"""What an estimator learned of its columns, in the terms of the model file, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.data.encoding import Encoding
from lamina.estimators.stored import decode_labels, encode_labels
from lamina.interchange.states import require_that

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.estimators.base import FeedForward

    Array = npt.NDArray[Any]


def encode_table(estimator: FeedForward, tensors: dict[str, Array]) -> dict[str, Any]:
    """Return the features of an estimator in JSON's terms: how many, their names and encoding.

    The scaling of the features is stored apart, whether there is an encoding or not.
    """
    encoding, names = estimator.encoding_, getattr(estimator, "feature_names_in_", None)
    return {
        "n_features_in": estimator.n_features_in_,
        "names": None if names is None else encode_labels("feature_names_in_", names, tensors),
        "encoding": None if encoding is None else encoding.to_document(),
    }


def decode_table(
    estimator: FeedForward, stored: Mapping[str, Any], tensors: Mapping[str, Array]
) -> None:
    """Give an estimator with a scaling its features; whatever does not fit raises."""
    n, S_0 = stored["n_features_in"], len(estimator.input_scaling_.center)
    require_that(type(n) is int and n > 0, "a number of features")
    known = None
    if stored["encoding"] is None:
        require_that(n == S_0, "as many features as inputs")
    else:
        encoding = Encoding.from_document(stored["encoding"], estimator.input_scaling_)
        require_that(len(encoding.columns) == n, "a column for each feature")
        estimator.encoding_, known = encoding, encoding.names
    estimator.n_features_in_ = n
    if stored["names"] is not None:
        names = decode_labels(stored["names"], tensors)
        require_that(len(names) == n, "a name for each feature")
        require_that(known is None or known == tuple(names), "the names of the columns")
        estimator.feature_names_in_ = names
