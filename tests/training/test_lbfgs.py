"""L-BFGS: known functions, SciPy's own L-BFGS-B beside it, and searches that fail."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

import lamina
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidValueError
from lamina.training.loop import train
from lamina.training.settings import Settings
from lamina.training.solvers import Lbfgs
from lamina.training.state import TrainingState
from lamina.training.train import _data


def run(engine, theta, **options):
    """Return state and reason after training a function of θ."""
    state = TrainingState(np.array(theta, dtype=options.pop("dtype", float)), 0)
    options = {"max_iter": 500, "tol": -np.inf, "solver": Lbfgs()} | options
    return state, train(engine, None, state, Settings(**options))


def quadratic(curvatures):
    """Return J = Σ c (θ - 1)² / 2 and its slope."""
    return lambda theta: (
        0.5 * np.sum(curvatures * (theta - 1) ** 2),
        curvatures * (theta - 1),
    )


@pytest.mark.parametrize("spread", [1.0, 1e2, 1e4])
def test_lbfgs_minimizes_a_quadratic(spread, function_engine):
    """Eight curvatures that differ up to ten-thousandfold take as few iterations as SciPy's."""
    J = quadratic(np.geomspace(1.0, spread, 8))
    engine, limits = function_engine(8, J), {"gtol": 1e-9, "ftol": 0}
    peer = minimize(J, np.linspace(-3, 5, 8), jac=True, method="L-BFGS-B", options=limits)
    state, reason = run(engine, np.linspace(-3, 5, 8), gradient_tol=1e-9)
    assert reason in {"gradient", "stalled"}
    assert len(state.history) <= 1.2 * peer.nit + 2
    np.testing.assert_allclose(state.theta, 1.0, atol=1e-8)


def test_lbfgs_minimizes_rosenbrock(function_engine):
    """The curved valley is followed to its end, in about as many evaluations as SciPy needs."""
    engine = function_engine(6, lambda theta: (rosen(theta), rosen_der(theta)))
    state, _ = run(engine, [-1.2, 1.0] * 3, gradient_tol=1e-8)
    peer = minimize(rosen, [-1.2, 1.0] * 3, jac=rosen_der, method="L-BFGS-B", tol=1e-12)
    np.testing.assert_allclose(state.theta, 1.0, atol=1e-6)
    assert engine.calls <= 2 * peer.nfev


def test_lbfgs_loss_never_rises(function_engine):
    """Every iteration lowers J, and the history shows J and gradient at the new θ."""
    engine = function_engine(4, lambda theta: (rosen(theta), rosen_der(theta)))
    state, _ = run(engine, [-1.2, 1.0, -0.5, 2.0], max_iter=40)
    assert np.all(np.diff(state.history["loss"]) < 0)
    assert state.history["loss"][-1] == rosen(state.theta)
    np.testing.assert_allclose(
        state.history["gradient_norm"][-1], np.linalg.norm(rosen_der(state.theta)), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("name", "seed"), [("regression", 0), ("binary", 1), ("spread", 0), ("counts", 0)]
)
def test_lbfgs_reaches_what_scipy_reaches(name, seed, draw_problem):
    """On a penalized network J ends as low as SciPy's L-BFGS-B from the same θ, or lower."""
    problem = draw_problem(name, seed=seed)
    recipe, theta = problem.net.recipe, problem.net.theta.copy()
    strong = lamina.Penalty(l2=0.1)
    net = lamina.Network(
        problem.net.S,
        recipe.activations,
        error=recipe.error,
        penalties=strong,
        initialization=theta,
    )
    data, engine = _data(net, problem.X, problem.T, None), ReferenceEngine(net.recipe)
    limits = {"maxiter": 3000, "maxfun": 10**5, "ftol": 1e-14, "gtol": 1e-9}
    peer = minimize(
        engine.gradient, theta, args=(data,), jac=True, method="L-BFGS-B", options=limits
    )
    training = lamina.train(net, problem.X, problem.T, solver="lbfgs", max_iter=3000, tol=1e-13)
    assert training.history["loss"][-1] <= peer.fun * (1 + 1e-6)


def test_lbfgs_stops_at_a_minimum_it_cannot_lower(function_engine):
    """At a minimum to rounding training ends as stalled, at once and with θ unchanged."""
    engine = function_engine(3, lambda theta: (np.abs(theta).sum(), np.sign(theta) + 0.5))
    state, reason = run(engine, np.zeros(3), max_iter=50)
    assert (reason, len(state.history)) == ("stalled", 1)
    np.testing.assert_array_equal(state.theta, 0.0)


def test_lbfgs_survives_a_slope_that_lies(function_engine):
    """Where the gradient points uphill no step is found: stalled, finite, nothing raised."""
    engine = function_engine(2, lambda theta: (theta @ theta, -2 * theta))
    state, reason = run(engine, [1.0, 2.0])
    assert reason == "stalled"
    np.testing.assert_array_equal(state.theta, [1.0, 2.0])


def test_lbfgs_forgets_before_it_gives_up(function_engine):
    """A failed search starts again from the gradient, with nothing remembered."""
    engine = function_engine(2, quadratic(np.array([1.0, 30.0])))
    state, _ = run(engine, [5.0, -3.0], max_iter=3)
    assert len(state.memory["s"]) > 0
    state.memory["y"] *= -1.0  # s·y < 0: the direction it gives leads uphill
    J = engine.function(state.theta)[0]
    train(engine, None, state, Settings(solver=Lbfgs(), max_iter=1))
    assert state.history["loss"][-1] < J
    assert len(state.memory["s"]) == 1


@pytest.mark.parametrize("outside", [np.inf, np.nan, -np.inf])
def test_lbfgs_turns_back_from_non_finite_trials(outside, function_engine):
    """Trial points where J is no number are survived, and the minimum beside them is found."""
    tried = []

    def wall(theta):
        tried.append(theta[0])
        if theta[0] > 1.5:
            return outside, np.full(2, np.nan)
        x = 1.6 - theta[0]
        return np.sum((theta - 1) ** 2) - 0.1 * np.log(x), 2 * (theta - 1) + [0.1 / x, 0.0]

    state, reason = run(function_engine(2, wall), [0.8, 1.1], gradient_tol=1e-7)
    assert max(tried) > 1.5
    assert reason in {"gradient", "stalled"}
    lowest = 1.3 - np.sqrt(0.14)  # where 2 (x - 1) (1.6 - x) + 0.1 = 0
    np.testing.assert_allclose(state.theta, [lowest, 1.0], atol=1e-6)


def test_lbfgs_crosses_kinks(function_engine):
    """Where no step satisfies Wolfe's conditions the lowest J met is taken: |θ| still falls."""
    weights = np.array([1.0, 3.0, 9.0])
    engine = function_engine(
        3, lambda theta: (weights @ np.abs(theta - 1), weights * np.sign(theta - 1))
    )
    state, reason = run(engine, [4.0, -2.0, 3.3])
    assert reason in {"stalled", "gradient"}
    assert state.history["loss"][-1] < 0.05 * engine.function(np.array([4.0, -2.0, 3.3]))[0]


def test_lbfgs_trains_float32(draw_problem):
    """A float32 network comes as close to the minimum as its rounding allows, and then stops."""
    J = {}
    for dtype in ("float32", "float64"):
        problem = draw_problem("counts", dtype=dtype)
        start = lamina.Network(
            problem.net.S,
            problem.net.recipe.activations,
            error="poisson",
            penalties=lamina.Penalty(l2=0.05),
            initialization=problem.net.theta,
            dtype=dtype,
        )
        training = lamina.train(start, problem.X, problem.T, solver="lbfgs", max_iter=2000, tol=0)
        assert start.theta.dtype == dtype
        assert training.stop_reason in {"stalled", "gradient", "no_change"}
        J[dtype] = training.history["loss"][-1]
    np.testing.assert_allclose(J["float32"], J["float64"], rtol=1e-5)


@pytest.mark.parametrize("memory", [1, 3])
def test_lbfgs_remembers_no_more_than_asked(memory, function_engine):
    """The last `memory` changes are kept, one a row, in float64 for any θ."""
    engine = function_engine(5, lambda theta: (rosen(theta), rosen_der(theta)))
    state, _ = run(engine, np.zeros(5), solver=Lbfgs(memory=memory), max_iter=12, dtype="float32")
    assert state.memory["s"].shape == state.memory["y"].shape == (memory, 5)
    assert state.memory["s"].dtype == state.memory["y"].dtype == float


def test_lbfgs_remembers_its_last_change(function_engine):
    """The newest rows are the change of θ and of the gradient in the last iteration."""
    engine = function_engine(4, lambda theta: (rosen(theta), rosen_der(theta)))
    before, _ = run(engine, np.zeros(4), max_iter=6)
    after, _ = run(engine, np.zeros(4), max_iter=7)
    s, y = after.memory["s"][-1], after.memory["y"][-1]
    np.testing.assert_allclose(s, after.theta - before.theta, rtol=1e-12)
    np.testing.assert_allclose(y, rosen_der(after.theta) - rosen_der(before.theta), rtol=1e-9)


def test_lbfgs_direction_is_the_two_loop_recursion(function_engine):
    """The direction is that of Nocedal and Wright's algorithm 7.4, written out."""
    engine = function_engine(5, lambda theta: (rosen(theta), rosen_der(theta)))
    state, _ = run(engine, np.zeros(5), max_iter=8)
    gradient = rosen_der(state.theta)
    pairs = list(zip(state.memory["s"], state.memory["y"], strict=True))
    q, alphas = gradient.copy(), []
    for s, y in reversed(pairs):
        alphas.append(s @ q / (s @ y))
        q = q - alphas[-1] * y
    s, y = pairs[-1]
    r = q * (s @ y) / (y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + s * (alpha - y @ r / (s @ y))
    np.testing.assert_allclose(Lbfgs()._direction(state, gradient), -r, rtol=1e-9)


def test_lbfgs_keeps_no_data(draw_problem):
    """After training the state holds nothing of the data: a pickle of it stays small."""
    problem = draw_problem("regression")
    state = lamina.train(problem.net, problem.X, problem.T, solver="lbfgs", max_iter=3).state
    assert state.scratch == {}


@pytest.mark.parametrize(
    "settings",
    [{"memory": 0}, {"memory": 2.5}, {"memory": "10"}, {"max_evaluations": 0}, {"memory": None}],
)
def test_bad_setting_is_refused(settings):
    """A memory or a search of nothing, or of no whole number, is refused."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        Lbfgs(**settings)
