"""Several trainings: the best is kept, whatever ends them, and the seed decides all."""

import numpy as np
import pytest

import lamina
from lamina.exceptions import DivergenceError, InterruptedWarning
from lamina.training import loop, restarts, solvers
from lamina.training.settings import Settings
from lamina.training.solvers import Solver, get_solver
from lamina.training.solvers.base import Advance
from lamina.training.state import TrainingState

SOLVERS = solvers.SOLVERS.names()


def trained(problem, solver, n, **options):
    """Return what `lamina.train` did in n trainings of at most 8 epochs."""
    options = {"random_state": 1, "max_iter": 8, "tol": -np.inf} | options
    return lamina.train(problem.net, problem.X, problem.T, solver=solver, n_restarts=n, **options)


@pytest.mark.parametrize("solver", SOLVERS)
def test_best_of_all_is_kept(solver, draw_problem):
    """The network is that of the training with the lowest number, with its own history."""
    problem = draw_problem("regression")
    training = trained(problem, solver, 4)
    merits = training.state.restarts
    assert merits.shape == (4,)
    assert np.all(np.isfinite(merits))
    assert get_solver(solver).merit(training.state) == min(merits)
    assert len(training.history) == 8
    assert len(set(merits)) == 4  # from different θ
    np.testing.assert_array_equal(training.state.theta, problem.net.theta)


@pytest.mark.parametrize("solver", SOLVERS)
def test_first_training_is_the_one_without_restarts(solver, draw_problem):
    """The first number is that of a single training, which has nothing to compare."""
    alone, several = draw_problem("regression"), draw_problem("regression")
    one = trained(alone, solver, 1)
    assert one.state.restarts.size == 0
    merits = trained(several, solver, 3).state.restarts
    assert merits[0] == get_solver(solver).merit(one.state)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_validation_error_decides(early_stopping, draw_problem):
    """With validation data the error there is compared, at the θ that is returned."""
    problem = draw_problem("regression")
    watch = {"validation": problem.validation, "early_stopping": early_stopping}
    training = trained(problem, "lbfgs", 5, max_iter=40, **watch)
    error = problem.net.error(*problem.validation)
    assert error == pytest.approx(min(training.state.restarts), rel=1e-12)


def test_seed_decides(draw_problem):
    """The same seed gives every bit again, another seed another network."""
    thetas = []
    for seed in (3, 3, 4):
        problem = draw_problem("regression")
        trained(problem, "lbfgs", 3, random_state=seed)
        thetas.append(problem.net.theta.tobytes())
    assert thetas[0] == thetas[1] != thetas[2]


def test_going_on_does_not_restart(draw_problem):
    """With a state training goes on with the best, as if it had been the only one."""
    problem = draw_problem("regression")
    first = trained(problem, "lbfgs", 4)
    merits = first.state.restarts.copy()
    options = {"solver": "lbfgs", "n_restarts": 4, "max_iter": 5, "tol": -np.inf}
    second = lamina.train(problem.net, problem.X, problem.T, state=first.state, **options)
    assert len(second.history) == 13
    np.testing.assert_array_equal(second.state.restarts, merits)


def test_restarts_travel_with_the_state(draw_problem):
    """What was compared is part of the arrays of a state."""
    state = trained(draw_problem("regression"), "lbfgs", 2).state
    back = TrainingState.from_arrays(state.to_arrays(), state.solver, state.choice)
    np.testing.assert_array_equal(back.restarts, state.restarts)


class Scripted(Solver):
    """A solver whose J is read from a script, one row for each training."""

    minibatch = False

    def __init__(self, script):
        self.script, self.plans = [list(row) for row in script], []

    def start(self, recipe, dtype):
        """Begin the next row."""
        del recipe, dtype
        self.row = self.script.pop(0)
        return {}

    def advance(self, engine, data, state, settings):
        """Return the next J, or raise it."""
        del engine, data, state
        self.plans.append(settings)
        J = self.row.pop(0)
        if isinstance(J, type):
            raise J
        return Advance(J, 1.0, 1.0)


def follow(script, function_engine, **options):
    """Return state and reason after trainings whose J is written down."""
    engine = function_engine(1, lambda theta: (float(theta @ theta), 2 * theta))
    settings = Settings(
        solver=Scripted(script), n_restarts=len(script), tol=-np.inf, **({"max_iter": 2} | options)
    )

    def draw(number):
        return TrainingState(np.full(1, float(number)), 0)

    return restarts.train(engine, None, draw, settings)


def test_lowest_end_is_kept(function_engine):
    """Not the first and not the last: the one that ends lowest."""
    state, reason = follow([[5.0, 3.0], [4.0, 1.0], [0.5, 2.0]], function_engine)
    assert (state.theta[0], reason) == (1.0, "max_iter")
    assert state.history["loss"] == [4.0, 1.0]
    np.testing.assert_array_equal(state.restarts, [3.0, 1.0, 2.0])


def test_keyboard_interrupt_keeps_the_best_so_far(function_engine):
    """Ctrl-C ends all, and says which training was kept; the interrupted one may be it."""
    script = [[5.0, 3.0], [4.0, KeyboardInterrupt], [0.1, 0.1]]
    with pytest.warns(InterruptedWarning, match=r"epoch 2 of training 1 was kept"):
        state, reason = follow(script, function_engine)
    assert (state.theta[0], reason) == (0.0, "interrupted")
    np.testing.assert_array_equal(state.restarts, [3.0, 4.0])
    with pytest.warns(InterruptedWarning, match=r"epoch 1 of training 2 was kept"):
        state, reason = follow([[5.0, 3.0], [2.0, KeyboardInterrupt]], function_engine)
    assert (state.theta[0], reason) == (1.0, "interrupted")


def test_keyboard_interrupt_in_the_first_epoch_counts_for_nothing(function_engine):
    """A training without an epoch has nothing to compare, unless there is no other."""
    with pytest.warns(InterruptedWarning, match="of training 1"):
        state, _ = follow([[5.0, 3.0], [KeyboardInterrupt]], function_engine)
    np.testing.assert_array_equal(state.restarts, [3.0, np.inf])
    with pytest.warns(InterruptedWarning, match="epoch 0 of training 1"):
        state, reason = follow([[KeyboardInterrupt], [1.0]], function_engine)
    assert (state.epoch, reason) == (0, "interrupted")


def test_goal_ends_all(function_engine):
    """Where the goal is reached no further training begins."""
    state, reason = follow([[5.0, 3.0], [0.5], [0.1]], function_engine, goal=0.5)
    assert (state.theta[0], reason) == (1.0, "goal")
    assert len(state.restarts) == 2


def test_time_is_for_all(function_engine, monkeypatch):
    """Of the time that is left each training has an equal share, and none begins without."""
    clock = iter(np.arange(0.0, 1000.0, 10.0))
    monkeypatch.setattr(restarts.time, "perf_counter", lambda: next(clock))
    shares = []

    def only_note(engine, data, state, settings, **_):
        del engine, data
        shares.append(settings.max_time)
        state.history.append({"epoch": 1.0, "loss": 1.0})
        return "max_iter"

    monkeypatch.setattr(loop, "train", only_note)
    follow([[1.0]] * 4, function_engine, max_time=35.0)
    assert shares == [25.0 / 4, 15.0 / 3, 5.0 / 2]  # 10 seconds are gone before each


class Diverging(solvers.Lbfgs):
    """A solver that diverges in the first epoch of some trainings."""

    calls = 0

    def advance(self, engine, data, state, settings):
        """Return J that is not finite, in the first or in every training."""
        Diverging.calls += 1
        if Diverging.calls <= self.memory:  # so many trainings
            return Advance(np.nan, 1.0, 1.0)
        return super().advance(engine, data, state, settings)


def test_divergence_at_once_counts_for_nothing(draw_problem):
    """What diverges in its first epoch is NaN beside the others, and raises if all do."""
    problem = draw_problem("regression")
    Diverging.calls = 0
    training = trained(problem, Diverging(memory=1), 3)
    assert np.isnan(training.state.restarts).tolist() == [True, False, False]
    Diverging.calls = 0
    with pytest.raises(DivergenceError, match="J is not finite in epoch 1"):
        trained(problem, Diverging(memory=3), 3)


def test_observers_are_told_which_training_it_is(draw_problem):
    """Rows have a number from 1 where there are several trainings, and the history has none."""
    problem, rows = draw_problem("regression"), []
    engine = lamina.engines.reference.ReferenceEngine(problem.net.recipe)
    data = lamina.training.train._data(problem.net, problem.X, problem.T, None)
    plan = Settings(solver=get_solver("lbfgs"), n_restarts=2, max_iter=2)

    def draw(number):
        return TrainingState(problem.net.theta + 0.1 * number, 0)

    observers = [lambda _, row: rows.append(row)]
    state, _ = restarts.train(engine, data, draw, plan, observers=observers)
    assert [(row["restart"], row["epoch"]) for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert "restart" not in state.history.columns()


def test_progress_bar_says_which_training_it_is(draw_problem, capsys):
    """With verbose=True the bar has the number of the training before the epoch."""
    trained(draw_problem("regression"), "lbfgs", 2, verbose=True)
    assert "training 2/2 " in " ".join(capsys.readouterr().err.split())
