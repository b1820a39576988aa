"""Levenberg-Marquardt: its step by its definition, least squares, and its bounds."""

import numpy as np
import pytest

import lamina
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidValueError
from lamina.training.loop import train
from lamina.training.settings import Settings
from lamina.training.solvers import LevenbergMarquardt
from lamina.training.state import TrainingState
from lamina.training.train import _data

MARQUARDT = LevenbergMarquardt(scaling="marquardt")


def measured_jacobian(net, X):
    """Return dA_L/dθ of every data point, N S_L × P, by central differences."""
    theta, columns = net.theta.copy(), []
    for i in range(len(theta)):
        sides = []
        for shift in (1e-6, -1e-6):
            net.theta = theta + shift * (np.arange(len(theta)) == i)
            sides.append(net(X).T.ravel())
        columns.append((sides[0] - sides[1]) / 2e-6)
    net.theta = theta
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("kind", ["regression", "two outputs squared"])
def test_step_is_that_of_least_squares(kind, draw_problem):
    """The first step is -(JᵗJ/N + λ diag)⁻¹ Jᵗ(a - t)/N, from a Jacobian that was measured."""
    problem = draw_problem("regression")
    net, T = problem.net, problem.T
    if kind == "two outputs squared":
        net = lamina.Network([3, 5, 2], ["tanh"], random_state=1)
        T = np.stack([T[0], problem.X[0] ** 2])
    theta, N = net.theta.copy(), T.shape[1]
    J = measured_jacobian(net, problem.X)
    factor = net.error(problem.X, T) / (np.sum((net(problem.X) - T) ** 2) / N)  # of the error
    G = 2 * factor * J.T @ J / N
    slope = 2 * factor * J.T @ (net(problem.X) - T).T.ravel() / N
    training = lamina.train(net, problem.X, T, solver=MARQUARDT, max_iter=1)
    damping = training.history["learning_rate"][0]
    expected = np.linalg.solve(G + damping * np.diag(np.diag(G)), -slope)
    np.testing.assert_allclose(net.theta - theta, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scaling", ["identity", "marquardt"])
@pytest.mark.parametrize("name", ["regression", "two outputs", "binary", "classes", "spread"])
def test_steps_are_those_of_the_definition(name, scaling, draw_problem):
    """Each step is -(G + λ D)⁻¹ g, D the largest diag G of all steps so far, or its largest."""
    problem = draw_problem(name)
    data = _data(problem.net, problem.X, problem.T, None)
    engine, largest = ReferenceEngine(problem.net.recipe), np.zeros(problem.net.theta.size)
    state = TrainingState(problem.net.theta.copy(), 0)
    for _ in range(5):
        theta = state.theta.copy()
        _, gradient, G = engine.gauss_newton(theta, data)
        largest = np.maximum(largest, np.diag(G))
        solver = LevenbergMarquardt(scaling=scaling)
        train(engine, data, state, Settings(solver=solver, max_iter=1))
        damping = state.history["learning_rate"][-1]
        D = largest if scaling == "marquardt" else np.full_like(largest, largest.max())
        p = np.linalg.solve(G + damping * np.diag(D), -gradient)
        np.testing.assert_allclose(state.theta - theta, p, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(state.memory["scale"], largest)


@pytest.mark.parametrize("omega", [None, np.arange(1.0, 41.0)])
@pytest.mark.parametrize("outputs", [1, 3])
def test_linear_network_reaches_least_squares(outputs, omega):
    """Without hidden layers and with squared error a few steps end at NumPy's solution."""
    random = np.random.default_rng(0)
    X = random.normal(size=(4, 40)) * np.array([[1.0], [100.0], [0.01], [5.0]])
    T = random.normal(size=(outputs, 40))
    net = lamina.Network([4, outputs], [], random_state=0)
    options = {"solver": MARQUARDT, "omega": omega, "max_iter": 12, "tol": -np.inf}
    training = lamina.train(net, X, T, **options)
    root = np.sqrt(np.ones(40) if omega is None else omega)
    inputs = np.vstack([X, np.ones(40)]) * root
    solution = np.linalg.lstsq(inputs.T, (T * root).T)[0]
    np.testing.assert_allclose(net.W[1], solution[:4].T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(net.b[1][:, 0], solution[4], rtol=1e-6, atol=1e-9)
    loss = np.array(training.history["loss"])
    assert np.all(loss[4:] <= loss[-1] * (1 + 1e-9))


def test_damping_falls_by_a_third_where_the_model_is_right(problems, run):
    """On a quadratic every fall is the one foretold, and λ is a third after each epoch."""
    state, _ = run(
        problems.quadratic(np.array([1.0, 20.0])),
        [4.0, -3.0],
        solver="levenberg_marquardt(damping=10.0)",
        max_iter=3,
    )
    np.testing.assert_allclose(state.history["learning_rate"], [10, 10 / 3, 10 / 9])
    np.testing.assert_allclose(state.memory["damping"], [10 / 27, 2.0])


def test_scaled_inputs_take_the_same_steps(draw_problem):
    """Units of the inputs, divided out of the weights, do not matter: D scales with them."""
    problem, units = draw_problem("regression"), np.array([[1.0], [1e4], [1e-3]])
    twin = draw_problem("regression").net
    twin.W[1][...] /= units.T
    options = {"solver": MARQUARDT, "max_iter": 5, "tol": -np.inf}
    one = lamina.train(problem.net, problem.X, problem.T, **options)
    other = lamina.train(twin, problem.X * units, problem.T, **options)
    np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=1e-6)


def test_too_large_a_network_is_refused(draw_problem):
    """Where matrices would not fit, the message says how much they take and what else to use."""
    problem = draw_problem("regression")  # 31 parameters: 3 matrices of 7,688 bytes
    before = problem.net.theta.copy()
    words = r"0\.0 GB for the matrices of 31 parameters.*'lbfgs' or 'gauss_newton_cg'.*max_memory="
    solver = LevenbergMarquardt(max_memory=23_063)
    with pytest.raises(InvalidValueError, match=words):
        lamina.train(problem.net, problem.X, problem.T, solver=solver)
    np.testing.assert_array_equal(problem.net.theta, before)
    solver = LevenbergMarquardt(max_memory=23_064)
    assert lamina.train(problem.net, problem.X, problem.T, solver=solver, max_iter=2).history


def test_matrix_that_overflows_is_survived(function_engine, run):
    """Where J and gradient are finite and G is not, there is no step: stalled, finite memory."""
    engine = function_engine(
        2, lambda theta: (theta @ theta, 2 * theta), lambda _: np.diag([1.0, np.inf])
    )
    state, reason = run(engine, [1.0, 2.0], solver="levenberg_marquardt")
    assert reason == "stalled"
    assert all(np.all(np.isfinite(array)) for array in state.memory.values())


@pytest.mark.parametrize(
    "settings",
    [
        *[{"damping": bad} for bad in (0.0, -1.0, np.inf, np.nan, "1", None)],
        *[{"max_memory": bad} for bad in (0, -1.0, np.nan, None)],
        *[{"max_tries": bad} for bad in (0, 2.5, "10", None)],
        *[{"scaling": bad} for bad in ("none", None, 1)],
    ],
    ids=str,
)
def test_bad_setting_is_refused(settings):
    """A number outside its range, or no number, is refused by name."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        LevenbergMarquardt(**settings)
