"""`FeedForwardClassifier`: classes, labels, probabilities, weights."""

from functools import partial

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.utils.class_weight import compute_sample_weight

import lamina
from lamina import FeedForwardClassifier
from lamina.network.activations import Elementwise, get_activation

SMALL = {"hidden_layer_sizes": (8,), "random_state": 0}
Fit = partial(FeedForwardClassifier, max_iter=150, learning_rate_init=0.03, **SMALL)


@pytest.mark.parametrize("form", ["two", "three"])
@pytest.mark.parametrize(
    "label",
    [
        lambda codes: codes,
        lambda codes: codes + 0.0,
        lambda codes: np.array(["ant", "bee", "elephant"])[codes],
        lambda codes: np.array(["ant", "bee", "elephant"], dtype=object)[codes],
        lambda codes: np.array([-7, 3, 2**40])[codes],
        lambda codes: np.array([-3.0, 0.0, 7.0])[codes],
    ],
)
def test_classes_are_learned_whatever_they_are_called(label, form, table):
    """Names of classes change nothing: they come back, sorted, with the same probabilities."""
    codes = np.unique(getattr(table, form), return_inverse=True)[1]
    plain = Fit().fit(table.X, codes)
    model = Fit().fit(table.X, label(codes))
    assert np.array_equal(model.classes_, np.unique(label(codes)))
    assert np.array_equal(model.predict(table.X), label(plain.predict(table.X)))
    assert np.array_equal(model.predict_proba(table.X), plain.predict_proba(table.X))
    assert model.score(table.X, label(codes)) > 0.9


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_real_data_are_learned(load):
    """With the defaults, the held-out accuracy is that of a good network."""
    X, y = load(return_X_y=True)
    held_out = np.random.default_rng(0).permutation(len(y))[::4]
    rest = np.setdiff1d(np.arange(len(y)), held_out)
    model = FeedForwardClassifier(random_state=0).fit(X[rest], y[rest])
    assert model.score(X[held_out], y[held_out]) > 0.95


@pytest.mark.parametrize("sparse", [False, True])
def test_several_labels_are_learned_apart(sparse, table):
    """A table of labels, dense or sparse, gives a table of labels and of probabilities."""
    y = scipy.sparse.csr_matrix(table.labels) if sparse else table.labels
    model = Fit().fit(table.X, y)
    proba = model.predict_proba(table.X)
    assert (model.n_outputs_, model.out_activation_) == (3, "logistic")
    assert model.classes_.tolist() == [0, 1, 2]
    assert np.array_equal(model.predict(table.X), (proba > 0.5).astype(int))
    assert model.score(table.X, y) > 0.85
    assert np.array_equal(model.network_.theta, Fit().fit(table.X, table.labels).network_.theta)


LOSSES = [  # loss, output activation, whether the outputs are probabilities
    ("auto", "auto", True),
    ("auto", "softmax", True),
    ("auto", "log_softmax", True),
    ("auto", "logistic", True),
    ("cross_entropy", "auto", True),
    ("kl_divergence", "auto", True),
    ("binary_cross_entropy", "auto", True),
    ("squared", "logistic", True),
    ("squared", "softmax", True),
    ("squared", "auto", False),
    ("hinge", "auto", False),
    ("hinge", "tanh", False),
    ("squared_hinge", "auto", False),
    ("log_cosh", "tanh", False),
    ("huber(0.5)", "auto", False),
    ("poisson", "auto", False),
]


ALONE = ("softmax", "cross_entropy", "kl_divergence")
"""These choose one of several labels, which test_bad_inputs shows refused."""


@pytest.mark.parametrize(
    ("form", "loss", "output", "probabilistic"),
    [
        (form, *case)
        for form in ("two", "three", "labels")
        for case in LOSSES
        if form != "labels" or not any(name in "".join(case[:2]) for name in ALONE)
    ],
)
def test_loss_and_output_activation_learn(form, loss, output, probabilistic, table):
    """Every sensible pair learns; probabilities exist, or else a decision function, never both."""
    y, several = getattr(table, form), form == "labels"
    model = Fit(loss=loss, output_activation=output).fit(table.X, y)
    assert hasattr(model, "predict_proba") == hasattr(model, "predict_log_proba") == probabilistic
    assert hasattr(model, "decision_function") != probabilistic
    guessing = np.unique(y, return_counts=True, axis=0)[1].max() / len(y)
    assert model.score(table.X, y) > 0.5 * (1.0 + guessing)  # half the mistakes of the usual class
    if probabilistic:
        proba = model.predict_proba(table.X)
        assert proba.shape == (60, 2 if form == "two" else 3)
        assert np.all((proba >= 0) & (proba <= 1))
        assert np.allclose(model.predict_log_proba(table.X), np.log(proba))
        if not several:
            assert np.allclose(proba.sum(axis=1), 1.0, rtol=0, atol=1e-15)
            assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(table.X))
        return
    scores = model.decision_function(table.X)
    if form == "two":
        assert np.array_equal(model.classes_[(scores > 0).astype(int)], model.predict(table.X))
    else:
        assert scores.shape == (60, 3)


def test_softmax_of_two_classes_agrees_with_logistic(table):
    """A softmax of two outputs learns two classes too, named or as an object."""
    named = Fit(output_activation="softmax").fit(table.X, table.two)
    given = Fit(output_activation=get_activation("softmax")).fit(table.X, table.two)
    one = Fit().fit(table.X, table.two)
    assert (named.n_outputs_, given.n_outputs_, one.n_outputs_) == (2, 2, 1)
    assert np.array_equal(named.network_.theta, given.network_.theta)
    assert repr(named.network_.recipe.error) == "cross_entropy"
    assert np.mean(named.predict(table.X) == one.predict(table.X)) > 0.95


def test_registered_loss_and_activations_are_used_by_name(table):
    """A loss and activations of one's own are asked for by name, in both layers."""
    lamina.register_error("fourth", lambda t, a: (a - t) ** 4, lambda t, a: 4 * (a - t) ** 3)
    lamina.register_activation("wave", np.sin, lambda z, _: np.cos(z))
    lamina.register_activation("half", lambda z: 0.5 * z, lambda z, _: 0.5 + 0.0 * z)
    model = Fit(loss="fourth", activation="wave", output_activation="half").fit(table.X, table.two)
    assert model.out_activation_ == "half"
    assert model.score(table.X, table.two) > 0.8
    assert model.decision_function(table.X).shape == (60,)


def test_unregistered_output_activation_works_without_a_name(table):
    """An activation object that no name stands for trains and predicts; it has no probabilities."""

    class Doubled(Elementwise):
        parameters = ()
        value = staticmethod(lambda z: 2.0 * z)
        derivative = staticmethod(lambda z, _: 2.0 + 0.0 * z)

    model = Fit(loss="squared", output_activation=Doubled()).fit(table.X, table.two)
    assert (model.out_activation_, hasattr(model, "predict_proba")) == ("", False)
    assert model.score(table.X, table.two) > 0.9


@pytest.mark.parametrize("form", ["two", "three"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weight_equals_sample_weight(form, solver, table):
    """class_weight, as a dict or "balanced", is sample weights, and multiplies them."""
    y = getattr(table, form)
    fixed = {label: 1.0 + 2.0 * k for k, label in enumerate(np.unique(y))}
    for class_weight in (fixed, "balanced"):
        factors = compute_sample_weight(class_weight, y)
        for given in (None, table.weights):
            weighted = FeedForwardClassifier(solver=solver, max_iter=5, **SMALL)
            by_class = FeedForwardClassifier(solver=solver, max_iter=5, **SMALL)
            weighted.fit(table.X, y, factors if given is None else factors * given)
            by_class.set_params(class_weight=class_weight).fit(table.X, y, given)
            theta = weighted.network_.theta
            assert np.allclose(by_class.network_.theta, theta, rtol=1e-9, atol=1e-12)


def test_class_weight_of_several_labels_is_a_list(table):
    """With several labels there is a dict for each; a row's weight is their product."""
    class_weight = [{0: 1.0, 1: 2.0}, {0: 1.0, 1: 3.0}, {0: 1.0, 1: 0.5}]
    factors = np.prod(np.where(table.labels, [2.0, 3.0, 0.5], 1.0), axis=1)
    one = FeedForwardClassifier(max_iter=5, **SMALL).fit(table.X, table.labels, factors)
    other = FeedForwardClassifier(max_iter=5, class_weight=class_weight, **SMALL)
    assert np.allclose(other.fit(table.X, table.labels).network_.theta, one.network_.theta)


def test_class_weight_moves_the_border(table):
    """A heavier class is predicted more often."""
    light, heavy = (
        Fit(class_weight={"no": 1.0, "yes": w}, hidden_layer_sizes=()).fit(table.X, table.two)
        for w in (0.05, 20.0)
    )
    assert np.sum(heavy.predict(table.X) == "yes") > np.sum(light.predict(table.X) == "yes") + 5


def test_one_class_is_certain(table):
    """With a single class it is predicted with probability 1."""
    model = FeedForwardClassifier(**SMALL).fit(table.X, np.full(60, "only"))
    assert model.classes_.tolist() == ["only"]
    assert set(model.predict(table.X)) == {"only"}
    assert np.array_equal(model.predict_proba(table.X), np.ones((60, 1)))


def test_probabilities_survive_saturated_outputs(table):
    """Where every logistic output is 0 the classes are equally probable, without a warning."""
    model = Fit(output_activation="logistic", max_iter=1).fit(table.X, table.three)
    model.network_.b[-1][...] = -1e4
    assert np.array_equal(model.predict_proba(table.X), np.full((60, 3), 1.0 / 3.0))
    model = Fit(max_iter=1).fit(table.X, table.two)
    model.network_.b[-1][...] = -1e4
    assert np.array_equal(model.predict_proba(table.X)[:, 1], np.zeros(60))
    assert np.all(model.predict_log_proba(table.X)[:, 1] == -np.inf)


def test_history_has_the_accuracy_on_validation_data(table):
    """The accuracy of every epoch on X_val, y_val is that of predict."""
    for y in (table.two, table.three, table.labels):
        model = Fit(max_iter=20).fit(table.X[:40], y[:40], X_val=table.X[40:], y_val=y[40:])
        accuracy = model.history_["validation_accuracy"]
        assert np.isclose(accuracy[-1], model.score(table.X[40:], y[40:]))
        assert len(accuracy) == model.n_iter_
