"""The parameter vector θ and its views W_l and b_l.

θ holds W_1, b_1, W_2, b_2, ..., W_L, b_L. Each W_l is stored input by input (a
Fortran-ordered S_l × S_{l-1} matrix), which keeps the products of (1.4) and (4.1) on
contiguous memory when data points are contiguous too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina.exceptions import ShapeError
from lamina.network.formulas import real_array

if TYPE_CHECKING:
    import numpy.typing as npt

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


class Parametrized:
    """A recipe and its θ, with the views of θ that the note has names for.

    Parameters
    ----------
    recipe : Recipe
    theta : vector
        Kept, not copied.
    """

    def __init__(self, recipe: Recipe, theta: Matrix) -> None:
        """Keep both."""
        self.recipe = recipe
        self._theta = theta

    @property
    def theta(self) -> Matrix:
        """All parameters, a vector; the memory that W and b are views of."""
        return self._theta

    @theta.setter
    def theta(self, values: npt.ArrayLike) -> None:
        theta = real_array("θ", values)
        if theta.shape != self._theta.shape:
            message = f"this network has {self._theta.size} parameters; got θ of {theta.shape}"
            raise ShapeError(message)
        self._theta[:] = theta

    @property
    def W(self) -> tuple[Matrix, ...]:
        """The weight matrices, S_l × S_{l-1}; views of θ indexed by layer."""
        return tuple(views(self.recipe, self._theta)[0])

    @property
    def b(self) -> tuple[Matrix, ...]:
        """The bias vectors, S_l × 1; views of θ indexed by layer."""
        return tuple(views(self.recipe, self._theta)[1])

    @property
    def L(self) -> int:
        """The index of the output layer."""
        return self.recipe.L

    @property
    def S(self) -> list[int]:
        """The sizes S_0..S_L."""
        return self.recipe.S
