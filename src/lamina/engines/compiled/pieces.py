"""Gradient, penalty and solver for a piece of θ: some rows of one W_l, (4.1)."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import call, pointer, size_of
from lamina.engines.compiled.layout import (
    COEFFICIENTS,
    COUNT,
    GRADIENT,
    H_AT,
    INPUTS,
    MEMORY,
    MIRROR,
    MOVE,
    MULTIPLY,
    NARROW,
    NOTES,
    OFFSET,
    PARTIALS,
    PENALIZE,
    PENALIZED,
    PENALTY,
    RECEIVED,
    STRIDE,
    THETA,
    UNITS,
)
from lamina.engines.compiled.microkernel import lanes, transpose_block
from lamina.engines.compiled.passes import ONE, ZERO, multiply
from lamina.engines.compiled.products import OPTIONS


@njit(**OPTIONS | {"fastmath": {"reassoc", "nsz", "contract"}})
def squares(G: Any, unit: float) -> float:
    """Return Σ (g · unit)² in float64."""
    total = 0.0
    for i in range(G.size):
        g = G[i] * unit
        total += g * g
    return total


@njit(**OPTIONS)
def length(G: Any) -> float:
    """Return |G|, also where its square is beyond float64."""
    total = squares(G, 1.0)
    if total < inf:
        return sqrt(total)
    largest = 0.0
    for i in range(G.size):
        largest = max(largest, abs(G[i] * 1.0))
    return largest * sqrt(squares(G, 1.0 / largest)) if largest < inf else total


@njit(**OPTIONS)
def differentiate(
    world: Any, layers: Any, piece: Any, rows: int, first: Any, scratch: int, unit: Any
) -> None:
    """Write, or if not `first` add to, the gradient of a piece of θ, (4.1)."""
    size, layer = size_of(unit), layers[piece[0]]
    S, units = layer[INPUTS], layer[UNITS]
    begin, end = piece[1], piece[2]
    weights = min(end, S)
    g = world[GRADIENT] + (layer[OFFSET] + begin * units) * size
    places = g, ZERO if first else g, layer[RECEIVED] + begin * size, layer[H_AT]
    strides = units, units, ONE, S, units
    kernel = world[NARROW] if units <= lanes(unit) else world[MULTIPLY]
    multiply(kernel, places, (weights - begin, units, rows), strides, scratch)  # (4.1)
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
    noted[2, job] = length(carray(pointer(g, unit), count))


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
def mirror(world: Any, layer: Any, begin: int, end: int, unit: Any) -> None:
    """Copy some rows of W_l into the columns of its mirror, in blocks of 8 × 8."""
    inputs, units = layer[INPUTS], layer[UNITS]
    theta = pointer(world[THETA] + layer[OFFSET] * size_of(unit), unit)
    W = carray(theta, (inputs, units))
    M = carray(pointer(layer[MIRROR], unit), (units, inputs))
    size, n = size_of(unit), lanes(unit)
    for i in range(begin, end - end % n if begin % n == 0 else begin, n):
        for j in range(0, units - units % n, n):
            target = layer[MIRROR] + (j * inputs + i) * size
            source = world[THETA] + (layer[OFFSET] + i * units + j) * size
            transpose_block(target, inputs * size, source, units * size, unit)
    rest = end - end % n if begin % n == 0 else begin
    for i in range(begin, end):
        for j in range(units - units % n if i < rest else 0, units):
            M[j, i] = W[i, j]
