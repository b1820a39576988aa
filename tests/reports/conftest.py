"""Small fitted networks on scikit-learn's tables, and Matplotlib without a screen."""

import matplotlib as mpl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split

import lamina

TABLES = {
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
}


@pytest.fixture(autouse=True)
def _no_screen():
    """Draw without a screen, and close every figure."""
    mpl.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def parts():
    """Return training and held-out rows of each table: X, X, y, y."""
    return {
        name: train_test_split(*load(return_X_y=True), random_state=0)
        for name, load in TABLES.items()
    }


@pytest.fixture(scope="session")
def healthy(parts):
    """Return a network with the defaults, fitted on the training rows of each table."""
    models = {}
    for name, (X, _, y, _) in parts.items():
        kind = lamina.FeedForwardRegressor if name == "diabetes" else lamina.FeedForwardClassifier
        models[name] = kind(random_state=0).fit(X, y)
    return models


@pytest.fixture(scope="session")
def regressor(parts):
    """Return a network of two hidden layers and validation data, fitted on diabetes."""
    X, _, y, _ = parts["diabetes"]
    model = lamina.FeedForwardRegressor(
        (8, 4), activation="tanh", early_stopping=True, random_state=0
    )
    return model.fit(X, y)
