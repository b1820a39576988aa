"""Which kernels an activation or an error compiles to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.compiled import parted, templates
from lamina.engines.compiled.translation import identity, ignores_first
from lamina.exceptions import FormulaError
from lamina.network import special
from lamina.network.activations import Columnwise, Elementwise
from lamina.network.blocks import BlockError, Blocks
from lamina.network.error_kinds import ColumnwiseError, ElementwiseError, JointError
from lamina.network.weighted import WeightedError

if TYPE_CHECKING:
    from lamina.engines.compiled.kernels import Kernel, Kernels
    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error


def overwrites(activation: Activation) -> bool:
    """Return whether the slope needs A alone, which may then overwrite Z."""
    return isinstance(activation, Elementwise) and ignores_first(activation.derivative)


def activation_kernels(kernels: Kernels, activation: Activation) -> tuple[Kernel, Kernel, Any]:
    """Return the kernels forward and backward of an activation, and its parameters or a table.

    If the activation `overwrites`, forward expects A where Z stands.

    Raises
    ------
    FormulaError
        If it is none of the kinds that can be compiled.
    """
    if isinstance(activation, Elementwise):
        count = len(activation.parameters)
        value, slope = {"VALUE": activation.value}, {"DERIVATIVE": activation.derivative}
        if overwrites(activation):
            forward = kernels.make(templates.overwrite, value, LOAD=count, COUNT=count)
        else:
            forward = kernels.make(templates.activate, value, LOAD=count)
        return forward, kernels.make(templates.pull, slope, LOAD=count), activation.parameters
    if isinstance(activation, Columnwise):
        value = {"VALUE": activation.value, "TERM": special.shifted_exp}
        pull = {"VALUE": activation.pull, "PULLED": activation.pulled}
        forward = kernels.make(templates.activate_columns, value)
        return forward, kernels.make(templates.pull_columns, pull), ()
    if isinstance(activation, Blocks):
        inner = activation_kernels(kernels, activation.mixing)
        if not activation.sizes:
            return inner
        table = _block_table(inner[0], inner[1], activation.sizes)
        return kernels.make(parted.activate_blocks), kernels.make(parted.pull_blocks), table
    message = f"{activation!r} is an object with methods of its own, not formulas of one number"
    raise FormulaError(message)


def check_activation(kernels: Kernels, activation: Activation) -> None:
    """Refuse an activation whose kernel gives something else than its formula.

    Raises
    ------
    FormulaError
        If it cannot be compiled, or what is compiled differs, as where it raises.
    """
    forward, _, parameters = activation_kernels(kernels, activation)
    if not isinstance(activation, Elementwise) or identity(activation.value) is activation.value:
        return  # ours are tested
    Z = np.array([-20.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 20.0], dtype=kernels.dtype)
    A, numbers = Z.copy(), np.array([*parameters, 1.0], dtype=kernels.dtype)
    with np.errstate(all="ignore"):
        expected = activation(Z)
    place = (A if overwrites(activation) else Z).ctypes.data
    forward.call(place, A.ctypes.data, len(Z), 1, numbers.ctypes.data)
    tolerance = 1e3 * np.finfo(kernels.dtype).eps
    if not np.allclose(A, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
        message = f"{activation!r}, when compiled, gives {A} at {Z} instead of {expected}"
        raise FormulaError(message)


def error_kernel(kernels: Kernels, error: Error, targets: int) -> tuple[Kernel, Any]:
    """Return the kernel of an error or a pair of so many targets, and its parameters or a table.

    Raises
    ------
    FormulaError
        If it is none of the kinds that can be compiled.
    """
    weights: tuple[float, ...] = ()
    if isinstance(error, BlockError):
        inner, numbers = error_kernel(kernels, error.inner, targets)
        if len(numbers):
            message = f"{error.inner!r} has parameters, which kernels over blocks do not read"
            raise FormulaError(message)
        if not error.sizes:
            return inner, numbers
        return kernels.make(parted.judge_blocks), _block_table(inner, inner, error.sizes)
    if isinstance(error, WeightedError):
        weights, error = error.weights or (1.0,) * targets, error.inner
    if isinstance(error, (ElementwiseError, JointError, ColumnwiseError)):
        formulas = {"VALUE": error.value, "DERIVATIVE": error.derivative}
    if isinstance(error, ElementwiseError):
        count, parameters = len(error.blocks[0]), [p for block in error.blocks for p in block]
        given: dict[str, Any] = {"LOAD": count, "COUNT": count, "BLOCKS": len(error.blocks)}
        judge: Any = parted.judge_entries if weights else templates.judge
        return kernels.make(judge, formulas, **given), [*parameters, *weights]
    if isinstance(error, JointError):
        blocks = error.outputs_per_target
        judge = parted.judge_entries_together if weights else templates.judge_together
        return kernels.make(judge, formulas, LOAD=blocks, BLOCKS=blocks), weights
    if isinstance(error, ColumnwiseError):
        formulas["TERM"] = special.shifted_exp
        return kernels.make(templates.judge_columns, formulas), ()
    message = f"{error!r} is an object with methods of its own, not formulas of one number"
    raise FormulaError(message)


def _block_table(first: Kernel, second: Kernel, sizes: tuple[int, ...]) -> Any:
    """Return what a kernel over blocks reads: the kernels of a block, B, and the sizes."""
    return np.array([first.address, second.address, len(sizes), *sizes], dtype=np.int64)
