"""Uᵗ U = A of a symmetric matrix, and the solution of A x = b, for up to some hundred rows.

Of A and U only the upper triangle is looked at. Rows are taken some at a time: what the rows above
take from them is one product, -Uᵗ U, for which U is kept with the other sign too. Then they are
finished one by one. Source: Golub and Van Loan 2013, algorithm 4.2.1 and section 4.2.9.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from numba import carray, njit

from lamina.engines.compiled.intrinsics import pointer, size_of
from lamina.engines.compiled.passes import ONE, multiply
from lamina.engines.compiled.products import OPTIONS, panel_width

TOGETHER = 24
"""Rows that are finished one by one: whole vectors of both precisions."""
SUMS: dict[str, Any] = OPTIONS | {"fastmath": {"contract", "reassoc", "nsz"}}
"""For loops over a row, whose sums may be taken in any order: finite numbers are told elsewhere."""


@njit(**SUMS)
def subtract(row: Any, factor: float, other: Any) -> None:
    """Take a multiple of one row from another."""
    for i in range(row.size):
        row[i] -= factor * other[i]


@njit(**SUMS)
def dot(row: Any, other: Any) -> float:
    """Return the sum of the products of two rows."""
    total = 0.0
    for i in range(row.size):
        total += row[i] * other[i]
    return total


@njit(**OPTIONS)
def finish(U: Any, negative: Any, begin: int, end: int) -> bool:
    """Turn some rows, from which those above are taken, into rows of U; False if they cannot be."""
    for j in range(begin, end):
        square = U[j, j]
        if not 0.0 < square < inf:
            return False
        factor = 1.0 / sqrt(square)
        for i in range(j, U.shape[0]):
            U[j, i] *= factor
            negative[j, i] = -U[j, i]
        for i in range(j + 1, end):
            subtract(U[i, i:], U[j, i], U[j, i:])
    return True


@njit(**OPTIONS)
def factorize(kernel: int, places: Any, n: int, scratch: int, unit: Any) -> bool:
    """Turn A, n × n, into U, and write -U; return False if A is not positive definite."""
    place, negative_at = places
    size, width = size_of(unit), panel_width(unit)
    U, negative = carray(pointer(place, unit), (n, n)), carray(pointer(negative_at, unit), (n, n))
    for begin in range(0, n, TOGETHER):
        end = min(begin + TOGETHER, n)
        if begin > 0:
            rows = place + begin * (n + 1) * size
            above = negative_at + begin * size, place + begin * size
            strides = n, n, ONE, n, n, width
            counts = end - begin, n - begin, begin
            multiply(kernel, (rows, rows, above[0], above[1]), counts, strides, scratch)
        if not finish(U, negative, begin, end):
            return False
    return True


@njit(**OPTIONS)
def solve(place: int, n: int, x: Any, unit: Any) -> None:
    """Turn b into the solution x of Uᵗ U x = b, in place."""
    U = carray(pointer(place, unit), (n, n))
    for j in range(n):
        x[j] /= U[j, j]
        subtract(x[j + 1 :], x[j], U[j, j + 1 :])
    for j in range(n - 1, -1, -1):
        x[j] = (x[j] - dot(U[j, j + 1 :], x[j + 1 :])) / U[j, j]
