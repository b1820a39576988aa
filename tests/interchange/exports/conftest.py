"""Random networks with every activation, and small estimators with every head."""

from datetime import datetime, timedelta

import numpy as np
import pytest

import lamina
from lamina import FeedForwardClassifier as Classifier
from lamina import FeedForwardRegressor as Regressor
from lamina.data.frames import to_table

WORDS = np.array(["ant", 'b"ee\\??/', "çat %s\n'", "dog"])
PRECISIONS = {"float64": 1e-12, "float32": 1e-6}
ACTIVATIONS = [
    *"identity logistic tanh tanh_scaled relu relu6 selu gelu gelu_tanh silu mish softplus".split(),
    *"softsign hard_tanh hard_sigmoid gaussian exponential softmax log_softmax".split(),
    *["leaky_relu(0.2)", "elu(0.7)", "sine(1.5)", "inverse_square_root(0.3)"],
    *["blocks('softmax', (2, 4))", "blocks('log_softmax', (1, 5))"],
]
HEADS = {
    "numbers": lambda d: (Regressor, {}, d.X, d.y),
    "several numbers": lambda d: (Regressor, {}, d.X, d.Y),
    "several quantiles": lambda d: (Regressor, {"loss": "quantile((0.1, 0.9))"}, d.X, d.Y),
    "mean and variance": lambda d: (Regressor, {"loss": "gaussian_nll"}, d.X, d.Y),
    "counts": lambda d: (Regressor, {"loss": "poisson"}, d.X, np.exp(d.y).round()),
    "log": lambda d: (Regressor, {"target_transform": "log"}, d.X, np.exp(d.Y)),
    "box-cox": lambda d: (Regressor, {"target_transform": "box-cox"}, d.X, np.exp(d.Y)),
    "quantile": lambda d: (Regressor, {"target_transform": "quantile"}, d.X, d.Y),
    "robust": lambda d: (Regressor, {"scale_inputs": "robust"}, d.X, d.y),
    "unscaled": lambda d: (
        Regressor,
        {"scale_inputs": "none", "scale_targets": "none"},
        d.X,
        d.y,
    ),
    "missing": lambda d: (Regressor, {}, d.holes, d.y),
    "robust table": lambda d: (Regressor, {"scale_inputs": "robust"}, d.table, d.y),
    "table": lambda d: (Classifier, {}, d.table, WORDS[d.three]),
    "two classes": lambda d: (Classifier, {}, d.X, d.y > 0),
    "two of softmax": lambda d: (Classifier, {"output_activation": "softmax"}, d.X, d.y > 0),
    "three classes": lambda d: (Classifier, {}, d.X, WORDS[d.three]),
    "one class": lambda d: (Classifier, {}, d.X, np.full(60, 7)),
    "logarithms": lambda d: (Classifier, {"loss": "negative_log_likelihood"}, d.X, d.three * 2.0),
    "each by itself": lambda d: (Classifier, {"loss": "binary_cross_entropy"}, d.X, d.three),
    "several labels": lambda d: (Classifier, {}, d.X, (d.Y > 0).astype(int)),
    "hinge of two": lambda d: (Classifier, {"loss": "hinge"}, d.X, WORDS[d.three % 2]),
    "hinge of three": lambda d: (Classifier, {"loss": "hinge"}, d.X, d.three),
    "hinge of labels": lambda d: (Classifier, {"loss": "hinge"}, d.X, (d.Y > 0).astype(int)),
    "several targets": lambda d: (Classifier, {}, d.X, np.c_[d.three + 5, d.three % 2]),
    "mixed targets": lambda d: (
        Classifier,
        {},
        d.X,
        np.c_[WORDS[d.three].astype(object), d.three % 2],
    ),
}


class Data:
    """Sixty rows of inputs and targets of every kind."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.X = random.normal(size=(60, 3)) * [1.0, 20.0, 0.3] + [0.0, 2020.0, -5.0]
        # numbers that float32 has, so that a model sees the same in both precisions
        self.X = self.X.astype(np.float32).astype(float)
        self.y = self.X[:, 0] - np.sin(self.X[:, 1])
        self.Y = np.column_stack([self.y, np.cos(self.y) * 3.0 - 1.0])
        self.three = np.arange(60) % 3
        self.holes = np.where(random.random(size=(60, 3)) < 0.2, np.nan, self.X)
        moments = [datetime(2024, 1, 1) + timedelta(hours=37 * n) for n in range(60)]  # noqa: DTZ001 - tables have no zones
        kinds = random.choice([*WORDS, None], size=60)
        kinds[:5] = [None, *WORDS]
        self.table = {
            "size": self.holes[:, 0],
            "kind of \"it'": kinds,
            "same": np.ones(60),
            "when": np.array(moments, dtype="datetime64[us]"),
            "sold": random.random(60) > 0.5,
        }


@pytest.fixture(scope="session")
def data():
    """Give tests the rows."""
    return Data()


@pytest.fixture(autouse=True)
def _engine(monkeypatch):
    """Networks are evaluated by the reference engine, which is quick to begin."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")


@pytest.fixture(scope="session")
def fitted(data):
    """Return a function that gives a small estimator with a head, and its X."""
    known = {}

    def make(head, dtype="float64"):
        if (head, dtype) not in known:
            kind, options, X, y = HEADS[head](data)
            model = kind(
                (4,), activation="tanh", max_iter=3, random_state=0, dtype=dtype, **options
            )
            known[head, dtype] = model.fit(X, y), X
        return known[head, dtype]

    return make


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    """Return the spelling of an activation; together they are all there are."""
    return request.param


@pytest.fixture(scope="session")
def every_activation():
    """Return the spellings of all activations."""
    return ACTIVATIONS


@pytest.fixture(scope="session")
def every_head():
    """Return the names of all kinds of models."""
    return list(HEADS)


@pytest.fixture(params=HEADS)
def head(request):
    """Return the name of a kind of model."""
    return request.param


@pytest.fixture(params=PRECISIONS)
def precision(request):
    """Return a precision, and by what an export may differ in it."""
    return request.param, PRECISIONS[request.param]


@pytest.fixture(scope="session")
def random_network():
    """Return a function that makes a network whose hidden layer has an activation."""

    def make(activation, dtype="float64"):
        layers = [activation, "identity"]
        net = lamina.Network([3, 6, 2], layers, random_state=0, dtype=dtype)
        net.theta = np.random.default_rng(1).normal(size=net.theta.size)
        return net

    return make


@pytest.fixture(scope="session")
def gap():
    """Return the largest difference, relative to the largest number of each column."""

    def measure(found, expected):
        found, expected = (np.asarray(M, float).reshape(len(M), -1) for M in (found, expected))
        assert found.shape == expected.shape
        assert np.all(np.isfinite(found))
        return np.max(np.abs(found - expected).max(axis=0) / np.abs(expected).max(axis=0))

    return measure


@pytest.fixture(scope="session")
def answer_of():
    """Return what gives the numbers of a model: predictions, probabilities or scores."""

    def answer(model, X):
        if not hasattr(model, "classes_"):
            return model.predict(X)
        if not hasattr(model, "predict_proba"):
            return model.decision_function(X)
        numbers = model.predict_proba(X)
        return np.concatenate(numbers, axis=1) if isinstance(numbers, list) else numbers

    return answer


@pytest.fixture(scope="session")
def cells_of():
    """Return what makes X the numbers that an export in C or MATLAB takes."""

    def cells(model, X):
        return model.encoding_.cells(to_table(X)) if isinstance(X, dict) else X

    return cells
