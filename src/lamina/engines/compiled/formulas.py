"""Which kernels an activation or an error compiles to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.compiled import templates
from lamina.engines.compiled.translation import identity, ignores_first
from lamina.exceptions import FormulaError
from lamina.network import special
from lamina.network.activations import Columnwise, Elementwise
from lamina.network.error_kinds import ColumnwiseError, ElementwiseError, JointError

if TYPE_CHECKING:
    from lamina.engines.compiled.kernels import Kernel, Kernels
    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error


def overwrites(activation: Activation) -> bool:
    """Return whether the slope needs A alone, which may then overwrite Z."""
    return isinstance(activation, Elementwise) and ignores_first(activation.derivative)


def activation_kernels(kernels: Kernels, activation: Activation) -> tuple[Kernel, Kernel, Any]:
    """Return the kernels forward and backward of an activation, and its parameters.

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


def error_kernel(kernels: Kernels, error: Error) -> tuple[Kernel, Any]:
    """Return the kernel of an error or a pair, and its parameters.

    Raises
    ------
    FormulaError
        If it is none of the kinds that can be compiled.
    """
    if isinstance(error, (ElementwiseError, JointError, ColumnwiseError)):
        formulas = {"VALUE": error.value, "DERIVATIVE": error.derivative}
    if isinstance(error, ElementwiseError):
        count, parameters = len(error.blocks[0]), [p for block in error.blocks for p in block]
        given: dict[str, Any] = {"LOAD": count, "COUNT": count, "BLOCKS": len(error.blocks)}
        return kernels.make(templates.judge, formulas, **given), parameters
    if isinstance(error, JointError):
        blocks = error.outputs_per_target
        return kernels.make(templates.judge_together, formulas, LOAD=blocks, BLOCKS=blocks), ()
    if isinstance(error, ColumnwiseError):
        formulas["TERM"] = special.shifted_exp
        return kernels.make(templates.judge_columns, formulas), ()
    message = f"{error!r} is an object with methods of its own, not formulas of one number"
    raise FormulaError(message)
