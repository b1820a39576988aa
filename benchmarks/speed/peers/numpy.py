"""NumPy's float32 product of large matrices: the rate that floors are made of."""

from __future__ import annotations

import numpy as np

from peers import repeated

SIZE = 2048


def multiply(task):
    """A unit is one operation, so that seconds per unit times a task's operations is its floor."""
    del task
    A, B = np.random.default_rng(0).normal(size=(2, SIZE, SIZE)).astype(np.float32)
    out = np.empty_like(A)
    return {"": lambda: repeated(lambda: np.matmul(A, B, out=out), 2 * SIZE**3)}


MAKERS = {"train": multiply, "gradient": multiply}
