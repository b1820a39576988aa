"""Loops that bring data points in: rows of a table by index, classes, dropout. See `templates`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from lamina.engines.compiled.intrinsics import pointer, size_of

VALUE: Any = None
UNIT: Any = None
SOURCE: Any = None


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
