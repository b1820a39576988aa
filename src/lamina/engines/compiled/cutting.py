"""How the work is cut: which data points go together, and which rows of a layer's parameters.

The cut depends on shapes alone, so that results do not depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.compiled import products

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

BLOCK_BYTES = 2**22
"""What the signals of the data points that are evaluated together may take."""
CHUNKS = 4
"""Jobs that a batch is cut into, unless they would be too small or too large."""
LEAST = 300_000
"""Operations of a job at least."""
PIECE = 24_576
"""Parameters of a piece, about."""
FEW = 4096
"""Parameters up to which each chunk of data points sums a gradient of its own, from signals that
are still in the first caches; those of the chunks are added up behind."""


@dataclass(frozen=True)
class Cut:
    """How the work is cut.

    Attributes
    ----------
    block, chunk : int
        Data points evaluated together, and in one job.
    pieces : array, jobs × 3
        Layer (from 0), first row of W_l, and end; the biases are the row behind W_l.
    by_chunks : bool
        Whether each chunk sums a gradient of its own.
    """

    block: int
    chunk: int
    pieces: Array
    by_chunks: bool


def cut(recipe: Recipe, batch: int, itemsize: int) -> Cut:
    """Return how a batch of data points and the parameters are cut."""
    room = BLOCK_BYTES // (itemsize * 3 * sum(recipe.S))
    block = min(batch, max(256, min(room, 4096)))
    least = max(16, LEAST // (6 * recipe.size))
    chunk = min(block, max(least, min(-(-block // CHUNKS), 128)))
    pieces = []
    for l, layer in enumerate(recipe.layers):
        rows = max(PIECE // layer.units, min(products.MOST_ROWS, layer.inputs // 4))
        step = max(12, rows // 24 * 24)
        ends = [*range(step, layer.inputs - step // 2, step), layer.inputs + 1]
        pieces += [(l, begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
    by_chunks = chunk < block and recipe.size <= FEW
    return Cut(block, chunk, np.array(pieces, dtype=np.int64), by_chunks)


def bounds(recipe: Recipe, pieces: Array, threads: int) -> Array:
    """Return with which piece each thread begins, and the end."""
    sizes = [(end - begin) * recipe.layers[l].units for l, begin, end in pieces.tolist()]
    done = np.array([0, *accumulate(sizes)])
    shares = done[-1] * np.arange(threads + 1) / threads
    return np.searchsorted(done, shares, side="left").astype(np.int64)
