"""scikit-learn's callbacks: hooks for every epoch, and the estimator as it stands after it."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import CallbackSupportMixin, ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.training import solvers


@pytest.fixture(autouse=True)
def reference(monkeypatch):
    """Let the reference engine evaluate: nothing here depends on the engine."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")


@pytest.fixture(name="rows", scope="module")
def rows_fixture():
    """Return X, y and weights."""
    random = np.random.default_rng(0)
    X = random.normal(size=(50, 3))
    return SimpleNamespace(X=X, y=np.sin(X[:, 0]) + X[:, 1], weights=random.uniform(size=50))


class Recording:
    """A callback that notes every hook; `act(estimator, context)` decides about a stop."""

    def __init__(self, act=None):
        self.act, self.hooks, self.seen = act, [], []

    def setup(self, estimator, context):
        """Note it."""
        del estimator
        self.hooks.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        """Note it."""
        del estimator
        self.hooks.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        """Note it."""
        del estimator, X, metadata
        self.hooks.append(("begin", context.task_name))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        """Note it, and act."""
        self.hooks.append(("end", context.task_name))
        record = {"X": X, "y": y, "metadata": metadata, "fitted": fitted_estimator}
        self.seen.append(SimpleNamespace(name=context.task_name, **record))
        return self.act is not None and self.act(estimator, context)

    def __getstate__(self):
        """Leave the function behind, which a pickle cannot hold."""
        return self.__dict__ | {"act": None}


def model(**options):
    """Return a small regressor."""
    options = {"max_iter": 4, "tol": -np.inf, "random_state": 0, "solver": "adam"} | options
    return FeedForwardRegressor((4,), activation="tanh", **options)


@pytest.mark.parametrize("solver", solvers.SOLVERS.names())
def test_scoring_monitor_sees_the_estimator_after_each_epoch(solver, rows):
    """The score after epoch k is that of a fit of k epochs, for every solver."""
    monitor = ScoringMonitor(scoring="r2")
    fitted = model(solver=solver).set_callbacks(monitor).fit(rows.X, rows.y)
    log = monitor.get_logs().data
    scores = [row["r2"] for row in log if row["task_name"] == "epoch"]
    alone = [model(solver=solver, max_iter=k).fit(rows.X, rows.y) for k in (1, 2, 3, 4)]
    assert scores == [m.score(rows.X, rows.y) for m in alone]
    assert [row["r2"] for row in log if row["task_name"] == "fit"] == [fitted.score(rows.X, rows.y)]


def test_scoring_monitor_sees_the_moment_where_the_best_epoch_is_kept(rows):
    """With early stopping the scores are of the θ after each epoch, and the last of the best."""
    monitor = ScoringMonitor(scoring="r2")
    options = {"early_stopping": True, "learning_rate_init": 0.3, "max_iter": 12}
    fitted = model(**options).set_callbacks(monitor).fit(rows.X, rows.y)
    assert fitted.state_.best_epoch < fitted.n_iter_
    log = {(r["task_name"], r["task_id"]): r["r2"] for r in monitor.get_logs().data}
    assert (
        log["fit", 0] == fitted.score(rows.X, rows.y) == log["epoch", fitted.state_.best_epoch - 1]
    )
    assert log["epoch", fitted.n_iter_ - 1] != log["fit", 0]


@pytest.mark.parametrize("solver", solvers.SOLVERS.names())
def test_progress_bar_of_scikit_learn_moves(solver, rows, capsys):
    """scikit-learn's bar ends at 100 % for every solver."""
    model(solver=solver).set_callbacks(ProgressBar()).fit(rows.X, rows.y)
    assert "FeedForwardRegressor - fit" in (out := capsys.readouterr().out)
    assert "100%" in out


def test_callbacks_work_in_pipelines_and_searches(rows, capsys):
    """A bar of the pipeline and of a search has the epochs below, and each fit has its scores."""
    monitor, bar = ScoringMonitor(scoring="r2"), ProgressBar(max_propagation_depth=None)
    pipeline = make_pipeline(StandardScaler(), model().set_callbacks(monitor)).set_callbacks(bar)
    pipeline.fit(rows.X, rows.y)
    assert len(monitor.get_logs().data) == 4 + 1
    assert "FeedForwardRegressor - fit" in capsys.readouterr().out
    monitor = ScoringMonitor(scoring="r2")
    search = GridSearchCV(model().set_callbacks(monitor), {"alpha": [0.0, 0.1]}, cv=2)
    search.set_callbacks(bar).fit(rows.X, rows.y)
    assert len(monitor.get_logs().data) == (2 * 2 + 1) * (4 + 1)


def test_classifier_calls_callbacks(rows):
    """A classifier does so too, with labels as they were given."""
    monitor, record = ScoringMonitor(scoring="accuracy"), Recording()
    labels = np.where(rows.y > 0, "high", "low")
    kind = FeedForwardClassifier((3,), max_iter=3, solver="adam", random_state=0)
    kind.set_callbacks(monitor, record).fit(rows.X, labels)
    assert [seen.y is labels for seen in record.seen] == [True] * 4
    assert record.seen[0].fitted.predict(rows.X).dtype == labels.dtype
    assert len(monitor.get_logs().data) == 4


def test_every_task_begins_and_ends(rows):
    """Hooks come in order: set up, the fit, each epoch, torn down."""
    record = Recording()
    model(max_iter=2).set_callbacks(record).fit(rows.X, rows.y)
    epochs = [("begin", "epoch"), ("end", "epoch")] * 2
    around = [("setup", "fit"), ("begin", "fit"), *epochs, ("end", "fit"), ("teardown", "fit")]
    assert record.hooks == around


def test_restarts_are_tasks_of_their_own(rows):
    """With several trainings the epochs are below them; one that ended early has an empty task."""
    record = Recording()
    options = {"n_restarts": 2, "max_iter": 3, "tol": 100.0, "n_iter_no_change": 1}
    fitted = model(**options).set_callbacks(record).fit(rows.X, rows.y)
    training = [("begin", "training"), *[("begin", "epoch"), ("end", "epoch")] * 3]
    training += [("end", "training")]
    assert record.hooks[2:-2] == training * 2
    assert [s.fitted is None for s in record.seen if s.name == "epoch"] == [False, False, True] * 2
    assert len(fitted.restarts_) == 2


def test_hooks_get_what_fit_was_given(rows):
    """X, y and the weights are the very objects, and predictions take such rows."""
    record, table = Recording(), pd.DataFrame(rows.X, columns=["a", "b", "c"])
    model(max_iter=1).set_callbacks(record).fit(table, rows.y, rows.weights)
    seen = record.seen[0]
    assert seen.X is table
    assert seen.y is rows.y
    assert seen.metadata == {"sample_weight": rows.weights}
    assert seen.fitted.predict(table).shape == (50,)


def test_estimator_of_an_epoch_stays_as_it_was(rows):
    """Later epochs change nothing in the estimator that a callback kept."""
    predictions = []

    def act(estimator, context):
        del estimator, context
        predictions.append(record.seen[-1].fitted.predict(rows.X))

    record = Recording(act)
    model().set_callbacks(record).fit(rows.X, rows.y)
    for epoch, (seen, then) in enumerate(zip(record.seen[:4], predictions, strict=False), start=1):
        assert np.array_equal(seen.fitted.predict(rows.X), then)
        assert (seen.fitted.n_iter_, seen.fitted.stop_reason_) == (epoch, "unfinished")


def test_callback_reads_the_history_and_stops(rows):
    """A callback sees the history so far, and training ends where one returns True."""
    losses = []

    def act(estimator, context):
        del context
        losses.append(estimator.history_.last()["loss"])
        return len(losses) == 2

    fitted = model(n_restarts=2).set_callbacks(Recording(act)).fit(rows.X, rows.y)
    assert (fitted.n_iter_, fitted.stop_reason_) == (2, "callback")
    assert losses[:2] == fitted.loss_curve_
    assert len(fitted.restarts_) == 1


def test_failing_callback_is_torn_down_and_leaves_the_estimator(rows):
    """What a callback raises comes out; all are torn down, and the estimator is as before."""

    def act(estimator, context):
        del estimator, context
        raise ZeroDivisionError

    record = Recording(act)
    fitted = model().fit(rows.X, rows.y)
    theta = fitted.network_.theta.copy()
    with pytest.raises(ZeroDivisionError):
        fitted.set_callbacks(record).fit(rows.X, rows.y)
    assert record.hooks[-1] == ("teardown", "fit")
    assert np.array_equal(fitted.network_.theta, theta)
    assert not [name for name in vars(fitted) if "callback" in name and name != "_skl_callbacks"]


@pytest.mark.parametrize("solver", ["adam", "levenberg_marquardt"])
def test_callbacks_change_no_bit(solver, rows):
    """Training is the same with and without callbacks."""
    plain = model(solver=solver).fit(rows.X, rows.y)
    watched = model(solver=solver).set_callbacks(Recording(), ScoringMonitor(scoring="r2"))
    assert np.array_equal(watched.fit(rows.X, rows.y).network_.theta, plain.network_.theta)


def test_no_context_is_made_without_callbacks(rows, monkeypatch):
    """Without callbacks an estimator has nothing to do with them: they cost nothing."""
    monkeypatch.delattr(CallbackSupportMixin, "_init_callback_context")
    model().fit(rows.X, rows.y)


def test_partial_fit_and_warm_start_call_callbacks(rows):
    """`partial_fit` is a task of one epoch, and a warm start one of its own epochs."""
    record = Recording()
    model().set_callbacks(record).partial_fit(rows.X, rows.y)
    warm = model(max_iter=2, warm_start=True, n_restarts=2).fit(rows.X, rows.y)
    warm.set_callbacks(record).fit(rows.X, rows.y)
    assert [seen.name for seen in record.seen] == ["epoch", "fit", "epoch", "epoch", "fit"]
    assert [seen.fitted.n_iter_ for seen in record.seen] == [1, 1, 3, 4, 4]


def test_callbacks_go_with_clones_and_pickles(rows):
    """A clone and a pickle have the callbacks, and what is no callback is refused."""
    record = Recording()
    estimator = model().set_callbacks(record)
    clone(estimator).fit(rows.X, rows.y)
    assert record.hooks
    assert len(pickle.loads(pickle.dumps(estimator))._skl_callbacks) == 1  # noqa: S301 - our own
    with pytest.raises(TypeError, match="FitCallback"):
        model().set_callbacks(print)
