"""Scalings folded into the first and the last layer: a model of weights and activations alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    from lamina.interchange.exports.portable import Layer, Portable


def folded(portable: Portable) -> tuple[Layer, ...]:
    """Return layers in float64 that take inputs in their units and answer in those of the target.

    Raises
    ------
    InvalidValueError
        If there is more to inputs or predictions than moving and stretching.
    """
    expansion, head = portable.expansion, portable.head
    if np.any(expansion.levels) or np.any(expansion.indicator) or np.isfinite(expansion.clip):
        message = (
            "weights alone cannot hold categories, flags of missing values or clipping, which "
            "this model has; use export(...) to onnx, c, python or matlab"
        )
        raise InvalidValueError(message)
    if any(column.kind == "drop" for column in portable.columns):
        message = "the model drops columns, which weights alone cannot; train it without them"
        raise InvalidValueError(message)
    layers = [replace(l, W=l.W.astype(float), b=l.b.astype(float)) for l in portable.layers]
    center, scale = expansion.scaling.center, expansion.scaling.scale
    if portable.scales_inputs:
        first = layers[0]
        W = first.W / scale
        layers[0] = replace(first, W=W, b=first.b - first.W @ (center / scale))
    if head.is_mapped:
        message = "weights alone cannot hold target_transform; train without it, or use export(...)"
        raise InvalidValueError(message)
    if portable.scales_outputs:
        last = layers[-1]
        if last.activation != "identity" or head.n_outputs < len(last.b):
            message = (
                f"targets are scaled after the output activation {last.activation!r}, which "
                "weights alone cannot hold; train with scale_targets='none', or use export(...)"
            )
            raise InvalidValueError(message)
        W = last.W * head.scale[:, np.newaxis]
        layers[-1] = replace(last, W=W, b=last.b * head.scale + head.center)
    return tuple(layers)
