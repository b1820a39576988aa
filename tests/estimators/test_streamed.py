"""A fit to Parquet files gives bit for bit what the same table in memory gives."""

import numpy as np
import pandas as pd
import pytest

import lamina
from lamina.data import streaming
from lamina.data.streaming import ParquetRows
from lamina.exceptions import InvalidTypeError, TableError

pytest.importorskip("pyarrow", reason="Parquet files are read by pyarrow")
N = 900
WAYS = {
    "least squares": {"max_iter": 5},
    "early stopping": {"early_stopping": True, "solver": "adam", "batch_size": 64, "max_iter": 8},
    "robust, single": {"scale_inputs": "robust", "solver": "lbfgs", "dtype": "float32"},
}


def frame(precision="float64"):
    """Return numbers, of which some are missing, a truth value, categories, times and targets."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": random.normal(size=N).astype(precision),
            "age": random.integers(0, 90, N),
            "tree": random.choice(["oak", "elm", "ash"], N),
            "old": pd.array(random.random(N) < 0.5, dtype="boolean"),
            "seen": pd.date_range("2024-01-01", periods=N, freq="9h"),
        }
    )
    table["price"] = (np.sin(table["size"]) + table["age"] / 50).astype(float)
    table["kind"] = np.where(table["price"] > 1, "dear", "cheap")
    table.loc[3::20, "size"] = np.nan
    table.loc[N - 5 :, "old"] = pd.NA
    return table


@pytest.fixture(name="folder")
def folder_fixture(tmp_path, monkeypatch):
    """Return a folder of two Parquet files, and read few rows of them together."""
    monkeypatch.setattr(streaming, "MOST", 170)
    monkeypatch.setattr(streaming, "LEAST", 170)
    table = frame()
    table.iloc[:500].to_parquet(tmp_path / "a.parquet", row_group_size=300)
    table.iloc[500:].to_parquet(tmp_path / "b.parquet")
    return tmp_path


def same(found, expected):
    """Compare networks, scalings and what was learned of columns, bit for bit."""
    np.testing.assert_array_equal(found.network_.theta, expected.network_.theta)
    np.testing.assert_array_equal(found.input_scaling_.scale, expected.input_scaling_.scale)
    assert found.columns_ == expected.columns_
    assert found.feature_names_in_.tolist() == expected.feature_names_in_.tolist()
    assert found.solver_choice_ == expected.solver_choice_


@pytest.mark.parametrize("way", WAYS)
def test_regressor_is_that_of_the_table(way, folder):
    """With every way to train, the network and its predictions have the same bits."""
    drop = {"column_kinds": {"kind": "drop"}, "random_state": 0} | WAYS[way]
    table = frame()
    X, y = table.drop(columns="price"), table["price"]
    found = lamina.FeedForwardRegressor((8,), **drop).fit(folder, "price")
    expected = lamina.FeedForwardRegressor((8,), **drop).fit(X, y)
    same(found, expected)
    np.testing.assert_array_equal(found.predict(folder), expected.predict(X))
    np.testing.assert_array_equal(found.predict(X.iloc[:50]), expected.predict(X.iloc[:50]))
    assert found.objective(folder, "price") == expected.objective(X, y)


def test_classifier_is_that_of_the_table(folder):
    """Words are classes, weights of rows count, and a string names the folder too."""
    table, weights = frame(), np.random.default_rng(1).integers(0, 3, N)
    options = {"column_kinds": {"price": "drop"}, "random_state": 0, "max_iter": 5}
    found = lamina.FeedForwardClassifier((8,), **options).fit(str(folder), "kind", weights)
    expected = lamina.FeedForwardClassifier((8,), **options)
    expected.fit(table.drop(columns="kind"), table["kind"], weights)
    same(found, expected)
    assert found.classes_.tolist() == ["cheap", "dear"]


def test_single_precision_is_kept_on_disk(tmp_path):
    """Numbers of float32 and several targets: the same bits, from a file named alone."""
    table = frame("float32")[["size", "age", "price"]].assign(cost=1.0)
    table.to_parquet(tmp_path / "a.parquet")
    found = lamina.FeedForwardRegressor((8,), random_state=0, max_iter=3)
    found.fit(tmp_path / "a.parquet", ["price", "cost"])
    expected = lamina.FeedForwardRegressor((8,), random_state=0, max_iter=3)
    same(found, expected.fit(table[["size", "age"]], table[["price", "cost"]].to_numpy()))


def test_training_goes_on_from_files(folder):
    """A warm start on the files continues bit for bit; validation data may be files too."""
    options = {"column_kinds": {"kind": "drop"}, "random_state": 0, "solver": "adam"}
    once = lamina.FeedForwardRegressor((8,), max_iter=6, **options).fit(folder, "price")
    twice = lamina.FeedForwardRegressor((8,), max_iter=3, warm_start=True, **options)
    twice.fit(folder, "price", X_val=folder / "b.parquet", y_val="price")
    twice.fit(folder, "price")
    np.testing.assert_array_equal(once.network_.theta, twice.network_.theta)
    assert np.isfinite(twice.validation_curve_[0])


def test_rows_of_files_are_read_once(folder, monkeypatch):
    """Rows that were opened are encoded by the fit, and not again by what follows on them."""
    rows, count = ParquetRows.open(folder), []
    parts = ParquetRows.parts
    monkeypatch.setattr(ParquetRows, "parts", lambda self: count.append(1) or parts(self))
    y, X = rows.column("price"), rows.choose(("size", "age", "tree"))
    model = lamina.FeedForwardRegressor((4,), max_iter=2, random_state=0).fit(X, y)
    assert model.score(X, y) == pytest.approx(model.score(frame()[["size", "age", "tree"]], y))
    assert model.certify(X, y).passed
    assert len(count) == 3  # the target, then what columns are, then their cells


def test_what_does_not_fit_is_refused(folder):
    """A target that is no name or not there, and files without a column of training, are told."""
    model = lamina.FeedForwardRegressor((4,), max_iter=1, column_kinds={"kind": "drop"})
    with pytest.raises(InvalidTypeError, match="y is the name of its target column, got a ndarray"):
        model.fit(folder, np.zeros(N))
    with pytest.raises(TableError, match=r"has no column 'prize'.*did you mean 'price'"):
        model.fit(folder, "prize")
    model.fit(folder, "price")
    frame()[["size", "age"]].to_parquet(folder / "b.parquet")
    with pytest.raises(TableError, match="has no column 'tree', which was there in training"):
        model.predict(folder / "b.parquet")
