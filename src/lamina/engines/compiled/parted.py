"""Templates for outputs that are no sum over equal parts: weighted entries, and blocks of units.

Capitals are filled in as in `templates`. A kernel over blocks calls the kernel of one block, whose
address stands in a table of int64: two kernels, B, and the sizes of the B blocks.
"""

from __future__ import annotations

from typing import Any

from numba import carray

from lamina.engines.compiled.intrinsics import call, pointer, size_of

VALUE: Any = None
DERIVATIVE: Any = None
UNIT: Any = None
LOAD: Any = None
BLOCKS: Any = None
COUNT: Any = None


def judge_entries(
    t: int,
    a: int,
    d: int,
    omega: int,
    targets: int,
    points: int,
    parameters: int,
    scratch: int,
) -> float:
    """As `judge`, with a weight of each target behind the parameters, and nothing of NaN in T."""
    O = carray(pointer(omega, UNIT), points)
    T = carray(pointer(t, UNIT), (points, targets))
    A = carray(pointer(a, UNIT), (points, BLOCKS, targets))
    D = carray(pointer(d, UNIT), (points, BLOCKS, targets))
    W = carray(pointer(parameters + BLOCKS * COUNT * size_of(UNIT), UNIT), targets)
    total, none = 0.0, UNIT - UNIT
    for block in range(BLOCKS):
        p = LOAD(pointer(parameters, UNIT), block * COUNT, 1)
        for n in range(points):
            J = 0.0
            for i in range(targets):
                known = T[n, i] == T[n, i]
                counts, wanted = known & (W[i] > none), T[n, i] if known else UNIT
                value = W[i] * VALUE(wanted, A[n, block, i], *p)
                slope = W[i] * DERIVATIVE(wanted, A[n, block, i], *p)
                J += value if counts else none
                D[n, block, i] = O[n] * slope if counts else none
            total += O[n] * J
    return total


def judge_entries_together(
    t: int,
    a: int,
    d: int,
    omega: int,
    targets: int,
    points: int,
    parameters: int,
    scratch: int,
) -> float:
    """As `judge_together`, with a weight of each target, and nothing of NaN in T."""
    O, W = carray(pointer(omega, UNIT), points), carray(pointer(parameters, UNIT), targets)
    T = carray(pointer(t, UNIT), (points, targets))
    D = carray(pointer(d, UNIT), (points, BLOCKS, targets))
    total, none = 0.0, UNIT - UNIT
    for n in range(points):
        J = 0.0
        for i in range(targets):
            outputs = LOAD(pointer(a, UNIT), n * BLOCKS * targets + i, targets)
            known = T[n, i] == T[n, i]
            counts, wanted = known & (W[i] > none), T[n, i] if known else UNIT
            value, slopes = W[i] * VALUE(wanted, outputs), DERIVATIVE(wanted, outputs)
            J += value if counts else none
            for block in range(BLOCKS):
                D[n, block, i] = O[n] * W[i] * slopes[block] if counts else none
        total += O[n] * J
    return total


def activate_blocks(z: int, a: int, units: int, points: int, table: int) -> float:
    """Activate each block of units by the first kernel of a table: two kernels, B, the sizes."""
    numbers, size = pointer(table, 1), size_of(UNIT)
    for n in range(points):
        place = n * units * size
        for b in range(numbers[2]):
            count = numbers[3 + b]
            call(numbers[0], (z + place, a + place, count, 1, 0))
            place += count * size
    return 0.0


def pull_blocks(z: int, a: int, h: int, units: int, points: int, table: int) -> float:
    """Pull Delta back, in place, by the second kernel of a table, block by block."""
    numbers, size = pointer(table, 1), size_of(UNIT)
    for n in range(points):
        place = n * units * size
        for b in range(numbers[2]):
            count = numbers[3 + b]
            call(numbers[1], (z + place, a + place, h + place, count, 1, 0))
            place += count * size
    return 0.0


def judge_blocks(
    t: int,
    z: int,
    d: int,
    omega: int,
    targets: int,
    points: int,
    table: int,
    scratch: int,
) -> float:
    """Judge each block by the kernel of a table: it, itself again, B, the sizes."""
    numbers, size = pointer(table, 1), size_of(UNIT)
    total = 0.0
    for n in range(points):
        place, weight = n * targets * size, omega + n * size
        for b in range(numbers[2]):
            count = numbers[3 + b]
            there = t + place, z + place, d + place
            total += call(numbers[0], (*there, weight, count, 1, 0, scratch))
            place += count * size
    return total
