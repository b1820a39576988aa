"""Options: sizes, seeds, reasons to stop, interruption, divergence, progress, memory."""

import time
import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from lamina import Adam, FeedForwardClassifier, FeedForwardRegressor, Network
from lamina.engines.choice import make_engine
from lamina.exceptions import DivergenceError, DivergenceWarning, InterruptedWarning
from lamina.training.history import History
from lamina.training.stopping import REASONS

KINDS = [FeedForwardClassifier, FeedForwardRegressor]
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}


def engine_type():
    """Return the class of engine that a fit uses."""
    return type(make_engine(Network([1, 1], ["identity"]).recipe, float))


def target(kind, table):
    """Return y for a kind of estimator."""
    return table.three if kind is FeedForwardClassifier else table.y


def test_sizes_can_be_given_in_two_ways(table):
    """hidden_layer_sizes as an integer, tuple, list or array, or n_layers and width, agree."""
    for settings, sizes in (
        ({"hidden_layer_sizes": 7}, [3, 7, 1]),
        ({"hidden_layer_sizes": [7, 6]}, [3, 7, 6, 1]),
        ({"hidden_layer_sizes": np.array([7, 6])}, [3, 7, 6, 1]),
        ({"hidden_layer_sizes": ()}, [3, 1]),
        ({"n_layers": 2, "width": 6}, [3, 6, 6, 1]),
        ({"n_layers": 2}, [3, 100, 100, 1]),
        ({"width": 6}, [3, 6, 1]),
        ({"n_layers": 0, "width": 6}, [3, 1]),
        ({}, [3, 100, 1]),
    ):
        model = FeedForwardRegressor(max_iter=1, **settings).fit(table.X, table.y)
        assert sizes == model.network_.S


def test_list_options_belong_to_their_layers(table):
    """Activations, alphas and dropout rates given as lists go to one layer each."""
    model = FeedForwardRegressor(
        (4, 5), activation=["tanh", "leaky_relu(0.3)"], alpha=[1, 2, 3], l1=[4, 5, 6], max_iter=1
    ).fit(table.X, table.y)
    layers = model.network_.recipe.layers
    assert [repr(layer.activation) for layer in layers] == [
        "tanh",
        "LeakyRelu(slope=0.3)",
        "identity",
    ]
    assert [(layer.penalty.l2, layer.penalty.l1) for layer in layers] == [(1, 4), (2, 5), (3, 6)]
    one = FeedForwardRegressor((4, 5), dropout=[0.0, 0.5], max_iter=3, random_state=0)
    other = FeedForwardRegressor((4, 5), dropout=[0.5, 0.0], max_iter=3, random_state=0)
    assert one.fit(table.X, table.y).loss_ != other.fit(table.X, table.y).loss_


@pytest.mark.parametrize("kind", KINDS)
def test_seed_decides_everything(kind, table):
    """The same seed gives the same bits, another seed others; no global state is touched."""
    y = target(kind, table)
    settings = {"hidden_layer_sizes": (5,), "max_iter": 3, "early_stopping": True, "dropout": 0.2}
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that is what must not change
    for seed in (lambda: 1, lambda: np.random.RandomState(1), lambda: np.random.default_rng(1)):
        one, same = (kind(random_state=seed(), **settings).fit(table.X, y) for _ in range(2))
        assert np.array_equal(one.network_.theta, same.network_.theta)
    other = kind(random_state=2, **settings).fit(table.X, y)
    fresh = [kind(**settings).fit(table.X, y) for _ in range(2)]
    assert not np.array_equal(one.network_.theta, other.network_.theta)
    assert not np.array_equal(fresh[0].network_.theta, fresh[1].network_.theta)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002 - see above


def test_initial_theta_can_be_given(table):
    """A vector θ is where training starts, and is not written to."""
    theta = np.random.default_rng(0).normal(size=26)
    given = theta.copy()
    model = FeedForwardRegressor(
        initialization=theta, max_iter=1, learning_rate_init=1e-300, **SMALL
    )
    assert np.array_equal(model.fit(table.X, table.y).network_.theta, given)
    assert np.array_equal(theta, given)


@pytest.mark.parametrize(
    ("reason", "settings"),
    [
        ("max_iter", {"max_iter": 7}),
        ("goal", {"goal": 0.4}),
        ("gradient", {"gradient_tol": 0.3}),
        ("no_change", {"tol": 0.05, "n_iter_no_change": 3}),
        ("patience", {"early_stopping": True, "n_iter_no_change": 2, "tol": 0.01}),
        ("max_time", {"max_time": 0.05}),
        ("goal", {"goal": 0.3, "solver": "lbfgs", "learning_rate_init": "auto"}),
        ("stalled", {"tol": -np.inf, "solver": "lbfgs", "learning_rate_init": "auto"}),
    ],
)
def test_training_stops_for_the_reason_it_gives(reason, settings, table):
    """Every rule stops training when it holds, not before, and stop_reason_ names it."""
    settings = SMALL | {"max_iter": 100_000, "tol": -np.inf, "learning_rate_init": 0.02} | settings
    model = FeedForwardRegressor(**settings).fit(table.X, table.y)
    losses, norms = model.loss_curve_, model.history_["gradient_norm"]
    assert model.stop_reason_ == reason
    assert reason in REASONS
    assert model.n_iter_ == len(losses)
    if reason == "goal":
        assert losses[-1] <= settings["goal"] < min(losses[:-1], default=np.inf)
    if reason == "gradient":
        assert norms[-1] <= 0.3 < norms[-2]
    if reason == "max_time":
        assert 0.0 < model.history_["seconds"][-1] < 1.0
    if reason == "no_change":
        assert min(losses[:-3]) - min(losses[-3:]) <= 0.05


def test_time_budget_is_kept(table):
    """No epoch is begun that would not fit; a fit of 0.2 seconds takes no second."""
    begun = time.perf_counter()
    model = FeedForwardRegressor(max_iter=10**6, max_time=0.2, tol=-np.inf).fit(table.X, table.y)
    assert model.stop_reason_ == "max_time"
    assert time.perf_counter() - begun < 2.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", [False, True])
def test_early_stopping_keeps_the_best_network(given, kind, table):
    """The network returned is that of the lowest validation loss, on given or held-out data."""
    y = target(kind, table)
    X, X_val, y, y_val = table.X[20:], table.X[:20], y[20:], y[:20]
    arguments = {"X_val": X_val, "y_val": y_val} if given else {}
    model = kind((30,), early_stopping=True, learning_rate_init=0.05, random_state=0)
    model.fit(X, y, **arguments)
    best = int(np.argmin(model.validation_curve_))
    assert model.stop_reason_ == "patience"
    assert model.state_.best_epoch == best + 1 < model.n_iter_
    shorter = clone(model).set_params(max_iter=best + 1).fit(X, y, **arguments)
    assert np.array_equal(shorter.network_.theta, model.network_.theta)
    if given:
        penalty = 0.5e-4 * sum(float((W**2).sum()) for W in model.coefs_)
        error = model.objective(X_val, y_val) - penalty
        assert np.isclose(error, min(model.validation_curve_))


def test_validation_fraction_is_stratified_and_never_trained_on(table):
    """The held-out part has the classes in proportion, and θ does not depend on its labels."""
    seen = []

    engine = engine_type()
    original = engine.error

    def watching(self, theta, data):
        seen.append(data.points)
        return original(self, theta, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "error", watching)
        model = FeedForwardClassifier(
            early_stopping=True, validation_fraction=0.3, max_iter=3, solver="adam", **SMALL
        )
        model.fit(table.X, table.three)
    held_out = seen[0]
    shares = np.bincount(table.three[held_out]) / len(held_out)
    assert len(held_out) == 18
    assert np.allclose(shares, np.bincount(table.three) / 60, atol=0.06)
    shifted = table.y.copy()
    rows = FeedForwardRegressor(early_stopping=True, max_iter=1, **SMALL).fit(table.X, shifted)
    assert np.isfinite(rows.validation_curve_).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("where", ["in an epoch", "between epochs"])
def test_interruption_leaves_the_last_epoch(where, solver, kind, table, monkeypatch):
    """Ctrl-C keeps the last completed epoch, bit for bit, warns, and training can go on."""
    y = target(kind, table)
    whole = kind(solver=solver, max_iter=6, **SMALL).fit(table.X, y)
    model = kind(solver=solver, max_iter=6, warm_start=True, **SMALL)
    owner, method = {
        "in an epoch": (engine_type(), "gradient" if solver == "lbfgs" else "epoch"),
        "between epochs": (History, "append"),
    }[where]
    original, calls = getattr(owner, method), []

    def interrupt(*arguments):
        done = original(*arguments)
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, interrupt)
        with pytest.warns(InterruptedWarning, match="training was interrupted; the network of"):
            model.fit(table.X, y)
    short = kind(solver=solver, max_iter=model.n_iter_, **SMALL).fit(table.X, y)
    assert (model.stop_reason_, model.n_iter_) == ("interrupted", len(model.loss_curve_))
    assert model.n_iter_ == 3 or (solver == "lbfgs" and where == "in an epoch")
    assert np.array_equal(model.predict(table.X), short.predict(table.X))
    model.set_params(max_iter=6 - model.n_iter_).fit(table.X, y)
    assert np.array_equal(model.network_.theta, whole.network_.theta)


def test_interruption_before_any_epoch_leaves_an_untrained_network(table, monkeypatch):
    """Ctrl-C in the first epoch gives a usable estimator that says it learned nothing."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine_type(), "epoch", interrupt)
    model = FeedForwardRegressor(solver="adam", **SMALL)
    with pytest.warns(InterruptedWarning, match="network of epoch 0 was kept"):
        model.fit(table.X, table.y)
    assert model.n_iter_ == 0
    assert np.isnan(model.loss_)
    assert np.isfinite(model.predict(table.X)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("rate", [1e3, 1e6, 1e18, 1e300])
def test_divergence_never_leaves_nan(rate, solver, dtype, kind, table):
    """However large the rate: a warning or error with epoch, layer, rate; never a bad network."""
    if dtype == "float32":
        rate = min(rate, 1e30)
    settings = SMALL | {"solver": solver, "dtype": dtype, "learning_rate_init": rate}
    model = kind(activation="relu", max_iter=50, **settings)
    y = target(kind, table)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(table.X, y)
        except DivergenceError as problem:
            assert "not finite in epoch" in str(problem)  # noqa: PT017 - either way is fine
            assert not hasattr(model, "network_")
            return
    assert {w.category for w in caught} <= {DivergenceWarning}
    for warning in caught:
        message = str(warning.message)
        assert f"learning_rate_init={rate}" in message
        assert "of layer" in message or "at the output" in message
        assert f"The network of epoch {model.n_iter_} was kept" in message
        assert model.stop_reason_ == "diverged"
    assert np.isfinite(model.network_.theta).all()
    assert np.isfinite(model.objective(table.X, y))
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize("kind", KINDS)
def test_progress_bar_changes_nothing(kind, table, capsys):
    """verbose=True shows epochs and losses on stderr, prints nothing, and changes no bit."""
    y = target(kind, table)
    quiet = kind(max_iter=4, **SMALL).fit(table.X, y, X_val=table.X, y_val=y)
    assert capsys.readouterr() == ("", "")
    loud = kind(max_iter=4, verbose=True, **SMALL).fit(table.X, y, X_val=table.X, y_val=y)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4/4" in err
    assert np.array_equal(loud.network_.theta, quiet.network_.theta)


@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs"}, {"scale_inputs": "none"}], ids=str)
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_never_copied_as_a_whole(settings, order, tmp_path):
    """Fitting and predicting from a read-only memory map takes a part of it that does not grow."""
    shape, size = (60_000, 100), 60_000 * 100 * 8
    X = np.memmap(tmp_path / "X", float, "w+", shape=shape, order=order)
    X[:] = np.random.default_rng(0).normal(size=shape)
    y = np.asarray(X[:, 0] > 0)
    X.flush()
    X = np.memmap(tmp_path / "X", float, "r", shape=shape, order=order)
    for kind in KINDS:
        model = kind((4,), max_iter=1, solver=settings.get("solver", Adam()), random_state=0)
        model.set_params(**settings)
        tracemalloc.start()
        model.fit(X, y).predict(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.4 * size
