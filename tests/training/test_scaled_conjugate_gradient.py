"""Scaled conjugate gradients: the steps of the paper, conjugacy, restarts, negative curvature."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

import lamina
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidValueError
from lamina.training.loop import train
from lamina.training.settings import Settings
from lamina.training.solvers import ScaledConjugateGradient
from lamina.training.train import _data

SCG = "scaled_conjugate_gradient"


def follow(function, theta, epochs):
    """Yield θ after each success of the paper's algorithm, with its λ, λ̄ and δ as printed."""
    sigma, damping, raised, P = 1e-5, 1e-6, 0.0, len(theta)
    r = -function(theta)[1]
    p, k, success, found = r.copy(), 1, True, 0
    while found < epochs:
        size = p @ p
        if success:
            step = sigma / np.sqrt(size)
            s = (function(theta + step * p)[1] - function(theta)[1]) / step
            delta = p @ s
        delta += (damping - raised) * size
        if delta <= 0:
            raised = 2 * (damping - delta / size)
            delta = -delta + damping * size
            damping = raised
        mu = p @ r
        alpha = mu / delta
        E, E_new = function(theta)[0], function(theta + alpha * p)[0]
        ratio = 2 * delta * (E - E_new) / mu**2
        if ratio >= 0:
            theta = theta + alpha * p
            r_new, raised, success = -function(theta)[1], 0.0, True
            beta = (r_new @ r_new - r_new @ r) / mu
            p = r_new if k % P == 0 else r_new + beta * p
            r, k, found = r_new, k + 1, found + 1
            if ratio >= 0.75:
                damping /= 4
        else:
            raised, success = damping, False
        if ratio < 0.25:
            damping += delta * (1 - ratio) / size
        if success:
            yield theta.copy()


@pytest.mark.parametrize(
    "start", [[-1.2, 1.0], [0.2, 0.8, 1.0, 0.9], [0.0] * 5, [0.5, -0.5, 0.5, -0.5]], ids=str
)
def test_steps_are_those_of_the_paper(start, problems, run):
    """The first epochs lead through the same θ as the algorithm as printed."""
    start = np.array(start)
    path = list(follow(lambda t: (rosen(t), rosen_der(t)), start, 12))
    for epochs in (1, 2, 3, 5, 8, 12):
        state, _ = run(problems.rosenbrock(len(start)), start, solver=SCG, max_iter=epochs)
        np.testing.assert_allclose(state.theta, path[epochs - 1], rtol=1e-6, atol=1e-8)


def test_directions_are_conjugate(problems, run):
    """On a quadratic one direction is conjugate to the one before, and P steps almost suffice."""
    c, start = np.array([1.0, 4.0, 9.0, 20.0, 35.0]), np.array([3.0, -1.0, 2.0, 0.5, -2.0])
    engine = problems.quadratic(c)
    states = [run(engine, start, solver=SCG, max_iter=epochs)[0] for epochs in (1, 2, 3, 4)]
    directions = [c * (start - 1), *(state.memory["direction"] for state in states)]
    for one, other in pairwise(directions):
        size = np.sqrt((c @ one**2) * (c @ other**2))
        assert abs(one @ (c * other)) < 1e-4 * size
    state, _ = run(engine, start, solver=SCG, max_iter=5)
    assert state.history["loss"][-1] < 1e-6 * state.history["loss"][0]


def test_restart_after_as_many_steps_as_parameters(problems, run):
    """After P steps the next direction is the gradient's, and counting begins anew."""
    for epochs, since in ((1, 1), (2, 2), (3, 0), (4, 1), (6, 0)):
        state, _ = run(problems.rosenbrock(3), [-1.2, 1.0, 0.4], solver=SCG, max_iter=epochs)
        assert state.memory["since"][0] == since
        downhill = np.array_equal(state.memory["direction"], -rosen_der(state.theta))
        assert downhill == (since == 0)


def test_direction_that_leads_uphill_is_left(problems, run):
    """With a remembered direction that leads uphill the gradient's is taken, and J falls."""
    engine = problems.rosenbrock(4)
    for factor in (-1.0, 0.0, 1e200):
        state, _ = run(engine, np.zeros(4), solver=SCG, max_iter=3)
        state.memory["direction"] *= factor
        go_on(engine, state)
        assert state.history["loss"][-1] < state.history["loss"][-2]
        assert state.memory["since"][0] == 1


def go_on(engine, state):
    """Train one epoch more."""
    return state, train(engine, None, state, Settings(solver=ScaledConjugateGradient(), max_iter=1))


def test_negative_curvature_is_left(function_engine, run):
    """Begun where J bends down, the search leads to a minimum, each number at 1 or -1."""
    engine = function_engine(
        3, lambda theta: (np.sum(theta**4 / 4 - theta**2 / 2), theta**3 - theta)
    )
    state, _ = run(engine, [0.1, -0.05, 0.2], solver=SCG, gradient_tol=1e-9)
    np.testing.assert_allclose(np.abs(state.theta), 1.0, atol=1e-8)
    assert np.all(np.diff(state.history["loss"]) <= 0)


@pytest.mark.parametrize(
    ("name", "seed"), [("regression", 0), ("binary", 1), ("spread", 0), ("counts", 0)]
)
def test_minimum_is_that_of_scipy(name, seed, draw_problem):
    """On a penalized network J ends as low as SciPy's L-BFGS-B from the same θ, or lower."""
    problem = draw_problem(name, seed=seed)
    net = lamina.Network(
        problem.net.S,
        problem.net.recipe.activations,
        error=problem.net.recipe.error,
        penalties=lamina.Penalty(l2=0.1),
        initialization=problem.net.theta,
    )
    engine, data = ReferenceEngine(net.recipe), _data(net, problem.X, problem.T, None)
    limits = {"maxiter": 3000, "maxfun": 10**5, "ftol": 1e-14, "gtol": 1e-9}
    start = {"x0": net.theta.copy(), "args": (data,), "jac": True}
    peer = minimize(engine.gradient, **start, method="L-BFGS-B", options=limits)
    training = lamina.train(net, problem.X, problem.T, solver=SCG, max_iter=3000, tol=1e-13)
    assert training.history["loss"][-1] <= peer.fun * (1 + 1e-6)


def test_evaluations_are_about_those_of_scipy(problems, run):
    """Rosenbrock's minimum takes no more than some times the gradients of SciPy's CG."""
    engine = problems.rosenbrock(6)
    run(engine, [-1.2, 1.0] * 3, solver=SCG, gradient_tol=1e-6)
    peer = minimize(rosen, [-1.2, 1.0] * 3, jac=rosen_der, method="CG", options={"gtol": 1e-6})
    assert engine.calls <= 3 * peer.nfev


def test_gradients_beside_a_wall_may_fail(function_engine, run):
    """Where the gradient beside θ is no number, the curvature is taken as 0 and J still falls."""

    def wall(theta):
        return (theta @ theta, 2 * theta) if theta[0] >= 1.0 else (np.nan, theta * np.nan)

    state, _ = run(function_engine(2, wall), [1.0, 1.0], solver=SCG, max_iter=5)
    assert state.theta[0] == 1.0
    state, _ = run(function_engine(2, wall), [1.0 + 1e-7, 1.0], solver=SCG, max_iter=5)
    assert state.history["loss"][-1] < 2.0


@pytest.mark.parametrize(
    "settings",
    [
        *[{"sigma": bad} for bad in (0.0, -1.0, np.inf, np.nan, "1", None)],
        *[{"damping": bad} for bad in (0.0, -1.0, np.inf, np.nan, "1", None)],
        *[{"max_tries": bad} for bad in (0, 2.5, "10", None)],
    ],
    ids=str,
)
def test_bad_setting_is_refused(settings):
    """A number outside its range, or no number, is refused by name."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        ScaledConjugateGradient(**settings)
