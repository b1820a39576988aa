"""Where J ceased to be finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina.engines.reference import together
from lamina.network import backpropagation
from lamina.network.parameters import views

if TYPE_CHECKING:
    from lamina.engines.protocol import Data, Engine
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState


def describe_divergence(
    engine: Engine, data: Data, state: TrainingState, settings: Settings
) -> str:
    """Name the epoch in which J ceased to be finite, and the first layer with such numbers."""
    recipe = engine.recipe
    place = _weights(engine, state) or _activations(engine, data, state)
    if place == "X":
        return (
            f"J is not finite in epoch {state.epoch + 1}: X holds NaN, or numbers that are "
            f"infinite in {state.theta.dtype}; correct them, or leave out their data points"
        )
    advice = "scale the data"
    if settings.solver.minibatch:
        advice = "lower the learning rate, scale the data, or set max_gradient_norm"
    if not place:
        place = "the error or its gradient at the output"
        output = recipe.activation(recipe.L)
        advice += f", or see whether {output!r} outputs suit {recipe.error!r}"
    rate = settings.learning_rate_init
    at = "" if rate is None else f" at learning_rate_init={rate}"
    return f"J is not finite in epoch {state.epoch + 1}: {place} overflowed{at}; {advice}"


def _weights(engine: Engine, state: TrainingState) -> str:
    """Return the first layer whose parameters or penalty are not finite, in words, or nothing."""
    W, b = views(engine.recipe, state.theta)
    for l in range(1, engine.recipe.L + 1):
        if not np.all(np.isfinite(W[l])) or not np.all(np.isfinite(b[l])):
            return f"the weights of layer {l}"
    for l, layer in enumerate(engine.recipe.layers, start=1):
        penalized = [W[l], b[l]] if layer.penalty.biases else [W[l]]
        if not np.isfinite(sum(layer.penalty.value(parameters) for parameters in penalized)):
            return f"the penalty of layer {l}"
    return ""


def _activations(engine: Engine, data: Data, state: TrainingState) -> str:
    """Return "X", or the first layer whose signals are not finite, in words, or nothing."""
    first = engine.recipe.L + 1
    size = together(engine.recipe)
    for start in range(0, len(data.points), size):
        X = data.X.take(data.points[start : start + size])
        with np.errstate(all="ignore"):
            Z, A = backpropagation.forward(engine.recipe, state.theta, X)
        bad = [l for l in range(first) if not (np.isfinite(Z[l]).all() and np.isfinite(A[l]).all())]
        first = min([first, *bad])
    if first == 0:
        return "X"
    return f"the activations of layer {first}" if first <= engine.recipe.L else ""
