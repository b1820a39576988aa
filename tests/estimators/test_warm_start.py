"""Training that pauses: what comes out does not depend on where it was cut."""

import pickle

import numpy as np
import pytest

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import DivergenceWarning, InvalidValueError
from lamina.training import solvers
from lamina.training.solvers import get_solver

KINDS = [FeedForwardClassifier, FeedForwardRegressor]
SMALL = {"hidden_layer_sizes": (5, 4), "random_state": 3}
MINIBATCH = [
    (solver, early_stopping, dropout, schedule)
    for solver in ("adam", "adamw(weight_decay=0.1)", "sgd")
    for early_stopping in (False, True)
    for dropout in (0.0, 0.3)
    for schedule in ("constant", "exponential(0.9)", "cosine(epochs=10)", "one_cycle(epochs=10)")
]
FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
PLANS = [
    *MINIBATCH,
    *((solver, False, 0.0, "constant") for solver in FULL_BATCH),
    *((solver, True, 0.0, "constant") for solver in ("lbfgs(memory=2)", *FULL_BATCH[1:])),
]


def settings(plan):
    """Return the parameters of a plan; minibatches of 7 do not divide the data."""
    solver, early_stopping, dropout, schedule = plan
    batch = 7 if get_solver(solver).minibatch else "auto"
    named = {"solver": solver, "early_stopping": early_stopping, "dropout": dropout}
    return SMALL | named | {"learning_rate": schedule, "batch_size": batch, "n_iter_no_change": 4}


def target(kind, table):
    """Return y for a kind of estimator."""
    return table.three if kind is FeedForwardClassifier else table.y


def assert_same(one, other):
    """Assert that two estimators are the same to the last bit, but for the time they took."""
    assert np.array_equal(one.network_.theta, other.network_.theta)
    first, second = one.state_.to_arrays(), other.state_.to_arrays()
    assert first.keys() == second.keys()
    for name in first.keys() - {"history.seconds"}:
        assert np.array_equal(first[name], second[name], equal_nan=True), name
    assert one.state_.solver == other.state_.solver


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_ten_fits_of_one_epoch_are_one_fit_of_ten(plan, kind, table):
    """Fits of one epoch give every bit of one long fit: θ, state and history."""
    y = target(kind, table)
    whole = kind(max_iter=10, **settings(plan)).fit(table.X, y)
    parts = kind(max_iter=1, warm_start=True, **settings(plan))
    for _ in range(whole.n_iter_):
        parts.fit(table.X, y)
    assert_same(parts, whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", *FULL_BATCH])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_saved_and_reloaded_is_uninterrupted(solver, early_stopping, dtype, kind, table, tmp_path):
    """Saved, loaded by another object and continued gives every bit of a run without a pause."""
    y = target(kind, table)
    plan = (solver, early_stopping, 0.2 if get_solver(solver).minibatch else 0.0, "constant")
    whole = kind(max_iter=8, dtype=dtype, **settings(plan)).fit(table.X, y)
    model = kind(max_iter=3, dtype=dtype, warm_start=True, **settings(plan)).fit(table.X, y)
    model.save(tmp_path / "model")
    loaded = lamina.load(tmp_path / "model")
    assert_same(loaded, model)
    pickled = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    left = whole.n_iter_ - 3
    assert_same(loaded.set_params(max_iter=left).fit(table.X, y), whole)
    assert_same(pickled.set_params(max_iter=left).fit(table.X, y), whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", *FULL_BATCH])
def test_partial_fit_is_an_epoch(solver, kind, table):
    """Five calls of partial_fit on the same data are a fit of five epochs, bit for bit."""
    y = target(kind, table)
    whole = kind(solver=solver, max_iter=5, tol=-np.inf, **SMALL).fit(table.X, y)
    parts = kind(solver=solver, tol=-np.inf, **SMALL)
    for _ in range(5):
        parts.partial_fit(table.X, y)
    assert_same(parts, whole)


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_keeps_scaling_and_follows_the_parts(kind, table):
    """Scaling is that of the first part; later parts, of any length, are learned from."""
    y = target(kind, table)
    arguments = {"classes": [0, 1, 2]} if kind is FeedForwardClassifier else {}
    model = kind(**SMALL).partial_fit(table.X[:20], y[:20], **arguments)
    center = model.input_scaling_.center.copy()
    assert np.allclose(center, table.X[:20].mean(axis=0))
    for part in (slice(20, 21), slice(21, 60)):
        before = model.network_.theta.copy()
        model.partial_fit(table.X[part], y[part], **arguments)
        assert not np.array_equal(model.network_.theta, before)
    assert np.array_equal(model.input_scaling_.center, center)
    assert model.n_iter_ == len(model.loss_curve_) == 3


def test_partial_fit_needs_all_classes_at_once(table):
    """A class that was not announced, or a changed announcement, is refused; nothing changes."""
    model = FeedForwardClassifier(**SMALL).partial_fit(table.X, table.three, classes=[2, 1, 0, 9])
    assert model.classes_.tolist() == [0, 1, 2, 9]
    assert model.predict_proba(table.X).shape == (60, 4)
    theta = model.network_.theta.copy()
    with pytest.raises(InvalidValueError, match=r"classes were .* in the first call"):
        model.partial_fit(table.X, table.three, classes=[0, 1, 2])
    with pytest.raises(InvalidValueError, match="which is none of the classes"):
        model.partial_fit(table.X, table.three + 7)
    with pytest.raises(InvalidValueError, match=r"y has 3 labels, 0 to 2; got classes"):
        FeedForwardClassifier().partial_fit(table.X, table.labels, classes=["a", "b", "c"])
    assert np.array_equal(model.network_.theta, theta)


@pytest.mark.parametrize("kind", KINDS)
def test_warm_start_takes_up_a_changed_penalty(kind, table):
    """A changed alpha is honored: the objective has it, and weights shrink."""
    y = target(kind, table)
    model = kind(warm_start=True, max_iter=30, solver="adam", **SMALL).fit(table.X, y)
    size, loss = np.abs(model.coefs_[0]).sum(), model.objective(table.X, y)
    squares = sum(float((W**2).sum()) for W in model.coefs_)
    model.set_params(alpha=2.0, learning_rate_init=0.05).fit(table.X, y)
    assert np.isclose(model.history_["loss"][30], loss + 0.5 * (2.0 - 1e-4) * squares)
    assert np.abs(model.coefs_[0]).sum() < 0.7 * size
    assert {layer.penalty.l2 for layer in model.network_.recipe.layers} == {2.0}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changed",
    [
        {"hidden_layer_sizes": (5, 5)},
        {"hidden_layer_sizes": (5,)},
        {"activation": ["tanh", "relu"]},
        {"output_activation": "tanh", "loss": "squared"},
        {"loss": "huber"},
        {"dtype": "float32"},
        {"scale_inputs": "minmax"},
    ],
    ids=str,
)
def test_warm_start_refuses_another_network(changed, kind, table):
    """What cannot change on the way is refused, by name; the estimator goes on as it was."""
    y = target(kind, table)
    model = kind(warm_start=True, max_iter=2, **SMALL).fit(table.X, y)
    kept = {name: getattr(model, name) for name in changed}
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    with pytest.raises(InvalidValueError, match=r"go on with the same network; .* before, .* now"):
        model.set_params(**changed).fit(table.X, y)
    assert_same(model.set_params(**kept).fit(table.X, y), twin.fit(table.X, y))


@pytest.mark.parametrize("kind", KINDS)
def test_warm_start_changes_the_solver(kind, table):
    """Another solver begins with fresh memory from the same θ, and the history goes on."""
    y = target(kind, table)
    model = kind(warm_start=True, max_iter=20, solver="adam", **SMALL).fit(table.X, y)
    loss = model.objective(table.X, y)
    model.set_params(solver="lbfgs", max_iter=15).fit(table.X, y)
    assert model.state_.solver == "Lbfgs"
    assert model.state_.memory.keys() == {"s", "y"}
    assert model.history_["loss"][20] < loss
    assert model.history_["epoch"] == list(range(1, model.n_iter_ + 1))
    assert np.all(np.diff(model.history_["seconds"]) >= 0)


@pytest.mark.parametrize("kind", KINDS)
def test_cold_start_forgets(kind, table):
    """Without warm_start a second fit equals the first, whatever was fitted before."""
    y = target(kind, table)
    model = kind(max_iter=4, **SMALL).fit(table.X[:, :2] * 100.0, y[::-1])
    assert_same(model.fit(table.X, y), kind(max_iter=4, **SMALL).fit(table.X, y))


def test_warm_start_learns_from_other_data(table):
    """Warm starts see the data they are given, in the units of the first, and keep classes."""
    model = FeedForwardClassifier(warm_start=True, max_iter=300, tol=-np.inf, **SMALL)
    model.fit(table.X, table.three)
    model.fit(table.X[table.three == 1], table.three[table.three == 1])
    assert model.classes_.tolist() == [0, 1, 2]
    assert set(model.predict(table.X)) == {1}


@pytest.mark.parametrize("kind", KINDS)
def test_schedule_of_open_length_is_refused_where_it_would_stand_still(kind, table):
    """A schedule over max_iter epochs that is through raises instead of training at rate 0."""
    y = target(kind, table)
    model = kind(warm_start=True, max_iter=3, learning_rate="cosine", **SMALL).fit(table.X, y)
    with pytest.raises(InvalidValueError, match="give its length"):
        model.fit(table.X, y)
    with pytest.raises(InvalidValueError, match="give its length"):
        kind(learning_rate="one_cycle").partial_fit(table.X, y)
    assert model.set_params(max_iter=6).fit(table.X, y).n_iter_ == 9


@pytest.mark.parametrize("kind", KINDS)
def test_warm_start_after_divergence_goes_on(kind, table):
    """A fit that diverges warns, keeps the last good epoch, and the next fit goes on from it."""
    y = target(kind, table)
    model = kind(warm_start=True, solver="sgd", batch_size=7, max_iter=5, **SMALL).fit(table.X, y)
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    with pytest.warns(DivergenceWarning, match="network of epoch 5 was kept"):
        model.set_params(learning_rate_init=1e300).fit(table.X, y)
    assert model.stop_reason_ == "diverged"
    model.set_params(learning_rate_init="auto")
    assert_same(model.fit(table.X, y), twin.fit(table.X, y))
