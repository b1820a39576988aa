"""Steps of Levenberg-Marquardt that the compiled engine takes by itself, for small problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines import second_order
from lamina.engines.compiled import accumulation, damping, descent
from lamina.engines.compiled import layout as at
from lamina.engines.compiled.microkernel import REGISTER, VECTORS
from lamina.engines.compiled.plan import Memory
from lamina.engines.protocol import DampedSteps
from lamina.network import curvature
from lamina.network.errors import get_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.engines.compiled.engine import CompiledEngine
    from lamina.engines.compiled.kernels import Kernel
    from lamina.engines.compiled.plan import Plan
    from lamina.engines.protocol import DampingRule, Data

    Array = npt.NDArray[Any]

SMALL = 2**28
"""Products of a step up to which one thread does, and the Cholesky factor needs no LAPACK."""
ROWS_BYTES = 2**24
"""What the rows of all data points may take."""


def is_small(P: int, K: int, points: int) -> bool:
    """Return whether steps are worth taking in one call: by shapes, so that bits depend on them."""
    return points * P * 8 <= ROWS_BYTES and (points * K + P) * P**2 <= SMALL


def damped_steps(
    engine: CompiledEngine,
    theta: Array,
    data: Data,
    memory: Mapping[str, Array],
    rule: DampingRule,
    limits: tuple[int, int],
) -> DampedSteps | None:
    """Take steps as `Engine.damped_steps` says; `limits` are tries and steps.

    Where C_n is not the same everywhere it is taken from its definition, so it is one step.
    """
    n = len(data.points)
    small = is_small(theta.size, engine.recipe.S[-1], n)
    if theta.dtype != np.float64 or n == 0 or not small:
        return None
    plan = engine.plan(theta.dtype, n, n, alone=True)
    if plan.cut.block < n:
        return None
    engine.take_data(plan, data)
    plan.drop(())
    run = plan.kept.get("run")
    if run is None:
        run = plan.kept["run"] = Run(plan, n)
    if not run.constant or run.factored is not data:
        run.take_factors(_factors(engine, theta, data), data)
    if run.rule is not rule:
        run.rule = rule
        run.table[descent.DAMP : descent.SETTLE + 1] = [k.address for k in _rules(plan, rule)]
    tries, most = limits
    return run.go(theta, memory, (tries, most if run.constant else 1))


def _factors(engine: CompiledEngine, theta: Array, data: Data) -> Array:
    """Return U_k of all data points, k × n × S_L, those that are not zero everywhere."""
    Y, T = engine.seen(theta, data.X, data.points), data.T.take(data.points).astype(float)
    return second_order.factors(engine.recipe, Y, T, data.omega(data.points))


def _rules(plan: Plan, rule: DampingRule) -> tuple[Kernel, Kernel, Kernel]:
    """Return the kernels of a solver's formulas, in the order of the table of a run."""
    make = plan.kernels.make
    after = {"KEEP": rule.keep, "TRUST": rule.trust, "DISTRUST": rule.distrust}
    return (
        make(damping.damp, {"SCALE": rule.scale}, reorder=False),
        make(damping.foretell, {"FALL": rule.fall}),
        make(damping.settle, after, reorder=False, GROWTH=rule.growth),
    )


class Run:
    """Room for what steps need, beside a plan that is theirs alone; `forget` lets it go."""

    def __init__(self, plan: Plan, points: int) -> None:
        """Allocate all but what a call returns, and describe it."""
        recipe, world = plan.recipe, plan.world
        self.memory = memory = Memory()
        P, width = recipe.size, VECTORS * REGISTER // 8
        self.plan, self.factors = plan, np.empty(0)
        self.factored: Data | None = None
        self.rule: DampingRule | None = None
        self.constant = curvature.seen(recipe) == get_error("squared")
        self.table = np.zeros(descent.RUN_SIZE, dtype=np.int64)
        self.table_at = int(self.table.ctypes.data)
        self.order = np.zeros(points, dtype=np.int64)
        self.theta, self.largest, self.numbers = np.zeros(P), np.zeros(P), np.zeros(damping.COUNT)
        self.call = plan.kernels.make(descent.descend, reorder=False).call
        self.extra = curvature.penalty_diagonal(recipe)
        notes = max(len(plan.cut.pieces), -(-points // plan.cut.chunk))
        world[at.NOTES], world[at.PARTIALS] = notes, memory.room(3 * notes, float)
        world[at.MODE], world[at.POINTS], world[at.BLOCK] = at.ONLY_GRADIENT, points, points
        world[at.ORDER], world[at.THETA] = self.order.ctypes.data, self.theta.ctypes.data
        world[at.ROWS_AT] = memory.room(points * P, float)
        world[at.PANELS_AT] = memory.room(-(-P // width) * width * points, float)
        world[at.SIZE], world[at.MATRIX_PIECE] = P, accumulation.PIECE
        world[at.MATRIX] = memory.room(P * P, float)
        table = self.table
        table[descent.FACTOR], table[descent.NEGATIVE] = (memory.room(P * P, float) for _ in "12")
        for field in (descent.HERE, descent.SLOPE, descent.DAMPS, descent.STEP):
            table[field] = memory.room(P, float)
        table[descent.NUMBERS] = self.numbers.ctypes.data
        table[descent.LARGEST] = self.largest.ctypes.data
        table[descent.EXTRA] = self.extra.ctypes.data

    def take_factors(self, factors: Array, data: Data) -> None:
        """Keep U_k of some data."""
        self.factored, self.factors = data, factors
        world = self.plan.world
        world[at.FACTORS], world[at.COUNT_FACTORS] = factors.ctypes.data, len(factors)
        self.order[:] = data.points

    def go(self, theta: Array, memory: Mapping[str, Array], limits: tuple[int, int]) -> DampedSteps:
        """Take steps, and return them."""
        (tries, most), P, table, numbers = limits, len(theta), self.table, self.numbers
        self.plan.results[2] = self.plan.weight_scale
        self.theta[:], self.largest[:] = theta, memory["scale"]
        numbers[[damping.LAMBDA, damping.NU]] = memory["damping"]
        thetas, scales = np.empty((most, P)), np.empty((most, P))
        records = np.empty((most, damping.COUNT))
        table[descent.MOST], table[descent.TRIES] = most, tries
        table[descent.THETAS : descent.RECORDS + 1] = (
            thetas.ctypes.data,
            scales.ctypes.data,
            records.ctypes.data,
        )
        taken = int(self.call(*self.plan.tables, self.table_at))
        found = records[:taken]
        return DampedSteps(
            thetas=thetas[:taken],
            scales=scales[:taken],
            losses=found[:, damping.J_HERE],
            gradient_norms=found[:, damping.NORM],
            dampings=found[:, damping.USED],
            trusts=found[:, [damping.LAMBDA, damping.NU]],
        )
