"""The Gauss-Newton matrix: rows u_nᵗ 𝒥_n of data points, and G = Σ of their squares, on threads.

Two phases by turns, as in `work`: chunks of data points go forward and, for each U_k, backward, and
write their rows; then each job adds Rᵗ R to some rows of G, from the diagonal on to the right. The
cut depends on shapes alone, so that any number of threads gives the same bits.
"""

from __future__ import annotations

from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import pointer, size_of
from lamina.engines.compiled.layout import (
    BLOCK,
    CHUNK,
    COUNT_FACTORS,
    FACTORS,
    H_AT,
    INPUTS,
    LAYERS,
    MATRIX,
    MATRIX_PIECE,
    MULTIPLY,
    OFFSET,
    PANELS_AT,
    POINTS,
    RECEIVED,
    ROWS_AT,
    SCRATCH,
    SIZE,
    THREAD_BYTES,
    UNITS,
)
from lamina.engines.compiled.meeting import meet, next_job, refill
from lamina.engines.compiled.microkernel import ROWS
from lamina.engines.compiled.passes import ONE, ZERO, backward, fetch, forward, multiply
from lamina.engines.compiled.products import OPTIONS, panel_width, to_panels
from lamina.engines.compiled.work import copy_all, tables_at

UNIT: Any = None
PIECE = 4 * ROWS
"""Rows of G that are one job: whole panels of float64, and few, for half of G is in vain."""
FEW = 4
"""Units below which the loop over inputs is the inner one."""


@njit(**OPTIONS)
def write_outer(target: int, a: Any, h: Any, unit: Any) -> None:
    """Write a hᵗ, input by input, and h behind it: what one data point adds to dW_l and db_l."""
    S, units = a.size, h.size
    out = carray(pointer(target, unit), (S + 1) * units)
    if units < FEW:
        for j in range(units):
            for i in range(S):
                out[i * units + j] = a[i] * h[j]
    else:
        for i in range(S):
            row = carray(pointer(target + i * units * size_of(unit), unit), units)
            for j in range(units):
                row[j] = a[i] * h[j]
    for j in range(units):
        out[S * units + j] = h[j]


@njit(**OPTIONS)
def write_rows(world: Any, layers: Any, row: int, rows: int, unit: Any) -> None:
    """Write u_nᵗ 𝒥_n of some data points, whose A and H are known, plain and in panels."""
    size, P = size_of(unit), world[SIZE]
    for n in range(row, row + rows):
        for l in range(world[LAYERS]):
            S, units = layers[l, INPUTS], layers[l, UNITS]
            a = carray(pointer(layers[l, RECEIVED] + n * S * size, unit), S)
            h = carray(pointer(layers[l, H_AT] + n * units * size, unit), units)
            write_outer(world[ROWS_AT] + (n * P + layers[l, OFFSET]) * size, a, h, unit)
    width = panel_width(unit)
    target = world[PANELS_AT] + row * width * size
    to_panels(target, world[BLOCK] * width, world[ROWS_AT] + row * P * size, rows, P, unit)


@njit(**OPTIONS)
def write_chunk(
    tables: Any, block: int, row: int, rows: int, k: int, scratch: int, unit: Any
) -> None:
    """Write the rows of some data points of a block, whose Z and A are known, for one U_k."""
    world, layers = tables[0], tables[1]
    size, last = size_of(unit), layers[world[LAYERS] - 1]
    units = last[UNITS]
    place = world[FACTORS] + (k * world[POINTS] + block + row) * units * size
    U = carray(pointer(place, unit), rows * units)
    H = carray(pointer(last[H_AT] + row * units * size, unit), rows * units)
    for i in range(rows * units):
        H[i] = U[i]
    backward(world, layers, row, rows, ZERO, scratch, unit)
    write_rows(world, layers, row, rows, unit)


@njit(**OPTIONS)
def add_piece(world: Any, begin: int, rows: int, fresh: Any, scratch: int, unit: Any) -> None:
    """Add Rᵗ R to some rows of G, from the diagonal on; if `fresh` it is all that stands there."""
    size, P, width = size_of(unit), world[SIZE], panel_width(unit)
    to_panel = world[BLOCK] * width
    G = world[MATRIX] + begin * (P + 1) * size
    B = world[PANELS_AT] + begin // width * to_panel * size
    places = G, ZERO if fresh else G, world[ROWS_AT] + begin * size, B
    counts = min(world[MATRIX_PIECE], P - begin), P - begin, rows
    multiply(world[MULTIPLY], places, counts, (P, P, ONE, P, width, to_panel), scratch)


@njit(**OPTIONS)
def write_all(tables: Any, block: int, rows: int, k: int, phase: int, who: Any) -> None:
    """Write the rows of a block for one U_k, chunk by chunk."""
    world, layers, _, bounds, _ = tables
    thread, unit = who
    if thread == 0:
        refill(world, phase)
    chunk, scratch = world[CHUNK], world[SCRATCH] + thread * world[THREAD_BYTES]
    chunks = (rows + chunk - 1) // chunk
    job = next_job(world, phase, thread, chunks, bounds)
    while job >= 0:
        row = job * chunk
        count = min(chunk, rows - row)
        if k == 0:
            fetch(world, layers, block + row, row, count, unit)
            forward(world, layers, block + row, row, count, scratch, unit)
        write_chunk(tables, block, row, count, k, scratch, unit)
        job = next_job(world, phase, thread, chunks, bounds)


@njit(**OPTIONS)
def add_all(tables: Any, rows: int, phase: int, who: Any) -> None:
    """Add Rᵗ R to the rows of G, from the diagonal on."""
    world, bounds = tables[0], tables[3]
    thread, unit = who
    if thread == 0:
        refill(world, phase)
    scratch = world[SCRATCH] + thread * world[THREAD_BYTES]
    jobs = (world[SIZE] + world[MATRIX_PIECE] - 1) // world[MATRIX_PIECE]
    job = next_job(world, phase, thread, jobs, bounds)
    while job >= 0:
        add_piece(world, job * world[MATRIX_PIECE], rows, ZERO, scratch, unit)
        job = next_job(world, phase, thread, jobs, bounds)


def accumulate(world_at: int, layers_at: int, thread: int) -> float:
    """Do a thread's share of G."""
    tables = tables_at(world_at, layers_at)
    world, who = tables[0], (thread, UNIT)
    copy_all(tables, thread, UNIT)
    meetings = 1
    if not meet(world, meetings):
        return 1.0
    for block in range(0, world[POINTS], world[BLOCK]):
        rows = min(world[BLOCK], world[POINTS] - block)
        for k in range(world[COUNT_FACTORS]):
            write_all(tables, block, rows, k, meetings, who)
            meetings += 1
            if not meet(world, meetings):
                return 1.0
            add_all(tables, rows, meetings, who)
            meetings += 1
            if not meet(world, meetings):
                return 1.0
    return 0.0
