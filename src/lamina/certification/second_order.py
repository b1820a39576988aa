"""The certificate of second derivatives: what `curvature` claims, against what was measured.

Along directions v in the space of θ, one for each layer and one for all, the outputs Y and the
gradient of J are moved by a complex step, which measures 𝒥 v and the Hessian times v. Products
with 𝒥ᵗ and G are compared through numbers that follow from 𝒥 v,

    wᵗ(𝒥ᵗ U) = Σ U ⊙ (𝒥 w),    wᵗG v = Σ_n ω_n (𝒥_n w)ᵗ C_n (𝒥_n v),

with C_n measured from the error's slope. A data point on a kink of a formula has no second
derivative there: it is left out, and counted. How far rounding can move what is claimed is measured
too, by moving Z and A by a unit in their last place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.certification.certificate import Comparison
from lamina.network import backpropagation, curvature
from lamina.network.curvature import Linearization
from lamina.network.differences import (
    AGREEMENT,
    CENTRAL_STEP,
    COMPLEX_STEP,
    central_difference,
    complex_step,
)
from lamina.network.parameters import blocks
from lamina.network.trials import has_complex_slopes, is_analytic

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error
    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

    Answer = Callable[[Matrix, bool], tuple[Matrix, Matrix | None]]
    Data = tuple[Matrix, Matrix, Matrix]

EXACT, APPROXIMATE, SINGLE = 1e-11, 1e-6, 1e-4
"""Tolerances: by complex steps, by central differences, and of an engine in float32."""
EPS = float(np.finfo(float).eps)
BEND = 1e-3
"""How far second slopes on both sides may be apart, by differences, where there is no kink."""
LARGEST = 2**22
"""Numbers that G and its rows may take together for G to be made only to be certified."""
_quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""What is not finite is no claim that passes."""
PRODUCTS = (
    "Jacobian products",
    "transposed Jacobian products",
    "Hessian products",
    "Gauss-Newton products",
)


@dataclass(frozen=True)
class Trial:
    """A network linearized for smooth data points, and directions to measure along.

    Attributes
    ----------
    here : Linearization
    T, omega : targets, S × N, and N weights
    V, U : directions, k × P in the space of θ and S_L × N in that of Y
    exact : bool
        Whether all formulas keep the imaginary part of a complex step, in value and slope.
    """

    here: Linearization
    T: Matrix
    omega: Matrix
    V: Matrix
    U: Matrix
    exact: bool

    def along(self, f: Callable[[Matrix], Any], x: Matrix, v: Matrix) -> Matrix:
        """Return df/de at x + e v for e = 0, measured."""
        return np.asarray((complex_step if self.exact else central_difference)(f, x, v))

    def in_theta(self, f: Callable[[Matrix], Any]) -> Matrix:
        """Return df/de of a function of θ along each of V, measured."""
        return np.stack([self.along(f, self.here.theta, v) for v in self.V])

    def claimed(self, here: Linearization) -> list[Matrix]:
        """Return what `curvature` says of the products in `PRODUCTS`."""
        penalties = curvature.penalty_diagonal(here.recipe) * self.V
        hessian, gauss_newton = (
            np.stack([product(here, self.T, self.omega, v) for v in self.V]) + penalties
            for product in (curvature.hessian_product, curvature.gauss_newton_product)
        )
        changes = np.stack([here.times(v) for v in self.V])
        return [changes, self.V @ here.transposed(self.U), hessian, gauss_newton @ self.V.T]

    def measured(self) -> list[Matrix]:
        """Return the same from what was measured."""
        X, recipe = self.here.A[0], self.smooth_recipe
        H = self.in_theta(
            lambda theta: (
                backpropagation.backpropagate(recipe, theta, X, self.T, self.omega).gradient
            )
        )
        curved = np.stack([self.error_slopes(v) for v in self.changes])  # C_n 𝒥_n v
        G = np.einsum("n,vin,win->vw", self.omega, curved, self.changes) + self.penalties
        return [self.changes, np.sum(self.U * self.changes, axis=(1, 2)), H, G]

    def measured_matrix(self) -> Matrix:
        """Return wᵗG v for all v, w of V; negative curvature of C_n is left out, as in G."""
        units = np.eye(len(self.here.Y))[:, :, np.newaxis]
        C = np.stack([self.error_slopes(unit) for unit in units]).transpose(2, 0, 1)
        values, vectors = np.linalg.eigh(C)
        parts = np.einsum("nik,vin->vkn", vectors, self.changes)  # 𝒥_n v along the eigenvectors
        weights = self.omega * np.maximum(values, 0.0).T
        G = np.einsum("kn,vkn,wkn->vw", weights, parts, parts)
        return np.asarray(G + self.penalties)

    def error_slopes(self, dY: Matrix) -> Matrix:
        """Return how the slopes of the error change along dY, S_L × N, measured."""
        error, zero = curvature.seen(self.here.recipe), np.zeros(())
        return self.along(lambda e: error.slopes(self.T, self.here.Y + e * dY), zero, zero + 1.0)

    @cached_property
    def changes(self) -> Matrix:
        """𝒥 v of each v, k × S_L × N, measured."""
        recipe, X = self.here.recipe, self.here.A[0]
        return self.in_theta(lambda theta: Linearization.at(recipe, theta, X).Y)

    @cached_property
    def penalties(self) -> Matrix:
        """What the penalties add to wᵗG v, k × k, measured."""

        def slopes(theta: Matrix) -> Matrix:
            result = np.zeros_like(theta)
            backpropagation.add_penalty_gradient(self.smooth_recipe, theta, result)
            return result

        return self.in_theta(slopes) @ self.V.T

    @cached_property
    def smooth_recipe(self) -> Recipe:
        """The recipe without l1: |w| has no second derivative, and its sign no complex step."""
        recipe = self.here.recipe
        layers = (replace(l, penalty=replace(l.penalty, l1=0.0)) for l in recipe.layers)
        return replace(recipe, layers=tuple(layers))


@_quiet
def compare_curvature(
    recipe: Recipe, theta: Matrix, data: Data, answer: Answer | None = None, *, seed: int = 0
) -> tuple[tuple[Comparison, ...], int]:
    """Return the comparisons, and on how many of the data points they were made.

    Parameters
    ----------
    recipe, theta : Recipe, vector
    data : X, T, omega
        In float64, as is θ.
    answer : function, optional
        Maps indices of data points, and whether G is wanted, to the gradient and G (or None)
        that an engine has for their mean: both are compared. Without it G is that of `curvature`.
    """
    random = np.random.default_rng(seed)
    chosen = smooth_points(recipe, theta, data, random)
    if not chosen.size:
        return (), 0
    omega = data[2][chosen] * (data[2].size / chosen.size)
    trial = _trial(recipe, theta, (data[0][:, chosen], data[1][:, chosen], omega), random)
    moved = _moved(trial.here, random, EPS)
    tolerance, coarse = (EXACT, 1.0) if trial.exact else (APPROXIMATE, CENTRAL_STEP)
    claimed = trial.claimed(trial.here)
    noise = [_size(a - b) / coarse for a, b in zip(claimed, trial.claimed(moved), strict=True)]
    rows = zip(PRODUCTS, claimed, trial.measured(), noise, strict=True)
    found = [_compare(*row, tolerance) for row in rows]
    (K, N), P = trial.U.shape, recipe.size
    small = P * (P + N) + N * K * K <= LARGEST
    gradient, G = _answer(trial, small=small) if answer is None else answer(chosen, small)
    if G is not None:
        row = ("Gauss-Newton matrix", trial.V @ G @ trial.V.T, trial.measured_matrix(), noise[-1])
        found.append(_compare(*row, tolerance))
    if gradient is not None:
        found.append(_compare_gradient(trial, gradient, random))
    return tuple(found), int(chosen.size)


def smooth_points(recipe: Recipe, theta: Matrix, data: Data, random: np.random.Generator) -> Matrix:
    """Return the indices of the data points where no formula has a kink, in value or slope."""
    here, error = Linearization.at(recipe, theta, data[0]), curvature.seen(recipe)
    smooth = _smooth(lambda Y: error.slopes(data[1], Y), error, here.Y, random)
    for l in range(1, recipe.L + (recipe.pair is None)):
        sigma, Delta = recipe.activation(l), random.normal(size=here.Z[l].shape)

        def both(Z: Matrix, sigma: Activation = sigma, Delta: Matrix = Delta) -> Matrix:
            A = sigma(Z)
            return np.concatenate([A, sigma.pullback(Z, A, Delta)])

        smooth &= _smooth(both, sigma, here.Z[l], random)
    return np.flatnonzero(smooth)


def _smooth(
    f: Callable[[Matrix], Matrix],
    formula: Activation | Error,
    P: Matrix,
    random: np.random.Generator,
) -> Matrix:
    """Return for each column of P whether f has one slope there, or a jump or a kink."""
    v = random.choice([-1.0, 1.0], P.shape) * random.uniform(1.0, 2.0, P.shape)
    if has_complex_slopes(formula):
        right, left = f(P + 1j * COMPLEX_STEP * v), f(P - 1j * COMPLEX_STEP * v)
        gap = np.maximum(np.abs((right - left).real), np.abs((right + left).imag) / COMPLEX_STEP)
        size = np.maximum(np.abs(right.real), np.abs(right.imag) / COMPLEX_STEP)
        return np.asarray(np.all(gap <= AGREEMENT * size, axis=0))
    h = 8.0 * CENTRAL_STEP  # no kink as near as measuring goes
    left, middle, right = f(P - h * v), f(P), f(P + h * v)
    bend = np.abs(right - 2.0 * middle + left) / h
    size = np.maximum(1.0, np.abs(right - left) / h)
    return np.asarray(np.all(bend <= BEND * size, axis=0))


def _trial(recipe: Recipe, theta: Matrix, data: Data, random: np.random.Generator) -> Trial:
    """Return the trial of some data points, with unit directions in each layer and in all."""
    X, T, omega = data
    here = Linearization.at(recipe, theta, X)
    parts = [slice(weights.start, biases.stop) for weights, biases in blocks(recipe)]
    V = np.zeros((len(parts) + 1, recipe.size))
    for v, part in zip(V, [*parts, slice(None)], strict=True):
        v[part] = random.normal(size=v[part].shape) / np.sqrt(v[part].size)
    formulas = (*recipe.activations, curvature.seen(recipe))
    exact = is_analytic(recipe) and all(map(has_complex_slopes, formulas))
    return Trial(here, T, omega, V, random.normal(size=here.Y.shape), exact)


def _moved(here: Linearization, random: np.random.Generator, unit: float) -> Linearization:
    """Return the linearization with every number of Z and A moved by a unit, up or down."""
    Z, A = (
        [M * (1.0 + unit * random.choice([-1.0, 1.0], M.shape)) for M in matrices]
        for matrices in (here.Z, here.A)
    )
    return replace(here, Z=Z, A=A)


def _answer(trial: Trial, *, small: bool) -> tuple[None, Matrix | None]:
    """Return no gradient, which is certified already, and G as `curvature` makes it."""
    return None, curvature.gauss_newton(trial.here, trial.T, trial.omega)[2] if small else None


def _compare_gradient(trial: Trial, gradient: Matrix, random: np.random.Generator) -> Comparison:
    """Compare an engine's gradient with that of backpropagation, which is measured by itself."""
    here, error = trial.here, curvature.seen(trial.here.recipe)
    data = (trial.T, trial.omega)
    exact = backpropagation.backpropagate(here.recipe, here.theta, here.A[0], *data).gradient
    single = gradient.dtype == np.float32
    moved = _moved(here, random, float(np.finfo(gradient.dtype).eps))
    found, nearby = (h.transposed(error.slopes(trial.T, h.Y) * trial.omega) for h in (here, moved))
    name, tolerance = "the engine's gradient", SINGLE if single else EXACT
    return _compare(name, gradient, exact, _size(found - nearby), tolerance)


def _compare(
    name: str, claimed: Matrix, measured: Matrix, noise: float, tolerance: float
) -> Comparison:
    """Compare arrays whose numbers rounding moves by about `noise`."""
    scale = np.max([_size(measured), 16.0 * noise / tolerance, np.finfo(float).tiny])
    return Comparison(name, _size(claimed - measured) / float(scale), tolerance)


def _size(M: Matrix) -> float:
    """Return the largest absolute value."""
    return float(np.max(np.abs(M), initial=0.0))
