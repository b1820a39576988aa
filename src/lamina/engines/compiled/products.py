"""Products of matrices by address: C = I + A B, with rows and terms of A any strides apart.

C is n × m, A n × k and B k × m; a transposed A only has its strides exchanged. B is read in panels
two vectors wide, which stay in the first cache. Whoever uses a B often keeps it in panels: one
behind the other, each with all its rows, the last filled up with zeros. A transposed A is copied
to panels of some rows, term by term, where many panels of B share it.
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
SHARING = 16
"""Panels of B from which on a copy of A pays."""
MOST_ROWS = 128
"""Rows of C at most where A is copied."""
PANEL_BYTES = DEPTH * VECTORS * 64
A_BYTES = DEPTH * MOST_ROWS * 8
SCRATCH_BYTES = PANEL_BYTES + A_BYTES + (MOST_ROWS + 1) * VECTORS * 64
"""Room for copies of a panel of B, of A, and of a narrow C with its first row."""
UNIT: Any = None
FIELDS = 14
"""Numbers of a task: c, i, a, b, n, m, k, strides of C, I, A (row, term) and B (row, panel), and
the scratch."""
PACKED = -1
"""Stands for the stride from term to term of an A that was copied to panels."""


@njit(**OPTIONS)
def panel_width(unit: Any) -> int:
    """Return how many columns a panel has."""
    return VECTORS * lanes(unit)


_most, _four, _two, _one = (microkernel(rows) for rows in (ROWS, 4, 2, 1))


@njit(**OPTIONS)
def _height(n: int) -> int:
    """Return how many of n rows are done together."""
    if n >= ROWS + 2 or n == ROWS:
        return ROWS
    return 4 if n >= 4 else 2 if n >= 2 else 1


@njit(**OPTIONS)
def _panel(places: Any, n: int, k: int, strides: Any, unit: Any) -> None:
    """Do the product for any number of rows of C that is two vectors wide."""
    c, start, a, b = places
    to_c, to_start, to_b, to_a, to_term = strides
    size = size_of(unit)
    while n > 0:
        rows = _height(n)
        to_next = to_a
        if to_term == PACKED:
            strides, to_next = (to_c, to_start, to_b, 1, rows), k
        if rows == ROWS:
            _most((c, start, a, b), k, strides, unit)
        elif rows == 4:
            _four((c, start, a, b), k, strides, unit)
        elif rows == 2:
            _two((c, start, a, b), k, strides, unit)
        else:
            _one((c, start, a, b), k, strides, unit)
        n -= rows
        c += rows * to_c * size
        a += rows * to_next * size
        if start != 0:
            start += rows * to_start * size


@njit(**OPTIONS)
def _pack(target: int, a: int, n: int, k: int, strides: Any, unit: Any) -> None:
    """Copy A to panels of as many rows as are done together, term by term."""
    size = size_of(unit)
    to_a, to_term = strides
    first = 0
    while first < n:
        rows = _height(n - first)
        for t in range(k):
            term = pointer(a + (first * to_a + t * to_term) * size, unit)
            packed = pointer(target + (first * k + t * rows) * size, unit)
            for r in range(rows):
                packed[r] = term[r * to_a]
        first += rows


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
    size, width = size_of(unit), panel_width(unit)
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


@njit(**OPTIONS)
def to_panels(target: int, panel: int, source: int, rows: int, columns: int, unit: Any) -> None:
    """Copy rows that follow each other to panels, which are so many numbers apart."""
    size, width = size_of(unit), panel_width(unit)
    for j in range(0, columns, width):
        place = target + j // width * panel * size
        if j + width > columns:
            _copy(place, width, source + j * size, columns, rows, columns - j, unit)
            return
        for i in range(rows):
            copy_vectors(place + i * width * size, source + (i * columns + j) * size, unit)


def multiply(task: int) -> float:
    """Do the product that the numbers at an address describe."""
    c, start, a, b, n, m, k, to_c, to_start, to_a, to_term, to_b, to_panel, scratch = carray(
        pointer(task, 1), FIELDS
    )
    size, width = size_of(UNIT), panel_width(UNIT)
    packs = to_a == 1 and to_term != 1 and m >= SHARING * width and n <= MOST_ROWS
    for depth in range(0, k, DEPTH):
        terms = min(DEPTH, k - depth)
        if depth > 0:
            start, to_start = c, to_c
        a_part, a_step = a + depth * size * to_term, to_term
        if packs:
            _pack(scratch + PANEL_BYTES, a_part, n, terms, (to_a, to_term), UNIT)
            a_part, a_step = scratch + PANEL_BYTES, PACKED
        for j in range(0, m, width):
            columns = min(width, m - j)
            b_part, b_step = b + (depth * to_b + j // width * to_panel) * size, to_b
            if columns < width and to_b != width:
                _copy(scratch, width, b_part, to_b, terms, columns, UNIT)
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
    c, start, a, b, n, m, k, to_c, to_start, to_a, to_term, to_b, _, scratch = carray(
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
