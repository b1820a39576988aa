"""Gradient, penalty and solver for a piece of θ: some rows of one W_l, (4.1)."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import call, pointer, size_of
from lamina.engines.compiled.layout import (
    CHUNK_GRADIENTS,
    CHUNK_STRIDE,
    COEFFICIENTS,
    COUNT,
    GRADIENT,
    H_AT,
    H_PANEL,
    H_PANELS,
    INPUTS,
    MEMORY,
    MIRROR,
    MIRROR_PANEL,
    MIRROR_ROW,
    MOVE,
    MULTIPLY,
    NARROW,
    NOTES,
    OFFSET,
    ONES,
    PARTIALS,
    PENALIZE,
    PENALIZED,
    PENALTY,
    RECEIVED,
    STRIDE,
    THETA,
    UNITS,
    W_PANELS,
)
from lamina.engines.compiled.microkernel import lanes, transpose_block
from lamina.engines.compiled.passes import ONE, ZERO, multiply
from lamina.engines.compiled.products import OPTIONS, panel_width, to_panels

TOGETHER = 2048
"""Squares that are summed in the precision of the numbers."""


@njit(**OPTIONS | {"fastmath": {"reassoc", "nsz", "contract"}})
def squares(G: Any, factor: Any) -> float:
    """Return Σ (g · factor)² in the precision of the factor."""
    total = factor - factor
    for i in range(G.size):
        g = G[i] * factor
        total += g * g
    return total * 1.0


@njit(**OPTIONS)
def length(G: Any, unit: Any) -> float:
    """Return |G|, also where its square is beyond the numbers.

    Some numbers at a time are summed in their own precision, and where that leaves its range
    again in float64.
    """
    total, least = 0.0, 1e-25 if size_of(unit) == 4 else 1e-270
    for first in range(0, G.size, TOGETHER):
        part = G[first : first + TOGETHER]
        sum_ = squares(part, unit)
        total += sum_ if least < sum_ < inf else squares(part, 1.0)
    if total < inf:
        return sqrt(total)
    largest = 0.0
    for i in range(G.size):
        largest = max(largest, abs(G[i] * 1.0))
    return largest * sqrt(squares(G, 1.0 / largest)) if largest < inf else total


@njit(**OPTIONS)
def differentiate_biases(
    world: Any, layer: Any, rows: int, where: Any, H: Any, scratch: int, unit: Any
) -> None:
    """Write, or if not `first` add to, the sum of H_l over data points, (4.1): 1ᵗ times H_lᵗ."""
    h, to_row, to_panel = H
    gradient, _, first = where
    units = layer[UNITS]
    g = gradient + (layer[OFFSET] + layer[INPUTS] * units) * size_of(unit)
    if units > lanes(unit):
        places = g, ZERO if first else g, world[ONES], h
        strides = ZERO, ZERO, ZERO, ZERO, to_row, to_panel
        multiply(world[MULTIPLY], places, (ONE, units, rows), strides, scratch)
        return
    db, row = carray(pointer(g, unit), units), carray(pointer(h, unit), (rows, units))
    for i in range(units):
        total = unit - unit if first else db[i]
        for n in range(rows):
            total += row[n, i]
        db[i] = total


@njit(**OPTIONS)
def differentiate(
    world: Any, layers: Any, piece: Any, rows: int, where: Any, scratch: int, unit: Any
) -> None:
    """Write, or if not `first` add to, the gradient of a piece of θ, (4.1).

    `where` is the place of a gradient, that of the first data point in the buffers, and `first`.
    """
    gradient, row, first = where
    size, layer = size_of(unit), layers[piece[0]]
    S, units = layer[INPUTS], layer[UNITS]
    begin, end = piece[1], piece[2]
    weights = min(end, S)
    g = gradient + (layer[OFFSET] + begin * units) * size
    h, to_row, to_panel = layer[H_AT] + row * units * size, units, panel_width(unit)
    if layer[H_PANELS] != 0:
        h, to_row, to_panel = layer[H_PANELS], panel_width(unit), layer[H_PANEL]
    places = g, ZERO if first else g, layer[RECEIVED] + (row * S + begin) * size, h
    strides = units, units, ONE, S, to_row, to_panel
    kernel = world[NARROW] if units <= lanes(unit) else world[MULTIPLY]
    multiply(kernel, places, (weights - begin, units, rows), strides, scratch)  # (4.1)
    if end > S:
        differentiate_biases(world, layer, rows, where, (h, to_row, to_panel), scratch, unit)


@njit(**OPTIONS)
def add_chunks(world: Any, layers: Any, piece: Any, chunks: int, first: Any, unit: Any) -> None:
    """Write, or if not `first` add to, the gradient of a piece: the sum of those of chunks."""
    size, units = size_of(unit), layers[piece[0], UNITS]
    start = (layers[piece[0], OFFSET] + piece[1] * units) * size
    G = carray(pointer(world[GRADIENT] + start, unit), (piece[2] - piece[1]) * units)
    for k in range(chunks):
        place = world[CHUNK_GRADIENTS] + k * world[CHUNK_STRIDE] * size + start
        part = carray(pointer(place, unit), G.size)
        if k == 0 and first:
            for i in range(G.size):
                G[i] = part[i]
        else:
            for i in range(G.size):
                G[i] += part[i]


@njit(**OPTIONS)
def penalize(world: Any, layers: Any, job: int, piece: Any, unit: Any) -> None:
    """Add the penalty's slope to the gradient of a piece, and note R and |gradient| of it."""
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
    noted[2, job] = length(carray(pointer(g, unit), count), unit)


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
    copy_weights(world, layer, piece[1], piece[2], unit)


@njit(**OPTIONS)
def shorten(world: Any, layers: Any, piece: Any, factor: float, unit: Any) -> None:
    """Multiply the gradient of a piece of θ."""
    units = layers[piece[0], UNITS]
    place = (layers[piece[0], OFFSET] + piece[1] * units) * size_of(unit)
    G = carray(pointer(world[GRADIENT] + place, unit), (piece[2] - piece[1]) * units)
    for i in range(G.size):
        G[i] *= factor


@njit(**OPTIONS)
def copy_weights(world: Any, layer: Any, begin: int, end: int, unit: Any) -> None:
    """Bring the other forms of some rows of W_l up to date: its panels, and its mirror."""
    size, units, width = size_of(unit), layer[UNITS], panel_width(unit)
    end = min(end, layer[INPUTS])
    if layer[W_PANELS] != 0:
        W = world[THETA] + (layer[OFFSET] + begin * units) * size
        target = layer[W_PANELS] + begin * width * size
        to_panels(target, layer[INPUTS] * width, W, end - begin, units, unit)
    if layer[MIRROR] != 0:
        mirror(world, layer, begin, end, unit)


@njit(**OPTIONS)
def mirror(world: Any, layer: Any, begin: int, end: int, unit: Any) -> None:
    """Copy some rows of W_l into the columns of its mirror, in blocks as wide as a vector."""
    size, n, width, units = size_of(unit), lanes(unit), panel_width(unit), layer[UNITS]
    to_row, to_panel = layer[MIRROR_ROW], layer[MIRROR_PANEL]
    W = world[THETA] + layer[OFFSET] * size
    whole, tidy = units - units % n, begin + (end - begin) // n * n if begin % n == 0 else begin
    for i in range(begin, end):
        M = layer[MIRROR] + (i // width * to_panel + i % width) * size
        if i < tidy and i % n == 0:
            for j in range(0, whole, n):
                source = W + (i * units + j) * size
                transpose_block(M + j * to_row * size, to_row * size, source, units * size, unit)
        row, column = pointer(W + i * units * size, unit), pointer(M, unit)
        for j in range(whole if i < tidy else 0, units):
            column[j * to_row] = row[j]
