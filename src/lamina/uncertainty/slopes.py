"""Derivatives of outputs in θ for a tile of data points, of each point by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.activations import get_activation
from lamina.network.errors import get_error

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.curvature import Linearization
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]


def seen_rows(here: Linearization) -> Array:
    """Return dY/dθ of each point and output, n × S_L × P; Y is what the error sees."""
    K, n = here.Y.shape
    result = np.empty((n, K, here.recipe.size))
    for k in range(K):
        here.rows(_unit(k, here.Y), result[:, k])
    return result


def output_rows(here: Linearization) -> Array:
    """Return dA_L/dθ of each point and output, n × S_L × P."""
    if here.recipe.pair is None:
        return seen_rows(here)
    result = seen_rows(here)  # of Z_L
    sigma = here.recipe.activation(here.recipe.L)
    slopes = np.stack(
        [sigma.pullback(here.Z[-1], here.A[-1], _unit(k, here.Y)) for k in range(len(here.Y))]
    )  # k × S_L × n
    return np.asarray(np.einsum("kjn,njp->nkp", slopes, result))


def before_activation(recipe: Recipe) -> Recipe:
    """Return the recipe whose output is Z_L."""
    last = replace(recipe.layers[-1], activation=get_activation("identity"))
    return replace(recipe, layers=(*recipe.layers[:-1], last), error=get_error("squared"))


def _unit(k: int, like: Array) -> Array:
    """Return a matrix of zeros with a row k of ones."""
    result = np.zeros_like(like)
    result[k] = 1.0
    return result
