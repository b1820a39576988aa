"""What the compiled engine answers of second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines import second_order
from lamina.engines.compiled import accumulation
from lamina.engines.compiled import layout as at
from lamina.network import curvature

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.compiled.engine import CompiledEngine
    from lamina.engines.protocol import Data

    Array = npt.NDArray[Any]

ROWS_BYTES = 2**22
"""What the rows of a block of data points take, about."""
SLAB = 2**16
"""Data points whose factors stand in memory at once."""
PIECE = 48
"""Rows of G that are one job: whole vectors, and whole panels, of both precisions."""


def gauss_newton(engine: CompiledEngine, theta: Array, data: Data) -> tuple[float, Array, Array]:
    """Return J with penalties, dJ/dθ, and G with that of the penalties, P × P, in float64.

    A network in float32 sees inputs that are rounded first, which these kernels, all float64, do
    not do: there the definitions answer, in tiles.
    """
    recipe = engine.recipe
    if theta.dtype != np.float64:
        return second_order.gauss_newton(recipe, theta, data)
    J, gradient = engine.gradient(theta, data)
    G = np.zeros((recipe.size, recipe.size))
    for start in range(0, len(data.points), SLAB):
        points = data.points[start : start + SLAB]
        Y, T = engine.seen(theta, data.X, points), data.T.take(points).astype(float)
        omega = data.omega(points, len(data.points))
        F = curvature.factors(recipe, T, Y) * np.sqrt(omega)[:, None, None]
        used = F.any(axis=(0, 1))
        if used.any():
            _add(engine, theta, (data, points), F[:, :, used].transpose(2, 0, 1), G)
    G = np.triu(G) + np.triu(G, 1).T  # jobs wrote more than the upper triangle
    G[np.diag_indices_from(G)] += curvature.penalty_diagonal(recipe)
    return J, gradient, G


def _add(
    engine: CompiledEngine, theta: Array, where: tuple[Data, Array], U: Array, G: Array
) -> None:
    """Add to the upper triangle of G what some data points and their U, k × n × S_L, add to it."""
    (data, points), n, P = where, len(where[1]), engine.recipe.size
    plan = engine.plan(theta.dtype, min(len(data.points), SLAB), n * P // 6)
    engine.take_data(plan, data)
    plan.drop(())
    world, U = plan.world, np.ascontiguousarray(U)
    points = np.ascontiguousarray(points, dtype=np.int64)
    rows = plan.rows_of_curvature(ROWS_BYTES)
    world[at.MODE], world[at.POINTS], world[at.BATCH], world[at.BLOCK] = (
        at.ONLY_GRADIENT,
        n,
        n,
        rows,
    )
    world[at.ORDER], world[at.THETA] = points.ctypes.data, theta.ctypes.data
    world[at.FACTORS], world[at.COUNT_FACTORS] = U.ctypes.data, len(U)
    world[at.MATRIX], world[at.MATRIX_PIECE], world[at.SIZE] = G.ctypes.data, PIECE, P
    engine.work(plan, plan.kernels.make(accumulation.accumulate, reorder=False))
