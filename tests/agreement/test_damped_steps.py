"""Levenberg-Marquardt steps that the compiled engine takes: by the definition, bit for bit."""

import numpy as np
import pytest

import lamina
from lamina.engines.compiled import damped
from lamina.engines.compiled.engine import CompiledEngine
from lamina.network import backpropagation
from lamina.training.solvers import ahead
from lamina.training.solvers.trust import fresh

SCALINGS = ["identity", "marquardt"]


def taken(case, data, most=4, scaling="identity", engine=None, theta=None):
    """Return the steps from θ."""
    solver = lamina.LevenbergMarquardt(scaling=scaling)
    theta = case.theta if theta is None else theta
    memory = {"damping": fresh(1e-3), "scale": np.zeros(theta.size)}
    before = theta.copy()
    engine = engine or case.ours
    steps = engine.damped_steps(theta, data, memory, solver.rule, solver.max_tries, most)
    np.testing.assert_array_equal(theta, before)
    np.testing.assert_array_equal(memory["damping"], fresh(1e-3))
    assert not memory["scale"].any()
    return steps


def check(case, data, scaling):
    """Compare each step with its definition at the θ before it, by the reference engine."""
    steps = taken(case, data, scaling=scaling)
    theta, largest = case.theta, np.zeros(case.theta.size)
    assert len(steps.losses) > 0
    assert np.all(np.diff(steps.losses) < 0)
    penalty = backpropagation.penalty
    for i, J in enumerate(steps.losses):
        _, gradient, G = case.reference.gauss_newton(theta, data)
        largest = np.maximum(largest, np.diag(G))
        D = largest if scaling == "marquardt" else largest.max()
        damped = G + steps.dampings[i] * np.diag(np.broadcast_to(D, theta.shape))
        p = np.linalg.solve(damped, -gradient)
        sizes = np.abs(p).max() + np.abs(theta).max()  # G and gradient are sums that cancel
        limit = 1e-14 * np.linalg.cond(damped) * sizes
        np.testing.assert_allclose(steps.thetas[i] - theta, p, rtol=0, atol=limit)
        np.testing.assert_allclose(steps.scales[i], largest, rtol=1e-9, atol=1e-12 * largest.max())
        theta = np.ascontiguousarray(steps.thetas[i])
        after, slope = case.reference.gradient(theta, data)
        found = case.reference.error(theta, data) + penalty(case.net.recipe, theta)
        np.testing.assert_allclose([J, J], [found, after], rtol=1e-12, atol=1e-15)
        norm = np.linalg.norm(slope)
        assert steps.gradient_norms[i] == pytest.approx(norm, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(
    ("sizes", "hidden", "error"),
    [
        ([1, 1], [], "squared"),
        ([3, 7, 2], ["tanh"], "squared"),
        ([5, 3, 9, 2], ["silu", "gelu"], "squared"),
        ([3, 8, 2, 1], ["softmax", "logistic"], "squared"),
        ([3, 6, 4], ["tanh"], "cross_entropy"),
        ([3, 6, 1], ["tanh"], "binary_cross_entropy"),
        ([3, 6, 2], ["softplus"], "poisson"),
        ([3, 6, 4], ["tanh"], "gaussian_nll"),
    ],
    ids=str,
)
def test_steps_are_those_of_the_definition(sizes, hidden, error, scaling, agreement):
    """Each step is -(G + λ D)⁻¹ g, with weights and without, of few data points and of many."""
    case = agreement.pose(sizes, hidden, error, "float64")
    for points in (np.arange(5), np.arange(257), np.random.default_rng(0).integers(257, size=90)):
        check(case, case.data(points), scaling)
    check(case, case.data(np.arange(100), weighted=False), scaling)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_penalties_count(scaling, agreement):
    """J, its gradient and G have the penalties of the layers."""
    penalties = [agreement.Penalty(l2=0.3, biases=True), agreement.Penalty(l1=0.01)]
    case = agreement.pose([3, 8, 2], ["tanh"], "squared", "float64", penalties=penalties)
    check(case, case.data(np.arange(200)), scaling)


def test_calls_are_one_sequence(agreement, monkeypatch):
    """Steps in one go are to the last bit those that are taken one by one, on any threads."""
    case = agreement.pose([3, 9, 1], ["tanh"], "squared", "float64")
    X = case.data(np.arange(257)).X.rows.T
    T = np.sin(2 * X[:1])
    results = []
    for most, threads in ((16, 1), (1, 1), (5, 2), (16, 8)):
        monkeypatch.setattr(ahead, "MOST", most)
        net = lamina.Network([3, 9, 1], ["tanh"], random_state=3)
        options = {"solver": "levenberg_marquardt", "tol": -np.inf, "n_threads": threads}
        first = lamina.train(net, X, T, max_iter=7, **options)
        state = lamina.train(net, X, T, max_iter=23, state=first.state, **options).state
        history = {n: c for n, c in state.history.columns().items() if n != "seconds"}
        results.append((state.theta, state.memory, state.step, history))
    for theta, memory, step, history in results[1:]:
        np.testing.assert_array_equal(theta, results[0][0])
        np.testing.assert_equal(memory, results[0][1])
        assert step == results[0][2] == 30
        np.testing.assert_equal(history, results[0][3])


def test_engine_goes_on_where_it_could_be_asked_again(agreement):
    """At a minimum there are fewer steps than asked for, and none from the last θ."""
    case = agreement.pose([2, 1], [], "squared", "float64")
    data = case.data(np.arange(50))
    steps = taken(case, data, most=100)
    assert 0 < len(steps.losses) < 100
    last = np.ascontiguousarray(steps.thetas[-1])
    assert np.linalg.norm(case.reference.gradient(last, data)[1]) < 1e-12
    assert np.all(np.diff(steps.losses) < 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_numbers_that_are_not_finite_end_the_steps(bad, agreement):
    """Where J or G is not finite there is no step, and the solver says what is wrong."""
    case = agreement.pose([2, 3, 1], ["tanh"], "squared", "float64")
    theta = case.theta.copy()
    theta[-1] = bad
    assert len(taken(case, case.data(np.arange(50)), theta=theta).losses) == 0


def test_large_problems_are_left_to_the_solver(agreement):
    """Float32, many data points or many parameters have threads and LAPACK to profit from."""
    case = agreement.pose([3, 8, 1], ["tanh"], "squared", "float64", n=6000)
    assert len(taken(case, case.data(np.arange(100))).losses) == 4
    assert taken(case, case.data(np.arange(6000))) is None
    assert taken(case, case.data([])) is None
    wide = agreement.pose([30, 30, 1], ["tanh"], "squared", "float64")
    assert taken(wide, wide.data(np.arange(257))) is None
    assert not damped.is_small(wide.net.recipe.size, 1, 257)
    short = agreement.pose([3, 8, 1], ["tanh"], "squared", "float32")
    assert taken(short, short.data(np.arange(100))) is None


def test_other_data_are_taken_up(agreement):
    """An engine that is given other points, or other weights, takes the steps of those."""
    case = agreement.pose([3, 8, 1], ["tanh"], "squared", "float64")
    engine = CompiledEngine(case.net.recipe)
    for points in (np.arange(100), np.arange(100, 200), np.arange(40)):
        for weighted in (True, False):
            data = case.data(points, weighted=weighted)
            found, alone = taken(case, data, engine=engine), taken(case, data)
            engine.forget()
            np.testing.assert_array_equal(found.thetas, alone.thetas)
