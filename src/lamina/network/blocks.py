"""Several choices at once: outputs in blocks, each a column of its own for a softmax.

A classifier of several targets has a block of outputs for each. Activation and error are those of
one target, applied block by block: the Jacobian of a column is block-diagonal, and J_n is a sum
over the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.activations import ACTIVATIONS, Activation, Columnwise, get_activation
from lamina.network.error_kinds import ColumnwiseError, Error
from lamina.network.errors import ERRORS, ComposedError

if TYPE_CHECKING:
    from lamina.network.formulas import Matrix


def parted(sizes: tuple[int, ...], M: Matrix) -> list[Matrix]:
    """Return the blocks of rows of a matrix; views."""
    return np.split(M, np.cumsum(sizes)[:-1])


@ACTIVATIONS.builtin("blocks")
@dataclass(frozen=True)
class Blocks(Activation):
    """softmax, or another activation that mixes a column, over each block of so many units.

    Without sizes all units are one block.

    Examples
    --------
    >>> get_activation("blocks('softmax', (2, 3))")(np.zeros((5, 1))).ravel().round(2).tolist()
    [0.5, 0.5, 0.33, 0.33, 0.33]
    """

    activation: str = "softmax"
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        whole = all(isinstance(S, (int, np.integer)) and S > 0 for S in self.sizes)
        if not whole or not isinstance(self.mixing, Columnwise):
            message = f"blocks are of positive sizes, as of 'softmax'; got {self!r}"
            raise InvalidValueError(message)
        object.__setattr__(self, "units", sum(self.sizes) or None)

    @cached_property
    def mixing(self) -> Activation:
        """The activation of each block."""
        return get_activation(self.activation)

    def __call__(self, Z: Matrix) -> Matrix:
        """Return A = sigma(Z) block by block."""
        return np.concatenate([self.mixing(part) for part in parted(self.sizes, Z)])

    def pullback(self, Z: Matrix, A: Matrix, Delta: Matrix) -> Matrix:
        """Return H, each block pulled back by itself."""
        blocks = zip(*(parted(self.sizes, M) for M in (Z, A, Delta)), strict=True)
        return np.concatenate([self.mixing.pullback(*block) for block in blocks])


@ERRORS.builtin("blocks")
@dataclass(frozen=True)
class BlockError(ComposedError):
    """An error of each block of so many outputs, summed; by default of a softmax in each.

    Examples
    --------
    >>> from lamina import Network
    >>> net = Network([2, 5], [], error="blocks('cross_entropy', (2, 3))", random_state=0)
    >>> net.recipe.activation(1)
    Blocks(activation='softmax', sizes=(2, 3))
    """

    error: str | Error = "cross_entropy"
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        natural = self.inner.output_activation
        if "softmax" not in natural and not isinstance(self.inner, ColumnwiseError):
            message = f"blocks are for errors of a softmax, as 'cross_entropy'; got {self.error!r}"
            raise InvalidValueError(message)
        natural = f"blocks({natural!r}, {self.sizes!r})"
        self._compose(output_activation=natural, n_targets=sum(self.sizes) or None)

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n, N numbers."""
        blocks = zip(parted(self.sizes, T), parted(self.sizes, A), strict=True)
        return np.asarray(sum(self.inner.values(t, a) for t, a in blocks))

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dA, S_L × N."""
        blocks = zip(parted(self.sizes, T), parted(self.sizes, A), strict=True)
        return np.concatenate([self.inner.slopes(t, a) for t, a in blocks])

    def seen_from(self, activation: Activation) -> Error | None:
        """Return the pair of each block with its natural activation, over the same blocks."""
        if not isinstance(activation, Blocks) or activation.sizes != self.sizes:
            return None
        pair = self.inner.seen_from(activation.mixing)
        return None if pair is None else BlockError(pair, self.sizes)
