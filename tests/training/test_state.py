"""The state of training as arrays: nothing is lost, nothing is shared, training goes on exactly."""

import io

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError, LaminaError, ShapeError
from lamina.training import solvers
from lamina.training.history import COLUMNS
from lamina.training.solvers import get_solver
from lamina.training.state import TrainingState

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
PLANS = [
    (solver, early_stopping, dtype)
    for solver in ("sgd", "adam", "adamw(0.1)", "lbfgs(memory=2)", *FULL_BATCH)
    for early_stopping in (False, True)
    for dtype in ("float64", "float32")
]


def options_of(plan, problem):
    """Return the arguments of `train` for a plan; minibatches of 13 do not divide the data."""
    solver, early_stopping, _ = plan
    options = {"solver": solver, "tol": -np.inf, "validation": problem.validation}
    options |= {"early_stopping": early_stopping}
    if get_solver(solver).minibatch:
        options |= {"batch_size": 13, "dropout": (0.1, 0.2), "learning_rate": "exponential(0.9)"}
    return options


def through_a_file(arrays):
    """Return the arrays as they come back from a NumPy file without pickles, read-only."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file) as stored:
        loaded = {name: stored[name] for name in stored.files}
    for array in loaded.values():
        array.flags.writeable = False
    return loaded


def assert_same(first, second):
    """Assert that arrays of two states are the same to the last bit, but for the time they took."""
    assert first.keys() == second.keys()
    for name in first.keys() - {"history.seconds"}:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        assert first[name].dtype == second[name].dtype, name


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_stored_and_continued_is_uninterrupted(plan, draw_problem):
    """Three epochs, a file, five more epochs give every bit of eight epochs without a pause."""
    whole, parts = (draw_problem("regression", plan[2]) for _ in range(2))
    options = options_of(plan, whole)
    expected = lamina.train(whole.net, whole.X, whole.T, max_iter=8, random_state=5, **options)
    first = lamina.train(parts.net, parts.X, parts.T, max_iter=3, random_state=5, **options)
    state = TrainingState.from_arrays(through_a_file(first.state.to_arrays()), first.state.solver)
    second = lamina.train(parts.net, parts.X, parts.T, max_iter=5, state=state, **options)
    assert second.state is state
    assert_same(state.to_arrays(), expected.state.to_arrays())
    np.testing.assert_array_equal(parts.net.theta, whole.net.theta)
    assert np.all(np.diff(state.history["seconds"]) >= 0)


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_state_comes_back_as_it_was(plan, draw_problem):
    """Through arrays every number returns exactly: types, NaN, infinities and times included."""
    problem = draw_problem("regression", plan[2])
    options = options_of(plan, problem)
    state = lamina.train(problem.net, problem.X, problem.T, max_iter=4, **options).state
    back = TrainingState.from_arrays(through_a_file(state.to_arrays()), state.solver)
    assert_same(back.to_arrays(), state.to_arrays())
    for name, column in state.history.columns().items():
        np.testing.assert_array_equal(back.history[name], column, err_msg=name)
    for name in ("seed", "epoch", "step", "best_epoch", "stale", "solver"):
        assert getattr(back, name) == getattr(state, name)
        assert type(getattr(back, name)) is type(getattr(state, name))
    assert (back.best_theta is None) == (state.best_theta is None)


def test_fresh_state_comes_back():
    """A state before any training returns too: infinite losses, no memory, no epochs."""
    state = TrainingState(np.arange(3.0), 2**32 - 1)
    back = TrainingState.from_arrays(through_a_file(state.to_arrays()), state.solver)
    assert back.seed == 2**32 - 1
    assert back.best_loss == back.watched_loss == float("inf")
    assert (len(back.history), back.memory, back.best_theta) == (0, {}, None)
    assert list(back.history.columns()) == list(COLUMNS)


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_arrays_are_copies(plan, draw_problem):
    """Writing to the arrays changes no state, the one they came from or the one made of them."""
    problem = draw_problem("regression", plan[2])
    options = options_of(plan, problem)
    state = lamina.train(problem.net, problem.X, problem.T, max_iter=3, **options).state
    kept, arrays = state.to_arrays(), state.to_arrays()
    back = TrainingState.from_arrays(arrays, state.solver)
    for array in arrays.values():
        array.fill(77)
    assert_same(state.to_arrays(), kept)
    assert_same(back.to_arrays(), kept)


def test_metrics_come_back_in_their_order():
    """Columns beyond those of every history keep their names, numbers and order."""
    state = TrainingState(np.zeros(1), 0)
    state.history.append({"epoch": 1, "loss": 2.0, "validation_b": 3.0, "validation_a": 4.0})
    back = TrainingState.from_arrays(through_a_file(state.to_arrays()), "")
    assert list(back.history.columns()) == [*COLUMNS, "validation_b", "validation_a"]
    assert back.history.last()["validation_a"] == 4.0


@pytest.mark.parametrize("missing", ["theta", "seed", "stale", "history.loss", "history.seconds"])
def test_missing_array_is_an_error(missing):
    """A state that lacks an array is not made up."""
    arrays = TrainingState(np.zeros(1), 0).to_arrays()
    del arrays[missing]
    with pytest.raises(KeyError, match=missing):
        TrainingState.from_arrays(arrays, "")


def test_restore_returns_to_a_snapshot():
    """A snapshot is not moved by what comes after it; θ keeps its place in memory."""
    state = TrainingState(np.arange(3.0), 0, memory={"slots": np.ones((2, 3))})
    state.history.append({"epoch": 1, "loss": 2.0})
    kept, place = state.to_arrays(), state.theta
    snapshot = state.snapshot()
    state.theta += 1.0
    state.memory["slots"] += 1.0
    state.epoch, state.stale, state.best_theta, state.best_loss = 2, 1, np.zeros(3), 0.0
    state.history.append({"epoch": 2, "loss": 1.0})
    state.restore(snapshot)
    assert_same(state.to_arrays(), kept)
    assert state.theta is place


@pytest.mark.parametrize("before", ["sgd", "adam", "adamw", *FULL_BATCH])
@pytest.mark.parametrize("after", ["sgd", "adam", "adamw", *FULL_BATCH])
def test_another_solver_begins_with_its_own_memory(before, after, draw_problem):
    """From one solver to another training goes on from θ, as that solver would begin there."""
    problem, twin = draw_problem("regression"), draw_problem("regression")
    state = lamina.train(
        problem.net, problem.X, problem.T, solver=before, max_iter=3, random_state=1
    ).state
    fresh = TrainingState(state.theta.copy(), 1, epoch=3)
    if before == after:
        fresh = TrainingState.from_arrays(state.to_arrays(), state.solver)
    twin.net.recipe = problem.net.recipe  # with the penalty that a solver may have found
    for net, start in ((problem.net, state), (twin.net, fresh)):
        lamina.train(net, problem.X, problem.T, solver=after, max_iter=3, state=start)
    np.testing.assert_array_equal(problem.net.theta, twin.net.theta)
    assert len(state.history) == 6


def test_state_of_another_network_is_refused(draw_problem):
    """A state whose θ has another size or precision is refused, and so is a second seed."""
    problem, other = draw_problem("regression"), draw_problem("regression", "float32")
    larger = draw_problem("classes")
    state = lamina.train(problem.net, problem.X, problem.T, max_iter=1).state
    with pytest.raises(ShapeError, match="31 parameters in float64; this one has 45 in float64"):
        lamina.train(larger.net, larger.X, larger.T, state=state)
    with pytest.raises(ShapeError, match="31 parameters in float64; this one has 31 in float32"):
        lamina.train(other.net, other.X, other.T, state=state)
    with pytest.raises(InvalidValueError, match="leave out random_state"):
        lamina.train(problem.net, problem.X, problem.T, state=state, random_state=1)


@pytest.mark.parametrize("wrong", ["adam", 5, {}, lamina.train])
def test_what_is_no_state_is_refused(wrong, draw_problem):
    """What is no state is refused with where one comes from."""
    problem = draw_problem("regression")
    with pytest.raises(InvalidTypeError, match=r"train\(\.\.\.\)\.state") as caught:
        lamina.train(problem.net, problem.X, problem.T, state=wrong)
    assert isinstance(caught.value, LaminaError)
