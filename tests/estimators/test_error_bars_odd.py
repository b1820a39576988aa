"""Error bars where they are not well defined, refused, kept, or stored."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import lamina
from lamina import ErrorBars, FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import InvalidTypeError, InvalidValueError, ModelFileError
from lamina.interchange.container import Document, read, write

QUICK = {"solver": "levenberg_marquardt", "max_iter": 30, "random_state": 0, "error_bars": True}


def regressor(**settings):
    """Return a small regressor with error bars."""
    return FeedForwardRegressor(
        **({"hidden_layer_sizes": (4,), "activation": "tanh"} | QUICK | settings)
    )


def all_finite(model, X):
    """Return whether every error bar of a regressor is finite."""
    mean, std = model.predict(X, return_std=True)
    parts = (
        mean,
        std,
        model.leverage_,
        model.effective_parameters_,
        model.standard_errors_,
        model.z_values_,
        model.leave_one_out_residuals(),
        model.predict_interval(X, 0.8),
    )
    return all(np.all(np.isfinite(part)) for part in parts)


ODD = {
    "duplicate columns": lambda X, y: (np.column_stack([X, X[:, :1]]), y),
    "constant column": lambda X, y: (np.column_stack([X, np.ones(len(X))]), y),
    "constant target": lambda X, y: (X, np.full(len(y), 3.0)),
    "perfect fit": lambda X, _: (X, X[:, 0]),
    "more parameters than data": lambda X, y: (X[:9], y[:9]),
    "one row often": lambda X, y: (np.tile(X[:1], (20, 1)), y[:20]),
    "a row like no other": lambda X, y: (np.column_stack([X, np.arange(len(X)) == 7]), y),
}


@pytest.mark.parametrize("alpha", [0.0, 1e-4])
@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("name", ODD)
def test_ill_posed_case_has_finite_error_bars(name, hidden, alpha, table):
    """Whatever is singular, every error bar is finite, and the words say what was done."""
    X, y = ODD[name](table.X, table.y)
    model = regressor(hidden_layer_sizes=hidden, alpha=alpha).fit(X, y)
    assert all_finite(model, X)
    assert model.posterior_method_.startswith("Laplace's approximation")
    assert 0.0 <= model.effective_parameters_ <= model.network_.theta.size


def test_directions_that_nothing_determines_are_counted(table):
    """A column that stands twice leaves one direction open, which is said."""
    X = np.column_stack([table.X, table.X[:, :1]])
    model = regressor(hidden_layer_sizes=(), alpha=0.0).fit(X, table.y)
    assert "1 of 5 directions" in model.posterior_method_
    assert model.effective_parameters_ == pytest.approx(4.0)


@pytest.mark.parametrize("alpha", [0.0, 1e-4])
def test_separable_classes_have_finite_averages(alpha):
    """Classes that a line separates, so that θ has no finite best value, give probabilities."""
    X = np.linspace(-1, 1, 40)[:, None]
    y = (X[:, 0] > 0).astype(int)
    model = FeedForwardClassifier((), alpha=alpha, **QUICK).fit(X, y)
    proba = model.predict_proba(X, averaged=True)
    assert np.all(np.isfinite(proba))
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
    assert np.all(np.isfinite(model.standard_errors_))
    assert np.all(np.isfinite(model.leave_one_out_residuals()))


def test_what_was_not_learned_is_refused(table):
    """Without error_bars=True every question is refused with that advice; unfitted too."""
    model = FeedForwardRegressor((3,), max_iter=2).fit(table.X, table.y)
    for ask in (
        lambda: model.leverage_,
        lambda: model.evidence_,
        lambda: model.interval_method_,
        model.leave_one_out_residuals,
        model.coef_table,
        lambda: model.predict_interval(table.X),
    ):
        with pytest.raises(InvalidValueError, match="fit with error_bars=True"):
            ask()
    with pytest.raises(NotFittedError):
        FeedForwardRegressor(error_bars=True).predict_interval(table.X)
    classes = FeedForwardClassifier((3,), max_iter=2).fit(table.X, table.two)
    with pytest.raises(InvalidValueError, match="fit with error_bars=True"):
        classes.predict_proba(table.X, averaged=True)


@pytest.mark.parametrize(
    ("coverage", "problem", "message"),
    [
        (0.0, InvalidValueError, "between 0 and 1"),
        (1.0, InvalidValueError, "between 0 and 1"),
        (90, InvalidValueError, r"for 90 % write 0.9"),
        (float("nan"), InvalidValueError, "between 0 and 1"),
        ("0.9", InvalidTypeError, "a probability"),
        (True, InvalidTypeError, "a probability"),
        (0.99, InvalidValueError, r"needs 99 residuals .* there are 60: ask for 0.9836 at most"),
    ],
)
def test_coverage_out_of_range_is_refused(coverage, problem, message, table):
    """A coverage that is no probability, or more than the rows can give, is refused with advice."""
    model = regressor(hidden_layer_sizes=()).fit(table.X, table.y)
    with pytest.raises(problem, match=message):
        model.predict_interval(table.X, coverage)


@pytest.mark.parametrize(
    ("spec", "problem", "message"),
    [
        ("yes", InvalidTypeError, "True, False or an ErrorBars"),
        (1, InvalidTypeError, "True, False or an ErrorBars"),
        (ErrorBars(intervals="conformal"), InvalidValueError, "X_val and y_val"),
        (ErrorBars(max_memory=1e3), InvalidValueError, r"matrices of 21 parameters.*max_memory"),
    ],
)
def test_what_cannot_be_made_is_refused(spec, problem, message, table):
    """A wrong kind, conformal without held-out rows, and too little memory are refused in fit."""
    with pytest.raises(problem, match=message):
        regressor(error_bars=spec).fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match="intervals must be one of"):
        ErrorBars(intervals="bootstrap")


def test_error_without_curvature_has_intervals_alone(table):
    """`absolute` has no second derivative: no posterior, but intervals from refits."""
    model = regressor(loss="absolute", solver="lbfgs", error_bars=ErrorBars(folds=4))
    model.fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match=r"no second derivative.*'huber'"):
        _ = model.leverage_
    assert "trained anew" in model.interval_method_
    assert model.predict_interval(table.X).shape == (60, 2)


@pytest.mark.parametrize("kind", [FeedForwardRegressor, FeedForwardClassifier])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_error_bars_return_from_a_file(kind, dtype, table, tmp_path):
    """After saving and loading, and pickling, every error bar is the same bits."""
    model = kind((4,), activation="tanh", dtype=dtype, **QUICK)
    model.fit(table.X, table.targets if kind is FeedForwardRegressor else table.three)
    model.save(tmp_path / "model.lamina", training_state=False)
    for again in (lamina.load(tmp_path / "model.lamina"), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own
        assert again.error_bars_.words == model.error_bars_.words
        was, now = model.error_bars_.to_arrays(), again.error_bars_.to_arrays()
        assert was.keys() == now.keys()
        for name, array in was.items():
            np.testing.assert_array_equal(array, now[name])
            assert array.dtype == now[name].dtype
        if kind is FeedForwardRegressor:
            ends = model.predict_interval(table.X, 0.5)
            assert np.array_equal(again.predict_interval(table.X, 0.5), ends)
        else:
            proba = model.predict_proba(table.X, averaged=True)
            assert np.array_equal(again.predict_proba(table.X, averaged=True), proba)


def test_settings_of_error_bars_are_parameters_like_others(table, tmp_path):
    """A record comes back from clone and file, and fits the same again."""
    asked = ErrorBars(intervals="newton", folds=7)
    model = regressor(error_bars=asked).fit(table.X, table.y)
    assert clone(model).error_bars == asked
    model.save(tmp_path / "model.lamina")
    loaded = lamina.load(tmp_path / "model.lamina")
    assert loaded.error_bars == asked
    assert len(loaded.fit(table.X, table.y).error_bars_.intervals.networks) == 7


def test_error_bars_follow_the_network(table):
    """A fit without forgets them; warm_start and partial_fit make new ones."""
    model = regressor(warm_start=True).fit(table.X, table.y)
    first = model.leverage_
    model.set_params(max_iter=1).fit(table.X[:40], table.y[:40])
    assert model.leverage_.shape == (40,)
    model.partial_fit(table.X[:20], table.y[:20])
    assert model.leverage_.shape == (20,)
    assert first.shape == (60,)
    model.set_params(error_bars=False).fit(table.X, table.y)
    assert model.error_bars_ is None


FORGED = {
    "posterior.root": lambda a: a[:, 1:],
    "posterior.dispersion": lambda a: -a,
    "leverage": lambda a: a * np.nan,
    "intervals.owners": lambda a: a + 100,
    "intervals.weights": lambda a: 0.0 * a,
    "without": lambda a: a.astype("float32"),
    "points": lambda a: a[:-1],
}


@pytest.mark.parametrize("name", FORGED)
def test_error_bars_of_no_fit_are_refused(name, table, tmp_path):
    """A file whose error bars do not fit the network, or each other, is damaged."""
    regressor(hidden_layer_sizes=()).fit(table.X, table.y).save(tmp_path / "model")
    document = read(tmp_path / "model")
    tensors = dict(document.tensors)
    tensors[f"error_bars.{name}"] = FORGED[name](tensors[f"error_bars.{name}"])
    forged = Document(document.kind, document.metadata, tensors)
    write(tmp_path / "model", forged, overwrite=True)
    with pytest.raises(ModelFileError):
        lamina.load(tmp_path / "model")


def test_error_bars_that_do_not_fit_are_refused_before_a_warm_start_moves_theta():
    """A warm start whose matrices are too large raises and leaves θ as it was."""
    X, y = np.random.default_rng(0).normal(size=(2, 30, 1))
    model = lamina.FeedForwardRegressor((4,), solver="adam", max_iter=2, warm_start=True)
    theta = model.fit(X, y[:, 0]).network_.theta.copy()
    model.set_params(max_iter=4, error_bars=lamina.ErrorBars(max_memory=1.0))
    with pytest.raises(InvalidValueError, match="parameters"):
        model.fit(X, y[:, 0])
    assert np.array_equal(model.network_.theta, theta)
    assert (model.n_iter_, np.array_equal(model.state_.theta, theta)) == (2, True)
