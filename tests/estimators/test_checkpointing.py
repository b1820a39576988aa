"""Checkpoints of estimators: models to look at, from which `fit` goes on bit for bit."""

import numpy as np
import pytest

import lamina
from lamina import Checkpoints, FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import CheckpointError, InvalidTypeError, InvalidValueError


@pytest.fixture(autouse=True)
def reference(monkeypatch):
    """Let the reference engine evaluate: nothing here depends on the engine."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")


class BrokenError(Exception):
    """What breaks a fit off."""


class Breaking:
    """A callback that breaks off after so many epochs."""

    def __init__(self, after):
        self.left = after

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Count."""
        del estimator, context
        self.left -= 1
        if self.left == 0:
            raise BrokenError


def draw(kind):
    """Return X, y and an estimator for them."""
    random = np.random.default_rng(0)
    X = random.normal(loc=5.0, scale=3.0, size=(70, 3))
    signal = X[:, 0] + np.abs(X[:, 1])
    y = signal if kind is FeedForwardRegressor else np.digitize(signal, [7.0, 10.0]).astype(str)
    return X, y, lambda **options: kind((5,), **{"max_iter": 10, "tol": -np.inf} | options)


KINDS = [FeedForwardRegressor, FeedForwardClassifier]
WAYS = [
    {"solver": "adam", "early_stopping": True, "validation_fraction": 0.3},
    {"solver": "lbfgs", "n_restarts": 2},
    {"solver": "auto"},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["solver"])
def test_resumed_fit_is_the_uninterrupted_one(kind, way, tmp_path):
    """The same estimator fitted again after breaks ends with the same bits."""
    X, y, make = draw(kind)
    whole = make(random_state=0, **way).fit(X, y)
    kept = Checkpoints(tmp_path / "run", every_epochs=1, resume=True)
    for after in (4, 3):
        broken = make(random_state=0, **way, checkpoints=kept).set_callbacks(Breaking(after))
        with pytest.raises(BrokenError):
            broken.fit(X, y)
    resumed = make(random_state=0, **way, checkpoints=kept).fit(X, y)
    assert np.array_equal(whole.network_.theta, resumed.network_.theta)
    assert np.array_equal(whole.predict(X), resumed.predict(X))
    assert (whole.stop_reason_, whole.loss_curve_) == (resumed.stop_reason_, resumed.loss_curve_)
    assert np.array_equal(whole.restarts_, resumed.restarts_)


@pytest.mark.parametrize("kind", KINDS)
def test_checkpoint_is_a_model_that_predicts(kind, tmp_path):
    """`lamina.load` gives the estimator as it stood after an epoch: that of a shorter fit."""
    X, y, make = draw(kind)
    kept = Checkpoints(tmp_path, every_epochs=1)
    make(random_state=0, solver="adam", checkpoints=kept).fit(X, y)
    loaded = lamina.load(kept.paths()[-1])
    shorter = make(random_state=0, solver="adam", max_iter=9).fit(X, y)
    assert (loaded.n_iter_, loaded.stop_reason_) == (9, "unfinished")
    assert np.array_equal(loaded.predict(X), shorter.predict(X))
    assert loaded.checkpoints is None


def test_seed_that_nobody_gave_goes_on(tmp_path):
    """With random_state=None the split, the first θ and the order are those of the break."""
    X, y, make = draw(FeedForwardRegressor)
    kept = Checkpoints(tmp_path, every_epochs=1, resume=True)
    options = {"early_stopping": True, "solver": "adam"}
    with pytest.raises(BrokenError):
        make(checkpoints=kept, **options).set_callbacks(Breaking(5)).fit(X, y)
    resumed = make(checkpoints=kept, **options).fit(X, y)
    whole = make(random_state=resumed.state_.seed, **options).fit(X, y)
    assert np.array_equal(whole.network_.theta, resumed.network_.theta)


def test_warm_start_goes_on_from_its_own_checkpoints(tmp_path):
    """A warm start that is broken off goes on from the model it began with."""
    X, y, make = draw(FeedForwardRegressor)
    make(random_state=0, solver="adam").fit(X, y).save(tmp_path / "first.lamina")
    kept = Checkpoints(tmp_path / "run", every_epochs=1, resume=True)

    def warm(checkpoints):
        return lamina.load(tmp_path / "first.lamina").set_params(
            warm_start=True, checkpoints=checkpoints
        )

    with pytest.raises(BrokenError):
        warm(kept).set_callbacks(Breaking(5)).fit(X, y)
    resumed = warm(kept).fit(X, y)
    assert np.array_equal(warm(None).fit(X, y).network_.theta, resumed.network_.theta)
    assert resumed.n_iter_ == 20


@pytest.mark.parametrize("changed", ["a row of X", "a label", "a parameter"])
def test_another_fit_is_refused(changed, tmp_path):
    """Other data or parameters are not those of the checkpoint."""
    X, y, make = draw(FeedForwardClassifier)
    kept, options = Checkpoints(tmp_path, every_epochs=1, resume=True), {}
    make(random_state=0, solver="adam", checkpoints=kept).fit(X, y)
    if changed == "a row of X":
        X[13, 1] += 1e-6
    elif changed == "a label":
        y[7] = "0" if y[7] != "0" else "1"
    else:
        options = {"alpha": 0.5}
    with pytest.raises(CheckpointError, match="different are"):
        make(random_state=0, solver="adam", checkpoints=kept, **options).fit(X, y)


def test_one_changed_row_among_many_is_seen(tmp_path):
    """Of many rows some are looked at, and scaled: a change in any other moves all of them."""
    X = np.random.default_rng(0).normal(size=(20_000, 2))
    kept = Checkpoints(tmp_path, every_epochs=1, resume=True)
    model = FeedForwardRegressor((), max_iter=1, solver="adam", random_state=0, checkpoints=kept)
    model.fit(X, X[:, 0])
    X[100, 1] += 1e-3  # between the first run of rows that are looked at and the second
    with pytest.raises(CheckpointError, match=r"different are: X\."):
        model.fit(X, X[:, 0])


def test_what_are_no_checkpoints_is_refused():
    """The parameter takes `Checkpoints`, and `partial_fit` none at all."""
    X, y, make = draw(FeedForwardRegressor)
    with pytest.raises(InvalidTypeError, match=r"lamina\.Checkpoints"):
        make(checkpoints="folder").fit(X, y)
    with pytest.raises(InvalidValueError, match="partial_fit is one epoch"):
        make(checkpoints=Checkpoints("folder"), solver="adam").partial_fit(X, y)
