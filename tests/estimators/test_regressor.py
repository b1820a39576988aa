"""`FeedForwardRegressor`: one target or several, in their own units."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score

from lamina import FeedForwardRegressor
from lamina.exceptions import InvalidValueError

SMALL = {"hidden_layer_sizes": (8,), "random_state": 0}
Fit = partial(FeedForwardRegressor, max_iter=300, learning_rate_init=0.01, **SMALL)


def draw(n=400, seed=1):
    """Return inputs, the mean of a target, and its spread, which grows with the input."""
    random = np.random.default_rng(seed)
    X = random.uniform(-2.0, 2.0, size=(n, 1))
    mean, spread = np.sin(2.0 * X[:, 0]), 0.1 + 0.2 * (X[:, 0] + 2.0)
    return X, mean, spread, mean + spread * random.normal(size=n)


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", "lbfgs"])
def test_units_of_the_target_change_nothing(solver, table):
    """The target y·1e4 + 1e6 gives the same R² as y to 1e-6."""
    scores, rate = [], "auto" if solver == "lbfgs" else 0.02
    for factor, shift in ((1.0, 0.0), (1e4, 1e6), (1e-7, 3.0), (1e12, -5.0)):
        y = table.y * factor + shift
        model = FeedForwardRegressor(solver=solver, learning_rate_init=rate, max_iter=60, **SMALL)
        scores.append(model.fit(table.X, y).score(table.X, y))
    assert scores[0] > 0.6
    assert np.allclose(scores, scores[0], rtol=0, atol=1e-6)


def test_real_data_are_learned():
    """With the defaults, the held-out R² on diabetes is that of a good network."""
    X, y = load_diabetes(return_X_y=True)
    held_out = np.random.default_rng(0).permutation(len(y))[::4]
    rest = np.setdiff1d(np.arange(len(y)), held_out)
    model = FeedForwardRegressor(early_stopping=True, random_state=0).fit(X[rest], y[rest])
    assert model.score(X[held_out], y[held_out]) > 0.35


def test_several_targets_are_learned_in_their_own_units(table):
    """Targets of other sizes are learned alike, and come back in their units."""
    model = Fit().fit(table.X, table.targets)
    predicted = model.predict(table.X)
    assert predicted.shape == (60, 2)
    assert np.all(r2_score(table.targets, predicted, multioutput="raw_values") > 0.85)
    assert np.isclose(model.score(table.X, table.targets), r2_score(table.targets, predicted))


def test_form_of_the_target_is_the_form_of_the_prediction(table):
    """A flat y gives flat predictions, a column gives a column, with the same numbers."""
    flat, column = Fit().fit(table.X, table.y), Fit().fit(table.X, table.y[:, np.newaxis])
    assert flat.predict(table.X).shape == (60,)
    assert column.predict(table.X).shape == (60, 1)
    assert np.array_equal(flat.predict(table.X), column.predict(table.X)[:, 0])


@pytest.mark.parametrize("scale_targets", ["auto", "standard", "minmax", "mean", "none"])
@pytest.mark.parametrize("scale_inputs", ["standard", "minmax", "none"])
def test_scaling_is_inverted(scale_inputs, scale_targets, table):
    """However inputs and targets are scaled, predictions are in the units of y."""
    y = table.y if scale_targets == "none" else 50.0 * table.y + 10.0
    model = Fit(scale_inputs=scale_inputs, scale_targets=scale_targets, max_iter=600)
    assert model.fit(table.X, y).score(table.X, y) > 0.8
    by_hand = model.network_(
        ((table.X - model.input_scaling_.center) / model.input_scaling_.scale).T
    )
    scaling = model.target_scaling_
    assert np.allclose(model.predict(table.X), by_hand[0] * scaling.scale[0] + scaling.center[0])


@pytest.mark.parametrize(
    "loss", ["squared", "absolute", "huber(0.5)", "log_cosh", "quantile(0.5)", "gaussian_nll"]
)
def test_losses_learn(loss, table):
    """Every loss of real targets learns them."""
    assert Fit(loss=loss).fit(table.X, table.y).score(table.X, table.y) > 0.75


def test_robust_losses_resist_outliers(table):
    """With a few wild targets, absolute and huber stay closer to the rest than squared."""
    y = table.y.copy()
    y[::12] += 60.0
    rest = np.arange(60) % 12 != 0

    def gap(loss):
        model = Fit(loss=loss, hidden_layer_sizes=(), solver="sgd").fit(table.X, y)
        return np.median(np.abs(model.predict(table.X) - table.y)[rest])

    assert gap("absolute") < 0.5 * gap("squared")
    assert gap("huber(0.1)") < 0.5 * gap("squared")


def test_gaussian_nll_learns_the_spread():
    """return_std gives the standard deviation in units of y; standardized residuals are normal."""
    X, _, spread, y = draw()
    model = Fit(loss="gaussian_nll", max_iter=400).fit(X, 1000.0 * y)
    mean, std = model.predict(X, return_std=True)
    assert np.array_equal(mean, model.predict(X))
    assert mean.shape == std.shape == (400,)
    assert np.corrcoef(std, spread)[0, 1] > 0.9
    assert np.isclose(np.mean(((1000.0 * y - mean) / std) ** 2), 1.0, atol=0.15)
    pair = Fit(loss="gaussian_nll").fit(X, np.column_stack([y, 10.0 * y]))
    means, stds = pair.predict(X, return_std=True)
    assert means.shape == stds.shape == (400, 2)
    assert np.median(stds[:, 1] / stds[:, 0]) == pytest.approx(10.0, rel=0.3)


def test_spread_is_refused_where_none_is_learned(table):
    """return_std with another loss raises and says which loss to fit."""
    model = Fit(max_iter=1).fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match="fit with loss='gaussian_nll'"):
        model.predict(table.X, return_std=True)


def test_quantiles_cover_and_keep_their_order():
    """Several quantiles at once: each has its share of the data below it, and they hardly cross."""
    X, _, _, y = draw()
    levels = (0.1, 0.5, 0.9)
    model = Fit(loss=f"quantile({levels})", max_iter=400).fit(X, 50.0 * y - 7.0)
    low, middle, high = model.predict(X).T
    for level, line in zip(levels, (low, middle, high), strict=True):
        assert np.mean(50.0 * y - 7.0 < line) == pytest.approx(level, abs=0.05)
    assert np.mean((low < middle) & (middle < high)) > 0.98
    single = Fit(loss="quantile(0.9)").fit(X, y)
    assert single.predict(X).shape == (400,)
    blocks = Fit(loss=f"quantile({levels})").fit(X, np.column_stack([y, 10.0 * y]))
    predicted = blocks.predict(X)
    assert predicted.shape == (400, 6)  # one block of both targets for each quantile
    ratios = predicted[:, 1::2].std(axis=0) / predicted[:, ::2].std(axis=0)
    assert np.allclose(ratios, 10.0, rtol=0.4)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie(1.5)"])
def test_positive_targets_are_predicted_positive(loss, table):
    """Losses of positive targets predict their mean, above zero, in any unit."""
    y = table.counts + (1.0 if loss == "gamma" else 0.0)
    model = Fit(loss=loss).fit(table.X, y)
    predicted = model.predict(table.X)
    assert np.all(predicted > 0)
    assert np.isclose(predicted.mean(), y.mean(), rtol=0.1)
    assert np.corrcoef(predicted, np.exp(0.5 * table.X[:, 0] + 1.0))[0, 1] > 0.7
    scaled = Fit(loss=loss).fit(table.X, 1e6 * y)
    assert np.allclose(scaled.predict(table.X), 1e6 * predicted, rtol=1e-6)


def test_constant_target_is_predicted_exactly(table):
    """A constant target comes back to rounding once weights have decayed, in any unit."""
    for value in (0.0, 3.0, -1e-200, 1e200):
        model = FeedForwardRegressor(solver="lbfgs", alpha=1.0, **SMALL)
        predicted = model.fit(table.X, np.full(60, value)).predict(table.X)
        assert np.allclose(predicted, value, rtol=1e-6, atol=1e-5 if abs(value) < 1e-5 else 0)


def test_predictions_of_float32_networks_keep_their_units(table):
    """A float32 network predicts targets that float32 cannot hold."""
    for factor in (1e100, 1e-100):
        model = Fit(dtype="float32").fit(table.X, table.y * factor)
        assert model.network_.theta.dtype == np.float32
        assert model.score(table.X, table.y * factor) > 0.8


def test_history_has_the_r2_on_validation_data(table):
    """The R² of every epoch on X_val, y_val is that of score; NaN where quantiles are no mean."""
    for y in (table.y, table.targets):
        model = Fit(max_iter=20).fit(table.X[:40], y[:40], X_val=table.X[40:], y_val=y[40:])
        expected = model.score(table.X[40:], y[40:])
        assert np.isclose(model.history_["validation_r2"][-1], expected)
    model = Fit(max_iter=2, loss="quantile((0.2, 0.8))").fit(
        table.X, table.y, X_val=table.X, y_val=table.y
    )
    assert np.isnan(model.history_["validation_r2"]).all()
    constant = Fit(max_iter=2).fit(table.X, table.y, X_val=table.X, y_val=np.ones(60))
    assert np.isnan(constant.history_["validation_r2"]).all()
