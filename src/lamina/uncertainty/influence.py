"""What each data point did to the network: its leverage, and the prediction without it.

With the derivatives 𝒥_n and F_n F_nᵗ = C_n of (c3), the leverage of a data point is

    h_n = ω_n tr 𝒥_n G⁻¹ 𝒥_nᵗ C_n,    Σ_n h_n = γ.                          (u3)

J without data point n is (R - ω_n J_n) / (1 - ω_n) + Σ_l R_l, R being the error of all: the mean of
those left, and the penalties as they are. One Gauss-Newton step from θ̂ towards its minimum moves
Y_n, what the error sees, by

    ẏ_n = (1 - ω_n M_n C_n)⁻¹ 𝒥_n B⁻¹ v_n,    M_n = 𝒥_n B⁻¹ 𝒥_nᵗ,            (u4)
    B = G - ω_n Λ,    v_n = ω_n (g_n + ∂ΣR_l/∂θ) - ∂J/∂θ,

with g_n = dJ_n/dθ, and the inverse of Sherman, Morrison and Woodbury. For a network linear in θ
with the squared error it is the exact refit. In B the mean 1/n stands for ω_n, so that one matrix
serves all: with unequal weights and penalties an approximation.

Sources: Allen 1974 (PRESS); Cook and Weisberg 1982, section 2.2; for other errors Beirami,
Razaviyayn, Shahrampour and Tarokh 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.second_order import linearized
from lamina.network import curvature
from lamina.network.backpropagation import add_penalty_gradient
from lamina.uncertainty.inverse import Inverse
from lamina.uncertainty.slopes import seen_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data
    from lamina.network.curvature import Linearization
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

UNDETERMINED = 1e-10
"""Of 1 - h: below this a point's own direction is not determined by the others."""


@dataclass(frozen=True)
class Influence:
    """What each of n data points did.

    Attributes
    ----------
    leverage : matrix, n × S_L
        h_n by outputs, (u3).
    outputs, without : matrices, S_L × n
        A_L of each point, and as it is without the point, (u4).
    """

    leverage: Array
    outputs: Array
    without: Array


def influence(
    recipe: Recipe, theta: Array, data: Data, G: Array, inverse: Inverse, gradient: Array
) -> Influence:
    """Return leverages, and outputs without each data point.

    Parameters
    ----------
    recipe, theta, data
        The network at θ̂, and what it was trained on.
    G, inverse : matrix P × P, and its inverse
        As `Engine.gauss_newton` has it, with penalties.
    gradient : vector, P
        ∂J/∂θ of (u4); 0 to take θ̂ for the minimum.
    """
    n, S_L = len(data.points), recipe.S[-1]
    bends = curvature.penalty_diagonal(recipe)
    others = Inverse.of(G - np.diag(bends / n)) if bends.any() else inverse
    pull = np.zeros(recipe.size)
    add_penalty_gradient(recipe, theta.astype(float), pull)
    halves = others.root @ np.column_stack([pull, gradient])
    result = Influence(np.empty((n, S_L)), np.empty((S_L, n)), np.empty((S_L, n)))
    omega = data.omega(data.points)
    for part, here in linearized(recipe, theta, data.X, data.points, recipe.S[-1]):
        T = data.T.take(data.points[part]).astype(float)
        F = curvature.factors(recipe, T, here.Y)
        C, rows, w = F @ F.transpose(0, 2, 1), seen_rows(here), omega[part]
        half = rows @ inverse.root.T  # n × S_L × rank
        M = half @ half.transpose(0, 2, 1)
        result.leverage[part] = w[:, None] * np.einsum("njk,nkj->nj", M, C)
        if others is not inverse:
            half = rows @ others.root.T
            M = half @ half.transpose(0, 2, 1)
        slopes = curvature.seen(recipe).slopes(T, here.Y).T  # n × S_L
        towards = half @ halves
        push = np.einsum("njk,nk->nj", M, slopes) + towards[:, :, 0]
        push = w[:, None] * push - towards[:, :, 1]
        result.outputs[:, part] = here.A[-1]
        moved = here.Y + _downdated(w[:, None, None] * M, F, push).T
        result.without[:, part] = _answered(here, moved)
    return result


def _downdated(M: Array, F: Array, push: Array) -> Array:
    """Return (1 - M C)⁻¹ push of each point, n × S_L, with C = F Fᵗ.

    It is push + M F (1 - FᵗMF)⁻¹ Fᵗ push. Where the matrix in brackets is 0 in some direction, no
    other point says anything there, and the second term leaves that direction out.
    """
    S = F.transpose(0, 2, 1) @ M @ F
    values, vectors = np.linalg.eigh(np.eye(S.shape[1]) - 0.5 * (S + S.transpose(0, 2, 1)))
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > UNDETERMINED)
    right = vectors.transpose(0, 2, 1) @ (F.transpose(0, 2, 1) @ push[:, :, None])
    return np.asarray(push + (M @ F @ (vectors @ (inverse[:, :, None] * right)))[:, :, 0])


def _answered(here: Linearization, Y: Array) -> Array:
    """Return A_L where what the error sees is Y, S_L × n."""
    recipe = here.recipe
    return np.asarray(recipe.activation(recipe.L)(Y)) if recipe.pair else Y
