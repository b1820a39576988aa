"""Gauss-Newton by conjugate gradients: the direction, its stops, and networks without matrices."""

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidValueError
from lamina.training.solvers import GaussNewtonCg
from lamina.training.solvers.gauss_newton_cg import conjugate_gradients


def draw_system(size, length, seed=0):
    """Return a positive definite matrix and a vector of some length."""
    random = np.random.default_rng(seed)
    R = random.normal(size=(size, size))
    g = random.normal(size=size)
    return R @ R.T + np.eye(size), g * length / np.linalg.norm(g)


@pytest.mark.parametrize(("length", "residual"), [(1e-16, 1e-8), (1e-4, 1e-2), (4.0, 0.5)])
def test_direction_solves_the_system(length, residual):
    """The residual is below min(1/2, √|g|) |g|, and what is returned as such."""
    H, g = draw_system(12, length)
    p, rest = conjugate_gradients(lambda v: H @ v, g, H @ g, 100)
    np.testing.assert_allclose(rest, -g - H @ p, atol=1e-12 * length)
    assert np.linalg.norm(rest) <= residual * length * (1 + 1e-9)
    if residual < 1e-7:
        np.testing.assert_allclose(p, np.linalg.solve(H, -g), rtol=1e-5, atol=1e-6 * length)


def test_direction_takes_no_more_products_than_it_may():
    """The known product is the first; the others are counted, and none is taken in vain."""
    H, g = draw_system(12, 1e-16)
    seen = []

    def product(v):
        seen.append(v)
        return H @ v

    for most in (1, 2, 5):
        seen.clear()
        conjugate_gradients(product, g, H @ g, most)
        assert len(seen) == most - 1
    p, _ = conjugate_gradients(lambda v: H @ v, g, H @ g, 1)
    np.testing.assert_allclose(p, -g * (g @ g) / (g @ H @ g))


def test_negative_curvature_stops():
    """Along g it means no direction; met later, the direction so far, which leads downhill."""
    g = np.array([1e-8, 2e-8, 1e-8])
    H = -np.eye(3)
    assert conjugate_gradients(lambda v: H @ v, g, H @ g, 9) is None
    assert conjugate_gradients(lambda v: v * np.nan, g, g * np.nan, 9) is None
    H = np.diag([3.0, 2.0, -1.0])
    p, rest = conjugate_gradients(lambda v: H @ v, g, H @ g, 9)
    assert p @ g < 0
    np.testing.assert_allclose(rest, -g - H @ p)
    assert p @ (g + 0.5 * H @ p) < 0


def test_step_is_that_of_the_definition(problems, run):
    """Near a minimum the step is -(G + λ γ I)⁻¹ g, γ the curvature along the gradient."""
    c, theta = np.array([1.0, 3.0, 10.0]), 1.0 + np.array([1e-9, -2e-9, 1e-9])
    state, _ = run(problems.quadratic(c), theta, solver="gauss_newton_cg(damping=0.1)", max_iter=1)
    g = c * (theta - 1)
    gamma = g @ (c * g) / (g @ g)
    np.testing.assert_allclose(state.memory["scale"], gamma, rtol=1e-6)
    np.testing.assert_allclose(state.theta - theta, -g / (c + 0.1 * gamma), rtol=1e-3)
    assert state.history["learning_rate"] == [0.1]


def test_unit_of_the_objective_does_not_matter(function_engine, problems, run):
    """J times a number takes the same first step: λ is relative to the curvature."""
    one = problems.rosenbrock(4)
    thetas = []
    for factor in (1.0, 2.0**-40, 2.0**40):
        engine = function_engine(
            4,
            lambda theta, k=factor: tuple(k * part for part in one.function(theta)),
            lambda theta, k=factor: k * one.curvature(theta),
        )
        solver = GaussNewtonCg(damping=0.1, max_products=1)
        thetas.append(run(engine, [-1.2, 1.0, 0.3, 2.0], solver=solver, max_iter=2)[0].theta)
    np.testing.assert_allclose(thetas[1], thetas[0], rtol=1e-12)
    np.testing.assert_allclose(thetas[2], thetas[0], rtol=1e-12)


def test_path_is_that_of_levenberg_marquardt(draw_problem):
    """Both lower a network's J about as fast, epoch by epoch, for the direction is the same."""
    loss = {}
    for solver in ("levenberg_marquardt", "gauss_newton_cg"):
        problem = draw_problem("regression")
        options = {"solver": solver, "max_iter": 30, "tol": -np.inf}
        loss[solver] = lamina.train(problem.net, problem.X, problem.T, **options).history["loss"]
    assert loss["gauss_newton_cg"][-1] < 2 * loss["levenberg_marquardt"][-1] + 1e-3


def test_error_that_is_not_convex_is_lowered(draw_problem):
    """Where C_n is not positive, as gaussian_nll's far from its target, J falls all the same."""
    problem = draw_problem("spread")
    problem.net.b[2][1] = -3.0  # far too sure
    before = problem.net.objective(problem.X, problem.T)
    options = {"solver": "gauss_newton_cg", "max_iter": 100, "tol": -np.inf}
    training = lamina.train(problem.net, problem.X, problem.T, **options)
    assert np.all(np.diff(training.history["loss"]) <= 0)
    assert training.history["loss"][-1] < before - 2.0


def test_network_too_large_for_matrices_is_trained():
    """A network whose matrix would take 100 GB is trained in little memory."""
    net = lamina.Network([3, 300, 370, 1], ["tanh", "tanh"], random_state=0)
    X = np.random.default_rng(0).normal(size=(3, 20))
    T = np.sin(X[:1]) * X[1:2]
    before = net.objective(X, T)
    assert net.theta.size**2 * 8 > 1e11
    solver = GaussNewtonCg(max_products=10)
    lamina.train(net, X, T, solver=solver, max_iter=5)
    assert net.objective(X, T) < 0.5 * before


@pytest.mark.parametrize(
    "settings",
    [
        *[{"damping": bad} for bad in (0.0, -1.0, np.inf, np.nan, "1", None)],
        *[{"max_products": bad} for bad in (0, 2.5, "10", None)],
        *[{"max_tries": bad} for bad in (0, 2.5, "10", None)],
    ],
    ids=str,
)
def test_bad_setting_is_refused(settings):
    """A number outside its range, or no number, is refused by name."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        GaussNewtonCg(**settings)
