"""Second derivatives: how outputs, error and gradient answer a small change of θ.

Let Y be what the error sees: Z_L where error and output activation are a pair, else A_L. Along a
direction v in the space of θ, whose parts are V_l and v_l, a dot marks what changes. (1.4) gives

    Ż_l = V_l A_{l-1} + W_l Ȧ_{l-1} + v_l,    Ȧ_l = sigma'(Z_l) Ż_l,           (c1)

that is Ẏ = 𝒥 v with 𝒥 = dY/dθ, and (4.1) with (4.2) give 𝒥ᵗ U from U in the place of dJ/dY.
The same dot over (4.1) and (4.2) gives the Hessian of J times v, exactly:

    dẆ_l = Ḣ_l A_{l-1}ᵗ + H_l Ȧ_{l-1}ᵗ,    Ḋelta_{l-1} = V_lᵗ H_l + W_lᵗ Ḣ_l.   (c2)

With C_n = d²J_n/dY² the Gauss-Newton matrix is G = Σ_n ω_n 𝒥_nᵗ C_n 𝒥_n, which leaves out the
curvature of the network itself and is never indefinite where C_n is not.             (c3)

Sources: Pearlmutter 1994, section 3, for (c1) and (c2); Schraudolph 2002, section 3, for (c3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lamina.exceptions import ShapeError
from lamina.network import backpropagation
from lamina.network.activations import Elementwise
from lamina.network.checks import check_direction, check_matrix
from lamina.network.differences import along
from lamina.network.parameters import blocks, views
from lamina.network.trials import has_complex_slopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error
    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe


def seen(recipe: Recipe) -> Error:
    """Return the error as a function of Y."""
    return recipe.pair or recipe.error


def tangent(sigma: Activation, Z: Matrix, A: Matrix, dZ: Matrix) -> Matrix:
    """Return how A changes, S × N, where Z changes by dZ."""
    if isinstance(sigma, Elementwise):  # of one number each: forward and back are the same
        return sigma.pullback(Z, A, dZ)
    return np.asarray(along(lambda e: sigma(Z + e * dZ), analytic=has_complex_slopes(sigma)))


def bend(sigma: Activation, at: tuple[Matrix, Matrix, Matrix], dZ: Matrix, dA: Matrix) -> Matrix:
    """Return how the pullback at Z, A and Delta changes, S × N, where Z and A change."""
    Z, A, Delta = at
    analytic = has_complex_slopes(sigma)
    return np.asarray(
        along(lambda e: sigma.pullback(Z + e * dZ, A + e * dA, Delta), analytic=analytic)
    )


@dataclass(frozen=True)
class Linearization:
    """The network at θ for N data points as a linear function of changes of θ, 𝒥 = dY/dθ.

    Y is what the error sees: Z_L where error and output activation are a pair, such as
    cross-entropy with softmax, else A_L. `Network.linearize` makes one, in float64.

    Attributes
    ----------
    recipe : Recipe
    theta : vector, P
    Z, A : lists of S_l × N
        As `backpropagation.forward` returns them.

    Examples
    --------
    >>> from lamina import Network
    >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
    >>> here, v = net.linearize(np.eye(2)), np.full(13, 1e-6)
    >>> here.jacobian().shape, here.transposed([[1.0, -1.0]]).shape
    ((2, 1, 13), (13,))
    >>> before = net(np.eye(2))
    >>> net.theta = net.theta + v
    >>> np.allclose(before + here.times(v), net(np.eye(2)), rtol=0, atol=1e-10)
    True
    """

    recipe: Recipe
    theta: Matrix
    Z: list[Matrix]
    A: list[Matrix]

    @classmethod
    def at(cls, recipe: Recipe, theta: Matrix, X: Matrix) -> Linearization:
        """Return the network linearized at θ for X, S_0 × N."""
        return cls(recipe, theta, *backpropagation.forward(recipe, theta, X))

    @property
    def Y(self) -> Matrix:
        """What the error sees, S_L × N."""
        return self.Z[-1] if self.recipe.pair else self.A[-1]

    @cached_property
    def W(self) -> list[Matrix]:
        """The weights, indexed by layer."""
        return views(self.recipe, self.theta)[0]

    def changes(self, v: npt.ArrayLike) -> tuple[list[Matrix], list[Matrix]]:
        """Return Ż and Ȧ along v, P numbers, (c1); lists of S_l × N."""
        V, v_b = views(self.recipe, check_direction("v", v, self.recipe.size))
        dZ, dA = [self.Z[0]], [np.zeros_like(self.A[0])]
        for l in range(1, self.recipe.L + 1):
            dZ.append(V[l] @ self.A[l - 1] + self.W[l] @ dA[l - 1] + v_b[l])  # (c1)  S_l × N
            dA.append(tangent(self.recipe.activation(l), self.Z[l], self.A[l], dZ[l]))
        return dZ, dA

    def times(self, v: npt.ArrayLike) -> Matrix:
        """Return 𝒥 v = Ẏ, S_L × N, for v of P numbers, (c1).

        Raises
        ------
        ShapeError, InvalidTypeError
            If v is not a vector of P real numbers.
        """
        dZ, dA = self.changes(v)
        return dZ[-1] if self.recipe.pair else dA[-1]

    def pulled_back(self, U: Matrix) -> list[Matrix]:
        """Return H[0..L] for U, S_L × N, in the place of dJ/dY, (4.2); `H[0]` is empty."""
        L, H = self.recipe.L, [self.Z[0]] * (self.recipe.L + 1)
        for l in range(L, 0, -1):
            fused = l == L and self.recipe.pair is not None
            pullback = self.recipe.activation(l).pullback
            H[l] = U if fused else pullback(self.Z[l], self.A[l], U)  #  (4.2)  S_l × N
            if l > 1:
                U = self.W[l].T @ H[l]  #                                (4.2)  S_{l-1} × N
        return H

    def transposed(self, U: npt.ArrayLike) -> Matrix:
        """Return 𝒥ᵗ U = Σ_n 𝒥_nᵗ u_n, P numbers, for U of S_L × N, (4.1).

        Raises
        ------
        ShapeError, InvalidTypeError
            If U is not a matrix of S_L × N real numbers.
        """
        H, result = self.pulled_back(self._outputs(U)), np.empty_like(self.theta)
        dW, db = views(self.recipe, result)
        for l in range(1, self.recipe.L + 1):
            dW[l][...] = H[l] @ self.A[l - 1].T
            db[l][...] = H[l].sum(axis=1, keepdims=True)
        return result

    def rows(self, U: Matrix, out: Matrix) -> None:
        """Write u_nᵗ 𝒥_n of each data point, N × P, for U of S_L × N: (4.1) before its sum."""
        H = self.pulled_back(U)
        for l, (weights, biases) in enumerate(blocks(self.recipe), start=1):
            A, H_l = self.A[l - 1].T, H[l].T
            block = out[:, weights].reshape(len(out), A.shape[1], H_l.shape[1])  # a view
            np.multiply(A[:, :, None], H_l[:, None, :], out=block)
            out[:, biases] = H_l

    def jacobian(self) -> Matrix:
        """Return 𝒥_n = dY_n/dθ of every data point, N × S_L × P: all of it, so for few points."""
        K, N = self.Y.shape
        result = np.empty((N, K, self.recipe.size), dtype=self.theta.dtype)
        for k in range(K):
            U = np.zeros_like(self.Y)
            U[k] = 1.0
            self.rows(U, result[:, k])
        return result

    def _outputs(self, U: npt.ArrayLike) -> Matrix:
        """Return U as a matrix of the shape of Y."""
        U = check_matrix("U", U, len(self.Y), self.theta.dtype)
        if U.shape != self.Y.shape:
            message = f"U must have a column for each of the {self.Y.shape[1]} data points"
            raise ShapeError(f"{message}; got shape {U.shape}")
        return U


def error_product(recipe: Recipe, T: Matrix, Y: Matrix, V: Matrix) -> Matrix:
    """Return C_n v_n of every data point, S_L × N, for V of S_L × N; C_n = d²J_n/dY²."""
    error = seen(recipe)
    analytic = has_complex_slopes(error)
    return np.asarray(along(lambda e: error.slopes(T, Y + e * V), analytic=analytic))


def error_hessians(recipe: Recipe, T: Matrix, Y: Matrix) -> Matrix:
    """Return C_n of every data point, N × S_L × S_L."""
    K = len(Y)
    C = np.empty((Y.shape[1], K, K))
    for k in range(K):
        V = np.zeros_like(Y)
        V[k] = 1.0
        C[:, :, k] = error_product(recipe, T, Y, V).T
    return C


def factors(recipe: Recipe, T: Matrix, Y: Matrix) -> Matrix:
    """Return F_n with C_n = F_n F_nᵗ, N × S_L × S_L; directions of negative curvature are left out.

    So G is never indefinite, also where the error is not convex in Y, such as `gaussian_nll`.
    """
    C = error_hessians(recipe, T, Y)
    if not np.any(C[:, ~np.eye(len(Y), dtype=bool)]):  # diagonal
        return np.sqrt(np.maximum(C, 0.0))
    values, vectors = np.linalg.eigh(0.5 * (C + C.transpose(0, 2, 1)))
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :])


def gauss_newton_rows(here: Linearization, T: Matrix, omega: Matrix) -> Iterator[Matrix]:
    """Yield R_k, N × P, for k = 1..S_L, whose Σ_k R_kᵗ R_k is G of these data points, (c3).

    The array is overwritten by the next one.
    """
    F = factors(here.recipe, T, here.Y) * np.sqrt(omega)[:, None, None]
    rows = np.empty((F.shape[0], here.recipe.size))
    for k in range(F.shape[2]):
        if np.any(F[:, :, k]):
            here.rows(F[:, :, k].T, rows)
            yield rows


def gauss_newton(here: Linearization, T: Matrix, omega: Matrix) -> tuple[float, Matrix, Matrix]:
    """Return J with penalties, dJ/dθ, and G with that of the penalties, P × P, (c3)."""
    X, theta, recipe = here.A[0], here.theta, here.recipe
    result = backpropagation.backpropagate(recipe, theta, X, T, omega)
    G = np.diag(penalty_diagonal(recipe))
    for R in gauss_newton_rows(here, T, omega):
        G += R.T @ R
    return float(result.J), result.gradient, G


def gauss_newton_product(here: Linearization, T: Matrix, omega: Matrix, v: npt.ArrayLike) -> Matrix:
    """Return G v without G and without penalties, (c3); C_n as it is, negative curvature too."""
    return here.transposed(error_product(here.recipe, T, here.Y, here.times(v)) * omega)


def hessian_product(here: Linearization, T: Matrix, omega: Matrix, v: npt.ArrayLike) -> Matrix:
    """Return the Hessian of Σ ω_n J_n times v, P numbers, exactly: (c1), then (c2)."""
    recipe, Z, A, W = here.recipe, here.Z, here.A, here.W
    dZ, dA = here.changes(v)
    V = views(recipe, np.asarray(v))[0]
    Y, dY = (Z[-1], dZ[-1]) if recipe.pair else (A[-1], dA[-1])
    Delta = seen(recipe).slopes(T, Y) * omega
    dDelta = error_product(recipe, T, Y, dY) * omega
    result = np.empty_like(here.theta)
    dW, db = views(recipe, result)
    for l in range(recipe.L, 0, -1):
        if l == recipe.L and recipe.pair:
            H, dH = Delta, dDelta
        else:
            sigma = recipe.activation(l)
            H = sigma.pullback(Z[l], A[l], Delta)  #                               S_l × N
            dH = sigma.pullback(Z[l], A[l], dDelta)
            dH = dH + bend(sigma, (Z[l], A[l], Delta), dZ[l], dA[l])  #               S_l × N
        dW[l][...] = dH @ A[l - 1].T + H @ dA[l - 1].T  #                    (c2)  S_l × S_{l-1}
        db[l][...] = dH.sum(axis=1, keepdims=True)  #                        (c2)  S_l × 1
        Delta, dDelta = W[l].T @ H, V[l].T @ H + W[l].T @ dH  #              (c2)  S_{l-1} × N
    return result


def penalty_diagonal(recipe: Recipe) -> Matrix:
    """Return the second derivatives of Σ_l R_l, P numbers: l2 where it counts; |w| has none."""
    result = np.zeros(recipe.size)
    for layer, (weights, biases) in zip(recipe.layers, blocks(recipe), strict=True):
        result[weights] = layer.penalty.l2
        result[biases] = layer.penalty.l2 * layer.penalty.biases
    return result
