"""One row in, one row out, in microseconds: a network without its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.engines.choice import make_engine

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]


class Predictor:
    """A function of a few rows, N × S_0, to A_L as rows, N × S_L.

    It keeps a copy of θ and its own buffers: it does not see later training, and two
    threads need a predictor each. Nothing is checked or scaled beyond what is said here.

    Parameters
    ----------
    recipe : Recipe
    theta : vector
    most_rows : int
        Rows at most in one call.

    Notes
    -----
    The contract: `rows` is a C-contiguous array of the network's precision with S_0 columns and
    at most `most_rows` rows. What is returned is the caller's own.
    """

    def __init__(self, recipe: Recipe, theta: Array, most_rows: int = 64) -> None:
        """Prepare everything that does not depend on the rows."""
        engine = make_engine(recipe, theta.dtype, 1)
        self._run, self._inputs, self._outputs = engine.prepare_outputs(theta.copy(), most_rows)

    def __call__(self, rows: Array) -> Array:
        """Return A_L, N × S_L, for N rows."""
        n = len(rows)
        self._inputs[:n] = rows
        self._run(n)
        return self._outputs[:n].copy()
