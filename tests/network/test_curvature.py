"""Jacobians, Gauss-Newton and Hessian products of random networks against measured derivatives."""

from itertools import product

import numpy as np
import pytest

from lamina.network import backpropagation, curvature
from lamina.network.activations import ACTIVATIONS, Activation
from lamina.network.curvature import Linearization
from lamina.network.differences import complex_step
from lamina.network.errors import ERRORS, get_error

HIDDEN = sorted(ACTIVATIONS._builtin)
ERROR_SPECS = sorted(ERRORS._builtin)
POSITIVE = {
    *("binary_cross_entropy", "blocks", "cross_entropy", "gamma", "kl_divergence", "poisson"),
    "tweedie",
}
"""Errors whose outputs must stay where logarithms and powers are real."""


def cases():
    """Yield every error with every activation before it, and with an output that is no pair."""
    for seed, (error, hidden) in enumerate(product(ERROR_SPECS, HIDDEN)):
        other = "logistic" if error in POSITIVE else "tanh"
        output = None if seed % 2 else other
        yield pytest.param(seed, error, [hidden] * (1 + seed % 2), output, id=f"{error}-{hidden}")


def posed(draw_case, seed, error, hidden, output):
    """Return a case, its network linearized, and a direction in the space of θ."""
    case = draw_case(seed, error, hidden, output)
    random = np.random.default_rng(seed)
    here = Linearization.at(case.net.recipe, case.net.theta, case.X)
    return case, here, random.normal(size=case.net.theta.size)


def close(found, expected, tolerance=1e-11):
    """Return whether arrays agree relative to their largest entry."""
    return np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize(("seed", "error", "hidden", "output"), list(cases()))
def test_curvature_is_measured(seed, error, hidden, output, draw_case):
    """𝒥 v, 𝒥ᵗ u, 𝒥 and the Hessian product are the complex steps of outputs and gradient."""
    case, here, v = posed(draw_case, seed, error, hidden, output)
    recipe, theta = case.net.recipe, case.net.theta

    def outputs(theta):
        return Linearization.at(recipe, theta, case.X).Y

    def gradient(theta):
        return backpropagation.backpropagate_error(recipe, theta, *case.data).gradient

    dY = here.times(v)
    assert close(dY, complex_step(outputs, theta, v))
    U = np.random.default_rng(seed).normal(size=dY.shape)
    assert np.isclose(here.transposed(U) @ v, np.sum(U * dY), rtol=1e-10, atol=1e-12)
    J = here.jacobian()
    assert close(J @ v, dY.T)
    product_ = curvature.hessian_product(here, case.T, case.omega, v)
    assert close(product_, complex_step(gradient, theta, v))


@pytest.mark.parametrize(("seed", "error", "hidden", "output"), list(cases()))
def test_gauss_newton_is_its_definition(seed, error, hidden, output, draw_case):
    """Σ_k R_kᵗ R_k is Σ ω 𝒥ᵗ C 𝒥 without negative curvature, and so is its product with a v."""
    case, here, v = posed(draw_case, seed, error, hidden, output)
    recipe = case.net.recipe
    J = here.jacobian()
    C = curvature.error_hessians(recipe, case.T, here.Y)
    values, vectors = np.linalg.eigh(C)
    positive = np.einsum("nik,nk,njk->nij", vectors, np.maximum(values, 0.0), vectors)
    expected = np.einsum("n,nip,nij,njq->pq", case.omega, J, positive, J)
    found = sum(
        (R.T @ R for R in curvature.gauss_newton_rows(here, case.T, case.omega)),
        start=np.zeros_like(expected),
    )
    assert close(found, expected)
    whole = np.einsum("n,nip,nij,njq->pq", case.omega, J, C, J)
    assert close(curvature.gauss_newton_product(here, case.T, case.omega, v), whole @ v)


CURVED = {
    "squared": lambda _, y: np.ones_like(y),
    "absolute": lambda _, y: np.zeros_like(y),
    "binary_cross_entropy": lambda _, y: np.exp(-y) / (1.0 + np.exp(-y)) ** 2,
    "poisson": lambda _, y: np.exp(y),
    "gamma": lambda t, y: t * np.exp(-y),
    "log_cosh": lambda t, y: 1.0 / np.cosh(y - t) ** 2,
    "huber(0.7)": lambda t, y: (np.abs(y - t) < 0.7) * 1.0,
}


@pytest.mark.parametrize("name", CURVED)
def test_second_slope_of_an_error_is_known(name, draw_case):
    """Errors of one number at a time have the second derivatives of the textbooks."""
    case = draw_case(3, name, ["tanh"], outputs=3)
    Y = np.random.default_rng(0).normal(size=case.T.shape)
    C = curvature.error_hessians(case.net.recipe, case.T, Y)
    expected = CURVED[name](case.T, Y)
    assert close(np.einsum("nkk->kn", C), expected, 1e-13)
    assert not np.any(C[:, ~np.eye(3, dtype=bool)])


def test_second_slope_of_a_softmax_is_known(draw_case):
    """Cross-entropy seen from Z of a softmax has C = (diag a - a aᵗ) Σt."""
    case = draw_case(3, "cross_entropy", ["tanh"], outputs=4)
    Y = np.random.default_rng(0).normal(size=case.T.shape)
    A = np.exp(Y) / np.exp(Y).sum(axis=0)
    expected = np.einsum("kn,kj->nkj", A, np.eye(4)) - np.einsum("kn,jn->nkj", A, A)
    C = curvature.error_hessians(case.net.recipe, case.T, Y)
    assert close(C, expected * case.T.sum(axis=0)[:, None, None], 1e-13)


def test_penalty_is_part_of_the_curvature(draw_case):
    """The second derivative of the penalties is that of their slopes."""
    for seed in range(12):
        net = draw_case(seed, "squared", ["tanh", "relu"]).net
        v = np.random.default_rng(seed).normal(size=net.theta.size)
        slopes = []
        for step in (1e-3, -1e-3):
            gradient = np.zeros_like(net.theta)
            backpropagation.add_penalty_gradient(net.recipe, net.theta + step * v, gradient)
            slopes.append(gradient)
        measured = (slopes[0] - slopes[1]) / 2e-3
        same = np.sign(net.theta + 1e-3 * v) == np.sign(net.theta - 1e-3 * v)
        found = curvature.penalty_diagonal(net.recipe) * v
        assert np.allclose(found[same], measured[same], atol=1e-10)


class Absent(Activation):
    """An activation that refuses complex numbers."""

    def __call__(self, Z):
        """Return z³ / 3."""
        assert Z.dtype == float
        return Z**3 / 3

    def pullback(self, Z, _, Delta):
        """Return Delta z²."""
        return Delta * Z**2


def test_formulas_without_a_complex_form_are_measured_by_differences():
    """What refuses complex numbers gets central differences, good to 1e-9."""
    Z, v = np.random.default_rng(0).normal(size=(2, 3, 5))
    sigma = Absent()
    assert np.allclose(curvature.tangent(sigma, Z, sigma(Z), v), Z**2 * v, atol=1e-8)
    assert np.allclose(curvature.bend(sigma, (Z, sigma(Z), v), v, v), v * 2 * Z * v, atol=1e-8)
    assert get_error("absolute").slopes(Z, Z + 1e-3).min() == 1.0
