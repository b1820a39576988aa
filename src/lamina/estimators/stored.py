"""Parameters and labels in the terms of the model file, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError
from lamina.interchange.native import exact
from lamina.network.activations import ACTIVATIONS, Activation
from lamina.network.error_kinds import Error
from lamina.network.errors import ERRORS
from lamina.training.schedules import SCHEDULES, Schedule
from lamina.training.solvers import SOLVERS, Solver
from lamina.uncertainty.options import ERROR_BARS, ErrorBars

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from lamina.registry import Registry

    Array = npt.NDArray[Any]

RECORDS: dict[str, tuple[type, Registry[Any]]] = {
    "activation": (Activation, ACTIVATIONS),
    "error": (Error, ERRORS),
    "solver": (Solver, SOLVERS),
    "schedule": (Schedule, SCHEDULES),
    "error_bars": (ErrorBars, ERROR_BARS),
}


def encode_labels(name: str, labels: Array, tensors: dict[str, Array]) -> Any:
    """Return labels in JSON's terms: strings as such, numbers as the name of a tensor."""
    if labels.dtype.kind in "biuf":
        tensors[name] = labels
        return {"tensor": name}
    if all(isinstance(label, str) for label in labels):
        return {"text": [str(label) for label in labels], "kind": labels.dtype.kind}
    message = f"{name} are of {labels.dtype} and cannot be stored; use numbers or strings"
    raise InvalidTypeError(message)


def decode_labels(stored: Mapping[str, Any], tensors: Mapping[str, Array]) -> Array:
    """Return the labels that `encode_labels` stored, different ones in a row.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are no such labels.
    """
    if "tensor" in stored:
        labels = tensors[stored["tensor"]]
    elif all(isinstance(label, str) for label in stored["text"]):
        labels = np.asarray(stored["text"], dtype=object if stored["kind"] == "O" else str)
    else:
        message = "labels must be text"
        raise TypeError(message)
    if labels.ndim != 1 or len(np.unique(labels)) != len(labels) or not len(labels):
        message = "labels must be different and in one row"
        raise ValueError(message)
    return labels


def encode_classes(classes: Array | list[Array], tensors: dict[str, Array]) -> Any:
    """Return the classes of one target, or a list of those of several, in JSON's terms."""
    if isinstance(classes, list):
        return [encode_labels(f"classes_.{k}", c, tensors) for k, c in enumerate(classes)]
    return encode_labels("classes_", classes, tensors)


def decode_classes(stored: Any, tensors: Mapping[str, Array]) -> Array | list[Array]:
    """Return the classes that `encode_classes` stored; of each target different and in order.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are no such classes.
    """
    if not isinstance(stored, list):
        return decode_labels(stored, tensors)
    classes = [decode_labels(each, tensors) for each in stored]
    if not all(np.array_equal(np.unique(each), each) for each in classes):
        message = "the classes of each target must be in order"
        raise ValueError(message)
    return classes


def encode(name: str, value: Any, tensors: dict[str, Array], seed: int) -> Any:
    """Return a parameter in JSON's terms; what JSON has no word for is an object with one key.

    Raises
    ------
    InvalidTypeError, UnknownNameError
        If it is a function or another object that a file cannot name.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = [encode(f"{name}.{i}", item, tensors, seed) for i, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, dict):
        pairs = [[encode(name, part, tensors, seed) for part in pair] for pair in value.items()]
        return {"dict": pairs}
    if isinstance(value, np.ndarray) and value.ndim:
        tensors[f"parameters.{name}"] = value
        return {"tensor": f"parameters.{name}"}
    for kind, (base, registry) in RECORDS.items():
        if isinstance(value, base):
            spelled = registry.spell(value)
            record = spelled.pop("name")
            fields = {n: encode(f"{name}.{n}", v, tensors, seed) for n, v in spelled.items()}
            return {"record": [kind, record, fields]}
    return _encode_one(name, value, seed)


def _encode_one(name: str, value: Any, seed: int) -> Any:
    """Return a parameter that is no collection in JSON's terms."""
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return seed
    value = np.dtype(value).name if name == "dtype" else exact(value)
    if value is None or isinstance(value, (bool, int, float, str, dict)):
        return value
    message = (
        f"the parameter {name}={value!r} cannot be stored; a model file holds numbers, names and "
        "records. Set it to one of these before saving"
    )
    raise InvalidTypeError(message)


def decode(stored: Any, tensors: Mapping[str, Array]) -> Any:
    """Return the parameter that `encode` stored.

    Raises
    ------
    KeyError, TypeError, ValueError, LaminaError
        If it is no such parameter.
    """
    if not isinstance(stored, dict):
        return stored
    ((word, value),) = stored.items()
    makers: dict[str, Callable[[], Any]] = {
        "tensor": lambda: tensors[value],
        "tuple": lambda: tuple(decode(item, tensors) for item in value),
        "list": lambda: [decode(item, tensors) for item in value],
        "dict": lambda: {decode(k, tensors): decode(v, tensors) for k, v in value},
        "float": lambda: float(value),
        "record": lambda: _decode_record(value, tensors),
    }
    return makers[word]()


def _decode_record(stored: Any, tensors: Mapping[str, Array]) -> Any:
    """Return the activation, error, solver or schedule of a name."""
    kind, name, fields = stored
    return RECORDS[kind][1].make(name, {n: decode(v, tensors) for n, v in fields.items()})
