import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.cli.metrics import LABELS, measure


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_measures_of_classes_are_those_of_scikit_learn(load, dtype):
    """Accuracy, balanced accuracy, log loss and ROC AUC equal scikit-learn's."""
    X, y = load(return_X_y=True)
    model = FeedForwardClassifier(8, max_iter=10, dtype=dtype, random_state=0).fit(X, y)
    expected = {
        "accuracy": metrics.accuracy_score(y, model.predict(X)),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, model.predict(X)),
        "log_loss": metrics.log_loss(y, model.predict_proba(X)),
    }
    if len(model.classes_) == 2:
        expected["roc_auc"] = metrics.roc_auc_score(y, model.predict_proba(X)[:, 1])
    assert measure(model, X, y) == pytest.approx(expected, rel=1e-12)


def test_measures_of_numbers_are_those_of_scikit_learn():
    """R², RMSE and MAE equal scikit-learn's."""
    X, y = load_diabetes(return_X_y=True)
    model = FeedForwardRegressor(8, max_iter=10, random_state=0).fit(X, y)
    expected = {
        "r2": metrics.r2_score(y, model.predict(X)),
        "rmse": metrics.root_mean_squared_error(y, model.predict(X)),
        "mae": metrics.mean_absolute_error(y, model.predict(X)),
    }
    assert measure(model, X, y) == pytest.approx(expected, rel=1e-12)


def test_undefined_measures_are_left_out():
    """Without both classes there is no ROC AUC, without spread no R², and no warning."""
    X, y = load_breast_cancer(return_X_y=True)
    model = FeedForwardClassifier(8, max_iter=10, random_state=0).fit(X, y)
    assert set(measure(model, X[y == 1], y[y == 1])) == {
        "accuracy",
        "balanced_accuracy",
        "log_loss",
    }
    regressor = FeedForwardRegressor(8, max_iter=10, random_state=0).fit(X, y)
    assert set(measure(regressor, X[:1], y[:1])) == {"rmse", "mae"}


def test_classes_without_probabilities_have_a_score():
    """With a hinge loss there is no log loss; the decision function ranks for the ROC AUC."""
    X, y = load_breast_cancer(return_X_y=True)
    model = FeedForwardClassifier(8, loss="hinge", max_iter=10, random_state=0).fit(X, y)
    found = measure(model, X, y)
    assert found["roc_auc"] == pytest.approx(
        metrics.roc_auc_score(y, model.decision_function(X)), rel=1e-12
    )
    assert "log_loss" not in found


def test_several_quantiles_are_measured_by_the_objective():
    """Where a prediction is no number, the objective is given instead."""
    X, y = load_diabetes(return_X_y=True)
    model = FeedForwardRegressor(8, loss="quantile((0.1, 0.9))", max_iter=5, random_state=0)
    model.fit(X, y)
    assert measure(model, X, y) == {"objective": model.objective(X, y)}


def test_every_measure_has_a_label():
    """What is measured can be shown."""
    assert {"accuracy", "balanced_accuracy", "log_loss", "roc_auc", "r2", "rmse", "mae"} < set(
        LABELS
    )
    assert all(np.char.str_len(list(LABELS.values())) <= 17)
