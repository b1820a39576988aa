"""The history of training: one table for every solver, true to what happened."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lamina
from lamina.data.framing import BACKENDS
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidValueError, MissingDependencyError
from lamina.training import solvers
from lamina.training.history import COLUMNS, History
from lamina.training.loop import train
from lamina.training.settings import Settings
from lamina.training.solvers import get_solver
from lamina.training.state import TrainingState
from lamina.training.train import _data

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
SOLVERS = ["sgd", "adam", "adamw", *FULL_BATCH]
PENALIZED = [s for s in SOLVERS if s != "bayesian_regularization"]  # which finds its own
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def trained(problem, solver, **options):
    """Return what `train` did in five epochs, with data to validate on."""
    options = {"max_iter": 5, "tol": -np.inf, "random_state": 0} | options
    return lamina.train(
        problem.net, problem.X, problem.T, solver=solver, validation=problem.validation, **options
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("backend", sorted(FRAMES))
def test_frame_has_one_format(backend, solver, draw_problem):
    """With every solver the frame has the same columns of the same types, a row for each epoch."""
    history = trained(draw_problem("regression"), solver).history
    frame = history.frame(backend)
    assert isinstance(frame, FRAMES[backend])
    assert tuple(frame.columns) == COLUMNS
    assert [str(kind).lower() for kind in frame.dtypes] == ["int64", *["float64"] * 5]
    assert frame["epoch"].to_list() == [1, 2, 3, 4, 5]
    for name in COLUMNS:
        np.testing.assert_array_equal(frame[name].to_numpy(), history[name])


def test_frame_is_of_the_first_library_found():
    """Without a backend the frame is pandas' where that is installed, and empty before training."""
    frame = History().frame()
    assert isinstance(frame, pd.DataFrame)
    assert (len(frame), tuple(frame.columns)) == (0, COLUMNS)


def test_frame_of_another_library_is_refused():
    """Any other word is refused with the words there are."""
    with pytest.raises(InvalidValueError, match="pandas, polars, pyarrow, got 'dask'"):
        History().frame("dask")


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_library_that_is_missing_is_named(backend, monkeypatch):
    """Where the library is not installed, the message says what to install."""
    monkeypatch.setattr("lamina.data.framing.find_spec", {}.get)
    words = backend or "pandas, polars or pyarrow"
    with pytest.raises(MissingDependencyError, match=rf"{words}: pip install 'lamina\[tables\]'"):
        History().frame(backend)


def test_metric_that_comes_later_is_nan_before():
    """Every column has a number for every epoch; NaN stands where there was none."""
    history = History()
    history.append({"epoch": 1, "loss": 3.0})
    history.append({"epoch": 2, "loss": 2.0, "validation_accuracy": 0.5})
    history.append({"epoch": 3, "loss": 1.0})
    np.testing.assert_array_equal(history["validation_accuracy"], [np.nan, 0.5, np.nan])
    assert {len(column) for column in history.columns().values()} == {len(history)} == {3}
    history.cut(2)
    assert history["loss"] == [3.0, 2.0]
    assert history.last()["validation_accuracy"] == 0.5


def test_history_shows_its_last_epoch():
    """The text has the number of epochs and the numbers of the last one, without NaN."""
    history = History()
    assert repr(history) == "History(no epochs)"
    history.append({"epoch": 1, "loss": 0.125})
    assert repr(history) == "History(1 epochs; last: epoch=1, loss=0.125)"


@pytest.mark.parametrize("solver", PENALIZED)
def test_validation_loss_is_the_error_after_the_epoch(solver, draw_problem):
    """It is that of the network at the end of each epoch, penalties left out."""
    problem = draw_problem("counts")
    for epochs in (1, 2, 3):
        net = lamina.Network(
            [3, 6, 1],
            ["tanh"],
            error="poisson",
            penalties=lamina.Penalty(l2=0.3),
            initialization=problem.net.theta,
        )
        history = lamina.train(
            net,
            problem.X,
            problem.T,
            solver=solver,
            validation=problem.validation,
            max_iter=epochs,
            random_state=0,
        ).history
        error = net.error(*problem.validation)
        np.testing.assert_allclose(history["validation_loss"][-1], error, rtol=1e-13)


@pytest.mark.parametrize("solver", SOLVERS[:3])
def test_loss_and_gradient_are_those_of_the_batches(solver, draw_problem):
    """The loss is the mean over data points, the norm the root mean square over steps."""
    problem = draw_problem("regression")
    by_hand, J, norms = problem.net.theta.copy(), [], []
    twin = lamina.Network([3, 6, 1], ["tanh"], initialization=by_hand)
    record = get_solver(solver)
    memory = record.start(twin.recipe, float)["slots"]
    for step, start in enumerate(range(0, 60, 25), start=1):
        twin.theta, batch = by_hand, slice(start, start + 25)
        result = twin.backpropagate(problem.X[:, batch], problem.T[:, batch])
        J.append(result.J)
        norms.append(np.linalg.norm(result.gradient))
        coefficients = record.coefficients(0.05, step)
        by_hand, memory = record.move(by_hand, result.gradient, memory, coefficients)
    options = {"batch_size": 25, "shuffle": False, "learning_rate_init": 0.05, "max_iter": 1}
    row = trained(problem, solver, **options).history.last()
    np.testing.assert_allclose(row["loss"], np.average(J, weights=[25, 25, 10]), rtol=1e-12)
    np.testing.assert_allclose(row["gradient_norm"], np.sqrt(np.mean(np.square(norms))), rtol=1e-12)
    assert row["learning_rate"] == 0.05


@pytest.mark.parametrize("solver", [s for s in PENALIZED if s in FULL_BATCH])
def test_full_batch_solver_shows_where_it_is(solver, draw_problem):
    """Loss and gradient are those of the network it leaves, penalties included."""
    problem = draw_problem("regression")
    net = lamina.Network([3, 6, 1], ["tanh"], penalties=lamina.Penalty(l2=0.1), random_state=0)
    row = lamina.train(net, problem.X, problem.T, solver=solver, max_iter=4).history.last()
    result = net.backpropagate(problem.X, problem.T)
    np.testing.assert_allclose(row["loss"], result.J, rtol=1e-13)
    np.testing.assert_allclose(row["gradient_norm"], np.linalg.norm(result.gradient), rtol=1e-12)
    assert row["learning_rate"] > 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_columns_without_data_are_nan(solver, draw_problem):
    """Without validation data that column is NaN; every other number is finite."""
    problem = draw_problem("classes")
    history = lamina.train(problem.net, problem.X, problem.T, solver=solver, max_iter=3).history
    assert list(history.columns()) == list(COLUMNS)
    for name, column in history.columns().items():
        assert np.isnan(column).all() if name == "validation_loss" else np.isfinite(column).all()
    assert np.all(np.diff([0.0, *history["seconds"]]) >= 0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_metrics_see_targets_and_outputs(solver, draw_problem):
    """A metric gets T and A_L of the validation data after each epoch; observers see every row."""
    problem, seen = draw_problem("two outputs"), []
    data = _data(problem.net, problem.X, problem.T, None)
    watched = _data(problem.net, *problem.validation, None)
    state = TrainingState(problem.net.theta.copy(), 0)

    def distance(T, A):
        np.testing.assert_array_equal(T, problem.validation[1])
        problem.net.theta = state.theta
        np.testing.assert_array_equal(A, problem.net(problem.validation[0]))
        return np.abs(T - A).max()

    train(
        ReferenceEngine(problem.net.recipe),
        data,
        state,
        Settings(solver=get_solver(solver), max_iter=4),
        validation=watched,
        metrics={"distance": distance, "two": lambda T, A: len(T) * (A.shape == T.shape)},
        observers=[lambda _, row: seen.append(dict(row))],
    )
    assert state.history["validation_two"] == [2.0] * 4
    assert [row["epoch"] for row in seen] == [1, 2, 3, 4]
    for name in ("loss", "validation_loss", "validation_distance", "gradient_norm"):
        assert [row[name] for row in seen] == state.history[name]
