"""What each thread does: steps of forward, backward, gradient and solver, two meetings a step.

A step has two phases. First the data points of a batch are cut into chunks, and each goes
forward through all layers, (1.4), and backward, (4.2), which needs no other chunk. Then the
parameters are cut into pieces, some rows of one layer each; a piece's gradient is a product
over all data points of the batch, (4.1), and the solver moves it right behind. Both cuts depend
on shapes alone and no number is added up by two threads, so that any number of threads gives
the same bits, whoever does which job.
"""

from __future__ import annotations

from math import hypot, isfinite, sqrt
from typing import Any

import numpy as np
from numba import carray, njit

from lamina.engines.compiled.intrinsics import (
    add_atomically,
    call,
    load_atomically,
    pointer,
    size_of,
    store_atomically,
)
from lamina.engines.compiled.layout import (
    A_0_AT,
    A_AT,
    ACTIVATE,
    BATCH,
    BELOW,
    BLOCK,
    BOUNDS,
    CHUNK,
    CLIPPED_STEPS,
    COEFFICIENTS,
    COUNT,
    DROP,
    FIRST,
    GATHER_T,
    GATHER_X,
    GRADIENT,
    H_AT,
    INPUTS,
    IS_PAIR,
    JOBS,
    JUDGE,
    JUDGE_PARAMETERS,
    JUDGED,
    LAST,
    LAST_STEP,
    LAYER_SIZE,
    LAYERS,
    LIMIT,
    LINE,
    MASK,
    MEMORY,
    MIRROR,
    MODE,
    MOVE,
    MULTIPLY,
    NARROW,
    NOTES,
    OFFSET,
    OMEGA,
    ONLY_ERROR,
    ONLY_GRADIENT,
    ONLY_OUTPUTS,
    ORDER,
    OUTPUT,
    PARAMETERS,
    PARTIALS,
    PENALIZE,
    PENALIZED,
    PENALTY,
    PIECES,
    POINTS,
    PULL,
    QUEUES,
    RECEIVED,
    RESULTS,
    SCRATCH,
    STATE,
    STEPS,
    STOP,
    STRIDE,
    SYNC,
    T_AFFINE,
    T_ROWS,
    T_TO_COLUMN,
    T_TO_ROW,
    TARGETS,
    THETA,
    THREADS,
    UNITS,
    WANTED,
    WEIGHTS,
    WORLD_SIZE,
    X_AFFINE,
    X_ROWS,
    X_TO_COLUMN,
    X_TO_ROW,
    YIELD,
    Z_AT,
)
from lamina.engines.compiled.microkernel import lanes
from lamina.engines.compiled.products import FIELDS, OPTIONS
from lamina.engines.compiled.products import SCRATCH_BYTES as PRODUCT_BYTES

UNIT: Any = None
ZERO, ONE = np.int64(0), np.int64(1)
TASK_BYTES = 128
SCRATCH_BYTES = TASK_BYTES + PRODUCT_BYTES
SPINS = 2000
"""Looks at a counter before the processor is given up: some ten microseconds."""


@njit(**OPTIONS)
def meet(world: Any, meetings: int) -> bool:
    """Wait until all threads have met so many times; return False when told to stop."""
    sync = world[SYNC]
    if world[THREADS] > 1:
        expected = meetings * world[THREADS]
        add_atomically(sync, 1)
        spins = 0
        while load_atomically(sync) < expected:
            spins += 1
            if spins > SPINS:
                call(world[YIELD], (0,))
                if load_atomically(sync + 8 * LINE * STOP) != 0:
                    return False
    return load_atomically(sync + 8 * LINE * STOP) == 0


@njit(**OPTIONS)
def queue(world: Any, phase: int, thread: int) -> int:
    """Return where the counter of a thread's jobs stands; phases use two sets by turns."""
    place = QUEUES + (phase & 1) * world[THREADS] + thread
    return world[SYNC] + 8 * LINE * place


@njit(**OPTIONS)
def refill(world: Any, phase: int) -> None:
    """Set the counters of the next phase to 0."""
    for thread in range(world[THREADS]):
        store_atomically(queue(world, phase + 1, thread), 0)


@njit(**OPTIONS)
def next_job(world: Any, phase: int, thread: int, jobs: int, bounds: Any) -> int:
    """Return a job that nobody has taken: of this thread's share first, then of others'."""
    threads = world[THREADS]
    for other in range(threads):
        owner = (thread + other) % threads
        if jobs > 0:
            begin, end = jobs * owner // threads, jobs * (owner + 1) // threads
        else:
            begin, end = bounds[owner], bounds[owner + 1]
        if begin < end:
            job = begin + add_atomically(queue(world, phase, owner), 1)
            if job < end:
                return job
    return -1


@njit(**OPTIONS)
def multiply(world: Any, kind: Any, places: Any, counts: Any, strides: Any, scratch: int) -> None:
    """Do a product C = I + A B; the thread's scratch has room for the task, then for copies."""
    task = carray(pointer(scratch, 1), FIELDS)
    task[0], task[1], task[2], task[3] = places
    task[4], task[5], task[6] = counts
    task[7], task[8], task[9], task[10], task[11] = strides
    task[12] = scratch + TASK_BYTES
    call(world[kind], (scratch,))


@njit(**OPTIONS)
def fetch(world: Any, layers: Any, first: int, row: int, rows: int, unit: Any) -> None:
    """Gather inputs, targets and ω of some data points, from `first` of the order on."""
    size, points = size_of(unit), world[ORDER] + 8 * first
    S_0, K = layers[0, INPUTS], world[TARGETS]
    target = world[A_0_AT] + row * S_0 * size
    table = world[X_ROWS], world[X_TO_ROW], world[X_TO_COLUMN]
    call(world[GATHER_X], (*table, points, rows, S_0, target, world[X_AFFINE]))
    if world[MODE] == ONLY_OUTPUTS:
        return
    target = world[WANTED] + row * K * size
    table = world[T_ROWS], world[T_TO_ROW], world[T_TO_COLUMN]
    call(world[GATHER_T], (*table, points, rows, K, target, world[T_AFFINE]))


@njit(**OPTIONS)
def weigh(world: Any, first: int, row: int, rows: int, step_points: int, unit: Any) -> None:
    """Write ω of some data points: (w_n / Σw) · n / n_chosen, as `Data.omega` does."""
    omega = carray(pointer(world[OMEGA], unit), row + rows)
    scale = pointer(world[RESULTS], 0.0)[2] / step_points
    if world[WEIGHTS] == 0:
        for k in range(rows):
            omega[row + k] = scale
        return
    points = carray(pointer(world[ORDER] + 8 * first, 1), rows)
    weights = pointer(world[WEIGHTS], 0.0)
    for k in range(rows):
        omega[row + k] = weights[points[k]] * scale


@njit(**OPTIONS)
def forward(
    world: Any, layers: Any, position: int, row: int, rows: int, scratch: int, unit: Any
) -> None:
    """Bring some data points through all layers, (1.4); `position` is theirs in the epoch."""
    size = size_of(unit)
    for l in range(world[LAYERS]):
        layer = layers[l]
        S, units = layer[INPUTS], layer[UNITS]
        received = layer[RECEIVED] + row * S * size
        if layer[MASK] != 0:
            below, mask = layer[BELOW] + row * S * size, layer[MASK] + row * S * size
            chance = layer[STATE], layer[LIMIT]
            call(world[DROP], (below, received, mask, S, rows, position, *chance))
        z, a = layer[Z_AT] + row * units * size, layer[A_AT] + row * units * size
        W = world[THETA] + layer[OFFSET] * size
        places = z, W + S * units * size, received, W
        if units <= lanes(unit) and layer[MIRROR] != 0:
            places = z, W + S * units * size, received, layer[MIRROR]
            strides = units, ZERO, S, ONE, S
            multiply(world, NARROW, places, (rows, units, S), strides, scratch)
        else:
            strides = units, ZERO, S, ONE, units
            multiply(world, MULTIPLY, places, (rows, units, S), strides, scratch)  # (1.4)
        if layer[ACTIVATE] != 0:
            call(layer[ACTIVATE], (z, a, units, rows, layer[PARAMETERS]))


@njit(**OPTIONS)
def judge(world: Any, layers: Any, row: int, rows: int, unit: Any) -> float:
    """Return Σ ω_n J_n of some data points, and write H_L if the error is a pair, else Delta_L."""
    size, K = size_of(unit), world[TARGETS]
    units = layers[world[LAYERS] - 1, UNITS]
    t, omega = world[WANTED] + row * K * size, world[OMEGA] + row * size
    outputs = world[JUDGED] + row * units * size
    slopes = layers[world[LAYERS] - 1, H_AT] + row * units * size
    return call(
        world[JUDGE],
        (t, outputs, slopes, omega, K, rows, world[JUDGE_PARAMETERS]),
    )


@njit(**OPTIONS)
def backward(world: Any, layers: Any, row: int, rows: int, scratch: int, unit: Any) -> None:
    """Bring Delta_L of some data points down to H_1, (4.2)."""
    size = size_of(unit)
    for l in range(world[LAYERS] - 1, -1, -1):
        layer = layers[l]
        S, units = layer[INPUTS], layer[UNITS]
        place = row * units * size
        z, a, h = layer[Z_AT] + place, layer[A_AT] + place, layer[H_AT] + place
        fused = l == world[LAYERS] - 1 and world[IS_PAIR] != 0
        if layer[PULL] != 0 and not fused:
            call(layer[PULL], (z, a, h, units, rows, layer[PARAMETERS]))
        if l == 0:
            return
        delta = layers[l - 1, H_AT] + row * S * size
        places = delta, ZERO, h, layer[MIRROR]
        strides = S, ZERO, units, ONE, S
        multiply(world, MULTIPLY, places, (rows, S, units), strides, scratch)  # (4.2)
        if layer[MASK] != 0:
            Delta = carray(pointer(delta, unit), rows * S)
            M = carray(pointer(layer[MASK] + row * S * size, unit), rows * S)
            for i in range(rows * S):
                Delta[i] *= M[i]


@njit(**OPTIONS)
def evaluate(
    world: Any,
    layers: Any,
    first: int,
    row: int,
    rows: int,
    step_points: int,
    scratch: int,
    unit: Any,
) -> float:
    """Return Σ ω_n J_n of some data points after all that the mode asks; `row` is their place."""
    fetch(world, layers, first, row, rows, unit)
    forward(world, layers, first, row, rows, scratch, unit)
    if world[MODE] == ONLY_OUTPUTS:
        units = layers[world[LAYERS] - 1, UNITS]
        outputs = layers[world[LAYERS] - 1, A_AT] + row * units * size_of(unit)
        place = world[OUTPUT] + first * units * size_of(unit)
        A, target = (
            carray(pointer(outputs, unit), rows * units),
            carray(pointer(place, unit), rows * units),
        )
        for i in range(rows * units):
            target[i] = A[i]
        return 0.0
    weigh(world, first, row, rows, step_points, unit)
    J = judge(world, layers, row, rows, unit)
    if world[MODE] >= ONLY_GRADIENT:
        backward(world, layers, row, rows, scratch, unit)
    return J


@njit(**OPTIONS | {"fastmath": {"reassoc", "nsz", "contract"}})
def squares(G: Any) -> float:
    """Return Σ g² in float64."""
    total = 0.0
    for i in range(G.size):
        g = 0.0 + G[i]
        total += g * g
    return total


@njit(**OPTIONS)
def differentiate(
    world: Any, layers: Any, piece: Any, rows: int, first: bool, scratch: int, unit: Any
) -> None:
    """Write, or if not `first` add to, the gradient of a piece of θ, (4.1)."""
    size, layer = size_of(unit), layers[piece[0]]
    S, units = layer[INPUTS], layer[UNITS]
    begin, end = piece[1], piece[2]
    weights = min(end, S)
    g = world[GRADIENT] + (layer[OFFSET] + begin * units) * size
    places = g, ZERO if first else g, layer[RECEIVED] + begin * size, layer[H_AT]
    strides = units, units, ONE, S, units
    kind = NARROW if units <= lanes(unit) else MULTIPLY
    multiply(world, kind, places, (weights - begin, units, rows), strides, scratch)  # (4.1)
    if end > S:
        place = world[GRADIENT] + (layer[OFFSET] + S * units) * size
        db = carray(pointer(place, unit), units)
        H = carray(pointer(layer[H_AT], unit), (rows, units))
        for i in range(units):
            db[i] = db[i] if not first else unit - unit
        for n in range(rows):
            for i in range(units):
                db[i] += H[n, i]  # (4.1)


@njit(**OPTIONS)
def penalize(world: Any, layers: Any, job: int, piece: Any, unit: Any) -> None:
    """Add the penalty's slope to the gradient of a piece, and note R and |gradient|² of it."""
    size, layer = size_of(unit), layers[piece[0]]
    units = layer[UNITS]
    place = (layer[OFFSET] + piece[1] * units) * size
    g, count = world[GRADIENT] + place, (piece[2] - piece[1]) * units
    R = 0.0
    penalized = min(piece[2], layer[PENALIZED]) - piece[1]
    if penalized > 0:
        w = world[THETA] + place
        R = call(layer[PENALIZE], (w, g, penalized * units, layer[PENALTY]))
    noted = carray(pointer(world[PARTIALS], 0.0), (3, world[NOTES]))
    noted[1, job] = R
    noted[2, job] = squares(carray(pointer(g, unit), count))


@njit(**OPTIONS)
def move(world: Any, layers: Any, piece: Any, step: int, unit: Any) -> None:
    """Take the solver's step for a piece of θ, and bring its mirror up to date."""
    size, layer = size_of(unit), layers[piece[0]]
    units = layer[UNITS]
    start = layer[OFFSET] + piece[1] * units
    theta, g = world[THETA] + start * size, world[GRADIENT] + start * size
    memory = world[MEMORY] + start * size
    c = world[COEFFICIENTS] + step * world[COUNT] * size
    count = (piece[2] - piece[1]) * units
    call(world[MOVE], (theta, g, memory, world[STRIDE], count, c))
    if layer[MIRROR] != 0:
        mirror(world, layer, piece[1], min(piece[2], layer[INPUTS]), unit)


@njit(**OPTIONS)
def shorten(world: Any, layers: Any, piece: Any, factor: float, unit: Any) -> None:
    """Multiply the gradient of a piece of θ."""
    units = layers[piece[0], UNITS]
    place = (layers[piece[0], OFFSET] + piece[1] * units) * size_of(unit)
    G = carray(pointer(world[GRADIENT] + place, unit), (piece[2] - piece[1]) * units)
    for i in range(G.size):
        G[i] *= factor


@njit(**OPTIONS)
def add_up(noted: Any, count: int) -> float:
    """Return the sum of what jobs noted, in their order."""
    total = 0.0
    for job in range(count):
        total += noted[job]
    return total


@njit(**OPTIONS)
def mirror(world: Any, layer: Any, begin: int, end: int, unit: Any) -> None:
    """Copy some rows of W_l into the columns of its mirror, in blocks of 8 × 8."""
    inputs, units = layer[INPUTS], layer[UNITS]
    theta = pointer(world[THETA] + layer[OFFSET] * size_of(unit), unit)
    W = carray(theta, (inputs, units))
    M = carray(pointer(layer[MIRROR], unit), (units, inputs))
    for i in range(begin, end, 8):
        i_end = min(i + 8, end)
        for j in range(0, units, 8):
            j_end = min(j + 8, units)
            if i_end - i == 8 and j_end - j == 8:
                for q in range(8):
                    for p in range(8):
                        M[j + q, i + p] = W[i + p, j + q]
            else:
                for q in range(j, j_end):
                    for p in range(i, i_end):
                        M[q, p] = W[p, q]


@njit(**OPTIONS)
def tables_at(world_at: int, layers_at: int) -> Any:
    """Return the tables of a run: world, layers, pieces of θ, their bounds, what jobs note."""
    world = carray(pointer(world_at, 1), WORLD_SIZE)
    layers = carray(pointer(layers_at, 1), (world[LAYERS], LAYER_SIZE))
    pieces = carray(pointer(world[PIECES], 1), (world[JOBS], 3))
    bounds = carray(pointer(world[BOUNDS], 1), world[THREADS] + 1)
    noted = carray(pointer(world[PARTIALS], 0.0), (3, world[NOTES]))
    return world, layers, pieces, bounds, noted


@njit(**OPTIONS)
def mirror_all(tables: Any, thread: int, unit: Any) -> None:
    """Make the mirrors of all layers that have one."""
    world, layers, pieces, bounds, _ = tables
    job = next_job(world, 0, thread, 0, bounds)
    while job >= 0:
        layer = layers[pieces[job, 0]]
        if layer[MIRROR] != 0:
            end = min(pieces[job, 2], layer[INPUTS])
            mirror(world, layer, pieces[job, 1], end, unit)
        job = next_job(world, 0, thread, 0, bounds)


@njit(**OPTIONS)
def evaluate_all(
    tables: Any, block: int, rows: int, step_points: int, phase: int, thread: int, unit: Any
) -> None:
    """Evaluate the chunks of a block of data points; each notes its Σ ω_n J_n."""
    world, layers, _, bounds, noted = tables
    if thread == 0:
        refill(world, phase)
    chunk, scratch = world[CHUNK], world[SCRATCH] + thread * SCRATCH_BYTES
    chunks = (rows + chunk - 1) // chunk
    job = next_job(world, phase, thread, chunks, bounds)
    while job >= 0:
        size = min(chunk, rows - job * chunk)
        row = (job if world[MODE] >= ONLY_GRADIENT else thread) * chunk
        first = block + job * chunk
        noted[0, job] = evaluate(world, layers, first, row, size, step_points, scratch, unit)
        job = next_job(world, phase, thread, chunks, bounds)


@njit(**OPTIONS)
def differentiate_all(
    tables: Any, rows: int, part: Any, step: int, phase: int, thread: int, unit: Any
) -> None:
    """Differentiate all pieces of θ; behind the last part of a step the solver moves them."""
    world, layers, pieces, bounds, _ = tables
    first, last = part
    if thread == 0:
        refill(world, phase)
    scratch = world[SCRATCH] + thread * SCRATCH_BYTES
    job = next_job(world, phase, thread, 0, bounds)
    while job >= 0:
        differentiate(world, layers, pieces[job], rows, first, scratch, unit)
        if last:
            penalize(world, layers, job, pieces[job], unit)
            if world[MODE] == STEPS:
                move(world, layers, pieces[job], step, unit)
        job = next_job(world, phase, thread, 0, bounds)


@njit(**OPTIONS)
def clip_all(tables: Any, factor: float, step: int, phase: int, thread: int, unit: Any) -> None:
    """Shorten the gradient where its factor is below 1, then let the solver move all pieces."""
    world, layers, pieces, bounds, _ = tables
    if thread == 0:
        refill(world, phase)
    job = next_job(world, phase, thread, 0, bounds)
    while job >= 0:
        if factor < 1.0:
            shorten(world, layers, pieces[job], factor, unit)
        move(world, layers, pieces[job], step, unit)
        job = next_job(world, phase, thread, 0, bounds)


@njit(**OPTIONS)
def take_step(tables: Any, step: int, meetings: int, thread: int, unit: Any) -> Any:
    """Do a step, or as much of it as the mode asks; return the meetings so far, -1 to end."""
    world, noted = tables[0], tables[4]
    mode, start = world[MODE], step * world[BATCH]
    stop = min(start + world[BATCH], world[POINTS])
    J = 0.0
    for block in range(start, stop, world[BLOCK]):
        rows = min(world[BLOCK], stop - block)
        evaluate_all(tables, block, rows, stop - start, meetings, thread, unit)
        meetings += 1
        if not meet(world, meetings):
            return -1
        if mode == ONLY_OUTPUTS:
            continue
        J += add_up(noted[0], (rows + world[CHUNK] - 1) // world[CHUNK])
        if mode == ONLY_ERROR:
            continue
        if mode >= STEPS and not isfinite(J):
            return report(world, J, 0.0, 1.0, thread)
        part = (block == start, block + rows == stop)
        differentiate_all(tables, rows, part, step, meetings, thread, unit)
        meetings += 1
        if not meet(world, meetings):
            return -1
    norm = 0.0
    if mode >= ONLY_GRADIENT:
        J += add_up(noted[1], world[JOBS])
        norm = sqrt(add_up(noted[2], world[JOBS]))
    if report(world, J, norm, (stop - start) / world[POINTS], thread) < 0:
        return -1
    if mode == CLIPPED_STEPS:
        longest = pointer(world[RESULTS], 0.0)[3]
        factor = longest / norm if norm > longest else 1.0
        clip_all(tables, factor, step, meetings, thread, unit)
        meetings += 1
        if not meet(world, meetings):
            return -1
    return meetings


@njit(**OPTIONS)
def report(world: Any, J: float, norm: float, share: float, thread: int) -> int:
    """Note J and the gradient's length of a step; return -1 if one of them is not finite."""
    if thread == 0:
        results = carray(pointer(world[RESULTS], 0.0), 4)
        steps = world[LAST_STEP]
        results[0] += J * share
        results[1] = hypot(results[1], norm / sqrt(float(steps)))
    return -1 if world[MODE] >= STEPS and not isfinite(J + norm) else 0


def work(world_at: int, layers_at: int, thread: int) -> float:
    """Do a thread's share of a run."""
    tables = tables_at(world_at, layers_at)
    world = tables[0]
    meetings = 0
    if world[MODE] >= ONLY_OUTPUTS:
        mirror_all(tables, thread, UNIT)
        meetings = 1
        if not meet(world, meetings):
            return 1.0
    for step in range(world[FIRST], world[LAST]):
        meetings = take_step(tables, step, meetings, thread, UNIT)
        if meetings < 0:
            return 1.0
    return 0.0
