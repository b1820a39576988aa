"""Levenberg-Marquardt for small problems: some steps in one call, on the caller's thread.

All data points are one block, and their A and Z stay where they are from one look at J to the next:
the one that accepts a step is also the forward pass of what follows, its gradient and its G. How
steps are damped and which are kept is said by kernels of `damping`.
"""

from __future__ import annotations

from math import hypot, isfinite
from typing import Any

from numba import carray, njit

from lamina.engines.compiled.accumulation import add_piece, write_chunk
from lamina.engines.compiled.cholesky import factorize, solve
from lamina.engines.compiled.damping import (
    COUNT,
    FORETOLD,
    J_HERE,
    LAMBDA,
    LOWER,
    NORM,
    TOP,
    USED,
)
from lamina.engines.compiled.intrinsics import call, pointer
from lamina.engines.compiled.layout import (
    CHUNK,
    COUNT_FACTORS,
    GRADIENT,
    JOBS,
    LAYERS,
    MATRIX,
    MATRIX_PIECE,
    MULTIPLY,
    PENALIZE,
    POINTS,
    SCRATCH,
    SIZE,
    THETA,
)
from lamina.engines.compiled.passes import ONE, ZERO, backward, fetch, forward, judge, weigh
from lamina.engines.compiled.pieces import copy_weights, differentiate, penalize
from lamina.engines.compiled.products import OPTIONS
from lamina.engines.compiled.work import add_up, tables_at

UNIT: Any = None

# The table of a run: int64.
MOST = 0
"""Steps, and"""
TRIES = 1
"""dampings for each, at most."""
NUMBERS = 2
"""Where the numbers of a step stand; then P numbers each:"""
LARGEST = 3
"""the largest diag G so far,"""
EXTRA = 4
"""what the penalties add to diag G,"""
HERE = 5
"""θ, from which a step is looked for,"""
SLOPE = 6
"""dJ/dθ there,"""
DAMPS = 7
"""λ d_i,"""
STEP = 8
"""and the step."""
FACTOR = 9
"""Where U stands, P × P,"""
NEGATIVE = 10
"""and -U."""
THETAS = 11
"""Where θ goes after each step,"""
SCALES = 12
"""the largest diag G so far,"""
RECORDS = 13
"""and the numbers."""
DAMP = 14
"""Where the kernels of a solver's formulas are."""
FORETELL = 15
SETTLE = 16
RUN_SIZE = 17


@njit(**OPTIONS)
def vector(run: Any, field: int, size: int) -> Any:
    """Return a vector that a field of the run tells the place of."""
    return carray(pointer(run[field], 0.0), size)


@njit(**OPTIONS)
def copy(source: Any, target: Any) -> None:
    """Copy numbers."""
    for i in range(target.size):
        target[i] = source[i]


@njit(**OPTIONS)
def bring_data(tables: Any, unit: Any) -> None:
    """Gather all data points and their ω, each to its place."""
    world, layers = tables[0], tables[1]
    for row in range(0, world[POINTS], world[CHUNK]):
        size = min(world[CHUNK], world[POINTS] - row)
        fetch(world, layers, row, row, size, unit)
        weigh(world, row, row, size, world[POINTS], unit)


@njit(**OPTIONS)
def penalize_all(tables: Any, unit: Any) -> float:
    """Add the penalties' slopes to the gradient, note the length of its pieces, and return Σ R."""
    world, layers, pieces, _, noted = tables
    for job in range(world[JOBS]):
        penalize(world, layers, job, pieces[job], unit)
    return add_up(noted[1], world[JOBS])


@njit(**OPTIONS)
def look(tables: Any, unit: Any) -> float:
    """Return J with penalties; Z, A and H_L are left in their places."""
    world, layers, pieces, _, noted = tables
    for job in range(world[JOBS]):
        copy_weights(world, layers[pieces[job, 0]], pieces[job, 1], pieces[job, 2], unit)
    chunks = 0
    for row in range(0, world[POINTS], world[CHUNK]):
        size = min(world[CHUNK], world[POINTS] - row)
        forward(world, layers, row, row, size, world[SCRATCH], unit)
        noted[0, chunks] = judge(world, layers, row, size, world[SCRATCH], unit)
        chunks += 1
    J = add_up(noted[0], chunks)
    penalized = False
    for l in range(world[LAYERS]):
        penalized |= layers[l, PENALIZE] != 0
    return J + penalize_all(tables, unit) if penalized else J


@njit(**OPTIONS)
def slope(tables: Any, target: Any, unit: Any) -> float:
    """Write dJ/dθ of the θ that was looked at, and return its length."""
    world, layers, pieces, _, noted = tables
    for row in range(0, world[POINTS], world[CHUNK]):
        size = min(world[CHUNK], world[POINTS] - row)
        backward(world, layers, row, size, ZERO, world[SCRATCH], unit)
    for job in range(world[JOBS]):
        piece = pieces[job]
        where = world[GRADIENT], ZERO, ONE
        differentiate(world, layers, piece, world[POINTS], where, world[SCRATCH], unit)
    penalize_all(tables, unit)
    norm, gradient = 0.0, carray(pointer(world[GRADIENT], unit), target.size)
    for job in range(world[JOBS]):
        norm = hypot(norm, noted[2, job])
    for i in range(target.size):
        target[i] = gradient[i]
    return norm


@njit(**OPTIONS)
def curve(tables: Any, extra: Any, largest: Any, unit: Any) -> float:
    """Write the upper triangle of G; raise the largest diag G so far, and return the largest.

    NaN if diag G is not finite.
    """
    world = tables[0]
    P, N, result = world[SIZE], world[POINTS], 0.0
    for k in range(world[COUNT_FACTORS]):
        for row in range(0, N, world[CHUNK]):
            write_chunk(tables, ZERO, row, min(world[CHUNK], N - row), k, world[SCRATCH], unit)
        for begin in range(0, P, world[MATRIX_PIECE]):
            add_piece(world, begin, N, k == 0, world[SCRATCH], unit)
    G = carray(pointer(world[MATRIX], unit), (P, P))
    for i in range(P):
        if world[COUNT_FACTORS] == 0:
            for j in range(i, P):
                G[i, j] = 0.0
        G[i, i] += extra[i]
        if not isfinite(G[i, i]):
            return G[i, i] - G[i, i]
        largest[i] = max(largest[i], G[i, i])
        result = max(result, largest[i])
    return result


@njit(**OPTIONS)
def propose(world: Any, run: Any, unit: Any) -> bool:
    """Write the step for λ and note the fall that it foretells; False if G is too singular."""
    P = world[SIZE]
    G = carray(pointer(world[MATRIX], unit), (P, P))
    U = carray(pointer(run[FACTOR], unit), (P, P))
    call(run[DAMP], (run[NUMBERS], run[LARGEST], run[DAMPS], P))
    gradient, damps, p = vector(run, SLOPE, P), vector(run, DAMPS, P), vector(run, STEP, P)
    for i in range(P):
        for j in range(i, P):
            U[i, j] = G[i, j]
        U[i, i] += damps[i]
        p[i] = -gradient[i]
    places = run[FACTOR], run[NEGATIVE]
    if not factorize(world[MULTIPLY], places, P, world[SCRATCH], unit):
        return False
    solve(run[FACTOR], P, p, unit)
    foretold = call(run[FORETELL], (run[STEP], run[SLOPE], run[DAMPS], P))
    vector(run, NUMBERS, COUNT)[FORETOLD] = foretold
    return True


@njit(**OPTIONS)
def move(theta: Any, here: Any, step: Any) -> bool:
    """Write θ + p; return False if that is θ, to rounding."""
    moves = False
    for i in range(theta.size):
        theta[i] = here[i] + step[i]
        moves |= theta[i] != here[i]
    return moves


@njit(**OPTIONS)
def search(tables: Any, run: Any, unit: Any) -> bool:
    """Damp until a step is kept, and move θ by it; False if none is."""
    world, P = tables[0], tables[0][SIZE]
    numbers = vector(run, NUMBERS, COUNT)
    theta, here = carray(pointer(world[THETA], unit), P), vector(run, HERE, P)
    for _ in range(run[TRIES]):
        numbers[USED] = numbers[LAMBDA]
        if propose(world, run, unit):
            if not move(theta, here, vector(run, STEP, P)):
                return False
            numbers[LOWER] = look(tables, unit)
        else:
            numbers[LOWER] = numbers[J_HERE]  # no step is no fall
        if call(run[SETTLE], (run[NUMBERS],)) != 0.0:
            copy(theta, here)
            numbers[J_HERE] = numbers[LOWER]
            return True
    return False


@njit(**OPTIONS)
def record(run: Any, P: int, step: int) -> None:
    """Note where a step led to."""
    copy(vector(run, HERE, P), carray(pointer(run[THETAS], 0.0), (run[MOST], P))[step])
    copy(vector(run, LARGEST, P), carray(pointer(run[SCALES], 0.0), (run[MOST], P))[step])
    copy(vector(run, NUMBERS, COUNT), carray(pointer(run[RECORDS], 0.0), (run[MOST], COUNT))[step])


def descend(world_at: int, layers_at: int, run_at: int) -> float:
    """Take steps from θ, record each, and return how many there were."""
    tables = tables_at(world_at, layers_at)
    world, run = tables[0], carray(pointer(run_at, 1), RUN_SIZE)
    P = world[SIZE]
    numbers, gradient = vector(run, NUMBERS, COUNT), vector(run, SLOPE, P)
    extra, largest = vector(run, EXTRA, P), vector(run, LARGEST, P)
    copy(carray(pointer(world[THETA], UNIT), P), vector(run, HERE, P))
    bring_data(tables, UNIT)
    numbers[J_HERE] = look(tables, UNIT)
    numbers[NORM] = slope(tables, gradient, UNIT)
    step = 0
    while step < run[MOST] and numbers[NORM] > 0.0 and isfinite(numbers[J_HERE] + numbers[NORM]):
        numbers[TOP] = curve(tables, extra, largest, UNIT)
        if not (isfinite(numbers[TOP]) and search(tables, run, UNIT)):
            break
        numbers[NORM] = slope(tables, gradient, UNIT)
        record(run, P, step)
        step += 1
    return float(step)
