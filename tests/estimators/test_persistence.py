"""Estimators in the model file: predictions, parameters and training go on where they stopped."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import (
    InvalidTypeError,
    ModelExistsError,
    ModelFileError,
    UnknownNameError,
)
from lamina.network.activations import ACTIVATIONS, Elementwise, get_activation
from lamina.network.errors import get_error
from lamina.training.schedules import get_schedule

KINDS = [FeedForwardClassifier, FeedForwardRegressor]
SMALL = {"hidden_layer_sizes": (5, 4), "max_iter": 3, "random_state": 0}
WORDS = np.array(["ant", "bee", "cat"])


def target(kind, table):
    """Return y for a kind of estimator."""
    return table.three if kind is FeedForwardClassifier else table.y


def saved(model, folder, **options):
    """Return the estimator that comes back from a file."""
    path = folder / "model.lamina"
    model.save(path, overwrite=True, **options)
    return lamina.load(path)


def same(one, other):
    """Return whether two parameters are equal, in kind and value."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and one == other


LABELS = {
    "integers": lambda codes: codes * 7 - 3,
    "small integers": lambda codes: codes.astype("i1"),
    "unsigned integers": lambda codes: codes.astype("u8") + 2**63,
    "booleans": lambda codes: codes > 0,
    "floats": lambda codes: codes.astype(float),
    "text": lambda codes: WORDS[codes],
    "text with accents": lambda codes: np.array(["été", "日本", "a\nb"])[codes],
    "objects": lambda codes: WORDS.astype(object)[codes],
    "a series of text": lambda codes: pd.Series(WORDS[codes]),
    "a table": lambda codes: np.column_stack([codes > 0, codes > 1]).astype(int),
}


@pytest.mark.parametrize("name", LABELS)
def test_classifier_returns_with_its_classes(name, table, tmp_path):
    """Classes of every type come back, in type and order, with the same bits of probabilities."""
    model = FeedForwardClassifier(**SMALL).fit(table.X, LABELS[name](table.three))
    loaded = saved(model, tmp_path)
    assert isinstance(loaded, FeedForwardClassifier)
    assert same(model.classes_, loaded.classes_)
    assert np.array_equal(loaded.predict_proba(table.X), model.predict_proba(table.X))
    assert same(model.predict(table.X), loaded.predict(table.X))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("loss", ["squared", "gaussian_nll", "quantile((0.1, 0.9))", "poisson"])
@pytest.mark.parametrize("several", [False, True])
def test_regressor_returns_with_its_targets(several, loss, dtype, table, tmp_path):
    """Scalings, the form of y and every loss come back, with the same bits of predictions."""
    y = np.column_stack([table.counts, 5 * table.counts]) if several else table.counts
    model = FeedForwardRegressor(loss=loss, dtype=dtype, **SMALL).fit(table.X, y)
    loaded = saved(model, tmp_path)
    assert isinstance(loaded, FeedForwardRegressor)
    assert np.array_equal(loaded.predict(table.X), model.predict(table.X))
    assert loaded.predict(table.X).shape == model.predict(table.X).shape
    assert loaded.objective(table.X, y) == model.objective(table.X, y)
    assert np.array_equal(loaded.input_gradient(table.X), model.input_gradient(table.X))


SETTINGS = {
    "defaults": {},
    "lists": {"activation": ["tanh", "relu"], "alpha": [0.1, 0.2, 0.3], "dropout": [0.0, 0.5]},
    "tuples": {"activation": ("tanh", "relu"), "l1": (0.1, 0.0, 0.1)},
    "arrays": {"hidden_layer_sizes": np.array([5, 4]), "alpha": np.array([0.1, 0.2, 0.3])},
    "arrays of names": {"activation": np.array(["tanh", "relu"])},
    "numpy numbers": {"alpha": np.float32(0.5), "max_iter": np.int64(3), "shuffle": np.bool_(1)},
    "records": {
        "activation": [get_activation("leaky_relu(0.3)"), "tanh"],
        "solver": lamina.AdamW(weight_decay=0.3),
        "learning_rate": get_schedule("cosine(epochs=9)"),
    },
    "spelled records": {"solver": "sgd(momentum=0.5)", "learning_rate": "step(every=2)"},
    "infinities": {"tol": -np.inf, "max_gradient_norm": np.inf, "max_time": np.float32(np.inf)},
    "a θ": {"initialization": np.random.default_rng(0).normal(size=49)},
    "a type": {"dtype": np.float32},
    "sizes": {"hidden_layer_sizes": (100,), "n_layers": 2, "width": 5},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_parameters_of_every_kind_return(name, table, tmp_path):
    """Every parameter comes back as it was, so that a clone of the loaded fits the same bits."""
    y = table.targets[:, 0]
    model = FeedForwardRegressor(**(SMALL | SETTINGS[name])).fit(table.X, y)
    loaded = saved(model, tmp_path)
    was, now = model.get_params(deep=False), loaded.get_params(deep=False)
    assert was.keys() == now.keys()
    for parameter, value in was.items():
        if name in {"arrays of names", "numpy numbers", "a type"} or value is np.inf:
            assert np.array_equal(np.asarray(value), np.asarray(now[parameter])) or name == "a type"
        elif name != "infinities":
            assert same(value, now[parameter]), parameter
    again = loaded.fit(table.X, y)  # from the start: no warm_start
    assert np.array_equal(again.network_.theta, model.network_.theta)


def test_parameters_of_classes_and_losses_return(table, tmp_path):
    """Class weights as dict and list of dict, losses as records, several quantiles."""
    by_name = {"no": 1.5, "yes": np.float64(0.5)}
    model = FeedForwardClassifier(class_weight=by_name, **SMALL).fit(table.X, table.two)
    assert saved(model, tmp_path).class_weight == by_name
    by_number = {0: 1, 1: 2.0, np.int64(2): 3}
    model = FeedForwardClassifier(class_weight=by_number, **SMALL).fit(table.X, table.three)
    assert saved(model, tmp_path).class_weight == by_number
    lists = [{0: 1, 1: 2}] * 3
    model = FeedForwardClassifier(class_weight=lists, **SMALL).fit(table.X, table.labels)
    assert saved(model, tmp_path).class_weight == lists
    for loss in (get_error("huber(0.3)"), get_error("quantile((0.2, 0.8))")):
        model = FeedForwardRegressor(loss=loss, **SMALL).fit(table.X, table.y)
        assert saved(model, tmp_path).loss == loss


@pytest.mark.parametrize("draw", [np.random.RandomState, np.random.default_rng])
def test_random_generator_is_stored_as_the_seed_it_gave(draw, table, tmp_path):
    """A generator as random_state comes back as a number, and fits the same network again."""
    model = FeedForwardRegressor(**(SMALL | {"random_state": draw(5)})).fit(table.X, table.y)
    loaded = saved(model, tmp_path)
    assert isinstance(loaded.random_state, int)
    assert np.array_equal(loaded.fit(table.X, table.y).network_.theta, model.network_.theta)


def test_feature_names_return_and_are_checked(table, tmp_path):
    """Names of columns come back, and a frame with others is refused."""
    frame = pd.DataFrame(table.X, columns=["length", "größe", "a b"])
    model = FeedForwardRegressor(**SMALL).fit(frame, table.y)
    loaded = saved(model, tmp_path)
    assert same(model.feature_names_in_, loaded.feature_names_in_)
    assert np.array_equal(loaded.predict(frame), model.predict(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(frame.rename(columns={"a b": "ab"}))


@pytest.mark.parametrize("kind", KINDS)
def test_history_and_reasons_return(kind, table, tmp_path):
    """Everything learned that can be read comes back: history, reason, epochs, certificate."""
    model = kind(early_stopping=True, **SMALL).fit(table.X, target(kind, table))
    model.certify(table.X, target(kind, table))
    loaded = saved(model, tmp_path)
    np.testing.assert_equal(loaded.history_.columns(), model.history_.columns())
    for name in ("stop_reason_", "n_iter_", "loss_", "n_layers_", "out_activation_", "n_outputs_"):
        assert getattr(loaded, name) == getattr(model, name)
    assert loaded.network_.certificate == model.network_.certificate
    assert loaded.get_feature_names_out().tolist() == model.get_feature_names_out().tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_file_without_training_state_is_smaller_and_predicts(early_stopping, kind, table, tmp_path):
    """Without the state predictions are the same bits, and a warm start never gets worse."""
    y = target(kind, table)
    settings = {"early_stopping": early_stopping, "warm_start": True, "learning_rate_init": 0.05}
    model = kind((40, 40), max_iter=40, n_iter_no_change=5, random_state=0, **settings)
    model.fit(table.X, y)
    model.save(tmp_path / "all")
    loaded = saved(model, tmp_path, training_state=False)
    sizes = [(tmp_path / name).stat().st_size for name in ("all", "model.lamina")]
    assert sizes[1] < 0.6 * sizes[0]
    assert np.array_equal(loaded.predict(table.X), model.predict(table.X))
    np.testing.assert_equal(loaded.history_.columns(), model.history_.columns())
    loaded.set_params(max_iter=3).fit(table.X, y)
    assert loaded.n_iter_ <= model.n_iter_ + 3
    if early_stopping:
        best = min(model.validation_curve_)
        assert loaded.state_.best_loss <= best
        if min(loaded.validation_curve_) == best:
            assert np.array_equal(loaded.network_.theta, model.network_.theta)


def test_own_formulas_are_stored_by_name(table, tmp_path):
    """Registered formulas return, asked for by name, object or with parameters; else refused."""

    @dataclass(frozen=True)
    class Steep(Elementwise):
        slope: float = float("inf")

        @staticmethod
        def value(z, slope):
            return np.tanh(z * np.minimum(slope, 3.0))

        @staticmethod
        def derivative(z, a, slope):  # noqa: ARG004 - as every slope's
            return np.minimum(slope, 3.0) * (1.0 - a * a)

    lamina.register_activation("steep", Steep)
    lamina.register_error("fourth", lambda t, a: (a - t) ** 4, lambda t, a: 4 * (a - t) ** 3)
    for activation in ("steep", [Steep(), Steep(2.0)]):
        model = FeedForwardRegressor(activation=activation, loss="fourth", **SMALL)
        loaded = saved(model.fit(table.X, table.y), tmp_path)
        assert np.array_equal(loaded.predict(table.X), model.predict(table.X))
        assert loaded.activation == activation
    del ACTIVATIONS._makers["steep"]
    with pytest.raises(ModelFileError, match=r"'steep'.*Register your own first"):
        lamina.load(tmp_path / "model.lamina")


def test_what_no_file_can_hold_is_refused_at_save(table, tmp_path):
    """Functions, unregistered objects and subclasses are refused in words; nothing is written."""

    class Doubled(Elementwise):
        parameters = ()
        value = staticmethod(lambda z: 2.0 * z)
        derivative = staticmethod(lambda z, _: 2.0 + 0.0 * z)

    class Own(FeedForwardRegressor):
        pass

    scheduled = FeedForwardRegressor(learning_rate=lambda epoch: 1 / (1 + epoch), **SMALL)
    with pytest.raises(InvalidTypeError, match=r"parameter learning_rate=.* cannot be stored"):
        scheduled.fit(table.X, table.y).save(tmp_path / "model")
    unnamed = FeedForwardRegressor(output_activation=Doubled(), **SMALL).fit(table.X, table.y)
    with pytest.raises(UnknownNameError, match=r"call lamina.register_activation\("):
        unnamed.save(tmp_path / "model")
    with pytest.raises(InvalidTypeError, match="got a Own"):
        Own(**SMALL).fit(table.X, table.y).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_existing_file_is_kept_unless_told(table, tmp_path):
    """A model replaces another only with overwrite=True."""
    path = tmp_path / "model"
    first = FeedForwardRegressor(**SMALL).fit(table.X, table.y)
    second = FeedForwardClassifier(**SMALL).fit(table.X, table.two)
    first.save(path)
    with pytest.raises(ModelExistsError, match="overwrite=True"):
        second.save(path)
    assert np.array_equal(lamina.load(path).predict(table.X), first.predict(table.X))
    second.save(path, overwrite=True)
    assert isinstance(lamina.load(path), FeedForwardClassifier)
