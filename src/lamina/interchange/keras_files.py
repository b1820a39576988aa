"""Stacks of Dense layers from Keras's model files, read by h5py; without Keras and TensorFlow."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError, MissingDependencyError, ModelFileError
from lamina.interchange.files import as_path, open_regular
from lamina.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import numpy.typing as npt

    from lamina.network.error_kinds import Error

    Array = npt.NDArray[Any]

SAME = (
    *("elu", "exponential", "gelu", "hard_sigmoid", "hard_tanh", "log_softmax", "mish", "relu"),
    *("relu6", "selu", "silu", "softmax", "softplus", "softsign", "tanh"),
)
"""Activations of the same name and formula."""
ACTIVATIONS = {
    "linear": "identity",
    "sigmoid": "logistic",
    "swish": "silu",
    "leaky_relu": "leaky_relu(0.2)",
    **{name: name for name in SAME},
}
"""Our activation for each name of theirs."""
SKIPPED = {"InputLayer", "Dropout", "GaussianDropout", "AlphaDropout", "GaussianNoise"}
"""Layers that change nothing once a network is trained."""


def from_keras(path: str | PathLike[str], *, error: str | Error = "squared") -> Network:
    """Return the network of a `.keras` file that holds a Sequential of Dense layers.

    Parameters
    ----------
    path : path
        What `model.save("model.keras")` of Keras 3 writes.
    error : str or Error, default "squared"

    Raises
    ------
    MissingDependencyError
        If h5py is not installed.
    ModelFileError
        If it is no such file.
    InvalidValueError
        If there are other layers than Dense, its activations, and those for training alone; or an
        activation that Lamina lacks.
    """
    try:
        import h5py
    except ImportError as problem:
        message = "Keras's files are read by h5py: pip install 'lamina[keras]'"
        raise MissingDependencyError(message) from problem
    advice = "give what model.save('model.keras') of Keras 3 writes"
    try:
        with open_regular(as_path(path)) as file, zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
            weights = io.BytesIO(archive.read("model.weights.h5"))
        kind, layers = config["class_name"], config["config"].get("layers", [])
        activations = _activations(kind, layers)
        with h5py.File(weights, "r") as content:
            parts = [_dense(content, number) for number in range(len(activations))]
        sizes = [parts[0][0].shape[0], *(W.shape[1] for W, _ in parts)]
        theta = np.concatenate([np.concatenate([W.ravel(), b]) for W, b in parts])
    except (zipfile.BadZipFile, KeyError, IndexError, TypeError, ValueError, OSError) as problem:
        if isinstance(problem, (InvalidValueError, FileNotFoundError, PermissionError)):
            raise
        raise ModelFileError(f"it is no model of Keras ({problem}); {advice}") from problem
    dtype = "float64" if theta.dtype == np.float64 else "float32"
    return Network(sizes, activations, error=error, dtype=dtype, initialization=theta.astype(dtype))


def _activations(kind: str, layers: list[Mapping[str, Any]]) -> list[str]:
    """Return our activation of each Dense layer.

    Raises
    ------
    InvalidValueError
        If the model is no Sequential, or a layer cannot be part of a network of ours.
    """
    if kind != "Sequential":
        raise InvalidValueError(f"only a Sequential of Dense layers can be read, got a {kind}")
    found: list[str] = []
    for layer in layers:
        name, options = layer["class_name"], layer["config"]
        if name in SKIPPED:
            continue
        if name == "Dense":
            found.append(_activation(options["activation"]))
            continue
        if name not in {"Activation", "LeakyReLU"} or not found or found[-1] != "identity":
            message = (
                f"the layer {options.get('name')!r} is a {name}; only Dense layers, each with one "
                "activation, can be read"
            )
            raise InvalidValueError(message)
        slope = options.get("negative_slope")
        found[-1] = (
            _activation(options["activation"]) if slope is None else f"leaky_relu({float(slope)!r})"
        )
    if not found:
        raise InvalidValueError("the model has no Dense layer")
    return found


def _activation(name: Any) -> str:
    """Return our activation for a name of theirs.

    Raises
    ------
    InvalidValueError
        If there is none, or they have a function of their own.
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise InvalidValueError(f"Lamina has no activation for Keras's {name!r}; it has {known}")
    return ACTIVATIONS[name]


def _dense(content: Any, number: int) -> tuple[Array, Array]:
    """Return the kernel, S_{l-1} × S_l, and the bias of the Dense layer of a number."""
    place = "dense" if number == 0 else f"dense_{number}"
    variables = content[f"layers/{place}/vars"]
    W = np.asarray(variables["0"])
    b = np.asarray(variables["1"]) if "1" in variables else np.zeros(W.shape[1], W.dtype)
    if W.ndim != 2 or b.shape != W.shape[1:] or W.dtype.kind != "f":
        message = f"weights of {W.shape} and {b.shape} in {W.dtype} are none of a Dense layer"
        raise ValueError(message)
    return W, b
