"""Estimators on tables as they come: one answer, whoever holds the columns."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from lamina import FeedForwardClassifier, FeedForwardRegressor, load
from lamina.data.frames import to_table
from lamina.exceptions import InvalidTypeError, InvalidValueError, LaminaError, TableError

N = 240
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 8, "solver": "adam", "random_state": 0}
LIBRARIES = {
    "pandas": pd.DataFrame,
    "pandas nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "dict": dict,
    "table": to_table,
    "objects": lambda columns: pd.DataFrame(columns, dtype=object).to_numpy(),
}


def draw():
    """Return columns of every kind with missing values, as lists, and numbers to predict."""
    random = np.random.default_rng(0)
    size = [None if n % 9 == 4 else float(v) for n, v in enumerate(random.normal(size=N))]
    tree = [None if n % 11 == 5 else "elm oak fir".split()[n % 3] for n in random.permutation(N)]
    start = np.datetime64("2021-01-01T00:00", "us")
    times = (start + random.integers(0, 9000, N) * np.timedelta64(1, "h")).tolist()
    columns = {
        "size": size,
        "count": random.integers(0, 7, N).tolist(),
        "tree": tree,
        "flag": (random.random(N) < 0.4).tolist(),
        "time": times,
    }
    y = np.array([(v or 0.0) + 2.0 * (t == "oak") for v, t in zip(size, tree, strict=True)])
    return columns, y


COLUMNS, Y = draw()
FRAME = pd.DataFrame(COLUMNS)


@pytest.fixture(scope="module")
def fitted():
    """Return a regressor and its predictions, trained on a pandas frame."""
    model = FeedForwardRegressor(**SMALL).fit(FRAME, Y)
    return model, model.predict(FRAME)


@pytest.mark.parametrize("library", LIBRARIES)
def test_frame_of_any_library_gives_the_same_bits(library, fitted):
    """Trained on any library's frame, or only asked with one, the predictions are the same."""
    model, expected = fitted
    frame = LIBRARIES[library](COLUMNS)
    np.testing.assert_array_equal(
        FeedForwardRegressor(**SMALL).fit(frame, Y).predict(frame), expected
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # objects have no names, and are told so
        np.testing.assert_array_equal(model.predict(frame), expected)


def test_columns_are_shown_a_line_each(fitted):
    """`columns_` says what each column was taken for; names and counts are scikit-learn's."""
    model, _ = fitted
    lines = repr(model.columns_).splitlines()
    assert lines[0] == "size: numeric; some missing"
    assert lines[2] == "tree: categorical; 3 levels: elm, fir, oak; some missing"
    assert len(lines) == model.n_features_in_ == len(COLUMNS)
    assert model.feature_names_in_.tolist() == list(COLUMNS)
    assert len(model.encoding_.feature_names) == model.network_.S[0]
    plain = FeedForwardRegressor(**SMALL).fit(FRAME[["count"]].to_numpy(), Y)
    assert (repr(plain.columns_), plain.encoding_) == ("x0: numeric", None)


def test_model_file_keeps_the_encoding(fitted, tmp_path):
    """A loaded model predicts the same from the same table, and goes on the same."""
    model, expected = fitted
    model.save(tmp_path / "model.lamina")
    loaded = load(tmp_path / "model.lamina")
    np.testing.assert_array_equal(loaded.predict(FRAME), expected)
    assert repr(loaded.columns_) == repr(model.columns_)
    further = clone(model).set_params(max_iter=10).fit(FRAME, Y)
    for copied in (loaded, pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own
        copied.set_params(warm_start=True, max_iter=2).fit(FRAME, Y)
        np.testing.assert_array_equal(copied.predict(FRAME), further.predict(FRAME))


def test_everything_else_takes_tables_too(fitted):
    """Features, slopes, certificate, objective, error bars and parts of data work on frames."""
    model, _ = fitted
    assert model.transform(FRAME).shape == (N, 5)
    assert model.set_output(transform="pandas").transform(FRAME).shape == (N, 5)
    model.set_output(transform="default")
    assert model.certify(FRAME, Y).passed
    assert np.isfinite(model.objective(FRAME, Y))
    bars = FeedForwardRegressor(**SMALL, error_bars=True).fit(FRAME, Y)
    assert np.all(bars.predict(FRAME, return_std=True)[1] > 0)
    model = FeedForwardRegressor(**SMALL).partial_fit(FRAME[:120], Y[:120])
    model.partial_fit(FRAME[120:], Y[120:])
    watched = FeedForwardClassifier(**SMALL, early_stopping=True)
    watched.fit(FRAME, Y > 1, X_val=pl.DataFrame(COLUMNS), y_val=Y > 1)
    assert np.isfinite(watched.validation_curve_).all()
    assert len(cross_val_score(FeedForwardRegressor(**SMALL), FRAME, Y, cv=2)) == 2


def test_slopes_are_those_of_the_features(fitted):
    """The slope of a number is measured by moving it; a category's is that of its level."""
    model, expected = fitted
    slopes = model.input_gradient(FRAME)
    assert slopes.shape == (N, model.network_.S[0])
    there = FRAME["size"].notna().to_numpy()
    step = 1e-6
    moved = model.predict(FRAME.assign(size=FRAME["size"] + step))
    measured = (moved - expected) / step
    np.testing.assert_allclose(slopes[there, 0], measured[there], rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(measured[~there], 0.0)


def test_predictor_takes_cells(fitted):
    """The fast function takes the cells of a table, missing ones too."""
    model, expected = fitted
    cells = model.encoding_.cells(to_table(FRAME))
    np.testing.assert_allclose(model.predictor()(cells[:9])[:, 0], expected[:9], rtol=1e-9)


@pytest.mark.parametrize("scale", ["standard", "robust"])
def test_array_with_holes_equals_the_frame(scale):
    """NaN in an array is a missing value: the same network as from a frame of these numbers."""
    X = np.random.default_rng(0).normal(size=(N, 3))
    X[::6, 1] = np.nan
    settings = SMALL | {"scale_inputs": scale}
    model = FeedForwardRegressor(**settings).fit(X, Y)
    frame = FeedForwardRegressor(**settings).fit(pd.DataFrame(X), Y)
    np.testing.assert_array_equal(model.predict(X), frame.predict(pd.DataFrame(X)))
    assert model.network_.S[0] == 4
    fast = model.predictor()(X[:5])
    np.testing.assert_allclose(fast[:, 0], model.predict(X[:5]), rtol=1e-9)


def test_hole_where_training_had_none_is_the_mean():
    """A network that never saw a missing value takes the mean in its place."""
    X = np.random.default_rng(0).normal(size=(N, 3))
    model = FeedForwardRegressor(**SMALL).fit(X, Y)
    holes, mean = X.copy(), X.copy()
    holes[:, 1], mean[:, 1] = np.nan, model.input_scaling_.center[1]
    np.testing.assert_array_equal(model.predict(holes), model.predict(mean))


def test_slopes_of_clipped_inputs_are_measured_ones():
    """With robust scaling the slopes know of the clipping."""
    X = np.random.default_rng(0).standard_cauchy(size=(N, 2))
    model = FeedForwardRegressor(**SMALL | {"activation": "tanh"}, scale_inputs="robust").fit(X, Y)
    step = 1e-6
    moved = X + np.array([step, 0.0])
    measured = (model.predict(moved) - model.predict(X)) / step
    np.testing.assert_allclose(model.input_gradient(X)[:, 0], measured, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_sparse_table_equals_the_dense_one(form):
    """A sparse table of any form gives the bits of the same numbers as an array."""
    X = scipy.sparse.random_array((N, 6), density=0.3, rng=np.random.default_rng(0), format=form)
    dense = FeedForwardRegressor(**SMALL).fit(X.toarray(), Y)
    model = FeedForwardRegressor(**SMALL).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), dense.predict(X.toarray()))
    np.testing.assert_array_equal(model.predict(X.toarray()), dense.predict(X))


def test_kinds_are_told_by_name_or_index():
    """`column_kinds` makes categories of numbers, and drops what would be refused."""
    ids = [f"id {n}" for n in range(N)]
    frame = FRAME.assign(id=ids, wait=pd.to_timedelta(range(N), unit="h"))
    with pytest.raises(InvalidTypeError, match=r"column_kinds=\{'wait': 'drop'\}"):
        FeedForwardRegressor(**SMALL).fit(frame, Y)
    kinds = {"wait": "drop", "id": "drop", "count": "categorical"}
    model = FeedForwardRegressor(**SMALL, column_kinds=kinds).fit(frame, Y)
    assert model.columns_[1].levels == tuple("0123456")
    np.testing.assert_array_equal(model.predict(frame), model.predict(frame.assign(id="new")))
    X = FRAME[["count", "flag"]].to_numpy(dtype=float)
    by_index = FeedForwardRegressor(**SMALL, column_kinds={0: "categorical"}).fit(X, Y)
    assert by_index.network_.S[0] == 8
    with pytest.raises(InvalidValueError, match=r"scaling: standard, auto, .* before"):
        by_index.set_params(column_kinds=None, warm_start=True).fit(X, Y)


def test_names_are_checked_by_scikit_learns_rules(fitted):
    """Frames with other names or another order are refused; a dict or Table is put in order."""
    model, expected = fitted
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(FRAME.rename(columns={"size": "width"}))
    with pytest.raises(ValueError, match="in the same order"):
        model.predict(FRAME[FRAME.columns[::-1]])
    turned = dict(reversed(COLUMNS.items())) | {"more": [1] * N}
    np.testing.assert_array_equal(model.predict(turned), expected)
    with pytest.raises(TableError, match="X has no column 'size', which was there in training"):
        model.predict({"tree": COLUMNS["tree"]})
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(FRAME.to_numpy(dtype=object))


@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        (FRAME[:0], ValueError, "0 rows and 5 columns"),
        (FRAME[[]], ValueError, "0 columns"),
        (FRAME.assign(size=["big"] * N), TableError, "'size', row 0: 'big' is no number"),
        (FRAME.assign(size=np.inf), TableError, "'size', row 0: 'inf' is infinite"),
        (FRAME.assign(time=1.0), TableError, "'time' holds numbers and not times"),
        (FRAME.assign(flag=2), TableError, "'flag', row 0: '2' is no truth value"),
        (scipy.sparse.csr_array(np.ones((3, 5))), InvalidTypeError, r"use X.toarray\(\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_rows_unlike_those_of_training_are_refused(X, error, words, fitted):
    """Cells of another kind than in training, and tables of nothing, are named."""
    with pytest.raises(error, match=words) as caught:
        fitted[0].predict(X)
    assert isinstance(caught.value, LaminaError)


def test_sparse_table_takes_no_kinds():
    """What only a dense table can honor is refused, not ignored."""
    X = scipy.sparse.csr_array(np.eye(N, 4))
    for settings in ({"column_kinds": {0: "drop"}}, {"scale_inputs": "robust"}):
        with pytest.raises(InvalidValueError, match="cannot be honored"):
            FeedForwardRegressor(**SMALL, **settings).fit(X, Y)


def test_lists_of_mixed_cells_are_told_apart():
    """Rows as lists keep what each cell is: numbers stay numbers beside text."""
    rows = [[float(n % 7), "elm" if n % 3 else "oak"] for n in range(N)]
    model = FeedForwardRegressor(**SMALL).fit(rows, Y)
    assert [column.kind for column in model.columns_] == ["numeric", "categorical"]
