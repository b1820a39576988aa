"""The function of a few rows beside the network and the estimators that it is taken from."""

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(70, 4)) * [1.0, 100.0, 1e-3, 5.0] + [0.0, 1e4, 0.0, -3.0]
Y = X[:, 0] - 0.01 * X[:, 1] + 1000.0 * X[:, 2]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_predictor_is_the_network(dtype, engine, monkeypatch):
    """Rows in and out are the columns of the network, for one row and for as many as fit."""
    monkeypatch.setenv("LAMINA_ENGINE", engine)
    net = lamina.Network([4, 9, 7, 3], ["tanh", "relu", "softmax"], random_state=0, dtype=dtype)
    predict = net.predictor(most_rows=50)
    for n in (1, 2, 50, 1):
        rows = RANDOM.normal(size=(n, 4)).astype(dtype)
        np.testing.assert_allclose(
            predict(rows), net(rows.T).T, rtol=0, atol=8 * np.finfo(dtype).eps
        )


def test_predictor_keeps_its_own_parameters():
    """What is trained later, or returned before, is not changed by another call."""
    net = lamina.Network([4, 5, 1], ["tanh", "identity"], random_state=0)
    predict, rows = net.predictor(), X[:2]
    before = predict(rows)
    kept = before.copy()
    net.theta = net.theta * 2.0
    np.testing.assert_array_equal(predict(rows), kept)
    predict(rows[::-1].copy())
    np.testing.assert_array_equal(before, kept)


@pytest.mark.parametrize("loss", ["squared", "quantile((0.1, 0.5, 0.9))", "gaussian_nll"])
@pytest.mark.parametrize("targets", [1, 2])
def test_predictor_of_a_regressor_is_predict(targets, loss):
    """In the units of y, with the scaling of inputs folded into the first layer."""
    y = np.column_stack([Y, Y**2])[:, :targets]
    model = lamina.FeedForwardRegressor((8,), loss=loss, max_iter=5, random_state=0).fit(X, y)
    expected = model.predict(X[:64]).reshape(64, -1)
    got = model.predictor()(X[:64])
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_predictor_of_a_classifier_is_its_probabilities():
    """A column for each class, as predict_proba has them."""
    y = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
    model = lamina.FeedForwardClassifier((8,), max_iter=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predictor()(X[:5]), model.predict_proba(X[:5]), rtol=1e-9)


@pytest.mark.parametrize(("most", "kind"), [(0, InvalidValueError), ("2", InvalidTypeError)])
def test_predictor_refuses_no_room(most, kind):
    """Room for rows is a positive integer."""
    model = lamina.FeedForwardRegressor((8,), max_iter=1, random_state=0).fit(X, Y)
    with pytest.raises(kind, match="most_rows"):
        model.predictor(most_rows=most)
