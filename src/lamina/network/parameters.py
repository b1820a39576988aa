"""The parameter vector θ and its views W_l and b_l.

θ holds W_1, b_1, W_2, b_2, ..., W_L, b_L. Each W_l is stored input by input (a
Fortran-ordered S_l × S_{l-1} matrix), which keeps the products of (1.4) and (4.1) on
contiguous memory when data points are contiguous too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe


def blocks(recipe: Recipe) -> list[tuple[slice, slice]]:
    """Return where W_l and b_l stand in θ, for l = 1..L in order."""
    places, start = [], 0
    for layer in recipe.layers:
        middle = start + layer.inputs * layer.units
        places.append((slice(start, middle), slice(middle, middle + layer.units)))
        start = middle + layer.units
    return places


def views(recipe: Recipe, theta: Matrix) -> tuple[list[Matrix], list[Matrix]]:
    """Return the views W and b of θ, both indexed by layer.

    W[l] is S_l × S_{l-1} and b[l] is S_l × 1; writing to them writes to θ. Entry 0 of
    both lists is an empty matrix, for there is no layer 0 to have parameters.
    """
    W, b = [theta[:0].reshape(0, 0)], [theta[:0].reshape(0, 1)]
    for layer, (weights, biases) in zip(recipe.layers, blocks(recipe), strict=True):
        W.append(theta[weights].reshape(layer.inputs, layer.units).T)
        b.append(theta[biases].reshape(layer.units, 1))
    return W, b
