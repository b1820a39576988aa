"""A solver's formulas of damping as kernels: λ d_i, the fall foretold, and what follows a step.

Templates as in `templates`: the capitals that are not defined here are the formulas of a
`DampingRule`.
"""

from __future__ import annotations

from typing import Any

from numba import carray

from lamina.engines.compiled.intrinsics import pointer

UNIT: Any = None
SCALE: Any = None
FALL: Any = None
KEEP: Any = None
TRUST: Any = None
DISTRUST: Any = None
GROWTH: Any = None

# The numbers of a step: float64.
LAMBDA = 0
NU = 1
USED = 2
"""The λ of this step."""
J_HERE = 3
NORM = 4
"""|dJ/dθ|."""
TOP = 5
"""The largest of all diag G so far."""
LOWER = 6
"""J behind a step,"""
FORETOLD = 7
"""and the fall that the model promised."""
COUNT = 8


def damp(numbers: int, largest: int, target: int, size: int) -> float:
    """Write λ d_i of all parameters: how the largest diag G so far damps them."""
    kept = carray(pointer(numbers, 0.0), COUNT)
    source, damps = carray(pointer(largest, UNIT), size), carray(pointer(target, UNIT), size)
    for i in range(size):
        damps[i] = kept[LAMBDA] * SCALE(source[i], kept[TOP])
    return 0.0


def foretell(step: int, slope: int, damps: int, size: int) -> float:
    """Return the fall of J that the step p promises."""
    p, g = carray(pointer(step, UNIT), size), carray(pointer(slope, UNIT), size)
    d = carray(pointer(damps, UNIT), size)
    total = 0.0
    for i in range(size):
        total += FALL(p[i], g[i], d[i])
    return total


def settle(numbers: int) -> float:
    """Return 1 if a step is kept, else 0; λ and ν are then those of the next one."""
    kept = carray(pointer(numbers, 0.0), COUNT)
    J, lower, foretold = kept[J_HERE], kept[LOWER], kept[FORETOLD]
    if KEEP(J, lower, foretold):
        kept[LAMBDA] = TRUST(kept[LAMBDA], J, lower, foretold)
        kept[NU] = GROWTH
        return 1.0
    kept[LAMBDA], kept[NU] = DISTRUST(kept[LAMBDA], kept[NU])
    return 0.0
