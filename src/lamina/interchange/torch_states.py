"""Networks as the state of a PyTorch `nn.Sequential`, and back; without PyTorch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError, ShapeError
from lamina.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lamina.interchange.exports.portable import Layer
    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error

    Array = npt.NDArray[Any]


def state_of(layers: Sequence[Layer], dtype: npt.DTypeLike) -> dict[str, Array]:
    """Return layers as the state of `nn.Sequential(Linear, activation, Linear, activation, ...)`.

    Each layer has two places, its `Linear` and its activation, so that the names are "0.weight",
    "0.bias", "2.weight" and so on.
    """
    state = {}
    for place, layer in enumerate(layers):
        state[f"{2 * place}.weight"] = layer.W.astype(dtype)
        state[f"{2 * place}.bias"] = layer.b.astype(dtype)
    return state


def from_torch(
    state: Mapping[str, Any],
    activations: Sequence[str | Activation],
    *,
    error: str | Error = "squared",
) -> Network:
    """Return the network of a stack of PyTorch's `Linear` layers.

    Parameters
    ----------
    state : mapping of names to arrays or tensors
        What `state_dict()` of an `nn.Sequential` returns; names end with a place and "weight" or
        "bias", such as "2.weight" or "model.2.weight", and a layer without bias has b = 0.
    activations : sequence of str or Activation
        One for each layer, or one for each hidden layer; PyTorch's state does not have them.
    error : str or Error, default "squared"

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError
        If these are not the weights of `Linear` layers that follow each other, or the activations
        are not as many.

    Examples
    --------
    >>> state = {"0.weight": np.ones((3, 2)), "0.bias": np.zeros(3), "2.weight": np.ones((1, 3))}
    >>> net = from_torch(state, ["relu"])
    >>> net.S, float(net([1.0, 2.0])[0])
    ([2, 3, 1], 9.0)
    """
    parts = _parts(state)
    sizes = [parts[0][0].shape[1]]
    for number, (W, b) in enumerate(parts):
        if W.shape[1] != sizes[-1] or b.shape != (len(W),):
            message = (
                f"layer {number + 1} has a weight of shape {W.shape} and a bias of {b.shape}; "
                f"expected (units, {sizes[-1]}) and (units,): layers must follow each other"
            )
            raise ShapeError(message)
        sizes.append(len(W))
    dtype = np.result_type(*(array.dtype for part in parts for array in part))
    dtype = (
        np.dtype("float32") if dtype.itemsize <= np.dtype("float32").itemsize else np.dtype(float)
    )
    theta = np.concatenate([np.concatenate([W.T.ravel(), b]) for W, b in parts])
    return Network(sizes, activations, error=error, dtype=dtype, initialization=theta)


def _parts(state: Mapping[str, Any]) -> list[tuple[Array, Array]]:
    """Return weights and biases of the layers, in the order of their places."""
    found: dict[tuple[str, int], dict[str, Array]] = {}
    for name, value in state.items():
        match = re.fullmatch(r"(.*?)(\d+)\.(weight|bias)", name)
        if match is None:
            message = f"{name!r} is no weight or bias of a place in a Sequential, as '0.weight' is"
            raise InvalidValueError(message)
        array = np.asarray(value)
        if array.dtype.kind != "f":
            message = f"{name!r} must hold real numbers, got {array.dtype}"
            raise InvalidTypeError(message)
        found.setdefault((match[1], int(match[2])), {})[match[3]] = array
    if len({prefix for prefix, _ in found}) > 1:
        message = f"the state is of several parts, {sorted(state)}; give that of one Sequential"
        raise InvalidValueError(message)
    parts = []
    for (prefix, place), arrays in sorted(found.items(), key=lambda item: item[0][1]):
        W = arrays.get("weight")
        if W is None or W.ndim != 2:
            message = (
                f"{prefix}{place} is no Linear layer, whose weight is a matrix; only stacks of "
                "Linear layers can be read"
            )
            raise InvalidValueError(message)
        parts.append((W, arrays.get("bias", np.zeros(len(W), dtype=W.dtype))))
    if not parts:
        raise InvalidValueError("the state is empty; give what state_dict() returns")
    return parts
