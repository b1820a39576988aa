"""A recipe as the tables that `work` reads: buffers, kernels, and how the work is cut."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines import dropout
from lamina.engines.compiled import gathering, passes, products, templates, work
from lamina.engines.compiled import layout as at
from lamina.engines.compiled.cutting import bounds, cut
from lamina.engines.compiled.formulas import activation_kernels, error_kernel, overwrites
from lamina.engines.compiled.microkernel import REGISTER, VECTORS
from lamina.network.activations import get_activation
from lamina.network.penalties import size_formula, slope_formula

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.compiled.kernels import Kernel, Kernels
    from lamina.network.activations import Activation
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

L1 = 2**15
"""Bytes of the first cache; what fits there needs no panels."""
SHARED = 48
"""Data points of a chunk from which on panels of W_l pay."""


class Memory:
    """Aligned buffers, kept as long as their addresses are used."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []

    @property
    def size(self) -> int:
        """Bytes of all buffers."""
        return sum(array.nbytes for array in self._arrays)

    def keep(self, array: Array) -> int:
        """Return the address of an array, and keep it."""
        self._arrays.append(array)
        return int(array.ctypes.data)

    def room(self, count: int, dtype: npt.DTypeLike) -> int:
        """Return the address of zeros, at the begin of a line of the cache."""
        size = np.dtype(dtype).itemsize
        array = np.zeros(count + 128 // size, dtype=dtype)
        return -(-self.keep(array) // 64) * 64


class Plan:
    """Tables and buffers for one recipe, precision, batch and number of threads.

    Only a plan `to_inputs` has the mirror of W_1, and it has no panels of H_l for a gradient.
    """

    def __init__(
        self,
        recipe: Recipe,
        kernels: Kernels,
        batch: int,
        threads: int,
        *,
        to_inputs: bool = False,
    ) -> None:
        """Compile or load what is needed, and allocate everything."""
        self.recipe, self.kernels, self.threads = recipe, kernels, threads
        self._to_inputs = to_inputs
        self.dtype = kernels.dtype
        self.memory = Memory()
        self.cut = cut(recipe, batch, self.dtype.itemsize)
        self.capacity = max(self.cut.block, threads * self.cut.chunk)
        self.world = np.zeros(at.WORLD_SIZE, dtype=np.int64)
        self.layers = np.zeros((recipe.L, at.LAYER_SIZE), dtype=np.int64)
        self.tables = int(self.world.ctypes.data), int(self.layers.ctypes.data)
        self.results = np.zeros(4)
        self.sync = np.zeros(at.LINE * (at.QUEUES + 2 * threads + 1), dtype=np.int64)
        self.kept: dict[str, Any] = {}
        self.gatherers: dict[Any, Kernel] = {}
        self._dropouts: dict[int, _Dropout] = {}
        self.weights: Array | None = None
        self.weight_scale = 1.0
        self.work = kernels.make(work.work, reorder=False)
        self._lay_out_layers()
        self._lay_out_world()

    def _numbers(self, numbers: Any) -> int:
        """Return the address of numbers in our precision."""
        return self.memory.keep(np.atleast_1d(np.array(numbers, dtype=self.dtype)))

    def _parameters(self, parameters: Any, behind: float) -> int:
        """Return the address of numbers with another one behind them, or of a table as it is."""
        if isinstance(parameters, np.ndarray):
            return self.memory.keep(parameters)
        return self._numbers([*parameters, behind])

    def _lay_out_layers(self) -> None:
        """Describe all layers."""
        offset, below = 0, self._room(self.recipe.S[0])
        self.world[at.A_0_AT] = below
        for l, layer in enumerate(self.recipe.layers):
            row = self.layers[l]
            row[at.INPUTS], row[at.UNITS] = layer.inputs, layer.units
            row[at.OFFSET], offset = offset, offset + layer.size
            row[at.BELOW] = row[at.RECEIVED] = below
            row[at.Z_AT], row[at.H_AT] = self._room(layer.units), self._room(layer.units)
            self._lay_out_panels(row, first=l == 0)
            below = row[at.A_AT] = self._lay_out_activation(row, layer.activation)
            if layer.penalty:
                row[at.PENALIZE] = self._penalty().address
                row[at.PENALTY] = self._numbers([layer.penalty.l1, layer.penalty.l2])
                row[at.PENALIZED] = layer.inputs + layer.penalty.biases

    def _lay_out_panels(self, row: Array, *, first: bool) -> None:
        """Make room for the other forms of W_l and H_l, in panels where that pays."""
        width = VECTORS * REGISTER // self.dtype.itemsize
        inputs, units = int(row[at.INPUTS]), int(row[at.UNITS])

        def panels(columns: int, rows: int) -> int:
            return self.memory.room(-(-columns // width) * width * rows, self.dtype)

        narrow = units <= width // VECTORS
        if not first or self._to_inputs:
            row[at.MIRROR] = panels(inputs, units)
            row[at.MIRROR_ROW] = inputs if narrow else width
            row[at.MIRROR_PANEL] = width if narrow else width * units
        if self.cut.chunk >= SHARED and inputs * units * self.dtype.itemsize > L1:
            row[at.W_PANELS] = panels(units, inputs)
        large = self.capacity * units * self.dtype.itemsize > L1
        if large and not (narrow or self._to_inputs or self.cut.by_chunks):
            row[at.H_PANELS] = panels(units, self.capacity)
            row[at.H_PANEL] = width * self.capacity

    def _room(self, units: int) -> int:
        """Return the address of room for the signals of a layer."""
        return self.memory.room(self.capacity * units, self.dtype)

    def _lay_out_activation(self, row: Array, activation: Activation) -> int:
        """Note an activation's kernels, and return where A goes."""
        if activation == get_activation("identity"):
            return int(row[at.Z_AT])
        forward, backward, parameters = activation_kernels(self.kernels, activation)
        row[at.ACTIVATE], row[at.PULL] = forward.address, backward.address
        row[at.PARAMETERS] = self._parameters(parameters, 1.0)
        if overwrites(activation):
            return int(row[at.Z_AT])
        return self._room(int(row[at.UNITS]))

    def _penalty(self) -> Kernel:
        """Return the kernel of penalties."""
        formulas = {"VALUE": size_formula, "DERIVATIVE": slope_formula}
        return self.kernels.make(templates.penalize, formulas, LOAD=2)

    def _lay_out_world(self) -> None:
        """Describe what no run changes."""
        recipe, world, memory = self.recipe, self.world, self.memory
        pieces, last = self.cut.pieces, self.layers[-1]
        pair = recipe.pair
        targets = recipe.S[-1] // recipe.error.outputs_per_target
        judge, parameters = error_kernel(self.kernels, pair or recipe.error, targets)
        world[at.LAYERS], world[at.THREADS] = recipe.L, self.threads
        world[at.BLOCK], world[at.CHUNK] = self.cut.block, self.cut.chunk
        world[at.JOBS], world[at.PIECES] = len(pieces), memory.keep(pieces)
        world[at.BOUNDS] = memory.keep(bounds(recipe, pieces, self.threads))
        world[at.TARGETS], world[at.WANTED] = targets, self._room(targets)
        world[at.OMEGA] = self._room(1)
        world[at.JUDGE], world[at.IS_PAIR] = judge.address, pair is not None
        world[at.JUDGE_PARAMETERS] = self._parameters(parameters, 0.0)
        world[at.JUDGED] = last[at.Z_AT if pair else at.A_AT]
        self.gradient = np.zeros(recipe.size, dtype=self.dtype)
        world[at.GRADIENT] = self.gradient.ctypes.data
        if self.cut.by_chunks:
            stride = -(-recipe.size // 16) * 16
            world[at.CHUNK_STRIDE] = stride
            chunks = -(-self.cut.block // self.cut.chunk)
            world[at.CHUNK_GRADIENTS] = memory.room(chunks * stride, self.dtype)
        turned = (3 * recipe.S[-1] + 4) * 8  # what `judge_columns` needs for one data point
        room = passes.TASK_BYTES + max(products.SCRATCH_BYTES, turned)
        world[at.THREAD_BYTES] = -(-room // 64) * 64
        world[at.SCRATCH] = memory.room(self.threads * room // 8 + 16 * self.threads, np.int64)
        world[at.ONES] = self._numbers([1.0])
        world[at.RESULTS] = self.results.ctypes.data
        world[at.SYNC] = -(-self.sync.ctypes.data // 64) * 64
        world[at.MULTIPLY] = self.kernels.make(products.multiply).address
        world[at.NARROW] = self.kernels.make(products.multiply_narrow).address

    def rows_of_curvature(self, most: int) -> int:
        """Return for how many rows u_nᵗ 𝒥_n, of some bytes at most, there is room from now on."""
        P, width = self.recipe.size, VECTORS * REGISTER // self.dtype.itemsize
        fit = most // (P * self.dtype.itemsize) // self.cut.chunk * self.cut.chunk
        rows = int(np.clip(fit, self.cut.chunk, self.cut.block // self.cut.chunk * self.cut.chunk))
        if not self.world[at.ROWS_AT]:
            self.world[at.ROWS_AT] = self.memory.room(rows * P, self.dtype)
            panels = -(-P // width) * width * rows
            self.world[at.PANELS_AT] = self.memory.room(panels, self.dtype)
        return rows

    def tables_for(self, theta: Array) -> tuple[int, int]:
        """Return the addresses of both tables, for outputs at θ, which is kept."""
        self.world[at.MODE], self.world[at.THETA] = at.ONLY_OUTPUTS, self.place("theta", theta)
        return self.tables

    def place(self, name: str, array: Array) -> int:
        """Return the address of an array, and keep both; asking NumPy takes some microseconds."""
        kept = self.kept.get(name)
        if kept is None or kept[0] is not array:
            kept = self.kept[name] = array, int(array.ctypes.data)
        return kept[1]

    def ends(self, rows: int) -> tuple[Array, Array]:
        """Return A_0 and A_L as rows, views of the buffers."""
        places = int(self.world[at.A_0_AT]), int(self.layers[-1, at.A_AT])
        number = ctypes.c_float if self.dtype == np.float32 else ctypes.c_double
        first, last = (
            np.ctypeslib.as_array((number * (rows * units)).from_address(place))
            for place, units in zip(places, (self.recipe.S[0], self.recipe.S[-1]), strict=True)
        )
        return first.reshape(rows, -1), last.reshape(rows, -1)

    def drop(self, rates: tuple[float, ...], key: tuple[int, int] = (0, 0)) -> None:
        """Prepare for dropout at these rates of A_0, ..., A_{L-1}, or for none."""
        for l, rate in enumerate(rates or (0.0,) * self.recipe.L):
            row = self.layers[l]
            row[at.MASK], row[at.RECEIVED] = 0, row[at.BELOW]
            if rate == 0.0:
                continue
            if l not in self._dropouts:
                self._dropouts[l] = _Dropout(self, l)
            self._dropouts[l].describe(row, rate, (*key, l))
            drop = self.kernels.make(gathering.drop, {"VALUE": dropout.bits})
            self.world[at.DROP] = drop.address


class _Dropout:
    """Room for the mask of a layer and what it leaves, and the numbers of its chance."""

    def __init__(self, plan: Plan, l: int) -> None:
        units = plan.recipe.S[l]
        size = plan.capacity * units
        self.mask, self.left = (plan.memory.room(size, plan.dtype) for _ in range(2))
        self.state, self.chance = np.zeros(1, dtype=np.uint64), np.zeros(2, dtype=np.uint64)

    def describe(self, row: Array, rate: float, key: tuple[int, int, int]) -> None:
        """Note where everything stands, for a rate and the key of an epoch."""
        self.state[0] = dropout.start(key)
        self.chance[0] = dropout.threshold(rate)
        self.chance[1:] = np.array([1.0 / (1.0 - rate)]).view(np.uint64)
        row[at.MASK], row[at.RECEIVED] = self.mask, self.left
        row[at.STATE], row[at.LIMIT] = self.state.ctypes.data, self.chance.ctypes.data
