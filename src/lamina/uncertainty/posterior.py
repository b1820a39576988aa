"""The posterior of θ: a normal distribution around what was found, by Laplace's approximation.

With the Gauss-Newton matrix G of J, penalties included, N data points and a dispersion φ,

    θ ~ N(θ̂, φ G⁻¹ / N),    γ = tr G⁻¹ (G - Λ),                              (u1)

Λ being the second derivatives of the penalties and γ the number of parameters that the data
determine. An error that is a likelihood has φ = 1. Elsewhere each target has its own, from the
residuals and the error's variance function V(a) = 1 / J_n''(a; a), which is 1 for the squared
error and a for Poisson's:

    φ_k = Σ_n ω_n (t_kn - a_kn)² / V(a_kn) · N / (N - γ_k),    Σ_k γ_k = γ.     (u2)

Sources: MacKay 1992, "A practical Bayesian framework for backpropagation networks"; Bishop 2006,
section 5.7; for (u2) McCullagh and Nelder 1989, section 9.2 (quasi-likelihood).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.second_order import linearized
from lamina.network import curvature
from lamina.network.differences import along
from lamina.network.parameters import blocks
from lamina.network.trials import has_complex_slopes
from lamina.uncertainty.slopes import output_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Source
    from lamina.network.error_kinds import Error
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

SOME = 64
"""Data points that are looked at."""
LEAST_SHARE = 0.1
"""Of N K that is left to the noise where γ takes more, as in Bayesian regularization."""


@dataclass(frozen=True)
class Posterior:
    """The posterior of θ.

    Attributes
    ----------
    root : matrix R, rank × P
        RᵗR = G⁻¹, or the pseudo-inverse; see `Inverse`.
    dispersion : vector, K
        φ of each target in the network's units, (u2); 1 where the error is a likelihood.
    N : float
        Data points; with weights (Σw)² / Σw².
    gamma : float
        γ, (u1).
    """

    root: Array
    dispersion: Array
    N: float
    gamma: float

    def standard_errors(self, recipe: Recipe) -> Array:
        """Return the standard deviation of each parameter, P numbers.

        Parameters into an output take the φ of its target, all others the mean of them.
        """
        phi = np.full(recipe.size, self.dispersion.mean())
        own = np.resize(self.dispersion, recipe.S[-1])
        weights, biases = blocks(recipe)[-1]
        phi[weights], phi[biases] = np.resize(own, weights.stop - weights.start), own
        return np.asarray(np.sqrt(phi * np.einsum("rp,rp->p", self.root, self.root) / self.N))

    def output_variance(self, recipe: Recipe, theta: Array, X: Source) -> tuple[Array, Array]:
        """Return A_L and what θ adds to its variance, both S_L × N, in the network's units."""
        A, variance = np.empty((2, recipe.S[-1], len(X)))
        phi = np.resize(self.dispersion, recipe.S[-1]) / self.N
        for part, here in linearized(recipe, theta, X, np.arange(len(X)), recipe.S[-1]):
            halves = output_rows(here) @ self.root.T  # n × S_L × rank
            A[:, part] = here.A[-1]
            variance[:, part] = phi[:, None] * np.einsum("nkr,nkr->kn", halves, halves)
        return A, variance

    def output_covariance(self, recipe: Recipe, theta: Array, X: Source) -> tuple[Array, Array]:
        """Return Z_L, N × S_L, and its covariance, N × S_L × S_L, for `before_activation`."""
        Z = np.empty((len(X), recipe.S[-1]))
        covariance = np.empty((*Z.shape, recipe.S[-1]))
        phi = self.dispersion.mean() / self.N
        for part, here in linearized(recipe, theta, X, np.arange(len(X)), recipe.S[-1]):
            halves = output_rows(here) @ self.root.T
            Z[part] = here.A[-1].T
            covariance[part] = phi * (halves @ halves.transpose(0, 2, 1))
        return Z, covariance


def is_dispersed(error: Error) -> bool:
    """Return whether φ is open: for errors of numbers with one output for each.

    Those of classes, and those that learn a variance, are likelihoods.
    """
    return error.outputs_per_target == 1 and error.targets in {"real", "nonnegative", "positive"}


def has_curvature(recipe: Recipe, theta: Array, data: Data) -> bool:
    """Return whether the error has a second derivative anywhere: `absolute` has none.

    Looked for at what the network answers to the first data points and, as a saturated answer has
    none to rounding, at 0.
    """
    few = data.points[:SOME]
    T = data.T.take(few).astype(float)
    Y = curvature.Linearization.at(recipe, theta.astype(float), data.X.take(few).astype(float)).Y
    with np.errstate(all="ignore"):  # 0 may be outside of where the error is defined
        bends = [curvature.error_hessians(recipe, T, y) for y in (Y, np.zeros_like(Y))]
    return any(bool(np.any(np.isfinite(C) & (C != 0.0))) for C in bends)


def variance_function(error: Error, A: Array) -> Array:
    """Return V(a) = 1 / J_n''(a; a), S_L × N; 1 where the error has no curvature."""
    ones, analytic = np.ones_like(A), has_complex_slopes(error)
    bend = np.asarray(along(lambda e: error.slopes(A, A + e * ones), analytic=analytic))
    right = np.isfinite(bend) & (bend > 0.0)
    return np.asarray(np.divide(1.0, bend, out=ones, where=right))


def dispersions(error: Error, A: Array, T: Array, omega: Array, N: float, gamma: Array) -> Array:
    """Return φ of each target, (u2), K numbers; `gamma` has γ_k of each.

    Never below the rounding of a target of size 1, so that a perfect fit divides by no zero.
    """
    squares = ((T - A) ** 2 / variance_function(error, A)) @ omega
    left = np.maximum(N - gamma, LEAST_SHARE * N)
    return np.maximum(squares * N / left, np.finfo(float).eps ** 2)
