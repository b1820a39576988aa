"""What a caller hands to a network, checked: matrices whose columns are data points, and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError, ShapeError
from lamina.network.formulas import real_array

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

    Precision = np.dtype[Any]


def check_precision(dtype: npt.DTypeLike) -> Precision:
    """Return dtype if a network can have it."""
    try:
        precision = np.dtype(dtype)
    except TypeError:
        precision = np.dtype(object)
    if precision not in (np.float32, np.float64):
        message = f"dtype must be float32 or float64, got {dtype!r}"
        raise InvalidValueError(message)
    return precision


def check_generator(random_state: int | np.random.Generator | None) -> np.random.Generator:
    """Return the generator of a random state."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as problem:
        message = f"random_state must be an integer >= 0, a Generator or None, got {random_state!r}"
        raise InvalidValueError(message) from problem


def check_matrix(name: str, values: npt.ArrayLike, rows: int, dtype: Precision) -> Matrix:
    """Return `values` as a matrix with this many rows, or say what is wrong with it."""
    matrix = real_array(name, values)
    if matrix.ndim != 2 or matrix.shape[0] != rows:
        turned = matrix.ndim == 2 and matrix.shape[1] == rows
        hint = f" (did you mean {name}.T?)" if turned else ""
        message = f"{name} must be {rows} × N, columns are data points; got {matrix.shape}{hint}"
        raise ShapeError(message)
    return matrix.astype(dtype, copy=False)


def check_direction(name: str, values: npt.ArrayLike, size: int) -> Matrix:
    """Return a vector in the space of θ, P numbers in float64."""
    vector = real_array(name, values)
    if vector.shape != (size,):
        message = (
            f"{name} must be a vector of {size} numbers, one for each parameter in the order of "
            f"theta; got shape {vector.shape}"
        )
        raise ShapeError(message)
    return vector.astype(float, copy=False)


def check_data(
    recipe: Recipe,
    dtype: Precision,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    omega: npt.ArrayLike | None,
) -> tuple[Matrix, Matrix, Matrix]:
    """Return X, T and omega checked against the recipe and each other; ω is 1/N by default."""
    error, S = recipe.error, recipe.S
    X, T = check_matrix("X", X, S[0], dtype), real_array("T", T)
    N = X.shape[1]
    if N == 0:
        message = "X must have at least one data point (column), got none"
        raise ShapeError(message)
    T = T[np.newaxis] if T.ndim == 1 and S[-1] == error.outputs_per_target else T
    T = check_matrix("T", T, S[-1] // error.outputs_per_target, dtype)
    if T.shape[1] != N:
        message = f"X has {N} columns (data points) and T has {T.shape[1]}; they must agree"
        raise ShapeError(message)
    error.check_targets(T)
    weights = np.full(N, 1.0 / N) if omega is None else real_array("omega", omega)
    if weights.shape != (N,):
        message = f"expected one weight for each of the {N} data points, got {weights.shape}"
        raise ShapeError(message)
    return X, T, weights.astype(dtype, copy=False)
