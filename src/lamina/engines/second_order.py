"""Second derivatives over many data points: the definitions of `network.curvature`, in tiles.

The reference engine answers with this, and so does the compiled one for products and for networks
in float32. Everything is float64, whatever the precision of θ; nearly all of the work is one
product of BLAS, Rᵗ R of a tile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network import backpropagation, curvature

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.engines.protocol import Data, Source
    from lamina.network.curvature import Linearization
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

TILE_BYTES = 2**24
"""What the rows of a tile take, about: some of the second cache and enough for a fast product."""
LEAST, MOST = 64, 4096
"""Data points of a tile."""


def linearized(
    recipe: Recipe, theta: Array, X: Source, points: Array, rows: int = 1
) -> Iterator[tuple[slice, Linearization]]:
    """Yield which of the points, and the network linearized for them, in float64.

    Some at a time: as many as have room for so many rows of P numbers each.
    """
    size = int(np.clip(TILE_BYTES // (8 * recipe.size * rows), LEAST, MOST))
    wide = theta.astype(float)
    for start in range(0, len(points), size):
        part = slice(start, start + size)
        yield part, curvature.Linearization.at(recipe, wide, X.take(points[part]).astype(float))


def tiles(recipe: Recipe, theta: Array, data: Data) -> Iterator[tuple[Linearization, Array, Array]]:
    """Yield the network linearized for some data points at a time, with their T and ω."""
    for part, here in linearized(recipe, theta, data.X, data.points):
        chosen = data.points[part]
        yield here, data.T.take(chosen).astype(float), data.omega(chosen, len(data.points))


def factors(recipe: Recipe, Y: Array, T: Array, omega: Array) -> Array:
    """Return U_k of data points, k × n × S_L, with Σ_k U_k U_kᵗ = ω C; without those that are 0."""
    F = curvature.factors(recipe, T, Y) * np.sqrt(omega)[:, None, None]
    used = F.any(axis=(0, 1))
    return np.ascontiguousarray(F[:, :, used].transpose(2, 0, 1))


def gauss_newton(recipe: Recipe, theta: Array, data: Data) -> tuple[float, Array, Array]:
    """Return J with penalties, dJ/dθ, and G = Σ ω_n 𝒥_nᵗ C_n 𝒥_n with that of the penalties."""
    from scipy.linalg.blas import dsyrk

    wide, error = theta.astype(float), curvature.seen(recipe)
    J = float(backpropagation.penalty(recipe, wide))
    gradient, G = np.zeros(recipe.size), np.zeros((recipe.size, recipe.size), order="F")
    backpropagation.add_penalty_gradient(recipe, wide, gradient)
    for here, T, omega in tiles(recipe, theta, data):
        J += float(error.values(T, here.Y) @ omega)
        gradient += here.transposed(error.slopes(T, here.Y) * omega)
        for rows in curvature.gauss_newton_rows(here, T, omega):
            G = dsyrk(1.0, rows.T, beta=1.0, c=G, overwrite_c=True)  # the upper triangle
    G += np.triu(G, 1).T
    G[np.diag_indices_from(G)] += curvature.penalty_diagonal(recipe)
    return J, gradient, G


def gauss_newton_product(recipe: Recipe, theta: Array, data: Data, v: Array) -> Array:
    """Return G v, P numbers."""
    total: Array = curvature.penalty_diagonal(recipe) * v
    for here, T, omega in tiles(recipe, theta, data):
        total += curvature.gauss_newton_product(here, T, omega, v)
    return total


def hessian_product(recipe: Recipe, theta: Array, data: Data, v: Array) -> Array:
    """Return the Hessian of J times v, P numbers."""
    total: Array = curvature.penalty_diagonal(recipe) * v
    for here, T, omega in tiles(recipe, theta, data):
        total += curvature.hessian_product(here, T, omega, v)
    return total


def jacobian_product(recipe: Recipe, theta: Array, X: Source, points: Array, v: Array) -> Array:
    """Return 𝒥 v, S_L × n."""
    product = np.empty((recipe.S[-1], len(points)), order="F")
    for part, here in linearized(recipe, theta, X, points):
        product[:, part] = here.times(v)
    return product


def jacobian_transposed_product(
    recipe: Recipe, theta: Array, X: Source, points: Array, U: Array
) -> Array:
    """Return 𝒥ᵗ U, P numbers, for U of S_L × n."""
    total = np.zeros(recipe.size)
    for part, here in linearized(recipe, theta, X, points):
        total += here.transposed(U[:, part])
    return total
