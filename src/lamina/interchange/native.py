"""A network as a document of the model file, and back."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.certification.certificate import Certificate, Comparison
from lamina.exceptions import InvalidValueError, LaminaError, ModelFileError
from lamina.interchange.container import Document, write
from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS
from lamina.network.network import Network
from lamina.network.penalties import Penalty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    import numpy.typing as npt

    Array = npt.NDArray[Any]


def save_network(network: Network, path: str | PathLike[str], *, overwrite: bool) -> None:
    """Write a network to a model file of kind "network".

    Raises
    ------
    ModelExistsError
        If the file exists and `overwrite` is false.
    InvalidValueError
        If θ is not finite: no file holds what `lamina.load` refuses.
    UnknownNameError
        If an activation or the error is not registered, so that no file could name it.
    """
    write(path, network_document(network), overwrite=overwrite)


def network_document(network: Network) -> Document:
    """Return what a model file holds of a network, θ not copied; raises as `save_network`."""
    if not np.all(np.isfinite(network.theta)):
        message = "θ holds infinity or NaN, so it is no network to keep; train it again first"
        raise InvalidValueError(message)
    metadata = {"network": describe_network(network), "lamina": lamina.__version__}
    return Document("network", metadata, {"theta": network.theta})


def describe_network(network: Network) -> dict[str, Any]:
    """Return the recipe and the certificate in JSON values; θ is stored apart."""
    layers = [
        {
            "units": layer.units,
            "activation": exact(ACTIVATIONS.spell(layer.activation)),
            "penalty": [layer.penalty.l1, layer.penalty.l2, layer.penalty.biases],
        }
        for layer in network.recipe.layers
    ]
    certificate = None if network.certificate is None else exact(asdict(network.certificate))
    return {
        "inputs": network.S[0],
        "layers": layers,
        "error": exact(ERRORS.spell(network.recipe.error)),
        "certificate": certificate,
    }


def make_network(described: Mapping[str, Any], theta: Array) -> Network:
    """Return the network of a description and its θ.

    Raises
    ------
    ModelFileError
        If the description and θ make no network, or name an activation or error that is not
        registered here.
    """
    network: Network = understand("its network", lambda: _make_network(described, theta))
    return network


def _make_network(described: Mapping[str, Any], theta: Array) -> Network:
    """Return the network; whatever is wrong raises."""
    if theta.dtype.kind == "f" and not np.all(np.isfinite(theta)):
        message = "θ must be finite"
        raise ValueError(message)
    layers = described["layers"]
    network = Network(
        [described["inputs"], *(layer["units"] for layer in layers)],
        [_record(ACTIVATIONS, layer["activation"]) for layer in layers],
        error=_record(ERRORS, described["error"]),
        penalties=[_penalty(*layer["penalty"]) for layer in layers],
        dtype=theta.dtype,
        initialization=theta,
    )
    if described["certificate"] is not None:
        network.certificate = _make_certificate(described["certificate"], network.L)
    return network


def _make_certificate(described: Mapping[str, Any], L: int) -> Certificate:
    """Return the certificate of a network with L layers; whatever is wrong raises."""
    fields = dict(described)
    gaps = [restored(gap) for gap in fields.pop("differences")]
    second = [_make_comparison(**comparison) for comparison in fields.pop("second")]
    certificate = Certificate(differences=tuple(gaps), second=tuple(second), **fields)
    numbers = [value for name, value in fields.items() if name != "method"]
    words = isinstance(certificate.method, str)
    if not words or len(gaps) != L + 1 or not all(type(n) in {int, float} for n in numbers + gaps):
        message = f"a certificate has a method, {L + 1} differences and other numbers"
        raise ValueError(message)
    return certificate


def _make_comparison(name: str, difference: Any, tolerance: float) -> Comparison:
    """Return an entry of a certificate."""
    number = difference if isinstance(difference, float) else restored(difference)
    if not (isinstance(name, str) and type(number) is type(tolerance) is float):
        message = (
            f"a comparison has a name and two numbers, got {name!r}, {number!r}, {tolerance!r}"
        )
        raise TypeError(message)
    return Comparison(name, number, tolerance)


def _penalty(l1: float, l2: float, biases: bool) -> Penalty:  # noqa: FBT001 - as in the file
    """Return a penalty; the flag must be one."""
    if not isinstance(biases, bool):
        message = f"a penalty needs true or false for biases, got {biases!r}"
        raise TypeError(message)
    return Penalty(l1, l2, biases)


def _record(registry: Any, spelled: Mapping[str, Any]) -> Any:
    """Return the record that was spelled."""
    parameters = {name: restored(value) for name, value in spelled.items() if name != "name"}
    return registry.make(spelled["name"], parameters)


def understand(what: str, make: Callable[[], Any]) -> Any:
    """Return what `make` makes of a document's values, or say that they make no sense.

    Raises
    ------
    ModelFileError
        If a value is missing, or has a wrong type, size or name.
    """
    try:
        return make()
    except ModelFileError:
        raise
    except LaminaError as problem:
        message = f"the model file cannot be used: {what} is not valid here: {problem}"
        raise ModelFileError(message) from problem
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        message = (
            f"the model file cannot be used: {what} is not described as Lamina does it "
            f"({type(problem).__name__}: {problem}); do not trust it, or save it again"
        )
        raise ModelFileError(message) from problem


def plain(value: Any, nonfinite: Callable[[float], Any] = lambda _: None) -> Any:
    """Return a value in JSON's terms: tuples as lists, NumPy numbers as Python's, NaN as None."""
    if isinstance(value, dict):
        return {str(key): plain(item, nonfinite) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, nonfinite) for item in value]
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return plain(value.item(), nonfinite)
    if isinstance(value, float) and not isfinite(value):
        return nonfinite(value)
    return value


def exact(value: Any) -> Any:
    """Return a value as `plain` does, but infinity and NaN as `{"float": "inf"}`."""
    return plain(value, lambda number: {"float": repr(number)})


def restored(value: Any) -> Any:
    """Return the number, text or tuple that `exact` put in JSON's terms."""
    if isinstance(value, list):
        return tuple(restored(item) for item in value)
    if isinstance(value, dict):
        return float(value["float"])
    return value
