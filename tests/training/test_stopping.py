"""Every rule to stop, on epochs that are written down and on networks that are trained."""

from types import SimpleNamespace

import numpy as np
import pytest

import lamina
from lamina.training import solvers
from lamina.training.loop import chosen, train
from lamina.training.settings import Settings
from lamina.training.solvers import Advance, Solver
from lamina.training.state import TrainingState
from lamina.training.stopping import REASONS

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
SOLVERS = ["sgd", "adam", "adamw", *FULL_BATCH]


class Scripted(Solver):
    """A solver whose epochs are written down: θ is the number of the epoch, J is listed."""

    def __init__(self, losses, norms=(), stalled=(), clock=None, durations=()):
        self.losses, self.norms, self.stalled = losses, norms, stalled
        self.clock, self.durations = clock, durations

    def start(self, recipe, dtype):
        """Return memory of nothing."""
        del recipe, dtype
        return {}

    def advance(self, engine, data, state, settings):
        """Report the epoch that is listed."""
        del engine, data, settings
        k = state.epoch
        state.theta[:] = k + 1
        if self.clock is not None:
            self.clock.now += self.durations[k]
        norm = self.norms[k] if self.norms else 1.0
        return Advance(self.losses[k], norm, 0.1, stalled=k + 1 in self.stalled)


def run(solver, validation=None, state=None, **options):
    """Return state, reason and settings after training; `validation` lists that error."""
    engine = SimpleNamespace(recipe=None, error=lambda theta, errors: errors[int(theta[0]) - 1])
    state = TrainingState(np.zeros(1), 0) if state is None else state
    settings = Settings(solver=solver, **({"max_iter": len(solver.losses)} | options))
    reason = train(engine, None, state, settings, validation=validation)
    assert reason in REASONS
    return state, reason, settings


@pytest.mark.parametrize(
    ("losses", "tol", "patience", "epochs"),
    [
        ([8.0, 7.0, 6.0, 5.0, 4.0], 0.5, 1, None),
        ([8.0, 8.0, 8.0, 8.0], 0.5, 1, 2),
        ([8.0, 8.0, 8.0, 8.0], 0.5, 3, 4),
        ([8.0, 7.5, 7.0, 6.5], 0.5, 1, 2),  # a fall by tol is not more than tol
        ([8.0, 7.5, 7.0, 6.5, 6.0], 0.5, 2, None),  # small falls add up
        ([8.0, 9.0, 7.0, 9.0, 9.0, 6.0, 6.0], 0.0, 2, 5),  # each progress begins a new count
        ([8.0, 8.0, 8.0], -np.inf, 1, None),
        ([8.0, 1.0, 0.0], np.inf, 2, 2),
    ],
)
def test_loss_that_falls_no_more_stops(losses, tol, patience, epochs):
    """After n_iter_no_change epochs without a fall of J by more than tol, training ends."""
    state, reason, _ = run(Scripted(losses), tol=tol, n_iter_no_change=patience)
    expected = ("max_iter", len(losses)) if epochs is None else ("no_change", epochs)
    assert (reason, state.epoch) == expected
    assert len(state.history) == state.epoch


def test_tolerance_is_the_solver_s_own_by_default():
    """Without tol a fall counts if it exceeds the solver's default_tol, once for each solver."""
    losses = [1.0 - 1e-6 * k for k in range(6)]
    solver = Scripted(losses)
    assert run(solver, n_iter_no_change=3)[1] == "no_change"
    solver.default_tol = 1e-8
    assert run(solver, n_iter_no_change=3)[1] == "max_iter"


@pytest.mark.parametrize(
    ("errors", "tol", "patience", "epochs", "best"),
    [
        ([5.0, 4.0, 3.0, 4.0, 5.0, 6.0, 1.0], 0.0, 3, 6, 3),
        ([5.0, 4.0, 3.0, 4.0, 2.0, 6.0, 7.0, 8.0], 0.0, 3, 8, 5),
        ([5.0, 4.9, 4.8, 4.7], 1.0, 3, 4, 4),  # no progress, but lower: the best all the same
        ([5.0, 4.0, 4.0, 4.0], 0.0, 2, 4, 2),  # of equals the first
        ([5.0, 4.0, 3.0], 0.0, 5, None, 3),
        ([5.0, 4.0, 4.5], 0.0, 5, None, 2),
    ],
)
def test_patience_restores_the_best(errors, tol, patience, epochs, best):
    """The validation error is watched, J is not, and θ of its lowest epoch is the one to use."""
    options = {"early_stopping": True, "tol": tol, "n_iter_no_change": patience}
    falling = Scripted([float(-k) for k in range(len(errors))])
    state, reason, settings = run(falling, errors, **options)
    expected = ("max_iter", len(errors)) if epochs is None else ("patience", epochs)
    assert (reason, state.epoch) == expected
    assert chosen(state, settings)[0] == state.best_epoch == best
    assert state.best_loss == errors[best - 1]
    assert state.theta[0] == state.epoch


def test_validation_is_only_followed_without_early_stopping():
    """Validation data alone stop nothing and restore nothing; they stand in the history."""
    errors = [1.0, 2.0, 3.0, 4.0]
    state, reason, settings = run(Scripted([4.0, 3.0, 2.0, 1.0]), errors, n_iter_no_change=1)
    assert (reason, chosen(state, settings)[0]) == ("max_iter", 4)
    assert state.history["validation_loss"] == errors


def test_validation_that_is_no_number_is_never_the_best():
    """An epoch whose validation error is NaN is not chosen, and counts as no progress."""
    options = {"early_stopping": True, "n_iter_no_change": 2}
    state, reason, settings = run(
        Scripted([1.0] * 5), [3.0, np.nan, 2.0, np.nan, np.nan], **options
    )
    assert (reason, chosen(state, settings)[0]) == ("patience", 3)


@pytest.mark.parametrize(("goal", "epochs"), [(3.0, 3), (3.5, 3), (2.999, 4), (10.0, 1)])
def test_goal_stops(goal, epochs):
    """The first epoch with J at the goal or below it is the last."""
    state, reason, _ = run(Scripted([5.0, 4.0, 3.0, 2.0, 1.0]), goal=goal)
    assert (reason, state.epoch) == ("goal", epochs)


@pytest.mark.parametrize(("bound", "epochs"), [(0.5, 2), (0.4, 3), (0.0, 4)])
def test_small_gradient_stops(bound, epochs):
    """The first epoch with |dJ/dθ| at gradient_tol or below it is the last, 0 by default."""
    norms = [1.0, 0.5, 0.25, 0.0, 0.0]
    state, reason, _ = run(Scripted([5.0, 4.0, 3.0, 2.0, 1.0], norms), gradient_tol=bound)
    assert (reason, state.epoch) == ("gradient", epochs)


def test_stalled_solver_stops():
    """A solver that finds no lower J ends training."""
    state, reason, _ = run(Scripted([3.0, 2.0, 1.0, 0.0], stalled={3}))
    assert (reason, state.epoch) == ("stalled", 3)


def test_first_rule_that_holds_is_the_reason():
    """Where several rules hold, the reason is the one that promises most."""
    everything = {"goal": 1.0, "gradient_tol": 1.0, "tol": 0.0, "n_iter_no_change": 1}
    solver = Scripted([1.0, 1.0], stalled={1, 2})
    missed = [{}, {"goal": 0.0}, {"goal": 0.0, "gradient_tol": 0.0}]
    reasons = [run(solver, **(everything | miss))[1] for miss in missed]
    flat = Scripted([1.0, 1.0])
    reasons += [run(flat, tol=0.0, n_iter_no_change=1)[1], run(flat)[1]]
    assert reasons == ["goal", "gradient", "stalled", "no_change", "max_iter"]


@pytest.fixture
def clock(monkeypatch):
    """Give the loop a clock that only a test moves."""
    watch = SimpleNamespace(now=100.0, perf_counter=lambda: watch.now)
    monkeypatch.setattr("lamina.training.loop.time", watch)
    return watch


@pytest.mark.parametrize(
    ("durations", "budget", "epochs"),
    [
        ([1.0] * 9, 5.0, 5),
        ([1.0] * 9, 4.9, 4),
        ([1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 10.0, 6),  # the longest is what must fit
        ([2.0, 2.0], 0.5, 1),  # one epoch is always done
        ([1.0] * 9, np.inf, 9),
    ],
)
def test_time_budget_is_kept(durations, budget, epochs, clock):
    """No epoch begins that would end after max_time seconds if it took as long as the longest."""
    solver = Scripted([float(-k) for k in range(9)], clock=clock, durations=durations)
    state, reason, _ = run(solver, max_time=budget, max_iter=len(durations))
    assert (reason, state.epoch) == ("max_iter" if budget == np.inf else "max_time", epochs)
    assert state.history["seconds"] == np.cumsum(durations[:epochs]).tolist()


def test_time_budget_is_that_of_a_call(clock):
    """A pause between two calls is not counted, and the second has the whole budget again."""
    solver = Scripted([float(-k) for k in range(9)], clock=clock, durations=[1.0] * 9)
    state, _, _ = run(solver, max_time=3.0)
    clock.now += 1000.0
    _, reason, _ = run(solver, state=state, max_time=3.0)
    assert (reason, state.epoch) == ("max_time", 6)
    assert state.history["seconds"] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_asked_again_means_go_on(early_stopping):
    """Training that stopped for lack of progress goes on for n_iter_no_change epochs if asked."""
    solver, options = Scripted([1.0] * 20), {"early_stopping": early_stopping}
    state, _, _ = run(solver, [1.0] * 20, n_iter_no_change=3, **options)
    assert state.epoch == 4
    run(solver, [1.0] * 20, state, n_iter_no_change=3, **options)
    assert state.epoch == 7


def test_early_stopping_begun_later_watches_from_then():
    """What J was before says nothing of the validation error, so the watch begins anew."""
    solver, errors = Scripted([1.0] * 9), [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 5.0, 5.0, 5.0]
    state, _, _ = run(solver, errors, max_iter=4, n_iter_no_change=8)
    options = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 5}
    _, reason, settings = run(solver, errors, state, **options)
    assert (reason, state.epoch, chosen(state, settings)[0]) == ("patience", 9, 6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_early_stopping_returns_the_lowest_validation_error(solver, draw_problem):
    """With every solver the network's validation error is the lowest of the history."""
    problem = draw_problem("classes")
    rate = {} if solver in FULL_BATCH else {"learning_rate_init": 0.05, "batch_size": 10}
    watch = {"validation": problem.validation, "early_stopping": True, "tol": 0.0}
    training = lamina.train(
        problem.net,
        problem.X,
        problem.T,
        solver=solver,
        max_iter=500,
        random_state=0,
        **watch,
        **rate,
    )
    errors = training.history["validation_loss"]
    assert training.stop_reason == "patience"
    assert len(errors) == np.argmin(errors) + 1 + 10
    np.testing.assert_allclose(problem.net.error(*problem.validation), min(errors), rtol=1e-12)
    if not solvers.get_solver(solver).finds_penalty:  # else J itself changes
        assert training.history["loss"][-1] < training.history["loss"][int(np.argmin(errors))]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("rule", "column", "bound"),
    [("goal", "loss", 0.6), ("gradient", "gradient_norm", 0.2), ("max_iter", "epoch", 3)],
)
def test_rule_ends_the_training_of_a_network(rule, column, bound, solver, draw_problem):
    """With every solver the last epoch is the first in which the rule holds."""
    problem = draw_problem("regression")
    option = {"gradient": "gradient_tol"}.get(rule, rule)
    options = {"max_iter": 1000, "tol": -np.inf, "solver": solver, "random_state": 0}
    training = lamina.train(problem.net, problem.X, problem.T, **(options | {option: bound}))
    assert training.stop_reason == rule
    numbers = np.array(training.history[column])
    holds = numbers >= bound if rule == "max_iter" else numbers <= bound
    assert np.flatnonzero(holds).tolist() == [len(training.history) - 1]
