import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import lamina
from lamina.data.frames import to_table
from lamina.reports import (
    ActivationHistograms,
    Importance,
    NetworkDiagram,
    PartialDependence,
    RegressionReport,
    Sensitivity,
)
from lamina.reports.inspected import Inspected
from lamina.reports.rows import as_rows, column

N = 90
KINDS = ["red", None, "blue"]


@pytest.fixture(scope="module")
def columns():
    """Return columns of numbers with a missing one, text, truth values and times; and a target."""
    random = np.random.default_rng(0)
    size = random.normal(size=N)
    kind = [KINDS[place % 3] for place in range(N)]
    y = size + 2.0 * np.array([k == "blue" for k in kind])
    size[5] = np.nan
    day = np.datetime64("2021-03-01", "us") + np.arange(N) * np.timedelta64(5, "D")
    return {"size": size, "kind": kind, "ok": np.arange(N) % 2 == 0, "day": day}, np.nan_to_num(y)


@pytest.fixture(scope="module")
def model(columns):
    """Return a network that was fitted on the columns."""
    model = lamina.FeedForwardRegressor((6,), learning_rate_init=0.02, random_state=0)
    return model.fit(pd.DataFrame(columns[0]), columns[1])


MAKERS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": lambda columns: pl.DataFrame(columns).to_arrow(),
    "dict": dict,
    "table": to_table,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_reports_take_every_table(columns, model, kind):
    """Frames of any library, dicts and tables give the same numbers."""
    X, y = MAKERS[kind](columns[0]), columns[1]
    regression = RegressionReport.from_estimator(model, X, y)
    np.testing.assert_array_equal(regression.predicted, model.predict(columns[0]))
    assert list(regression.inputs) == ["size", "kind", "ok", "day"]
    importance = Importance.from_estimator(model, X, y).columns()
    assert set(importance["feature"][:2]) == {"size", "kind"}
    assert str(model.diagnose(X, y)) == "Nothing found."
    report = PartialDependence.from_estimator(model, X, features=["kind", "day", "ok", "size"])
    grids = {part.feature: part.values for part in report.dependences}  # noqa: PD011 - no frame
    assert grids["kind"].tolist() == ["blue", "red", ""]
    assert 2021.1 < grids["day"].min() < grids["day"].max() < 2022.5
    assert grids["ok"].tolist() == [0.0, 1.0]
    for part in report.dependences:
        assert np.all(np.isfinite(part.averages))


def test_reports_of_text_are_drawn(columns, model):
    """Levels stand under the axis; missing ones have a name."""
    X, y = columns
    report = PartialDependence.from_estimator(model, X, features=["kind"]).plot()
    texts = [text.get_text() for text in report.ax_.get_xticklabels()]
    assert texts == ["blue", "red", "(missing)"]
    for report in (RegressionReport, ActivationHistograms, NetworkDiagram, Sensitivity):
        report.from_estimator(model, X, y).plot().figure_.canvas.draw()


def test_names_are_of_what_the_network_sees(columns, model):
    """Sensitivities and the diagram name each level of a column of text."""
    report = Sensitivity.from_estimator(model, columns[0])
    assert report.features == list(model.encoding_.feature_names)
    assert NetworkDiagram.from_estimator(model).inputs == report.features


def test_dependence_on_text_is_the_mean_prediction(columns, model):
    """The average of a level is the mean prediction with that level in every row."""
    X = dict(columns[0])
    (part,) = PartialDependence.from_estimator(model, X, features=["kind"]).dependences
    for level, average in zip(part.values, part.averages[0], strict=True):
        X["kind"] = [level or None] * N
        assert average == pytest.approx(model.predict(X).mean(), rel=1e-12)


def test_codes_go_back_to_what_they_were(columns, model):
    """A table of any kinds is the same after it was turned into codes and back."""
    table = as_rows(columns[0])
    inspected = Inspected(model, table)
    assert inspected.codes.dtype == float
    back = inspected.decoded(inspected.codes)
    assert back.names == table.names
    for was, now in zip(table.columns, back.columns, strict=True):
        np.testing.assert_array_equal(was, now)


def test_sparse_rows_are_looked_at():
    """A sparse matrix gives what its dense form gives."""
    random = np.random.default_rng(0)
    dense = random.normal(size=(60, 4)) * (random.random((60, 4)) < 0.4)
    y = dense[:, 1]
    model = lamina.FeedForwardRegressor((8,), learning_rate_init=0.02, random_state=0)
    X = sparse.csr_array(dense)
    model.fit(X, y)
    np.testing.assert_array_equal(column(X, 1), dense[:, 1])
    assert Importance.from_estimator(model, X, y).columns()["feature"][0] == "x1"
    sizes = [Sensitivity.from_estimator(model, rows).size for rows in (X, dense)]
    np.testing.assert_allclose(*sizes, rtol=1e-9)
    model.diagnose(X, y)
