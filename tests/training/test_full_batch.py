"""What every solver on all data must do: known functions, searches that fail, singular cases."""

import numpy as np
import pytest
from scipy.optimize import rosen_der

import lamina
from lamina.training.stopping import REASONS

LOWERING = ["levenberg_marquardt", "gauss_newton_cg", "scaled_conjugate_gradient"]
SOLVERS = [*LOWERING, "rprop"]


@pytest.mark.parametrize("spread", [1.0, 1e2, 1e4])
@pytest.mark.parametrize("solver", SOLVERS)
def test_quadratic_is_minimized(solver, spread, problems, run):
    """Eight curvatures that differ up to ten-thousandfold are no hindrance."""
    engine = problems.quadratic(np.geomspace(1.0, spread, 8))
    state, _ = run(engine, np.linspace(-3, 5, 8), solver=solver, gradient_tol=1e-9)
    np.testing.assert_allclose(state.theta, 1.0, atol=1e-7)


@pytest.mark.parametrize(("solver", "epochs"), [*zip(SOLVERS, [60, 60, 400, 5000], strict=True)])
def test_rosenbrock_is_minimized(solver, epochs, problems, run):
    """The curved valley is followed to its end."""
    engine = problems.rosenbrock(6)
    state, _ = run(engine, [-1.2, 1.0] * 3, solver=solver, gradient_tol=1e-8, max_iter=epochs)
    assert state.history["gradient_norm"][-1] < 1e-3
    np.testing.assert_allclose(state.theta, 1.0, atol=1e-3 if solver == "rprop" else 1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_history_is_that_of_the_new_theta(solver, problems, run):
    """J and the length of its gradient are those of the θ that the epoch led to."""
    engine = problems.rosenbrock(4)
    state, _ = run(engine, [-1.2, 1.0, -0.5, 2.0], solver=solver, max_iter=7)
    assert state.history["loss"][-1] == engine.function(state.theta)[0]
    norm = np.linalg.norm(rosen_der(state.theta))
    np.testing.assert_allclose(state.history["gradient_norm"][-1], norm, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["regression", "two outputs", "classes", "spread"])
@pytest.mark.parametrize("solver", LOWERING)
def test_loss_never_rises(solver, name, dtype, draw_problem):
    """Every epoch lowers J, in any precision and across the kinks of relu and huber."""
    problem = draw_problem(name, dtype=dtype)
    options = {"solver": solver, "max_iter": 60, "tol": -np.inf}
    training = lamina.train(problem.net, problem.X, problem.T, **options)
    falls = np.diff(training.history["loss"])
    kept = falls[:-1] if training.stop_reason == "stalled" else falls
    assert len(kept) > 5
    assert np.all(kept < 0)
    assert np.all(falls <= 0)


@pytest.mark.parametrize("outside", [np.inf, np.nan, -np.inf])
@pytest.mark.parametrize("solver", SOLVERS)
def test_non_finite_trials_are_turned_back(solver, outside, function_engine, run):
    """Trial points where J is no number are survived, and the minimum beside them is found."""
    tried = []

    def wall(theta):
        tried.append(theta[0])
        if theta[0] > 1.5:
            return outside, np.full(2, np.nan)
        x = 1.6 - theta[0]
        return np.sum((theta - 1) ** 2) - 0.1 * np.log(x), 2 * (theta - 1) + [0.1 / x, 0.0]

    engine = function_engine(2, wall, lambda _: np.diag([0.3, 2.0]))  # too little: too far
    spec = f"{solver}(first_step=0.6)" if solver == "rprop" else solver
    state, reason = run(engine, [0.2, 1.1], solver=spec, gradient_tol=1e-7)
    if solver != "scaled_conjugate_gradient":  # whose first step is measured
        assert max(tried) > 1.5
    assert reason in {"gradient", "stalled"}
    lowest = 1.3 - np.sqrt(0.14)  # where 2 (x - 1) (1.6 - x) + 0.1 = 0
    np.testing.assert_allclose(state.theta, [lowest, 1.0], atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS[1:])  # the first tries without a gradient
def test_gradient_that_is_not_finite_is_turned_back(solver, function_engine, run):
    """Where J is finite and its gradient is not, one could not go on, so θ does not go there."""

    def cliff(theta):
        slope = 2 * (theta - 1)
        return np.sum((theta - 1) ** 2), slope if theta[0] < 0.7 else slope * np.nan

    engine = function_engine(2, cliff, lambda _: 2 * np.eye(2))
    state, _ = run(engine, [0.0, 0.0], solver=solver, max_iter=20)
    assert np.all(np.isfinite(state.history["gradient_norm"]))
    assert 0.0 < state.theta[0] < 0.7


@pytest.mark.parametrize("solver", LOWERING)
def test_slope_that_lies_is_survived(solver, function_engine, run):
    """Where the gradient points uphill no step is found: stalled, finite, θ as it was."""
    engine = function_engine(2, lambda theta: (theta @ theta, -2 * theta), lambda _: np.eye(2))
    state, reason = run(engine, [1.0, 2.0], solver=solver)
    assert (reason, len(state.history)) == ("stalled", 1)
    np.testing.assert_array_equal(state.theta, [1.0, 2.0])
    assert all(np.all(np.isfinite(array)) for array in state.memory.values())


@pytest.mark.parametrize("solver", SOLVERS)
def test_kinks_are_survived(solver, function_engine, run):
    """Where J has no curvature but kinks, it falls far, and nothing but J is believed."""
    weights, start = np.array([1.0, 3.0, 9.0]), np.array([4.0, -2.0, 3.3])
    engine = function_engine(
        3,
        lambda theta: (weights @ np.abs(theta - 1), weights * np.sign(theta - 1)),
        lambda _: np.zeros((3, 3)),
    )
    state, reason = run(engine, start, solver=solver)
    assert reason in REASONS
    share = 0.01 if solver == "rprop" else 0.5
    assert state.history["loss"][-1] < share * engine.function(start)[0]


def penalized(problem, l2):
    """Return the problem's network with a penalty."""
    return lamina.Network(
        problem.net.S,
        problem.net.recipe.activations,
        error=problem.net.recipe.error,
        penalties=lamina.Penalty(l2=l2),
        initialization=problem.net.theta,
        dtype=problem.net.dtype,
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32_comes_as_close_as_its_rounding(solver, draw_problem):
    """A float32 network ends where its gradient is rounding, by itself, and what it was."""
    problem = draw_problem("counts", dtype="float32")
    net = penalized(problem, 0.05)
    options = {"solver": solver, "max_iter": 3000, "tol": 0}
    training = lamina.train(net, problem.X, problem.T, **options)
    assert net.theta.dtype == np.float32
    assert all(array.dtype == float for array in training.state.memory.values())
    assert training.stop_reason in {"gradient", "stalled", "no_change"}
    norms = training.history["gradient_norm"]
    assert norms[-1] < 1e-3 * max(norms)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ["regression", "binary", "counts"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_end_is_a_minimum(solver, name, seed, draw_problem):
    """On a penalized network the gradient vanishes in the end, and J curves down nowhere."""
    problem = draw_problem(name, seed=seed)
    net = penalized(problem, 0.1)
    options = {"solver": solver, "max_iter": 3000, "tol": 1e-13}
    training = lamina.train(net, problem.X, problem.T, **options)
    assert training.history["gradient_norm"][-1] < 1e-5
    H = np.stack([net.hessian_product(problem.X, problem.T, v) for v in np.eye(net.theta.size)])
    assert np.linalg.eigvalsh(H).min() > -1e-4


def singular(case):
    """Return a network, X and T of a problem whose matrix has no inverse."""
    random = np.random.default_rng(3)
    X, N = random.normal(size=(3, 30)), 30
    net = lamina.Network([3, 5, 1], ["tanh"], random_state=0)
    T = np.sin(X[:1]) + X[1:2]
    if case == "duplicate inputs":
        X[2] = X[1]
    elif case == "dead units":
        net = lamina.Network([3, 5, 1], ["relu"], random_state=0)
        net.b[1][1:4] = -100.0
    elif case == "dead units with l1":
        net = lamina.Network([3, 5, 1], ["relu"], penalties=lamina.Penalty(l1=0.01), random_state=0)
        net.b[1][1:4] = -100.0
    elif case == "more parameters than data":
        X, T = X[:, :4], T[:, :4]
    elif case == "constant target":
        T = np.full((1, N), 3.0)
    elif case == "perfect fit":
        T = net(X)
    elif case == "one data point":
        X, T = X[:, :1], T[:, :1]
    elif case == "no curvature":
        net = lamina.Network([3, 5, 1], ["tanh"], error="absolute", random_state=0)
    return net, X, T


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "case",
    [
        "duplicate inputs",
        "dead units",
        "dead units with l1",
        "more parameters than data",
        "constant target",
        "perfect fit",
        "one data point",
        "no curvature",
    ],
)
@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_singular_case_ends_finite(solver, case, dtype):
    """Where the data do not determine θ, training ends with a reason, finite and no worse."""
    net, X, T = singular(case)
    net = lamina.Network(
        net.S,
        net.recipe.activations,
        error=net.recipe.error,
        penalties=[layer.penalty for layer in net.recipe.layers],
        initialization=net.theta,
        dtype=dtype,
    )
    before = net.objective(X, T)
    training = lamina.train(net, X, T, solver=solver, max_iter=150)
    assert training.stop_reason in REASONS.keys() - {"diverged"}
    assert np.all(np.isfinite(net.theta))
    assert all(np.all(np.isfinite(array)) for array in training.state.memory.values())
    after = net.objective(X, T)
    if case != "perfect fit":
        assert after <= before * (1 + 1e-6)
    elif solver != "rprop":  # whose first steps lead away
        assert after <= 1e-12
    if case in {"more parameters than data", "constant target", "one data point"}:
        assert after < 0.02 * before


@pytest.mark.parametrize("solver", SOLVERS)
def test_scratch_only_saves_work(solver, draw_problem):
    """Epochs that begin with nothing kept from the one before give the same bits."""
    problem, twin = draw_problem("classes"), draw_problem("classes")
    options = {"solver": solver, "tol": -np.inf}
    whole = lamina.train(problem.net, problem.X, problem.T, max_iter=9, **options).state
    state = None
    for _ in range(9):
        training = lamina.train(twin.net, twin.X, twin.T, max_iter=1, state=state, **options)
        state = training.state
        assert state.scratch == {}
    np.testing.assert_array_equal(whole.theta, state.theta)
    for name, array in whole.memory.items():
        np.testing.assert_array_equal(array, state.memory[name])
