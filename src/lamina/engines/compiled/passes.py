"""Forward and backward for some data points: (1.4) and (4.2), all layers in one go."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from lamina.engines.compiled.intrinsics import call, pointer, size_of
from lamina.engines.compiled.layout import (
    A_0_AT,
    A_AT,
    ACTIVATE,
    BELOW,
    DROP,
    GATHER_T,
    GATHER_X,
    H_AT,
    H_PANEL,
    H_PANELS,
    INPUTS,
    IS_PAIR,
    JUDGE,
    JUDGE_PARAMETERS,
    JUDGED,
    LAYERS,
    LIMIT,
    MASK,
    MIRROR,
    MIRROR_PANEL,
    MIRROR_ROW,
    MODE,
    MULTIPLY,
    NARROW,
    OFFSET,
    OMEGA,
    ONLY_ERROR,
    ONLY_GRADIENT,
    ONLY_JACOBIAN,
    ONLY_OUTPUTS,
    ORDER,
    OUTPUT,
    PARAMETERS,
    POINTS,
    PULL,
    RECEIVED,
    RESULTS,
    STATE,
    T_AFFINE,
    T_ROWS,
    T_TO_COLUMN,
    T_TO_ROW,
    TARGETS,
    THETA,
    UNITS,
    W_PANELS,
    WANTED,
    WEIGHTS,
    X_AFFINE,
    X_ROWS,
    X_TO_COLUMN,
    X_TO_ROW,
    Z_AT,
)
from lamina.engines.compiled.microkernel import lanes
from lamina.engines.compiled.products import FIELDS, OPTIONS, panel_width, to_panels

ZERO, ONE = np.int64(0), np.int64(1)
TASK_BYTES = 128
"""Room for the numbers that describe a product, in front of a thread's scratch."""


@njit(**OPTIONS)
def multiply(kernel: int, places: Any, counts: Any, strides: Any, scratch: int) -> None:
    """Do a product C = I + A B; the thread's scratch has room for the task, then for copies."""
    task = carray(pointer(scratch, 1), FIELDS)
    task[0], task[1], task[2], task[3] = places
    task[4], task[5], task[6] = counts
    task[7], task[8], task[9], task[10], task[11], task[12] = strides
    task[13] = scratch + TASK_BYTES
    call(kernel, (scratch,))


@njit(**OPTIONS)
def fetch(world: Any, layers: Any, first: int, row: int, rows: int, unit: Any) -> None:
    """Gather inputs, targets and ω of some data points, from `first` of the order on."""
    size, points = size_of(unit), world[ORDER] + 8 * first
    S_0, K = layers[0, INPUTS], world[TARGETS]
    target = world[A_0_AT] + row * S_0 * size
    table = world[X_ROWS], world[X_TO_ROW], world[X_TO_COLUMN]
    call(world[GATHER_X], (*table, points, rows, S_0, target, world[X_AFFINE]))
    if world[MODE] <= ONLY_OUTPUTS:
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
        b, kernel, width = W + S * units * size, world[MULTIPLY], panel_width(unit)
        if units <= lanes(unit) and layer[MIRROR] != 0:
            W, to_row, to_panel, kernel = layer[MIRROR], S, ZERO, world[NARROW]
        elif layer[W_PANELS] != 0:
            W, to_row, to_panel = layer[W_PANELS], width, S * width
        else:
            to_row, to_panel = units, width
        strides = units, ZERO, S, ONE, to_row, to_panel
        multiply(kernel, (z, b, received, W), (rows, units, S), strides, scratch)  # (1.4)
        judged = l == world[LAYERS] - 1 and world[IS_PAIR] != 0
        wanted = ONLY_JACOBIAN <= world[MODE] <= ONLY_OUTPUTS
        if layer[ACTIVATE] != 0 and (wanted or not judged):
            call(layer[ACTIVATE], (z, a, units, rows, layer[PARAMETERS]))


@njit(**OPTIONS)
def judge(world: Any, layers: Any, row: int, rows: int, scratch: int, unit: Any) -> float:
    """Return Σ ω_n J_n of some data points, and write H_L if the error is a pair, else Delta_L."""
    size, K = size_of(unit), world[TARGETS]
    units = layers[world[LAYERS] - 1, UNITS]
    t, omega = world[WANTED] + row * K * size, world[OMEGA] + row * size
    outputs = world[JUDGED] + row * units * size
    slopes = layers[world[LAYERS] - 1, H_AT] + row * units * size
    return call(
        world[JUDGE],
        (t, outputs, slopes, omega, K, rows, world[JUDGE_PARAMETERS], scratch),
    )


@njit(**OPTIONS)
def backward(
    world: Any, layers: Any, row: int, rows: int, inputs: int, scratch: int, unit: Any
) -> None:
    """Bring Delta_L of some data points down to H_1, (4.2), or to Delta_0 at `inputs` unless 0."""
    size = size_of(unit)
    for l in range(world[LAYERS] - 1, -1, -1):
        layer = layers[l]
        S, units = layer[INPUTS], layer[UNITS]
        place = row * units * size
        z, a, h = layer[Z_AT] + place, layer[A_AT] + place, layer[H_AT] + place
        fused = l == world[LAYERS] - 1 and world[IS_PAIR] != 0 and world[MODE] != ONLY_JACOBIAN
        if layer[PULL] != 0 and not fused:
            call(layer[PULL], (z, a, h, units, rows, layer[PARAMETERS]))
        if layer[H_PANELS] != 0:
            panels = layer[H_PANELS] + row * panel_width(unit) * size
            to_panels(panels, layer[H_PANEL], h, rows, units, unit)
        if l == 0 and inputs == 0:
            return
        delta = layers[l - 1, H_AT] + row * S * size if l > 0 else inputs
        places = delta, ZERO, h, layer[MIRROR]
        strides = S, ZERO, units, ONE, layer[MIRROR_ROW], layer[MIRROR_PANEL]
        multiply(world[MULTIPLY], places, (rows, S, units), strides, scratch)  # (4.2)
        if layer[MASK] != 0:
            Delta = carray(pointer(delta, unit), rows * S)
            M = carray(pointer(layer[MASK] + row * S * size, unit), rows * S)
            for i in range(rows * S):
                Delta[i] *= M[i]


@njit(**OPTIONS)
def descend(
    world: Any, layers: Any, first: int, row: int, rows: int, scratch: int, unit: Any
) -> None:
    """Go backward as the mode asks: to H_1, to Delta_0, or to Delta_0 of each output by itself."""
    size, last, mode = size_of(unit), layers[world[LAYERS] - 1], world[MODE]
    S_0, units = layers[0, INPUTS], last[UNITS]
    Delta = carray(pointer(last[H_AT] + row * units * size, unit), (rows, units))
    for k in range(units if mode == ONLY_JACOBIAN else ONE):
        if mode == ONLY_JACOBIAN:
            for n in range(rows):
                for i in range(units):
                    Delta[n, i] = 1.0 if i == k else 0.0
        place = world[OUTPUT] + (k * world[POINTS] + first) * S_0 * size
        inputs = place if mode < ONLY_GRADIENT else ZERO
        backward(world, layers, row, rows, inputs, scratch, unit)


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
    if world[MODE] <= ONLY_OUTPUTS and world[MODE] != ONLY_JACOBIAN:
        last = layers[world[LAYERS] - 1]
        units, start = last[UNITS], last[A_AT] if world[MODE] == ONLY_OUTPUTS else world[JUDGED]
        outputs = start + row * units * size_of(unit)
        place = world[OUTPUT] + first * units * size_of(unit)
        A, target = (
            carray(pointer(outputs, unit), rows * units),
            carray(pointer(place, unit), rows * units),
        )
        for i in range(rows * units):
            target[i] = A[i]
        return 0.0
    J = 0.0
    if world[MODE] != ONLY_JACOBIAN:
        weigh(world, first, row, rows, step_points, unit)
        J = judge(world, layers, row, rows, scratch, unit)
    if world[MODE] != ONLY_ERROR:
        descend(world, layers, first, row, rows, scratch, unit)
    return J
