"""Estimators as documents of the model file, and `load` for everything that was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.data.scaling import Scaling
from lamina.estimators.base import FeedForward
from lamina.estimators.classifier import FeedForwardClassifier
from lamina.estimators.regressor import FeedForwardRegressor
from lamina.exceptions import InvalidTypeError, ModelFileError
from lamina.interchange.container import Document, read, write
from lamina.interchange.native import describe_network, make_network, plain, understand
from lamina.network.activations import ACTIVATIONS, Activation
from lamina.network.errors import ERRORS, Error
from lamina.training.schedules import SCHEDULES, Schedule
from lamina.training.solvers import SOLVERS, Solver
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    import numpy.typing as npt

    from lamina.network.network import Network
    from lamina.registry import Registry

    Array = npt.NDArray[Any]

KINDS: dict[str, type[FeedForward]] = {
    "FeedForwardClassifier": FeedForwardClassifier,
    "FeedForwardRegressor": FeedForwardRegressor,
}
RECORDS: dict[str, tuple[type, Registry[Any]]] = {
    "activation": (Activation, ACTIVATIONS),
    "error": (Error, ERRORS),
    "solver": (Solver, SOLVERS),
    "schedule": (Schedule, SCHEDULES),
}
FLAGS = ("stop_reason_", "target_name_", "_flat", "_is_multilabel")
"""Learned attributes that are text or yes and no."""
SCALINGS = ("input_scaling_", "target_scaling_")


def load(path: str | PathLike[str]) -> Network | FeedForward:
    """Return what a model file holds: a network or a fitted estimator.

    Nothing in the file is executed and no other file is opened. Activations and errors of
    your own must be registered under their names before.

    Raises
    ------
    ModelFileError
        If the file is damaged, forged, of a newer format, or names what is not registered.
    FileNotFoundError, PermissionError
        If it cannot be opened.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.lamina")
    ...     lamina.Network([2, 3, 1], ["tanh", "identity"]).save(path)
    ...     load(path).S
    [2, 3, 1]
    """
    document = read(path)
    if document.kind == "network":
        theta = understand("θ", lambda: document.tensors["theta"])
        described = understand("its network", lambda: document.metadata["network"])
        return make_network(described, theta)
    if document.kind not in KINDS:
        known = ", ".join(["network", *KINDS])
        message = f"the model file holds a {document.kind!r}; this version knows: {known}"
        raise ModelFileError(message)
    estimator = understand("the estimator", lambda: _make_estimator(document))
    assert isinstance(estimator, FeedForward)  # noqa: S101 - the table KINDS says so
    return estimator


def save_estimator(
    estimator: FeedForward, path: str | PathLike[str], *, overwrite: bool, training_state: bool
) -> None:
    """Write a fitted estimator to a model file; arguments as for `FeedForward.save`."""
    tensors = {"theta": estimator.network_.theta}
    metadata: dict[str, Any] = {
        "lamina": lamina.__version__,
        "network": describe_network(estimator.network_),
        "n_features_in": estimator.n_features_in_,
        "solver": estimator.state_.solver if training_state else "",
        "flags": {name: getattr(estimator, name) for name in FLAGS if hasattr(estimator, name)},
    }
    for name in SCALINGS:
        if hasattr(estimator, name):
            tensors[f"{name}.center"] = getattr(estimator, name).center
            tensors[f"{name}.scale"] = getattr(estimator, name).scale
    for name in ("classes_", "feature_names_in_"):
        if hasattr(estimator, name):
            metadata[name] = _encode_labels(name, getattr(estimator, name), tensors)
    seed, parameters = estimator.state_.seed, estimator.get_params(deep=False)
    metadata["parameters"] = {n: _encode(n, v, tensors, seed) for n, v in parameters.items()}
    kept = _kept(estimator.state_.to_arrays(), everything=training_state)
    tensors |= {f"state.{name}": array for name, array in kept.items()}
    document = Document(type(estimator).__name__, metadata, tensors)
    write(path, document, overwrite=overwrite)


def _kept(arrays: Mapping[str, Array], *, everything: bool) -> dict[str, Array]:
    """Return the arrays of the training state to store: all, or all but the large ones."""
    large = ("theta", "best_theta", "memory.")
    return {n: a for n, a in arrays.items() if everything or not n.startswith(large)}


def _make_estimator(document: Document) -> FeedForward:
    """Return the estimator of a document; whatever is wrong raises."""
    metadata, tensors = document.metadata, document.tensors
    parameters = {n: _decode(n, v, tensors) for n, v in metadata["parameters"].items()}
    estimator = KINDS[document.kind](**parameters)
    estimator.network_ = make_network(metadata["network"], tensors["theta"])
    estimator.n_features_in_ = metadata["n_features_in"]
    if estimator.n_features_in_ != estimator.network_.S[0]:
        message = f"{estimator.n_features_in_} features for {estimator.network_.S[0]} inputs"
        raise ValueError(message)
    for name, value in metadata["flags"].items():
        if name in FLAGS:
            setattr(estimator, name, value)
    for name in SCALINGS:
        if f"{name}.center" in tensors:
            scaling = Scaling(tensors[f"{name}.center"], tensors[f"{name}.scale"])
            setattr(estimator, name, _checked(name, scaling, estimator.network_))
    for name in ("classes_", "feature_names_in_"):
        if name in metadata:
            setattr(estimator, name, _decode_labels(metadata[name], tensors))
    arrays = {n[6:]: array for n, array in tensors.items() if n.startswith("state.")}
    arrays.setdefault("theta", estimator.network_.theta.copy())
    estimator.state_ = TrainingState.from_arrays(arrays, metadata["solver"])
    if estimator.state_.theta.shape != estimator.network_.theta.shape:
        message = "the training state belongs to another network"
        raise ValueError(message)
    return estimator


def _checked(name: str, scaling: Scaling, network: Network) -> Scaling:
    """Return the scaling if it fits the network."""
    size = network.S[0]
    if name == "target_scaling_":
        size = network.S[-1] // network.recipe.error.outputs_per_target
    for part in (scaling.center, scaling.scale):
        if part.shape != (size,) or part.dtype != float or not np.all(np.isfinite(part)):
            message = f"{name} must be {size} finite numbers"
            raise ValueError(message)
    return scaling


def _encode_labels(name: str, labels: Array, tensors: dict[str, Array]) -> Any:
    """Return labels in JSON's terms: strings as such, numbers as the name of a tensor."""
    if labels.dtype.kind in "biuf":
        tensors[name] = labels
        return {"tensor": name}
    if all(isinstance(label, str) for label in labels):
        return {"text": [str(label) for label in labels], "kind": labels.dtype.kind}
    message = f"{name} are of {labels.dtype} and cannot be stored; use numbers or strings"
    raise InvalidTypeError(message)


def _decode_labels(stored: Mapping[str, Any], tensors: Mapping[str, Array]) -> Array:
    """Return the labels that `_encode_labels` stored."""
    if "tensor" in stored:
        return tensors[stored["tensor"]]
    return np.asarray(stored["text"], dtype=object if stored["kind"] == "O" else str)


def _encode(name: str, value: Any, tensors: dict[str, Array], seed: int) -> Any:
    """Return a parameter in JSON's terms; what JSON has no word for is an object with one key."""
    if isinstance(value, (list, tuple)):
        items = [_encode(f"{name}.{i}", item, tensors, seed) for i, item in enumerate(value)]
        return {type(value).__name__: items}
    if isinstance(value, dict):
        return {"dict": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray) and value.ndim:
        tensors[f"parameters.{name}"] = value
        return {"tensor": f"parameters.{name}"}
    return _encode_one(name, value, seed)


def _encode_one(name: str, value: Any, seed: int) -> Any:
    """Return a parameter that is no collection in JSON's terms."""
    for kind, (base, registry) in RECORDS.items():
        if isinstance(value, base):
            return {"record": kind, **plain(registry.spell(value))}
    if isinstance(value, float) and not np.isfinite(value):
        return {"float": repr(float(value))}
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return seed
    value = np.dtype(value).name if name == "dtype" else plain(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    message = (
        f"the parameter {name}={value!r} cannot be stored; a model file holds numbers, names and "
        "records. Set it to one of these before saving"
    )
    raise InvalidTypeError(message)


def _decode(name: str, stored: Any, tensors: Mapping[str, Array]) -> Any:
    """Return the parameter that `_encode` stored."""
    if not isinstance(stored, dict):
        return stored
    if "record" in stored:
        registry = RECORDS[stored["record"]][1]
        fields = {n: v for n, v in stored.items() if n not in {"record", "name"}}
        lists = {n: tuple(v) if isinstance(v, list) else v for n, v in fields.items()}
        return registry.make(stored["name"], lists)
    ((word, value),) = stored.items()
    makers: dict[str, Callable[[], Any]] = {
        "tensor": lambda: tensors[value],
        "tuple": lambda: tuple(_decode(name, item, tensors) for item in value),
        "list": lambda: [_decode(name, item, tensors) for item in value],
        "dict": lambda: dict(value),
        "float": lambda: float(value),
    }
    return makers[word]()
