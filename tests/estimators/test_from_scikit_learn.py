"""scikit-learn's MLPs as our estimators, and back."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError

WORDS = np.array(["ant", "bee", "cat"])
TARGETS = {
    "two": (MLPClassifier, lambda t: t.two),
    "three": (MLPClassifier, lambda t: WORDS[t.three]),
    "labels": (MLPClassifier, lambda t: t.labels),
    "number": (MLPRegressor, lambda t: t.y),
    "numbers": (MLPRegressor, lambda t: t.targets),
}


@pytest.fixture(autouse=True)
def _engine(monkeypatch):
    """Networks are evaluated by the reference engine, which is quick to begin."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")


def fitted(mlp, X, y):
    """Return a fitted MLP of a few epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are enough here
        return mlp.fit(X, y)


def same(one, other, X):
    """Return whether two estimators predict the same, to rounding."""
    if hasattr(one, "classes_"):
        equal = np.array_equal(one.predict(X), other.predict(X))
        return equal and np.allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-10)
    return np.allclose(one.predict(X), other.predict(X), rtol=1e-10)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("name", TARGETS)
def test_mlp_is_reproduced(name, activation, table):
    """An MLP of scikit-learn predicts the same as an estimator, and again as an MLP."""
    kind, target = TARGETS[name]
    y = target(table)
    sizes = {"hidden_layer_sizes": (5, 4), "activation": activation}
    mlp = fitted(kind(**sizes, max_iter=5, random_state=0), table.X, y)
    ours = lamina.from_sklearn(mlp)
    assert same(ours, mlp, table.X)
    assert same(ours.to_sklearn(), mlp, table.X)
    assert ours.score(table.X, y) == pytest.approx(mlp.score(table.X, y))


@pytest.mark.parametrize("name", TARGETS)
def test_estimator_is_reproduced(name, table):
    """A scaled estimator predicts the same as an MLP, whose weights hold the scaling."""
    kind, target = TARGETS[name]
    ours = lamina.FeedForwardClassifier if kind is MLPClassifier else lamina.FeedForwardRegressor
    model = ours((4,), activation="tanh", max_iter=3, random_state=0)
    model.fit(table.X * 9.0 + 5.0, target(table))
    assert same(model, model.to_sklearn(), table.X * 9.0 + 5.0)


def test_poisson_is_reproduced(table):
    """The exponential outputs of a Poisson regressor are the same there and back."""
    mlp = MLPRegressor(loss="poisson", hidden_layer_sizes=(4,), max_iter=5, random_state=0)
    mlp = fitted(mlp, table.X, table.counts)
    ours = lamina.from_sklearn(mlp)
    assert same(ours, mlp, table.X)
    assert ours.to_sklearn().out_activation_ == "exp"


def test_result_is_a_whole_estimator(table, tmp_path):
    """What comes from scikit-learn is saved, cloned, exported and trained on like any other."""
    mlp = fitted(MLPClassifier((4,), max_iter=3, random_state=0), table.X, table.three)
    ours = lamina.from_sklearn(mlp)
    ours.save(tmp_path / "it.lamina")
    assert same(lamina.load(tmp_path / "it.lamina"), mlp, table.X)
    ours.export(tmp_path / "it.c")
    before = ours.n_iter_
    ours.partial_fit(table.X, table.three)
    assert ours.n_iter_ == before + 1
    assert clone(ours).get_params()["activation"] == "relu"


def test_float32_stays(table):
    """An MLP that was trained in float32 becomes a float32 network."""
    mlp = fitted(
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0),
        table.X.astype("f4"),
        table.y,
    )
    assert lamina.from_sklearn(mlp).network_.dtype == mlp.coefs_[0].dtype


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"activation": "silu"}, "one activation in all hidden layers"),
        ({"activation": ["tanh", "relu"], "hidden_layer_sizes": (2, 2)}, "one activation"),
        ({"output_activation": "tanh", "scale_targets": "none"}, "has outputs of identity"),
        ({"output_activation": "tanh"}, "scaled after the output activation"),
        ({"scale_inputs": "robust"}, "clipping"),
    ],
)
def test_what_an_mlp_cannot_have_is_refused(parameters, words, table):
    """A network that scikit-learn's MLP cannot be is refused with the reason."""
    asked = {"hidden_layer_sizes": (2,), **parameters}
    model = lamina.FeedForwardRegressor(max_iter=1, **asked).fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match=words):
        model.to_sklearn()


def test_others_are_refused():
    """Other estimators and those that are not fitted are refused."""
    with pytest.raises(InvalidTypeError, match="got a FeedForwardRegressor"):
        lamina.from_sklearn(lamina.FeedForwardRegressor())
    with pytest.raises(NotFittedError):
        lamina.from_sklearn(MLPRegressor())
