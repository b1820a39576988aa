"""Where θ starts: the usual initializers, one choice per activation by default.

Each rule fills W, S_l × S_{l-1}, and b, S_l × 1, from a generator. In their spreads
n_in = S_{l-1} and n_out = S_l.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import ShapeError, UnknownNameError
from lamina.network.formulas import real_array
from lamina.network.parameters import views

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

    Rule = Callable[[np.random.Generator, int, int], tuple[Matrix, Any]]


def _uniform(variance: Callable[[int, int], float]) -> Rule:
    """Return the rule: weights uniform on ±√(3 · variance), biases 0."""

    def rule(random: np.random.Generator, n_out: int, n_in: int) -> tuple[Matrix, Any]:
        limit = sqrt(3.0 * variance(n_in, n_out))
        return random.uniform(-limit, limit, size=(n_out, n_in)), 0.0

    return rule


def _normal(variance: Callable[[int, int], float]) -> Rule:
    """Return the rule: weights normal with this variance, biases 0."""

    def rule(random: np.random.Generator, n_out: int, n_in: int) -> tuple[Matrix, Any]:
        return random.normal(scale=sqrt(variance(n_in, n_out)), size=(n_out, n_in)), 0.0

    return rule


_VARIANCES: dict[str, Callable[[int, int], float]] = {
    "glorot": lambda n_in, n_out: 2.0 / (n_in + n_out),  # Glorot and Bengio 2010, eq. 12
    "he": lambda n_in, n_out: 2.0 / n_in,  # He, Zhang, Ren and Sun 2015, eq. 10
    "lecun": lambda n_in, n_out: 1.0 / n_in,  # LeCun, Bottou, Orr and Müller 1998, eq. 16
}


def _orthogonal(random: np.random.Generator, n_out: int, n_in: int) -> tuple[Matrix, Any]:
    """Orthonormal rows or columns, by QR of a normal matrix. Source: Saxe et al. 2014."""
    Q, R = np.linalg.qr(random.normal(size=(max(n_out, n_in), min(n_out, n_in))))
    Q = Q * np.sign(np.diag(R))
    return (Q if n_out >= n_in else Q.T), 0.0


def _nguyen_widrow(random: np.random.Generator, n_out: int, n_in: int) -> tuple[Matrix, Any]:
    """Rows of length 0.7 n_out^(1/n_in), biases spread over it. Source: Nguyen and Widrow 1990."""
    length = 0.7 * n_out ** (1.0 / n_in)
    W = random.uniform(-1.0, 1.0, size=(n_out, n_in))
    W *= length / np.linalg.norm(W, axis=1, keepdims=True)
    return W, random.uniform(-length, length, size=(n_out, 1))


def _zeros(random: np.random.Generator, n_out: int, n_in: int) -> tuple[Matrix, Any]:
    """All zero; only sensible for the output layer or a linear network."""
    return np.zeros((n_out, n_in)), 0.0


INITIALIZERS: dict[str, Rule] = {
    **{f"{name}_uniform": _uniform(variance) for name, variance in _VARIANCES.items()},
    **{f"{name}_normal": _normal(variance) for name, variance in _VARIANCES.items()},
    "orthogonal": _orthogonal,
    "nguyen_widrow": _nguyen_widrow,
    "zeros": _zeros,
}


def initialize(
    recipe: Recipe,
    initialization: str | npt.ArrayLike,
    random: np.random.Generator,
    dtype: npt.DTypeLike,
) -> Matrix:
    """Return a first θ: by rule ("auto": each activation's own), or a copy of the one given.

    Raises
    ------
    UnknownNameError
        If no initializer has this name.
    ShapeError
        If a given θ has the wrong length.
    """
    if not isinstance(initialization, str):
        given = real_array("θ", initialization)
        if given.shape != (recipe.size,):
            message = f"this network has {recipe.size} parameters; got θ of shape {given.shape}"
            raise ShapeError(message)
        return given.astype(dtype)
    if initialization not in {"auto", *INITIALIZERS}:
        known = ", ".join(["auto", *INITIALIZERS])
        message = f"unknown initialization {initialization!r}; known: {known}, or a vector θ"
        raise UnknownNameError(message)
    theta = np.empty(recipe.size, dtype=dtype)
    W, b = views(recipe, theta)
    for l, layer in enumerate(recipe.layers, start=1):
        name = layer.activation.initialization if initialization == "auto" else initialization
        W[l][...], b[l][...] = INITIALIZERS[name](random, layer.units, layer.inputs)
    return theta
