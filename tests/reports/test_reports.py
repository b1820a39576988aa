import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import r2_score

import lamina
from lamina.exceptions import InvalidValueError, MissingDependencyError
from lamina.reports import (
    ActivationHistograms,
    ClassificationReport,
    Importance,
    NetworkDiagram,
    PartialDependence,
    RegressionReport,
    Sensitivity,
    TrainingCurves,
    WeightHistograms,
)
from lamina.reports.base import label

REPORTS = {
    TrainingCurves: 3,
    RegressionReport: 9,
    Importance: 1,
    Sensitivity: 1,
    PartialDependence: 1,
    NetworkDiagram: 1,
    WeightHistograms: 3,
    ActivationHistograms: 4,
}
"""The reports of a regressor of three layers and ten inputs, and how many panels each has."""


@pytest.mark.parametrize(("report", "panels"), REPORTS.items())
def test_report_is_a_display(regressor, parts, report, panels):
    """`from_estimator(est, X, y).plot()` draws every panel with ink in it, and returns itself."""
    made = report.from_estimator(regressor, *parts["diabetes"][1::2])
    assert made.plot() is made
    axes = np.ravel(made.ax_)
    assert len(axes) == len(made.figure_.axes) == panels
    for ax in axes:
        assert ax.get_title()
        assert ax.has_data() or ax.texts
    made.figure_.canvas.draw()


@pytest.mark.parametrize("report", REPORTS)
def test_report_draws_where_it_is_told(regressor, parts, report):
    """A given Axes, or its place, is drawn into, and no other figure is made."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2)
    made = report.from_estimator(regressor, *parts["diabetes"][1::2]).plot(ax=axes[1])
    assert made.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_report_has_a_frame(regressor, parts, report, backend):
    """The frame has the columns of the report, of equal length."""
    made = report.from_estimator(regressor, *parts["diabetes"][1::2])
    frame = made.frame(backend)
    assert type(frame).__module__.startswith(backend)
    assert list(frame.columns) == list(made.columns())
    assert len(frame) > 0


def test_reports_are_imported_late():
    """`lamina.reports` is there without an import of its own, and loads no Matplotlib."""
    code = (
        "import lamina, sys; assert 'lamina.reports' not in sys.modules;"
        "lamina.reports.NetworkDiagram; lamina.reports.Diagnosis;"
        "print('matplotlib' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout == "False\n"


def test_missing_matplotlib_is_named(regressor, monkeypatch):
    """Without Matplotlib a plot says which extra to install."""
    monkeypatch.setattr("lamina.reports.base.find_spec", {}.get)
    with pytest.raises(MissingDependencyError, match=r"lamina\[plot\]"):
        TrainingCurves.from_estimator(regressor).plot()


def test_unknown_report_is_refused():
    """A name that is no report is refused with those that are."""
    with pytest.raises(AttributeError, match="TrainingCurves"):
        _ = lamina.reports.TrainingCurve


def test_curves_mark_the_epoch_that_was_kept(regressor):
    """The frame is the history's, and the legend names the kept epoch."""
    curves = TrainingCurves.from_estimator(regressor)
    assert curves.frame("pandas").equals(regressor.history_.frame("pandas"))
    texts = [text.get_text() for text in curves.plot().ax_[0].get_legend().get_texts()]
    assert f"kept: epoch {regressor.state_.best_epoch}" in texts


def test_regression_report_compares_with_the_truth(regressor, parts):
    """Its columns are the truth, the predictions and their difference."""
    X, y = parts["diabetes"][1::2]
    columns = RegressionReport.from_estimator(regressor, X, y).columns()
    assert r2_score(columns["true"], columns["predicted"]) == regressor.score(X, y)
    np.testing.assert_array_equal(columns["residual"], y - regressor.predict(X))


def test_regression_report_takes_one_output_of_several():
    """Of several targets, or quantiles in blocks of them, `output` is compared with its target."""
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3))
    Y = X[:, :2] + 3.0
    several = lamina.FeedForwardRegressor((4,), max_iter=5, random_state=0).fit(X, Y)
    report = RegressionReport.from_estimator(several, X, Y, output=1)
    np.testing.assert_array_equal(report.true, Y[:, 1])
    np.testing.assert_array_equal(report.predicted, several.predict(X)[:, 1])
    with pytest.raises(InvalidValueError, match="from 0 to 1, got 2"):
        RegressionReport.from_estimator(several, X, Y, output=2)
    quantiles = lamina.FeedForwardRegressor(
        (4,), loss="quantile((0.1, 0.9))", max_iter=5, random_state=0
    ).fit(X, Y[:, 0])
    report = RegressionReport.from_estimator(quantiles, X, Y[:, 0], output=1)
    np.testing.assert_array_equal(report.true, Y[:, 0])
    np.testing.assert_array_equal(report.predicted, quantiles.predict(X)[:, 1])


def test_importance_finds_the_input_that_matters():
    """Of four inputs the one that makes the target is first, in both measures and in its sign."""
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 4))
    y = -2.0 * X[:, 2]
    model = lamina.FeedForwardRegressor((8,), random_state=0).fit(X, y)
    assert Importance.from_estimator(model, X, y).columns()["feature"][0] == "x2"
    columns = Sensitivity.from_estimator(model, X).columns()
    assert columns["feature"][0] == "x2"
    # the slope of a line for one standard deviation, to the few percent that the fit is off
    assert columns["mean"][0] == pytest.approx(-2.0 * X[:, 2].std(), rel=0.1)


def test_sensitivity_is_the_scaled_input_gradient(regressor, parts):
    """It is the mean size of `input_gradient` times the spread of each input."""
    X = parts["diabetes"][1]
    report = Sensitivity.from_estimator(regressor, X)
    slopes = regressor.input_gradient(X) * X.std(axis=0)
    np.testing.assert_allclose(report.mean[0], slopes.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(report.size[0], np.abs(slopes).mean(axis=0), rtol=1e-9)


def test_dependence_is_the_mean_prediction(regressor, parts):
    """Each average is the mean prediction with the input set to that value in every row."""
    X = parts["diabetes"][1].copy()
    report = PartialDependence.from_estimator(regressor, X, features=[2], grid_resolution=5)
    (part,) = report.dependences
    for value, average in zip(part.values, part.averages[0], strict=True):
        X[:, 2] = value
        assert average == pytest.approx(regressor.predict(X).mean(), rel=1e-12)


def test_dependence_of_classes(healthy, parts):
    """Of two classes the second one is drawn, of more all of them."""
    X = parts["breast_cancer"][1]
    assert PartialDependence.from_estimator(healthy["breast_cancer"], X).outputs == ["1"]
    X = parts["iris"][1]
    report = PartialDependence.from_estimator(healthy["iris"], X, features=[0, 2])
    assert report.outputs == ["0", "1", "2"]
    for part in report.dependences:
        np.testing.assert_allclose(part.averages.sum(axis=0), 1.0, rtol=1e-12)
    with pytest.raises(InvalidValueError, match="got 'x9'"):
        PartialDependence.from_estimator(healthy["iris"], X, features=["x9"])


def test_diagram_has_every_weight(regressor):
    """The frame lists all parameters, biases as from -1, and small networks show all units."""
    diagram = NetworkDiagram.from_estimator(regressor)
    frame = diagram.frame("pandas")
    assert len(frame) == regressor.network_.theta.size
    row = frame[(frame.layer == 2) & (frame.to == 3) & (frame["from"] == 5)]
    assert row.weight.item() == regressor.network_.W[2][3, 5]
    row = frame[(frame.layer == 1) & (frame.to == 0) & (frame["from"] == -1)]
    assert row.weight.item() == regressor.network_.b[1][0, 0]
    assert [part.hidden for part in diagram.shown] == [0, 0, 0, 0]
    widths = {patch.get_linewidth() for patch in diagram.plot().ax_.patches}
    assert len(widths) > 3


def test_diagram_summarizes_large_networks(healthy):
    """Of 174 units each layer shows the strongest, and says how many more there are."""
    diagram = NetworkDiagram.from_estimator(healthy["digits"])
    network = healthy["digits"].network_
    for size, part in zip(network.S, diagram.shown, strict=True):
        assert len(part.units) + part.hidden == size
        assert len(part.units) <= 18
    strongest = np.argmax((network.W[1] ** 2).sum(axis=1) + (network.W[2] ** 2).sum(axis=0))
    assert strongest in diagram.shown[1].units
    texts = [text.get_text() for text in diagram.plot().ax_.texts]
    assert set(texts) >= {"64 inputs", "100 relu", "and 82 more"}


def test_histograms_count_everything(regressor, parts):
    """Every weight of a layer, and every activation on the rows, is in one interval."""
    X = parts["diabetes"][1]
    frame = WeightHistograms.from_estimator(regressor).frame("pandas")
    sizes = [W.size for W in regressor.network_.W[1:]]
    assert frame.groupby("layer")["count"].sum().tolist() == sizes
    frame = ActivationHistograms.from_estimator(regressor, X).frame("pandas")
    units = [len(X) * size for size in regressor.network_.S]
    assert frame.groupby("layer")["count"].sum().tolist() == units


def test_classification_report_agrees_with_the_score(healthy, parts):
    """The diagonal of the confusion matrix is the accuracy."""
    X, y = parts["digits"][1::2]
    report = ClassificationReport.from_estimator(healthy["digits"], X, y)
    share = np.trace(report.confusion) / report.confusion.sum()
    assert share == pytest.approx(healthy["digits"].score(X, y))
    columns = report.columns()
    np.testing.assert_allclose(columns["recall"], np.diag(report.confusion) / columns["rows"])
    assert len(report.plot().ax_) == 5


@pytest.mark.parametrize("kind", ["two", "labels", "scores", "one class"])
def test_classification_report_takes_every_classifier(kind):
    """Two classes, several labels, a loss without probabilities, rows of one class only."""
    random = np.random.default_rng(0)
    X = random.normal(size=(80, 3))
    y = np.where(X[:, 0] > 0, "yes", "no $x$")
    if kind == "labels":
        y = (X[:, :2] > 0).astype(int)
    loss = "hinge" if kind == "scores" else "auto"
    model = lamina.FeedForwardClassifier((6,), loss=loss, max_iter=60, random_state=0).fit(X, y)
    chosen = np.flatnonzero(X[:, 0] > 0) if kind == "one class" else np.arange(80)
    report = ClassificationReport.from_estimator(model, X[chosen], y[chosen])
    report.plot().figure_.canvas.draw()
    panels = {"two": 5, "labels": 6, "scores": 4, "one class": 3}
    assert len(report.ax_) == panels[kind]
    assert len(report.frame("pandas")) == 2


def test_classification_report_refuses_unknown_classes(healthy, parts):
    """A class that the estimator does not know is named."""
    X, y = parts["iris"][1::2]
    with pytest.raises(InvalidValueError, match="y holds 7"):
        ClassificationReport.from_estimator(healthy["iris"], X, np.where(y == 2, 7, y))


def test_names_are_no_formulas():
    """What Matplotlib would read as a formula, or as lines, is one line of text."""
    assert label("a $x$\n\tb\x1b") == r"a \$x\$ b"
    assert label("x" * 40) == "x" * 21 + "…"


def test_given_names_must_be_as_many(regressor, parts):
    """A wrong number of names is refused."""
    with pytest.raises(InvalidValueError, match=re.escape("must have 10 names")):
        Sensitivity.from_estimator(regressor, parts["diabetes"][1], feature_names=["a"])


def test_notebook_shows_layers_and_loss(regressor):
    """scikit-learn's diagram comes first, then a row for each layer and the curve of the loss."""
    html = regressor._repr_html_()
    assert "<polyline" in regressor._repr_mimebundle_()["text/html"]
    assert "sk-top-container" in html
    assert html.count("<tr>") >= 5
    assert "<polyline" in html
    assert "tanh" in html
    assert f"in {regressor.n_iter_} epochs" in html


def test_notebook_shows_unfitted_as_ever():
    """An estimator that is not fitted has scikit-learn's diagram alone."""
    assert "<polyline" not in lamina.FeedForwardRegressor()._repr_html_()


def test_backpropagate_is_the_gradient(regressor, parts):
    """Its J and gradient are those of `objective` and `gradient`, weights included."""
    X, y = parts["diabetes"][1::2]
    weights = np.random.default_rng(0).uniform(size=len(y))
    back = regressor.backpropagate(X, y, weights)
    assert pytest.approx(regressor.objective(X, y, weights), rel=1e-12) == back.J
    # engines sum in another order
    np.testing.assert_allclose(back.gradient, regressor.gradient(X, y, weights), atol=1e-12)
    assert [Z.shape for Z in back.H[1:]] == [(8, len(X)), (4, len(X)), (1, len(X))]
