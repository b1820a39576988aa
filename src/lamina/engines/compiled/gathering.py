"""Loops that bring data points in: rows of a table by index, classes, dropout. See `templates`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from lamina.engines.compiled.intrinsics import pointer, size_of
from lamina.engines.compiled.products import OPTIONS

VALUE: Any = None
UNIT: Any = None
SOURCE: Any = None
INDEX: Any = None
CLIPPED: Any = None

NUMBERS = 0
"""Cells that are numbers, each a feature;"""
FLAGGED = 1
"""a number with an indicator behind it that it is missing;"""
LEVELS = 2
"""a code of a category, with the indicators of its levels."""
HUGE = 1e150
"""As good as infinite for clipping, with a square that is a float64."""


def gather(
    rows: int,
    to_row: int,
    to_column: int,
    points: int,
    n: int,
    width: int,
    target: int,
    affine: int,
) -> float:
    """Write chosen rows of a table, one after the other: cast, or (x - center) · lift · factor.

    The table holds numbers of the type of SOURCE, `to_row` and `to_column` bytes apart;
    `affine` is 0, or where `width` centers, lifts and factors stand, in float64.
    """
    P = carray(pointer(points, np.int64(0)), n)
    out = carray(pointer(target, UNIT), (n, width))
    dense = to_column == size_of(SOURCE)
    scaling = carray(pointer(affine, 0.0), (3, width))
    for k in range(n):
        start = rows + P[k] * to_row
        if dense:
            row = carray(pointer(start, SOURCE), width)
            if affine != 0:
                for i in range(width):
                    out[k, i] = (row[i] - scaling[0, i]) * scaling[1, i] * scaling[2, i]
            else:
                for i in range(width):
                    out[k, i] = row[i]
        else:
            for i in range(width):
                x = pointer(start + i * to_column, SOURCE)[0]
                out[k, i] = (
                    (x - scaling[0, i]) * scaling[1, i] * scaling[2, i] if affine != 0 else x
                )
    return 0.0


def gather_classes(
    codes: int,
    to_row: int,
    to_column: int,
    points: int,
    n: int,
    width: int,
    target: int,
    levels: int,
) -> float:
    """Write chosen codes of classes as indicators; `levels` has low and high, in float64."""
    P = carray(pointer(points, np.int64(0)), n)
    out = carray(pointer(target, UNIT), (n, width))
    low, high = pointer(levels, 0.0)[0], pointer(levels, 0.0)[1]
    for k in range(n):
        code = pointer(codes + P[k] * to_row, SOURCE)[0]
        if width == 1:
            out[k, 0] = high if code == 1 else low
        else:
            for i in range(width):
                out[k, i] = high if i == code else low
    return 0.0


@njit(**OPTIONS)
def scaled(x: Any, center: float, lift: float, factor: float, clip: float) -> Any:
    """Return a number scaled and, unless `clip` is infinite, softly clipped; 0 if it is NaN."""
    y = (x - center) * lift * factor
    if clip < np.inf:
        u = max(-HUGE, min(HUGE, y / clip))
        y = clip * u / np.sqrt(1.0 + u * u)
    return 0.0 if np.isnan(x) else y


@njit(**OPTIONS)
def flag(code: Any, levels: int, features: Any) -> None:
    """Write the indicators of a category's levels."""
    for i in range(features.size):
        features[i] = 0
    if code >= 0 and code < levels:
        place = np.int64(code)
        if place == code:
            features[place] = 1


def gather_cells(
    rows: int,
    to_row: int,
    to_column: int,
    points: int,
    n: int,
    width: int,
    target: int,
    table: int,
) -> float:
    """Write chosen rows of cells as features.

    The cells are of the type of SOURCE, `to_row` and `to_column` bytes apart; `table` has the
    number of runs of cells, and where the runs, `width` centers, lifts and factors, and the
    limit of numbers stand. With CLIPPED false that limit is not looked at.
    """
    size, size_in = size_of(UNIT), size_of(SOURCE)
    P, places = carray(pointer(points, np.int64(0)), n), carray(pointer(table, np.int64(0)), 4)
    runs = carray(pointer(places[1], np.int64(0)), (places[0], 4))
    clip = pointer(places[3], 0.0)[0] if CLIPPED else np.inf
    for k in range(n):
        start = rows + P[k] * to_row
        for r in range(places[0]):
            kind, feature, count = runs[r, 0], runs[r, 2], runs[r, 3]
            place = start + runs[r, 1] * to_column
            out = carray(pointer(target + (k * width + feature) * size, UNIT), count)
            if kind == LEVELS:
                flag(pointer(place, SOURCE)[0], count, out)
                continue
            center = carray(pointer(places[2] + 8 * feature, 0.0), count)
            lift = carray(pointer(places[2] + 8 * (width + feature), 0.0), count)
            factor = carray(pointer(places[2] + 8 * (2 * width + feature), 0.0), count)
            if to_column == size_in:
                row = carray(pointer(place, SOURCE), count)
                for i in range(count):
                    out[i] = scaled(row[i], center[i], lift[i], factor[i], clip)
            else:
                for i in range(count):
                    x = pointer(place + i * to_column, SOURCE)[0]
                    out[i] = scaled(x, center[i], lift[i], factor[i], clip)
            if kind == FLAGGED:
                behind = target + (k * width + feature + 1) * size
                pointer(behind, UNIT)[0] = 1 if np.isnan(pointer(place, SOURCE)[0]) else 0
    return 0.0


def gather_sparse(
    values: int,
    starts: int,
    places: int,
    points: int,
    n: int,
    width: int,
    target: int,
    affine: int,
) -> float:
    """Write chosen rows of a sparse table; what is not stored is 0.

    Stored numbers are of the type of SOURCE and their columns of that of INDEX; `affine` as for
    `gather`.
    """
    P = carray(pointer(points, np.int64(0)), n)
    out = carray(pointer(target, UNIT), (n, width))
    scaling = carray(pointer(affine, 0.0), (3, width))
    begins, columns = pointer(starts, np.int64(0)), pointer(places, INDEX)
    stored = pointer(values, SOURCE)
    for k in range(n):
        if affine != 0:
            for i in range(width):
                out[k, i] = (0.0 - scaling[0, i]) * scaling[1, i] * scaling[2, i]
        else:
            for i in range(width):
                out[k, i] = 0
        for j in range(begins[P[k]], begins[P[k] + 1]):
            i, x = columns[j], stored[j]
            out[k, i] = (x - scaling[0, i]) * scaling[1, i] * scaling[2, i] if affine != 0 else x
    return 0.0


def drop(
    a: int, target: int, mask: int, units: int, points: int, position: int, state: int, limit: int
) -> float:
    """Write A ⊙ M and M; M is drawn for data points from a position on."""
    size_of(UNIT)
    A, out = (
        carray(pointer(a, UNIT), (points, units)),
        carray(pointer(target, UNIT), (points, units)),
    )
    M = carray(pointer(mask, UNIT), (points, units))
    begin = pointer(state, np.uint64(0))[0]
    bound, kept = pointer(limit, np.uint64(0))[0], pointer(limit + 8, 0.0)[0]
    for n in range(points):
        place = np.uint64(position + n)
        for i in range(units):
            drawn = VALUE(begin, place, np.uint64(i), np.uint64(units))
            M[n, i] = kept if drawn >= bound else 0.0
            out[n, i] = A[n, i] * M[n, i]
    return 0.0
