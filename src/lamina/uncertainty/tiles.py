"""The network linearized for some data points at a time, and its derivatives in θ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.activations import get_activation
from lamina.network.curvature import Linearization
from lamina.network.errors import get_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.engines.protocol import Source
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

TILE_BYTES = 2**24
"""What the derivatives of a tile take, about."""
LEAST, MOST = 16, 4096
"""Data points of a tile."""


def tiles(
    recipe: Recipe, theta: Array, X: Source, points: Array
) -> Iterator[tuple[slice, Linearization]]:
    """Yield which of the points, and the network linearized at θ for them, in float64."""
    size = int(np.clip(TILE_BYTES // (8 * recipe.size * recipe.S[-1]), LEAST, MOST))
    wide = theta.astype(float)
    for start in range(0, len(points), size):
        part = slice(start, min(start + size, len(points)))
        columns = X.take(points[part]).astype(float)
        yield part, Linearization.at(recipe, wide, columns)


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
