"""Forward and backward through the network: equations (1.4), (4.1) and (4.2) as they stand.

This is the definition that every engine must agree with. Columns are data points,
S_l is the number of units of layer l, N the number of data points, and all lists are
indexed by layer. Beyond the note: activations answer with their pullback instead of a
slope, data points carry weights ω_n, the recursion goes one step further to Delta_0 =
dJ/dX, and dropout multiplies what a layer receives by a mask M.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.parameters import views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

    Masks = Sequence[Matrix | None]


@dataclass(frozen=True)
class Backpropagation:
    """All that one pass forward and backward yields; lists are indexed by layer.

    Attributes
    ----------
    J : float
        The objective: Σ ω_n J_n plus the penalties.
    Z, A : lists of S_l × N
        Before and after the activation, (1.4); `Z[0]` is empty, `A[0]` is X.
    Delta : list of S_l × N
        dJ/dA_l, (4.2); `Delta[0]` is dJ/dX.
    H : list of S_l × N
        dJ/dZ_l, (4.2); `H[0]` is empty.
    dW, db : lists shaped as W and b
        dJ/dW_l and dJ/db_l, (4.1); views of `gradient`.
    gradient : vector
        dJ/dθ.
    """

    J: Any
    Z: list[Matrix]
    A: list[Matrix]
    Delta: list[Matrix]
    H: list[Matrix]
    dW: list[Matrix]
    db: list[Matrix]
    gradient: Matrix


def forward(
    recipe: Recipe, theta: Matrix, X: Matrix, M: Masks | None = None
) -> tuple[list[Matrix], list[Matrix]]:
    """Return Z[0..L] and A[0..L] for X, S_0 × N; A[L] is the output of the network, (1.4).

    `M[l]`, where given, multiplies what layer l + 1 receives from layer l.
    """
    W, b = views(recipe, theta)
    Z, A = [X[:0]], [X]
    for l in range(1, recipe.L + 1):
        Z.append(W[l] @ masked(A[l - 1], M, l - 1) + b[l])  #     (1.4)  S_l × N
        A.append(recipe.activation(l)(Z[l]))  #                   (1.4)  S_l × N
    return Z, A


def backpropagate(
    recipe: Recipe, theta: Matrix, X: Matrix, T: Matrix, omega: Matrix, M: Masks | None = None
) -> Backpropagation:
    """Return J and all its derivatives for X, S_0 × N, targets T and weights ω, N numbers."""
    result = backpropagate_error(recipe, theta, X, T, omega, M)
    J = result.J + penalty(recipe, theta)
    add_penalty_gradient(recipe, theta, result.gradient)
    return replace(result, J=J)


def backpropagate_error(
    recipe: Recipe,
    theta: Matrix,
    X: Matrix,
    T: Matrix,
    omega: Matrix,
    M: Masks | None = None,
    *,
    to_inputs: bool = True,
) -> Backpropagation:
    """Return Σ ω_n J_n and its derivatives, without penalties; Delta[0] only if `to_inputs`."""
    L = recipe.L
    W, _ = views(recipe, theta)
    gradient = np.empty_like(theta)
    dW, db = views(recipe, gradient)
    Z, A = forward(recipe, theta, X, M)
    Delta, H = [X[:0]] * (L + 1), [X[:0]] * (L + 1)

    Delta[L] = output_delta(recipe, T, A[L], omega)  #                 (2.14)  S_L × N
    H[L] = output_pullback(recipe, T, Z[L], A[L], Delta[L], omega)  #  (2.15)  S_L × N
    for l in range(L, 0, -1):
        dW[l][...] = H[l] @ masked(A[l - 1], M, l - 1).T  #            (4.1)   S_l × S_{l-1}
        db[l][...] = H[l].sum(axis=1, keepdims=True)  #                (4.1)   S_l × 1
        if l > 1 or to_inputs:
            Delta[l - 1] = masked(W[l].T @ H[l], M, l - 1)  #          (4.2)   S_{l-1} × N
        if l > 1:
            pullback = recipe.activation(l - 1).pullback
            H[l - 1] = pullback(Z[l - 1], A[l - 1], Delta[l - 1])  #   (4.2)   S_{l-1} × N
    J = error(recipe, T, Z[L], A[L], omega)
    return Backpropagation(J, Z, A, Delta, H, dW, db, gradient)


def input_jacobian(recipe: Recipe, theta: Matrix, X: Matrix) -> Matrix:
    """Return dA_L/dX of every data point, S_L × S_0 × N: (4.2) from one unit Delta_L per output."""
    W, _ = views(recipe, theta)
    Z, A = forward(recipe, theta, X)
    jacobian = np.empty((recipe.S[-1], *X.shape), dtype=theta.dtype)
    for k in range(recipe.S[-1]):
        Delta = np.zeros_like(A[-1])
        Delta[k] = 1.0
        for l in range(recipe.L, 0, -1):
            Delta = W[l].T @ recipe.activation(l).pullback(Z[l], A[l], Delta)  # (4.2)  S_{l-1} × N
        jacobian[k] = Delta
    return jacobian


def objective(
    recipe: Recipe, theta: Matrix, X: Matrix, T: Matrix, omega: Matrix, M: Masks | None = None
) -> Any:
    """Return J = Σ ω_n J_n + Σ_l R_l, a scalar; complex θ or X give a complex step."""
    Z, A = forward(recipe, theta, X, M)
    return error(recipe, T, Z[-1], A[-1], omega) + penalty(recipe, theta)


def error(recipe: Recipe, T: Matrix, Z_L: Matrix, A_L: Matrix, omega: Matrix) -> Any:
    """Return Σ ω_n J_n(T, A_L), a scalar: (2.18) with ω_n = 1/N, for any error."""
    if recipe.pair is not None:
        return recipe.pair.values(T, Z_L) @ omega
    return recipe.error.values(T, A_L) @ omega


def output_delta(recipe: Recipe, T: Matrix, A_L: Matrix, omega: Matrix) -> Matrix:
    """Return Delta_L = dJ/dA_L, (2.14), S_L × N; infinite where a saturated output makes it so."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return recipe.error.slopes(T, A_L) * omega


def output_pullback(
    recipe: Recipe, T: Matrix, Z_L: Matrix, A_L: Matrix, Delta_L: Matrix, omega: Matrix
) -> Matrix:
    """Return H_L = dJ/dZ_L, (2.15), S_L × N; by the stable form of a matched pair if any."""
    if recipe.pair is not None:
        return recipe.pair.slopes(T, Z_L) * omega
    return recipe.activation(recipe.L).pullback(Z_L, A_L, Delta_L)


def penalty(recipe: Recipe, theta: Matrix) -> Any:
    """Return Σ_l R_l(W_l), biases included where their layer says so."""
    W, b = views(recipe, theta)
    total: Any = 0.0
    for l, layer in enumerate(recipe.layers, start=1):
        if layer.penalty:
            total = total + layer.penalty.value(W[l])
            if layer.penalty.biases:
                total = total + layer.penalty.value(b[l])
    return total


def add_penalty_gradient(recipe: Recipe, theta: Matrix, gradient: Matrix) -> None:
    """Add dR_l/dW_l, and dR_l/db_l where the layer says so, to the gradient in place."""
    W, b = views(recipe, theta)
    dW, db = views(recipe, gradient)
    for l, layer in enumerate(recipe.layers, start=1):
        if layer.penalty:
            dW[l][...] += layer.penalty.derivative(W[l])
            if layer.penalty.biases:
                db[l][...] += layer.penalty.derivative(b[l])


def masked(A: Matrix, M: Masks | None, l: int) -> Matrix:
    """Return A ⊙ M[l], or A itself where nothing is dropped from layer l."""
    mask = None if M is None else M[l]
    return A if mask is None else A * mask
