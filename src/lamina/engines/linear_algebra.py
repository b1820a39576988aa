"""LAPACK on matrices of middling size: on one thread, whatever the process allows it.

Its second thread gains little there, and where another process takes that core the two wait for
each other: factor and inverse of 300 × 300 numbers took 16 ms on one thread and 68 on two, those
of 1,200 × 1,200 took 0.35 s and 2.7. It also makes the bits the same whatever is allowed.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MIDDLING = 2048
"""Rows of the matrices up to which one thread does."""


@cache
def _libraries() -> Any:
    """Return threadpoolctl's hold of the libraries of linear algebra in this process."""
    import scipy.linalg  # noqa: F401 - its library is another than NumPy's, and must be loaded
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def allowed_threads() -> list[int]:
    """Return how many threads each library of linear algebra may use."""
    return [library.num_threads for library in _libraries().lib_controllers]


@contextmanager
def serial(rows: int) -> Iterator[None]:
    """Let LAPACK use one thread while this lasts, if its matrices have so few rows.

    The setting is the process's, and is left as found. Of several Python threads the first one
    decides, as threadpoolctl has it; the others compute with what they find.
    """
    if rows > MIDDLING:
        yield
        return
    with _libraries().limit(limits=1):
        yield
