"""Products of matrices by address: C = I + A B, with rows and terms of A any strides apart.

C is n × m, A n × k and B k × m; a transposed A only has its strides exchanged. Products of this
size need no copies: B is read in panels two vectors wide, which stay in the first cache, and is
copied there only where many rows share it.
"""

from __future__ import annotations

from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import pointer, size_of
from lamina.engines.compiled.microkernel import ROWS, VECTORS, copy_vectors, lanes, microkernel

OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "no_cpython_wrapper": True,  # only compiled code calls these
    "no_cfunc_wrapper": True,
    "fastmath": False,  # or that of the caller would hold: x - x = 0 hides infinity and NaN
}
DEPTH = 256
"""Terms at a time, so that a panel of B stays in the first cache."""
SHARED = 48
"""Rows of C from which on a copy of the panel pays."""
MOST_ROWS = 128
"""Rows of C at most where A is copied."""
FAR = 1024
"""Bytes between rows from which on they push each other out of the cache, and are copied."""
PANEL_BYTES = DEPTH * VECTORS * 64
A_BYTES = DEPTH * MOST_ROWS * 8
SCRATCH_BYTES = PANEL_BYTES + A_BYTES + (MOST_ROWS + 1) * VECTORS * 64
"""Room for copies of a panel of B, of A, and of a narrow C with its first row."""
UNIT: Any = None
FIELDS = 13
"""Numbers of a task: c, i, a, b, n, m, k, the strides of C, I, A (row, term) and B, scratch."""


_most, _four, _two, _one = (microkernel(rows) for rows in (ROWS, 4, 2, 1))


@njit(**OPTIONS)
def _panel(places: Any, n: int, k: int, strides: Any, unit: Any) -> None:
    """Do the product for any number of rows of C that is two vectors wide."""
    c, start, a, b = places
    to_c, to_start, _, to_a, _ = strides
    size = size_of(unit)
    while n > 0:
        if n >= ROWS + 2 or n == ROWS:
            _most((c, start, a, b), k, strides, unit)
            rows = ROWS
        elif n >= 4:
            _four((c, start, a, b), k, strides, unit)
            rows = 4
        elif n >= 2:
            _two((c, start, a, b), k, strides, unit)
            rows = 2
        else:
            _one((c, start, a, b), k, strides, unit)
            rows = 1
        n -= rows
        c += rows * to_c * size
        a += rows * to_a * size
        if start != 0:
            start += rows * to_start * size


@njit(**OPTIONS)
def _copy(
    target: int, width: int, source: int, to_row: int, rows: int, columns: int, unit: Any
) -> None:
    """Copy a part of a matrix to rows that follow each other."""
    for i in range(rows):
        row = pointer(target + i * width * size_of(unit), unit)
        original = pointer(source + i * to_row * size_of(unit), unit)
        for j in range(columns):
            row[j] = original[j]


@njit(**OPTIONS)
def _part(places: Any, n: int, counts: Any, strides: Any, scratch: int, unit: Any) -> None:
    """Do the product for C that is narrower than two vectors, by way of a copy that is not."""
    c, start, a, b = places
    k, columns = counts
    to_c, to_start, to_b, to_a, to_term = strides
    size, width = size_of(unit), VECTORS * lanes(unit)
    for first in range(0, n, MOST_ROWS):
        rows = min(MOST_ROWS, n - first)
        begin, step = start, width
        if start != 0:
            begin, step = scratch + MOST_ROWS * width * size, 0
            copied = 1
            if to_start != 0:
                begin, step, copied = scratch, width, rows
            _copy(begin, width, start + first * to_start * size, to_start, copied, columns, unit)
        here = scratch, begin, a + first * to_a * size, b
        _panel(here, rows, k, (width, step, to_b, to_a, to_term), unit)
        _copy(c + first * to_c * size, to_c, scratch, width, rows, columns, unit)


def multiply(task: int) -> float:
    """Do the product that the numbers at an address describe."""
    c, start, a, b, n, m, k, to_c, to_start, to_a, to_term, to_b, scratch = carray(
        pointer(task, 1), FIELDS
    )
    size, width = size_of(UNIT), VECTORS * lanes(UNIT)
    copies_b = (n >= SHARED or (n >= ROWS and to_b * size >= FAR)) and to_b > width
    copies_a = to_a == 1 and to_term * size >= FAR and m >= 4 * width and n <= MOST_ROWS
    for depth in range(0, k, DEPTH):
        terms = min(DEPTH, k - depth)
        if depth > 0:
            start, to_start = c, to_c
        a_part, a_step = a + depth * size * to_term, to_term
        if copies_a:
            _copy(scratch + PANEL_BYTES, n, a_part, to_term, terms, n, UNIT)
            a_part, a_step = scratch + PANEL_BYTES, n
        for j in range(0, m, width):
            columns = min(width, m - j)
            b_part, b_step = b + (depth * to_b + j) * size, to_b
            if copies_b or columns < width:
                if columns < width:
                    _copy(scratch, width, b_part, to_b, terms, columns, UNIT)
                else:
                    for i in range(terms):
                        row = b_part + i * to_b * size
                        copy_vectors(scratch + i * width * size, row, UNIT)
                b_part, b_step = scratch, width
            places = c + j * size, start + j * size if start != 0 else start, a_part, b_part
            strides = to_c, to_start, b_step, to_a, a_step
            if columns == width:
                _panel(places, n, terms, strides, UNIT)
            else:
                room = scratch + PANEL_BYTES + A_BYTES
                _part(places, n, (terms, columns), strides, room, UNIT)
    return 0.0


def multiply_narrow(task: int) -> float:
    """Do a product whose C has so few columns that vectors lie along the other side.

    Where the terms of A follow each other B is given transposed, m × k; else C + Aᵗ B is summed
    row by row in the scratch.
    """
    c, start, a, b, n, m, k, to_c, to_start, to_a, to_term, to_b, scratch = carray(
        pointer(task, 1), FIELDS
    )
    size = size_of(UNIT)
    if to_a != 1:
        for r in range(n):
            row = carray(pointer(a + r * to_a * size, UNIT), k)
            for j in range(m):
                column = carray(pointer(b + j * to_b * size, UNIT), k)
                total = UNIT - UNIT
                for i in range(k):
                    total += row[i] * column[i]
                begin = pointer(start + r * to_start * size, UNIT)[j] if start != 0 else UNIT - UNIT
                carray(pointer(c + r * to_c * size, UNIT), m)[j] = total + begin
        return 0.0
    for j in range(m):
        total = carray(pointer(scratch, UNIT), n)
        for r in range(n):
            total[r] = pointer(start + r * to_start * size, UNIT)[j] if start != 0 else UNIT - UNIT
        for i in range(k):
            factor = pointer(b + i * to_b * size, UNIT)[j]
            row = carray(pointer(a + i * to_term * size, UNIT), n)
            for r in range(n):
                total[r] += factor * row[r]
        for r in range(n):
            carray(pointer(c + r * to_c * size, UNIT), m)[j] = total[r]
    return 0.0
