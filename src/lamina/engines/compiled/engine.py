"""`CompiledEngine`: the recipe's formulas as compiled loops, on threads."""

from __future__ import annotations

from functools import cached_property, partial
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.compiled import layout as at
from lamina.engines.compiled import templates, work
from lamina.engines.compiled.formulas import check_activation, error_kernel
from lamina.engines.compiled.kernels import kernels
from lamina.engines.compiled.plan import Plan
from lamina.engines.compiled.second_order import SecondOrder
from lamina.engines.compiled.tables import take_table
from lamina.engines.compiled.threads import Team, available, yield_address
from lamina.engines.protocol import EpochReport

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.engines.compiled.kernels import Kernel
    from lamina.engines.protocol import Data, Epoch, Move, Source
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

SEGMENT = 2**33
"""Operations, about, after which Python may look whether the keyboard interrupts: 0.1 s or less."""
WORTH = 1_500_000
"""Operations of a step from which on a second thread pays."""
IDLE_BYTES = 2**24
"""What buffers an engine keeps while nobody uses it."""
FULL = 4096
"""Data points of a pass over everything that are planned for together."""


class CompiledEngine(SecondOrder):
    """`Engine` by kernels that Numba compiles from the formulas of `lamina.network`.

    Parameters
    ----------
    recipe : Recipe
    n_threads : int, optional
        As many as pay and the process may use by default; results do not depend on it.

    Raises
    ------
    FormulaError
        If an activation or the error is of no kind that can be compiled.
    """

    def __init__(self, recipe: Recipe, n_threads: int | None = None) -> None:
        """Keep the recipe; kernels are compiled and buffers allocated when they are needed."""
        self.recipe = recipe
        self._n_threads = n_threads
        self._plans: dict[Any, Plan] = {}
        self._teams: dict[int, Team] = {}
        self._solvers: dict[Any, Kernel] = {}

    def prepare(self, dtype: np.dtype[Any]) -> CompiledEngine:
        """Compile what a precision needs, and return the engine.

        Raises
        ------
        FormulaError
            If an activation or the error cannot be compiled.
        """
        for activation in set(self.recipe.activations):
            check_activation(kernels(dtype), activation)
        error = self.recipe.pair or self.recipe.error
        targets = self.recipe.S[-1] // self.recipe.error.outputs_per_target
        error_kernel(kernels(dtype), error, targets)
        return self

    def outputs(self, theta: Array, X: Source, points: Array) -> Array:
        """Return A_L, S_L × n, for n of the data points of X, (1.4)."""
        return self._forward(at.ONLY_OUTPUTS, theta, X, points)

    def seen(self, theta: Array, X: Source, points: Array) -> Array:
        """Return what the error sees, S_L × n: Z_L of a pair, else A_L."""
        return self._forward(at.ONLY_SEEN, theta, X, points)

    def _forward(self, mode: int, theta: Array, X: Source, points: Array) -> Array:
        """Return the outputs that a mode asks for, S_L × n."""
        n = len(points)
        outputs = np.empty((n, self.recipe.S[-1]), dtype=theta.dtype)
        if n > 0:
            plan = self.plan(theta.dtype, FULL, n, share=1 / 3)
            take_table(plan, "X", X)
            self._write(outputs, plan, mode, theta, points)
        return outputs.T

    def _write(self, target: Array, plan: Plan, mode: int, theta: Array, points: Array) -> None:
        """Write what a mode asks for, of all points, to an array."""
        plan.drop(())
        plan.world[at.OUTPUT] = target.ctypes.data
        self._run(plan, mode, theta, points, len(points))

    def prepare_outputs(self, theta: Array, most: int) -> tuple[Callable[[int], Any], Array, Array]:
        """Return a function of a count, and the rows that it reads and writes; θ is kept."""
        plan = Plan(self.recipe, kernels(theta.dtype), most, 1)
        call = plan.kernels.make(work.answer, reorder=False).call
        tables = plan.tables_for(theta)
        call(*tables, -1)  # mirrors the weights

        def run(n: int, plan: Plan = plan) -> None:
            del plan  # kept, for its buffers are used
            call(*tables, n)

        return run, *plan.ends(most)

    def error(self, theta: Array, data: Data) -> float:
        """Return Σ ω_n J_n over the data, without penalties."""
        plan = self._full(theta, data, share=1 / 3)
        self._run(plan, at.ONLY_ERROR, theta, data.points, len(data.points))
        return float(plan.results[0])

    def gradient(self, theta: Array, data: Data) -> tuple[float, Array]:
        """Return J with penalties over the data, and dJ/dθ, (4.1)."""
        plan = self._full(theta, data)
        self._run(plan, at.ONLY_GRADIENT, theta, data.points, len(data.points))
        return float(plan.results[0]), plan.gradient.copy()

    def input_gradient(self, theta: Array, data: Data) -> Array:
        """Return Delta_0, S_0 × n: the slopes of Σ ω_n J_n in the inputs, (4.2)."""
        n = len(data.points)
        slopes = np.empty((n, self.recipe.S[0]), dtype=theta.dtype)
        if n > 0:
            plan = self._full(theta, data, share=2 / 3, to_inputs=True)
            self._write(slopes, plan, at.ONLY_INPUTS, theta, data.points)
        return slopes.T

    def input_jacobian(self, theta: Array, X: Source, points: Array) -> Array:
        """Return dA_L/dX, S_L × S_0 × n, for n of the data points of X, (4.2)."""
        n, S_0, S_L = len(points), self.recipe.S[0], self.recipe.S[-1]
        slopes = np.empty((S_L, n, S_0), dtype=theta.dtype)
        if n > 0:
            plan = self.plan(theta.dtype, FULL, n, share=(1 + S_L) / 3, to_inputs=True)
            take_table(plan, "X", X)
            self._write(slopes, plan, at.ONLY_JACOBIAN, theta, points)
        return slopes.transpose(0, 2, 1)

    def epoch(
        self, theta: Array, memory: Array, move: Move, data: Data, epoch: Epoch
    ) -> EpochReport:
        """Take one step for each batch of the epoch, moving θ and memory in place."""
        plan = self.plan(theta.dtype, epoch.batch_size, epoch.batch_size)
        self.take_data(plan, data)
        plan.drop(epoch.dropout, epoch.key)
        slots, coefficients = len(memory), np.ascontiguousarray(epoch.coefficients, theta.dtype)
        count = coefficients.shape[1]
        kernel, world = self._solver(plan, move, count, slots), plan.world
        world[at.MEMORY], world[at.STRIDE] = plan.place("memory", memory), memory.shape[1]
        world[at.MOVE], world[at.COUNT] = kernel.address, count
        world[at.COEFFICIENTS] = coefficients.ctypes.data
        plan.results[3] = epoch.max_gradient_norm
        mode = at.CLIPPED_STEPS if epoch.max_gradient_norm < float("inf") else at.STEPS
        before = theta.copy(), memory.copy()
        self._run(plan, mode, theta, epoch.order, epoch.batch_size)
        if mode == at.STEPS and not isfinite(plan.results[0] + plan.results[1]):
            # Again, now with steps that look at the gradient's length before they move θ.
            theta[:], memory[:] = before
            self._run(plan, at.CLIPPED_STEPS, theta, epoch.order, epoch.batch_size)
        return EpochReport(float(plan.results[0]), float(plan.results[1]))

    def _full(
        self, theta: Array, data: Data, share: float = 1.0, *, to_inputs: bool = False
    ) -> Plan:
        """Return the plan of a pass over all data."""
        plan = self.plan(theta.dtype, FULL, len(data.points), share, to_inputs=to_inputs)
        self.take_data(plan, data)
        plan.drop(())
        return plan

    @cached_property
    def _available(self) -> int:
        """How many threads the process may use; asked again after `forget`."""
        return available()

    def plan(
        self,
        dtype: Any,
        batch: int,
        points: int,
        share: float = 1.0,
        *,
        to_inputs: bool = False,
        alone: bool = False,
    ) -> Plan:
        """Return tables and buffers for so many data points together, `points` in one go.

        `alone` it is for the caller's thread, and for steps that the engine takes by itself.
        """
        operations = 6 * points * self.recipe.size * share
        threads = self._n_threads or (self._available if operations >= WORTH else 1)
        threads = 1 if alone else threads
        key = dtype, batch, threads, to_inputs, alone
        if key not in self._plans:
            ours = kernels(np.dtype(dtype))
            self._plans[key] = Plan(self.recipe, ours, batch, threads, to_inputs=to_inputs)
            self._plans[key].world[at.YIELD] = yield_address()
        return self._plans[key]

    def _solver(self, plan: Plan, move: Move, count: int, slots: int) -> Kernel:
        """Return the kernel of a solver's formula."""
        key = move, plan.dtype, count, slots
        if key not in self._solvers:
            self._solvers[key] = plan.kernels.make(
                templates.move, {"VALUE": move}, LOAD=count, TERM=slots, STORE=slots
            )
        return self._solvers[key]

    def forget(self) -> None:
        """Let go of all tables and vectors that calls were given, and of large buffers."""
        vars(self).pop("_available", None)
        self._solvers.clear()  # what a user's formula refers to may change
        if sum(plan.memory.size for plan in self._plans.values()) > IDLE_BYTES:
            self._plans.clear()
        for plan in self._plans.values():
            plan.kept.clear()
            plan.weights = None

    def take_data(self, plan: Plan, data: Data) -> None:
        """Note where inputs, targets and weights stand."""
        if plan.kept.get("data") is data:
            return
        for name, source in (("X", data.X), ("T", data.T)):
            take_table(plan, name, source)
        plan.kept["data"] = data
        weights = data.weights
        plan.world[at.WEIGHTS] = 0
        plan.weight_scale = 1.0
        if weights is not None:
            plan.weights = np.ascontiguousarray(weights, dtype=float)
            plan.world[at.WEIGHTS] = plan.weights.ctypes.data
            plan.weight_scale = len(data.points) / data.total_weight

    def _run(self, plan: Plan, mode: int, theta: Array, order: Array, batch: int) -> None:
        """Run all steps, some at a time, on all threads."""
        world, points = plan.world, len(order)
        order = np.ascontiguousarray(order, dtype=np.int64)
        steps = -(-points // batch)
        chunks = -(-min(batch, points) // plan.cut.chunk)
        notes = max(len(plan.cut.pieces), chunks)
        if world[at.NOTES] < notes:
            world[at.NOTES] = notes
            world[at.PARTIALS] = plan.memory.room(3 * notes, float)
        world[at.MODE], world[at.POINTS], world[at.BATCH] = mode, points, batch
        world[at.BLOCK] = plan.cut.block if mode >= at.ONLY_GRADIENT else batch
        world[at.ORDER], world[at.THETA] = order.ctypes.data, plan.place("theta", theta)
        world[at.LAST_STEP] = steps
        plan.results[:3] = 0.0, 0.0, plan.weight_scale
        together = max(1, int(SEGMENT // (6 * self.recipe.size * batch)))
        for first in range(0, steps, together):
            world[at.FIRST], world[at.LAST] = first, min(first + together, steps)
            self.work(plan, plan.work)
            if not isfinite(plan.results[0] + plan.results[1]):
                return

    def work(self, plan: Plan, kernel: Kernel) -> None:
        """Call a kernel on all threads of a plan."""
        if plan.threads not in self._teams:
            self._teams[plan.threads] = Team(plan.threads)
        call, arguments = kernel.call, plan.tables
        plan.sync[:] = 0
        stop = partial(plan.sync.__setitem__, slice(None), 1)
        self._teams[plan.threads].run(lambda thread: call(*arguments, thread), stop)
