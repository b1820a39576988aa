"""What the compiled engine answers of second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lamina.engines import second_order
from lamina.engines.compiled import accumulation
from lamina.engines.compiled import layout as at
from lamina.engines.compiled.damped import damped_steps
from lamina.network import curvature

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.engines.compiled.engine import CompiledEngine
    from lamina.engines.protocol import DampedSteps, DampingRule, Data, Source
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

ROWS_BYTES = 2**22
"""What the rows of a block of data points take, about."""
TOGETHER = 64
"""Rows of G that are mirrored together."""
SLAB = 2**16
"""Data points whose factors stand in memory at once."""


class SecondOrder:
    """The part of `CompiledEngine` that is about second derivatives."""

    recipe: Recipe

    def gauss_newton(self, theta: Array, data: Data) -> tuple[float, Array, Array]:
        """Return J with penalties, dJ/dθ, and the Gauss-Newton matrix, P × P, in float64."""
        with np.errstate(all="ignore"):
            return gauss_newton(cast("CompiledEngine", self), theta, data)

    def gauss_newton_product(self, theta: Array, data: Data, v: Array) -> Array:
        """Return G v, P numbers in float64."""
        with np.errstate(all="ignore"):
            return second_order.gauss_newton_product(self.recipe, theta, data, v)

    def hessian_product(self, theta: Array, data: Data, v: Array) -> Array:
        """Return the Hessian of J with penalties times v, P numbers in float64."""
        with np.errstate(all="ignore"):
            return second_order.hessian_product(self.recipe, theta, data, v)

    def jacobian_product(self, theta: Array, X: Source, points: Array, v: Array) -> Array:
        """Return 𝒥 v, S_L × n in float64."""
        with np.errstate(all="ignore"):
            return second_order.jacobian_product(self.recipe, theta, X, points, v)

    def jacobian_transposed_product(
        self, theta: Array, X: Source, points: Array, U: Array
    ) -> Array:
        """Return 𝒥ᵗ U, P numbers in float64, for U of S_L × n."""
        with np.errstate(all="ignore"):
            return second_order.jacobian_transposed_product(self.recipe, theta, X, points, U)

    def damped_steps(
        self,
        theta: Array,
        data: Data,
        memory: Mapping[str, Array],
        rule: DampingRule,
        tries: int,
        most: int,
    ) -> DampedSteps | None:
        """Take up to `most` steps of Levenberg-Marquardt in one go, where the problem is small."""
        with np.errstate(all="ignore"):
            engine = cast("CompiledEngine", self)
            return damped_steps(engine, theta, data, memory, rule, (tries, most))


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
        U = second_order.factors(recipe, Y, T, omega)
        if len(U):
            _add(engine, theta, (data, points), U, G)
    mirror(G)
    G[np.diag_indices_from(G)] += curvature.penalty_diagonal(recipe)
    return J, gradient, G


def mirror(G: Array) -> None:
    """Make G symmetric by what stands above its diagonal, in place."""
    for begin in range(0, len(G), TOGETHER):
        part = slice(begin, begin + TOGETHER)
        G[part, :begin] = G[:begin, part].T
        block = G[part, part]
        block[...] = np.triu(block) + np.triu(block, 1).T


def _add(
    engine: CompiledEngine, theta: Array, where: tuple[Data, Array], U: Array, G: Array
) -> None:
    """Add to the upper triangle of G what some data points and their U, k × n × S_L, add to it."""
    (data, points), n, P = where, len(where[1]), engine.recipe.size
    plan = engine.plan(theta.dtype, min(len(data.points), SLAB), n * P // 6)
    engine.take_data(plan, data)
    plan.drop(())
    world = plan.world
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
    world[at.MATRIX], world[at.MATRIX_PIECE], world[at.SIZE] = G.ctypes.data, accumulation.PIECE, P
    engine.work(plan, plan.kernels.make(accumulation.accumulate, reorder=False))
