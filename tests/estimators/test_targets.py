"""Targets: of any library, with entries missing, weighted, mapped, and several with classes."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import boxcox
from sklearn.metrics import r2_score

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.estimators.transforms import learn_transform
from lamina.exceptions import InvalidTypeError, InvalidValueError

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 25, "random_state": 0, "solver": "lbfgs"}
MAKERS = {
    "list": list,
    "pandas": pd.Series,
    "polars": pl.Series,
    "arrow": pa.array,
    "chunks": lambda values: pa.chunked_array([values]),
    "objects": lambda values: np.array(values, dtype=object),
}


@pytest.fixture(scope="module")
def gaps(table):
    """Give tests two targets with entries missing, and one row without any."""
    Y = np.array(table.targets)
    Y[np.random.default_rng(0).uniform(size=Y.shape) < 0.3] = np.nan
    Y[7] = np.nan
    return Y


def reload(model, folder):
    """Return the model from a file."""
    model.save(folder / "m.lamina", overwrite=True)
    return lamina.load(folder / "m.lamina")


@pytest.mark.parametrize("maker", MAKERS)
def test_labels_of_any_library_are_the_same(maker, table):
    """Text, bool and integers train the same network, whatever holds them."""
    for y in (table.two, table.three, table.three > 1):
        expected = FeedForwardClassifier(**SMALL).fit(table.X, y)
        model = FeedForwardClassifier(**SMALL).fit(table.X, MAKERS[maker](y.tolist()))
        np.testing.assert_array_equal(model.network_.theta, expected.network_.theta)
        assert model.classes_.tolist() == expected.classes_.tolist()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_targets_of_any_frame_are_the_same(frame, table):
    """Columns of a frame are several targets."""
    y = frame(dict(zip("ab", table.targets.T, strict=True)))
    expected = FeedForwardRegressor(**SMALL).fit(table.X, table.targets)
    model = FeedForwardRegressor(**SMALL).fit(table.X, y)
    np.testing.assert_array_equal(model.network_.theta, expected.network_.theta)


DATES = np.arange(60).astype("M8[D]")
BAD = {
    "dates": (DATES, InvalidTypeError, "days since a date"),
    "dates in a series": (pd.Series(DATES), InvalidTypeError, "days since a date"),
    "dates as objects": (pd.Series(DATES).astype(object), InvalidTypeError, "days since a date"),
    "None": (pl.Series([None, *range(59)]), InvalidValueError, "in 1 of 60 rows, first in row 0"),
    "NA": (pd.array([*range(59), None]), InvalidValueError, "first in row 59"),
    "NaN": (np.where(np.arange(60) == 3, np.nan, 1.0), InvalidValueError, "first in row 3"),
    "a lazy frame": (pl.LazyFrame({"a": range(60)}), InvalidTypeError, "collect"),
    "ragged rows": ([[1]] * 59 + [[1, 2]], InvalidValueError, "equal length"),
}


@pytest.mark.parametrize("kind", [FeedForwardClassifier, FeedForwardRegressor])
@pytest.mark.parametrize("name", BAD)
def test_target_that_is_none_is_refused(name, kind, table):
    """Dates and missing targets are refused, with advice."""
    y, error, message = BAD[name]
    with pytest.raises(error, match=message):
        kind(**SMALL).fit(table.X, y)


def test_gradient_with_gaps_is_that_of_what_is_there(table, gaps):
    """J is the mean over rows of the present terms, its slope agrees with a difference."""
    model = FeedForwardRegressor(alpha=0.0, **SMALL).fit(table.X, gaps)
    T = (gaps - model.target_scaling_.center) / model.target_scaling_.scale
    A = model.transform(table.X, layer=-1)
    rows = ~np.isnan(gaps).all(axis=1)
    J = np.nansum(0.5 * (A - T)[rows] ** 2) / rows.sum()
    assert model.objective(table.X, gaps) == pytest.approx(J, rel=1e-12)
    theta, gradient, h = model.network_.theta.copy(), model.gradient(table.X, gaps), 1e-6
    v = np.random.default_rng(0).normal(size=theta.size)
    ends = []
    for step in (h, -h):
        model.network_.theta = theta + step * v
        ends.append(model.objective(table.X, gaps))
    assert gradient @ v == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-8)


def test_row_without_targets_does_not_count(table, gaps):
    """Leaving the row out gives the same network; scalings are those of the entries there."""
    with_row = FeedForwardRegressor(**SMALL).fit(table.X, gaps)
    kept = np.arange(60) != 7
    without = FeedForwardRegressor(**SMALL).fit(table.X[kept], gaps[kept])
    np.testing.assert_allclose(
        with_row.network_.theta, without.network_.theta, rtol=1e-6, atol=1e-8
    )
    np.testing.assert_allclose(with_row.target_scaling_.center, np.nanmean(gaps, axis=0))
    np.testing.assert_allclose(with_row.target_scaling_.scale, np.nanstd(gaps, axis=0))


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "levenberg_marquardt", "gauss_newton_cg"])
def test_gaps_train_with_every_kind_of_solver(solver, table, gaps, tmp_path):
    """J falls, the score is that of the entries there, and a loaded model goes on exactly."""
    plan = SMALL | {"solver": solver, "warm_start": True, "validation": "interleave"}
    model = FeedForwardRegressor(**plan).fit(table.X, gaps)
    assert model.loss_ < model.loss_curve_[0]
    assert np.isfinite(model.validation_curve_).all()
    predicted, known = model.predict(table.X), ~np.isnan(gaps)
    scores = [r2_score(gaps[k, j], predicted[k, j]) for j, k in enumerate(known.T)]
    assert model.score(table.X, gaps) == pytest.approx(np.mean(scores))
    again = reload(model, tmp_path).set_params(max_iter=30).fit(table.X, gaps)
    model.set_params(max_iter=30).fit(table.X, gaps)
    np.testing.assert_array_equal(again.network_.theta, model.network_.theta)


def test_output_weights_weigh_targets(table):
    """J is the weighted sum; a target of weight 0 is not learned and changes nothing."""
    model = FeedForwardRegressor(alpha=0.0, output_weights=[2.0, 0.0], **SMALL)
    model.fit(table.X, table.targets)
    other = np.column_stack([table.y, -table.targets[:, 1]])
    assert model.objective(table.X, other) == model.objective(table.X, table.targets)
    T = (table.y - model.target_scaling_.center[0]) / model.target_scaling_.scale[0]
    A = model.transform(table.X, layer=-1)[:, 0]
    assert model.loss_ == pytest.approx(np.mean((A - T) ** 2), rel=1e-9)


def test_gaps_that_come_late_need_weights(table, gaps):
    """A network begun without gaps refuses them in words; begun with weights it takes them."""
    model = FeedForwardRegressor(**SMALL | {"solver": "adam"}).partial_fit(table.X, table.targets)
    with pytest.raises(InvalidValueError, match="begin with output_weights"):
        model.partial_fit(table.X, gaps)
    ready = FeedForwardRegressor(output_weights=[1, 1], **SMALL | {"solver": "adam"})
    ready.partial_fit(table.X, table.targets).partial_fit(table.X, gaps)
    with pytest.raises(InvalidValueError, match="error bars"):
        FeedForwardRegressor(error_bars=True, **SMALL).fit(table.X, gaps)


@pytest.mark.parametrize("name", ["log", "box-cox", "quantile"])
def test_transform_is_monotone_and_comes_back(name):
    """G grows, g⁻¹ g is y, and dy/dg is what a difference measures."""
    y = np.random.default_rng(0).gamma(2.0, size=(200, 2)) + 0.01
    g = learn_transform(name, y, None)
    z = g.apply(y)
    assert np.all(np.diff(z[np.argsort(y[:, 0]), 0]) > 0)
    np.testing.assert_allclose(g.invert(z), y, rtol=1e-12)
    z = z + 1e-3  # off the knots of the quantiles
    difference = (g.invert(z + 1e-7) - g.invert(z - 1e-7)) / 2e-7
    np.testing.assert_allclose(g.slope(z), difference, rtol=1e-5, atol=1e-6)
    if name == "box-cox":
        np.testing.assert_allclose(g.apply(y)[:, 0], boxcox(y[:, 0], g.numbers[0, 0]))
        low = g.invert(np.full((1, 2), -1e9))
        assert np.all((low >= 0.0) & (low < 1e-9))  # below all y > 0, but for rounding


@pytest.mark.parametrize("name", ["log", "box-cox", "quantile"])
def test_predictions_come_back_in_units_of_y(name, table, tmp_path):
    """Predictions, intervals, slopes and a loaded model are of y; what is not is refused."""
    y = np.exp(table.y)
    bars = lamina.ErrorBars(intervals="conformal")
    plan = SMALL | {"target_transform": name, "error_bars": bars, "validation": np.arange(0, 60, 3)}
    model = FeedForwardRegressor(**plan).fit(table.X, y)
    scaled = model.transform(table.X, layer=-1)
    inside = scaled * model.target_scaling_.scale + model.target_scaling_.center
    expected = model.target_transform_.invert(inside)[:, 0]
    np.testing.assert_allclose(model.predict(table.X), expected, rtol=1e-13)
    np.testing.assert_allclose(model.predictor()(table.X)[:, 0], expected, rtol=1e-9)
    ends = model.predict_interval(table.X, 0.8)
    assert np.mean((ends[:, 0] <= y) & (y <= ends[:, 1])) >= 0.8
    assert np.all((ends[:, 0] <= expected) & (expected <= ends[:, 1]))
    assert np.all(ends > 0)
    again = reload(model, tmp_path)
    np.testing.assert_array_equal(again.predict(table.X), model.predict(table.X))
    with pytest.raises(InvalidValueError, match="predict_interval"):
        model.predict(table.X, return_std=True)
    slopes = model.input_gradient(table.X[:5])
    step = np.array([1e-6, 0.0, 0.0])
    ahead, back = (model.predict(table.X[:5] + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(slopes[:, 0], (ahead - back) / 2e-6, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_transform": "sqrt"}, "log, box-cox, quantile; got 'sqrt'"),
        ({"target_transform": "log"}, "above zero, and row"),
        ({"target_transform": "quantile", "loss": "poisson"}, "makes targets of any sign"),
        ({"output_weights": [1.0, 2.0]}, "1 numbers >= 0"),
        ({"output_weights": [0.0]}, "not all 0"),
    ],
)
def test_transform_and_weights_that_do_not_fit_are_refused(settings, message, table):
    """What cannot be honored is an error that says why."""
    with pytest.raises(InvalidValueError, match=message):
        FeedForwardRegressor(**SMALL | settings).fit(table.X, table.y)


@pytest.fixture(scope="module")
def several(table):
    """Give tests a frame of two targets, of three classes and of text."""
    return pd.DataFrame({"size": table.three, "sign": table.two})


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "levenberg_marquardt"])
def test_several_targets_have_a_softmax_each(solver, table, several, tmp_path):
    """Labels are N × K, probabilities a list whose rows sum to 1; the score counts whole rows."""
    model = FeedForwardClassifier(**SMALL | {"solver": solver}).fit(table.X, several)
    assert [classes.tolist() for classes in model.classes_] == [[0, 1, 2], ["no", "yes"]]
    probabilities = model.predict_proba(table.X)
    assert [p.shape for p in probabilities] == [(60, 3), (60, 2)]
    for p in [*probabilities, *map(np.exp, model.predict_log_proba(table.X))]:
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    predicted = model.predict(table.X)
    for k, p in enumerate(probabilities):
        assert (model.classes_[k][p.argmax(axis=1)] == predicted[:, k]).all()
    right = np.all(predicted == several.to_numpy(), axis=1)
    assert model.score(table.X, several) == right.mean()
    assert model.certify(table.X, several).passed
    assert (reload(model, tmp_path).predict(table.X) == predicted).all()


def test_several_targets_go_on_in_parts(table):
    """`partial_fit` takes the classes of each target, and refuses others later."""
    Y = np.column_stack([table.three, table.three + (table.y > 0)])
    classes = [[0, 1, 2], [0, 1, 2, 3]]
    model = FeedForwardClassifier(**SMALL | {"solver": "adam"})
    model.partial_fit(table.X[:4], Y[:4], classes=classes).partial_fit(table.X, Y, classes=classes)
    assert model.predict(table.X).shape == (60, 2)
    with pytest.raises(InvalidValueError, match="in the first call"):
        model.partial_fit(table.X, Y, classes=[[0, 1, 2], [0, 1, 2]])
    with pytest.raises(InvalidValueError, match="none of the classes"):
        model.partial_fit(table.X, Y + 9)


@pytest.mark.parametrize("settings", [{"loss": "squared"}, {"output_activation": "softmax"}])
def test_several_targets_need_a_softmax(settings, table, several):
    """A loss that is none of a softmax, and an output activation asked for, are refused."""
    with pytest.raises(InvalidValueError, match="softmax block"):
        FeedForwardClassifier(**SMALL | settings).fit(table.X, several)
