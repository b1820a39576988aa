"""What there is to say of each layer: its size, its weights, the names at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.network.network import Network


def layer_columns(network: Network) -> dict[str, list[Any]]:
    """Return number, units, activation, parameters and weight norms of the layers 1..L."""
    recipe = network.recipe
    return {
        "layer": list(range(1, recipe.L + 1)),
        "units": [layer.units for layer in recipe.layers],
        "activation": [ACTIVATIONS.text(layer.activation) for layer in recipe.layers],
        "parameters": [layer.size for layer in recipe.layers],
        "weight_norm": [float(np.linalg.norm(W)) for W in network.W[1:]],
        "bias_norm": [float(np.linalg.norm(b)) for b in network.b[1:]],
    }


def input_names(estimator: Any, columns: Sequence[str]) -> list[str]:
    """Return the names of the network's S_0 inputs: of columns, or of what became of them."""
    S = estimator.network_.S[0]
    if len(columns) == S:
        return list(columns)
    encoding = getattr(estimator, "encoding_", None)
    named = getattr(encoding, "feature_names", None)
    names = [] if named is None else [str(name) for name in named]
    return names if len(names) == S else [f"input {place}" for place in range(S)]


def output_names(estimator: Any) -> list[str]:
    """Return the names of the network's S_L outputs."""
    S, classes = estimator.network_.S[-1], getattr(estimator, "classes_", None)
    if classes is not None:
        names = [str(kind) for kind in classes]
        return names if len(names) == S else names[-1:] * S
    target = str(getattr(estimator, "target_name_", "") or "y")
    return [target] if S == 1 else [f"{target}{k}" for k in range(S)]
