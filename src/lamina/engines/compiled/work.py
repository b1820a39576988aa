"""What each thread does: steps of forward, backward, gradient and solver, two meetings a step.

A step has two phases. First the data points of a batch are cut into chunks, and each goes
forward through all layers, (1.4), and backward, (4.2), which needs no other chunk. Then the
parameters are cut into pieces, some rows of one layer each; a piece's gradient is a product
over all data points of the batch, (4.1), or with few parameters a sum of such products over each
chunk, done behind its backward pass; and the solver moves it right behind. Both cuts depend
on shapes alone and no number is added up by two threads, so that any number of threads gives
the same bits, whoever does which job.
"""

from __future__ import annotations

from math import hypot, isfinite, sqrt
from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import pointer, size_of
from lamina.engines.compiled.layout import (
    BATCH,
    BLOCK,
    BOUNDS,
    CHUNK,
    CHUNK_GRADIENTS,
    CHUNK_STRIDE,
    CLIPPED_STEPS,
    FIRST,
    GRADIENT,
    JOBS,
    LAST,
    LAST_STEP,
    LAYER_SIZE,
    LAYERS,
    MODE,
    NOTES,
    ONLY_GRADIENT,
    ONLY_OUTPUTS,
    PARTIALS,
    PIECES,
    POINTS,
    RESULTS,
    SCRATCH,
    STEPS,
    THREAD_BYTES,
    THREADS,
    WORLD_SIZE,
)
from lamina.engines.compiled.meeting import meet, next_job, refill
from lamina.engines.compiled.passes import ZERO, evaluate, forward
from lamina.engines.compiled.pieces import (
    add_chunks,
    copy_weights,
    differentiate,
    move,
    penalize,
    shorten,
)
from lamina.engines.compiled.products import OPTIONS

UNIT: Any = None


@njit(**OPTIONS)
def add_up(noted: Any, count: int) -> float:
    """Return the sum of what jobs noted, in their order."""
    total = 0.0
    for job in range(count):
        total += noted[job]
    return total


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
def copy_all(tables: Any, thread: int, unit: Any) -> None:
    """Make the other forms of all W_l."""
    world, layers, pieces, bounds, _ = tables
    job = next_job(world, ZERO, thread, ZERO, bounds)
    while job >= 0:
        copy_weights(world, layers[pieces[job, 0]], pieces[job, 1], pieces[job, 2], unit)
        job = next_job(world, ZERO, thread, ZERO, bounds)


@njit(**OPTIONS)
def evaluate_all(
    tables: Any, block: int, rows: int, step_points: int, phase: int, thread: int, unit: Any
) -> None:
    """Evaluate the chunks of a block of data points; each notes its Σ ω_n J_n."""
    world, layers, pieces, bounds, noted = tables
    if thread == 0:
        refill(world, phase)
    chunk, scratch = world[CHUNK], world[SCRATCH] + thread * world[THREAD_BYTES]
    chunks = (rows + chunk - 1) // chunk
    job = next_job(world, phase, thread, chunks, bounds)
    while job >= 0:
        size = min(chunk, rows - job * chunk)
        alone = world[MODE] < ONLY_GRADIENT or world[CHUNK_GRADIENTS] != 0
        row = (thread if alone else job) * chunk
        first = block + job * chunk
        noted[0, job] = evaluate(world, layers, first, row, size, step_points, scratch, unit)
        if world[MODE] >= ONLY_GRADIENT and world[CHUNK_GRADIENTS] != 0:
            place = world[CHUNK_GRADIENTS] + job * world[CHUNK_STRIDE] * size_of(unit)
            for piece in range(world[JOBS]):
                where = place, row, True
                differentiate(world, layers, pieces[piece], size, where, scratch, unit)
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
    scratch = world[SCRATCH] + thread * world[THREAD_BYTES]
    job = next_job(world, phase, thread, ZERO, bounds)
    while job >= 0:
        if world[CHUNK_GRADIENTS] != 0:
            chunks = (rows + world[CHUNK] - 1) // world[CHUNK]
            add_chunks(world, layers, pieces[job], chunks, first, unit)
        else:
            where = world[GRADIENT], ZERO, first
            differentiate(world, layers, pieces[job], rows, where, scratch, unit)
        if last:
            penalize(world, layers, job, pieces[job], unit)
            if world[MODE] == STEPS:
                move(world, layers, pieces[job], step, unit)
        job = next_job(world, phase, thread, ZERO, bounds)


@njit(**OPTIONS)
def clip_all(tables: Any, factor: float, step: int, phase: int, thread: int, unit: Any) -> None:
    """Shorten the gradient where its factor is below 1, then let the solver move all pieces."""
    world, layers, pieces, bounds, _ = tables
    if thread == 0:
        refill(world, phase)
    job = next_job(world, phase, thread, ZERO, bounds)
    while job >= 0:
        if factor < 1.0:
            shorten(world, layers, pieces[job], factor, unit)
        move(world, layers, pieces[job], step, unit)
        job = next_job(world, phase, thread, ZERO, bounds)


@njit(**OPTIONS)
def report(world: Any, J: float, norm: float, share: float, thread: int) -> int:
    """Note J and the gradient's length of a step; return -1 if one of them is not finite."""
    if thread == 0:
        results = carray(pointer(world[RESULTS], 0.0), 4)
        steps = world[LAST_STEP]
        results[0] += J * share
        results[1] = hypot(results[1], norm / sqrt(float(steps)))
    return -1 if world[MODE] >= STEPS and not isfinite(J + norm) else 0


@njit(**OPTIONS)
def add_block(tables: Any, rows: int, part: Any, step: int, meetings: int, who: Any) -> Any:
    """Differentiate a block of data points; return the meetings so far, -1 to end."""
    thread, unit = who
    differentiate_all(tables, rows, part, step, meetings, thread, unit)
    meetings += 1
    return meetings if meet(tables[0], meetings) else -1


@njit(**OPTIONS)
def end_step(tables: Any, J: float, step: int, meetings: int, who: Any) -> Any:
    """Report a step and, where its gradient had to be known first, take it; return the meetings."""
    world, noted = tables[0], tables[4]
    thread, unit = who
    points = min((step + 1) * world[BATCH], world[POINTS]) - step * world[BATCH]
    norm = 0.0
    if world[MODE] >= ONLY_GRADIENT:
        J += add_up(noted[1], world[JOBS])
        for job in range(world[JOBS]):
            norm = hypot(norm, noted[2, job])
    if report(world, J, norm, points / world[POINTS], thread) < 0:
        return -1
    if world[MODE] == CLIPPED_STEPS:
        longest = pointer(world[RESULTS], 0.0)[3]
        factor = longest / norm if norm > longest else 1.0
        clip_all(tables, factor, step, meetings, thread, unit)
        meetings += 1
        if not meet(world, meetings):
            return -1
    return meetings


@njit(**OPTIONS)
def take_step(tables: Any, step: int, meetings: int, who: Any) -> Any:
    """Do a step, or as much of it as the mode asks; return the meetings so far, -1 to end."""
    world, noted = tables[0], tables[4]
    mode, start = world[MODE], step * world[BATCH]
    stop = min(start + world[BATCH], world[POINTS])
    J = 0.0
    for block in range(start, stop, world[BLOCK]):
        rows = min(world[BLOCK], stop - block)
        evaluate_all(tables, block, rows, stop - start, meetings, who[0], who[1])
        meetings += 1
        if not meet(world, meetings):
            return -1
        if mode <= ONLY_OUTPUTS:
            continue
        J += add_up(noted[0], (rows + world[CHUNK] - 1) // world[CHUNK])
        if mode >= STEPS and not isfinite(J):
            return report(world, J, 0.0, 1.0, who[0])
        if mode >= ONLY_GRADIENT:
            part = (block == start, block + rows == stop)
            meetings = add_block(tables, rows, part, step, meetings, who)
            if meetings < 0:
                return -1
    return end_step(tables, J, step, meetings, who)


def work(world_at: int, layers_at: int, thread: int) -> float:
    """Do a thread's share of a run."""
    tables = tables_at(world_at, layers_at)
    world = tables[0]
    meetings = 0
    copy_all(tables, thread, UNIT)
    meetings += 1
    if not meet(world, meetings):
        return 1.0
    for step in range(world[FIRST], world[LAST]):
        meetings = take_step(tables, step, meetings, (thread, UNIT))
        if meetings < 0:
            return 1.0
    return 0.0


def answer(world_at: int, layers_at: int, rows: int) -> float:
    """Bring the rows that stand in A_0 to A_L; with -1 rows make the forms of W_l for that."""
    tables = tables_at(world_at, layers_at)
    world, layers, pieces, _, _ = tables
    if rows < 0:
        for job in range(world[JOBS]):
            copy_weights(world, layers[pieces[job, 0]], pieces[job, 1], pieces[job, 2], UNIT)
        return 0.0
    forward(world, layers, 0, 0, rows, world[SCRATCH], UNIT)
    return 0.0
