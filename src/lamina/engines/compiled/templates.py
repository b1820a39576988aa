"""Loops around formulas: what an activation, an error, a penalty or a solver compiles to.

Each function here is a template: capitals that it does not define (VALUE, UNIT, ...) are
filled in by `kernels`, then it is compiled on its own and called by address. All arguments
are int64; addresses point to numbers of the type of UNIT, data points one after the other.
"""

from __future__ import annotations

from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import pointer, size_of
from lamina.engines.compiled.products import OPTIONS

VALUE: Any = None
DERIVATIVE: Any = None
TERM: Any = None
PULLED: Any = None
UNIT: Any = None
LOAD: Any = None
STORE: Any = None
BLOCKS: Any = None
COUNT: Any = None
ROOM = 8192
"""Numbers that a kernel may keep in a thread's scratch."""


def activate(z: int, a: int, units: int, points: int, parameters: int) -> float:
    """Write A = sigma(Z), element by element."""
    size = units * points
    Z, A = carray(pointer(z, UNIT), size), carray(pointer(a, UNIT), size)
    p = LOAD(pointer(parameters, UNIT), 0, 1)
    for i in range(size):
        A[i] = VALUE(Z[i], *p)
    return 0.0


def overwrite(z: int, a: int, units: int, points: int, parameters: int) -> float:
    """Write A = sigma(Z), element by element, where Z stood.

    One array, for a loop over two that are the same would not vectorize. And what stands behind
    the parameters is 1: without that product LLVM stores only those that change, one by one.
    """
    size = units * points
    A = carray(pointer(a, UNIT), size)
    p = LOAD(pointer(parameters, UNIT), 0, 1)
    one = pointer(parameters, UNIT)[COUNT]
    for i in range(size):
        A[i] = VALUE(A[i], *p) * one
    return 0.0


def pull(z: int, a: int, h: int, units: int, points: int, parameters: int) -> float:
    """Turn Delta, in place, into H = Delta ⊙ sigma'(Z), (2.15)."""
    size = units * points
    Z, A = carray(pointer(z, UNIT), size), carray(pointer(a, UNIT), size)
    H = carray(pointer(h, UNIT), size)
    p = LOAD(pointer(parameters, UNIT), 0, 1)
    for i in range(size):
        H[i] *= DERIVATIVE(Z[i], A[i], *p)
    return 0.0


def activate_columns(z: int, a: int, units: int, points: int, parameters: int) -> float:
    """Write A = sigma(Z) for an activation that mixes the units of a data point."""
    for n in range(points):
        start = n * units * size_of(UNIT)
        Z, A = carray(pointer(z + start, UNIT), units), carray(pointer(a + start, UNIT), units)
        top, total = Z[0], UNIT - UNIT
        for i in range(units):
            top = Z[i] if (Z[i] > top) | (Z[i] != Z[i]) else top
        for i in range(units):
            total += TERM(Z[i], top)
        for i in range(units):
            A[i] = VALUE(Z[i], top, total)
    return 0.0


def pull_columns(z: int, a: int, h: int, units: int, points: int, parameters: int) -> float:
    """Turn Delta, in place, into H for an activation that mixes the units of a data point."""
    for n in range(points):
        start = n * units * size_of(UNIT)
        A, H = carray(pointer(a + start, UNIT), units), carray(pointer(h + start, UNIT), units)
        total = UNIT - UNIT
        for i in range(units):
            total += PULLED(A[i], H[i])
        for i in range(units):
            H[i] = VALUE(A[i], H[i], total)
    return 0.0


def judge(
    t: int,
    a: int,
    d: int,
    omega: int,
    targets: int,
    points: int,
    parameters: int,
    scratch: int,
) -> float:
    """Return Σ ω_n J_n and write ω_n dJ_n/dA: BLOCKS outputs for each target, each by itself."""
    O = carray(pointer(omega, UNIT), points)
    T = carray(pointer(t, UNIT), (points, targets))
    A = carray(pointer(a, UNIT), (points, BLOCKS, targets))
    D = carray(pointer(d, UNIT), (points, BLOCKS, targets))
    total = 0.0
    for block in range(BLOCKS):
        p = LOAD(pointer(parameters, UNIT), block * COUNT, 1)
        for n in range(points):
            J = 0.0
            for i in range(targets):
                J += VALUE(T[n, i], A[n, block, i], *p)
                D[n, block, i] = O[n] * DERIVATIVE(T[n, i], A[n, block, i], *p)
            total += O[n] * J
    return total


def judge_together(
    t: int,
    a: int,
    d: int,
    omega: int,
    targets: int,
    points: int,
    parameters: int,
    scratch: int,
) -> float:
    """Return Σ ω_n J_n and write its slopes, for an error of BLOCKS outputs taken together."""
    O = carray(pointer(omega, UNIT), points)
    T = carray(pointer(t, UNIT), (points, targets))
    total = 0.0
    for n in range(points):
        start = n * BLOCKS * targets
        J = 0.0
        for i in range(targets):
            outputs = LOAD(pointer(a, UNIT), start + i, targets)
            J += VALUE(T[n, i], outputs)
            slopes = DERIVATIVE(T[n, i], outputs)
            for block in range(BLOCKS):
                carray(pointer(d, UNIT), start + BLOCKS * targets)[start + block * targets + i] = (
                    O[n] * slopes[block]
                )
        total += O[n] * J
    return total


@njit(**OPTIONS)
def turn(matrix: Any, turned: Any, total: Any, top: Any) -> None:
    """Write a matrix transposed, and the sum and the largest number of each data point."""
    points, size = matrix.shape
    for n in range(points):
        total[n], top[n] = 0, matrix[n, 0]
    for i in range(size):
        for n in range(points):
            x = matrix[n, i]
            turned[i, n] = x
            total[n] += x
            top[n] = x if (x > top[n]) | (x != x) else top[n]  # noqa: PLR0124 - NaN


def judge_columns(
    t: int,
    z: int,
    d: int,
    omega: int,
    targets: int,
    points: int,
    parameters: int,
    scratch: int,
) -> float:
    """Return Σ ω_n J_n and write ω_n dJ_n/dZ, for an error of Z_L that mixes a data point.

    Some data points at a time are turned in the scratch, so that loops vectorize over points.
    """
    together = max(1, ROOM // (3 * targets + 4))
    O = carray(pointer(omega, UNIT), points)
    T, Z = carray(pointer(t, UNIT), (points, targets)), carray(pointer(z, UNIT), (points, targets))
    D = carray(pointer(d, UNIT), (points, targets))
    everything = 0.0
    for first in range(0, points, together):
        size = together if first + together < points else points - first
        turned = carray(pointer(scratch, UNIT), (3, targets, size))
        sums = carray(pointer(scratch + 3 * targets * size * size_of(UNIT), UNIT), (4, size))
        wanted, seen, slopes = turned[0], turned[1], turned[2]
        top, total, weight, J = sums[0], sums[1], sums[2], sums[3]
        turn(T[first : first + size], wanted, weight, top)
        turn(Z[first : first + size], seen, J, top)
        for n in range(size):
            total[n], J[n] = UNIT - UNIT, UNIT - UNIT
        for i in range(targets):
            for n in range(size):
                total[n] += TERM(seen[i, n], top[n])
        for i in range(targets):
            for n in range(size):
                J[n] += VALUE(wanted[i, n], seen[i, n], top[n], total[n])
                slope = DERIVATIVE(wanted[i, n], seen[i, n], top[n], total[n], weight[n])
                slopes[i, n] = O[first + n] * slope
        for i in range(targets):
            for n in range(size):
                D[first + n, i] = slopes[i, n]
        for n in range(size):
            everything += O[first + n] * J[n]
    return everything


def penalize(w: int, g: int, size: int, parameters: int) -> float:
    """Return R(w), and add dR/dw to the gradient."""
    W, G = carray(pointer(w, UNIT), size), carray(pointer(g, UNIT), size)
    p = LOAD(pointer(parameters, UNIT), 0, 1)
    total = 0.0
    for i in range(size):
        total += VALUE(W[i], *p)
        G[i] += DERIVATIVE(W[i], *p)
    return total


def move(theta: int, g: int, memory: int, stride: int, size: int, coefficients: int) -> float:
    """Take a solver's step for some parameters; the rows of its memory are a stride apart."""
    W, G = carray(pointer(theta, UNIT), size), carray(pointer(g, UNIT), size)
    rows = pointer(memory, UNIT)
    c = LOAD(pointer(coefficients, UNIT), 0, 1)
    for i in range(size):
        W[i], kept = VALUE(W[i], G[i], TERM(rows, i, stride), c)
        STORE(rows, i, stride, kept)
    return 0.0
