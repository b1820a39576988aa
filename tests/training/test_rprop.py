"""iRprop⁺: the rule of the paper, by hand and written out weight by weight."""

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from lamina.exceptions import InvalidValueError
from lamina.training.solvers import Rprop


def follow(function, theta, epochs, solver):
    """Yield θ after each epoch of the paper's rule, in scalars and branches as printed there."""
    theta, P = list(theta), len(theta)
    delta, move, before, E_before = [solver.first_step] * P, [0.0] * P, [0.0] * P, np.inf
    for _ in range(epochs):
        E, slopes = function(np.array(theta))
        for i, slope in enumerate(slopes):
            g = float(slope)
            if before[i] * g > 0:
                delta[i] = min(delta[i] * solver.eta_plus, solver.largest_step)
                move[i] = -np.sign(g) * delta[i]
                theta[i] += move[i]
                before[i] = g
            elif before[i] * g < 0:
                delta[i] = max(delta[i] * solver.eta_minus, solver.smallest_step)
                if E_before < E:
                    theta[i] -= move[i]
                before[i] = 0.0
            else:
                move[i] = -np.sign(g) * delta[i]
                theta[i] += move[i]
                before[i] = g
        E_before = E
        yield np.array(theta)


@pytest.mark.parametrize(
    "solver",
    [
        Rprop(),
        Rprop(first_step=0.5),
        Rprop(1.5, 0.3, 0.1, 1e-3, 0.2),
        Rprop(eta_plus=3.0, eta_minus=0.9),
    ],
    ids=str,
)
def test_steps_are_those_of_the_paper(solver, problems, run):
    """Sixty epochs lead through the same θ as the printed rule, one weight at a time."""
    start = [-1.2, 1.0, 0.7, 2.0]
    path = list(follow(lambda t: (rosen(t), rosen_der(t)), start, 60, solver))
    for epochs in (1, 2, 3, 5, 10, 20, 40, 60):
        state, _ = run(problems.rosenbrock(4), start, solver=solver, max_iter=epochs)
        np.testing.assert_allclose(state.theta, path[epochs - 1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("start", "first", "expected"),
    [
        # Longer while the sign stays; past the minimum J is lower than before: it waits, turns.
        (1.0, 0.3, [0.7, 0.34, -0.092, -0.092, 0.124]),
        # Past the minimum J is higher than before: it goes back, then on with half the step.
        (0.1, 0.3, [-0.2, 0.1, -0.05, -0.05, 0.025]),
    ],
)
def test_sequence_by_hand(start, first, expected, function_engine, run):
    """On θ² the first five θ are those that one finds by hand."""
    for epochs, theta in enumerate(expected, start=1):
        engine = function_engine(1, lambda theta: (theta @ theta, 2 * theta))
        state, _ = run(engine, [start], solver=Rprop(first_step=first), max_iter=epochs)
        np.testing.assert_allclose(state.theta, theta, rtol=1e-12)


def test_only_signs_count(function_engine, run):
    """Slopes a billion times as steep lead to the same θ, bit for bit."""
    thetas = []
    for factor in (1.0, 1e9, 1e-9):
        engine = function_engine(
            4, lambda theta, k=factor: (k * rosen(theta), k * rosen_der(theta))
        )
        thetas.append(run(engine, np.zeros(4), solver="rprop", max_iter=30)[0].theta)
    np.testing.assert_array_equal(thetas[0], thetas[1])
    np.testing.assert_array_equal(thetas[0], thetas[2])


def test_steps_stay_in_their_range(problems, run):
    """No step leaves [smallest_step, largest_step], and the history shows their mean."""
    solver = Rprop(smallest_step=0.01, largest_step=0.05)
    for epochs in (5, 50, 200):
        state, _ = run(problems.rosenbrock(4), np.zeros(4), solver=solver, max_iter=epochs)
        steps = state.memory["steps"]
        assert np.all((steps >= 0.01) & (steps <= 0.05))
        assert state.history["learning_rate"][-1] == steps.mean()


def test_weight_without_slope_stays(function_engine, run):
    """A weight that J does not depend on is never moved."""
    engine = function_engine(2, lambda theta: (theta[0] ** 2, np.array([2 * theta[0], 0.0])))
    state, _ = run(engine, [1.0, 0.5], solver="rprop", max_iter=50)
    assert state.theta[1] == 0.5
    assert abs(state.theta[0]) < 0.1


def test_nowhere_to_go_is_stalled(function_engine, run):
    """Where every move leads out of what is finite, θ stays and the solver says so."""
    start = np.array([1.0, 2.0])
    engine = function_engine(
        2,
        lambda theta: (1.0 if np.array_equal(theta, start) else np.inf, np.ones(2)),
    )
    state, reason = run(engine, start, solver="rprop")
    assert (reason, len(state.history)) == ("stalled", 1)
    np.testing.assert_array_equal(state.theta, start)


@pytest.mark.parametrize(
    "settings",
    [
        *[{"eta_plus": bad} for bad in (1.0, 0.5, np.inf, np.nan, "2", None)],
        *[{"eta_minus": bad} for bad in (0.0, 1.0, -0.5, np.nan, None)],
        *[{"first_step": bad} for bad in (0.0, -1.0, 100.0, 1e-12, np.inf, None)],
        *[{"smallest_step": bad} for bad in (0.0, -1.0, 1.0, np.nan)],
        *[{"largest_step": bad} for bad in (0.0, 1e-3, np.inf, "50")],
    ],
    ids=str,
)
def test_bad_setting_is_refused(settings):
    """A number outside its range, or no number, is refused by name."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        Rprop(**settings)
