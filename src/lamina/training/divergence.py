"""Where J ceased to be finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina.network import backpropagation
from lamina.network.parameters import views

if TYPE_CHECKING:
    from lamina.engines.protocol import Data, Engine
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

LOOKED_AT = 4096
"""Data points at most that are sent through the network to find the layer."""


def describe_divergence(
    engine: Engine, data: Data, state: TrainingState, settings: Settings
) -> str:
    """Name the epoch in which J ceased to be finite, and the first layer with such numbers."""
    recipe = engine.recipe
    W, b = views(recipe, state.theta)
    layers = range(1, recipe.L + 1)
    bad = [l for l in layers if not np.all(np.isfinite(W[l])) or not np.all(np.isfinite(b[l]))]
    what = "the weights"
    if not bad:
        X = data.X.take(data.points[:LOOKED_AT])
        with np.errstate(all="ignore"):
            Z, A = backpropagation.forward(recipe, state.theta, X)
        bad = [l for l in layers if not np.all(np.isfinite(Z[l])) or not np.all(np.isfinite(A[l]))]
        what = "the activations"
    place = f"{what} of layer {bad[0]}" if bad else "the error or its gradient at the output"
    rate = settings.learning_rate_init
    output = recipe.activation(recipe.L)
    unsuited = "" if bad else f", or see whether {output!r} outputs suit {recipe.error!r}"
    return (
        f"J is not finite in epoch {state.epoch + 1}: {place} overflowed"
        f"{'' if rate is None else f' at learning_rate_init={rate}'}; lower the learning rate, "
        f"scale the data, or set max_gradient_norm{unsuited}"
    )
