import copy

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidValueError
from lamina.reports import Diagnosis, Finding

N = 300


def names(diagnosis):
    """Return the names of the findings."""
    return {finding.name for finding in diagnosis}


@pytest.fixture(scope="module")
def table():
    """Return inputs of unit scale, and a smooth target of two of them."""
    random = np.random.default_rng(0)
    X = random.normal(size=(N, 6))
    return X, np.tanh(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * random.normal(size=N)


@pytest.fixture(scope="module")
def sound(table):
    """Return a network that learned the table well, with two hidden layers."""
    return fit(table, (20, 20), max_iter=150)


def fit(table, sizes=(20,), kind=lamina.FeedForwardRegressor, **options):
    """Return a network fitted on a table."""
    options = {"random_state": 0, "solver": "adam", "learning_rate_init": 0.01, **options}
    return kind(sizes, **options).fit(*table)


def changed(model, change):
    """Return a copy of a fitted model after `change` was done to its network."""
    other = copy.deepcopy(model)
    change(other.network_)
    return other


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
def test_doctor_finds_nothing_in_the_healthy(healthy, parts, name):
    """Defaults on real tables are well: seen rows, held-out rows, or no rows at all."""
    X, X_new, y, y_new = parts[name]
    model = healthy[name]
    for given in ((X, y), (X_new, y_new), (X_new,), ()):
        assert str(model.diagnose(*given)) == "Nothing found."


def test_doctor_finds_nothing_in_the_sound(sound, table):
    """The network that the tests below make ill is well before."""
    assert len(sound.diagnose(*table)) == 0


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "silu", "tanh", "logistic", "sine"])
def test_doctor_finds_nothing_with_any_activation(table, activation):
    """Training with another activation is no disease."""
    model = fit(table, activation=activation, max_iter=200)
    assert str(model.diagnose(*table)) == "Nothing found."


@pytest.mark.parametrize(
    ("activation", "name"),
    [("relu", "dead units"), ("silu", "dead units"), ("tanh", "saturated units")],
)
def test_doctor_finds_idle_units(table, activation, name):
    """Units whose bias is far below zero pass no gradient: they are counted, in their layer."""
    model = fit(table, (20, 20), activation=activation, max_iter=150)

    def bury(network):
        network.b[2][:7] = -300.0

    (finding,) = [f for f in changed(model, bury).diagnose(table[0]) if "units" in f.name]
    assert (finding.name, finding.where) == (name, "layer 2")
    assert "7 of 20" in finding.evidence


def test_doctor_counts_what_is_idle(sound, table):
    """A unit too few for a finding is in the measured layers."""
    diagnosis = changed(sound, lambda n: n.b[1].__setitem__(0, -300.0)).diagnose(*table)
    assert diagnosis.layers["idle"] == [1, 0, 0]
    assert "dead units" not in names(diagnosis)


def test_doctor_finds_vanishing_derivatives(table):
    """Ten logistic layers hardly pass anything back."""
    model = fit(table, (10,) * 10, activation="logistic", max_iter=2)
    assert "vanishing derivatives" in names(model.diagnose(*table))


def test_doctor_finds_exploding_derivatives(sound, table):
    """Large weights above the first layer make dJ/dZ grow on its way back."""

    def inflate(network):
        network.W[2][:] *= 300.0
        network.W[3][:] *= 300.0

    assert "exploding derivatives" in names(changed(sound, inflate).diagnose(*table))


def test_doctor_finds_large_steps(table):
    """A learning rate of 1 changes weights by more than a tenth of their size."""
    model = fit(table, activation="tanh", learning_rate_init=1.0, max_iter=10)
    assert "steps too large" in names(model.diagnose(*table))


def test_doctor_finds_small_steps(table):
    """A learning rate of 1e-9 moves nothing."""
    model = fit(table, learning_rate_init=1e-9, max_iter=10, tol=0.0)
    assert "steps too small" in names(model.diagnose(*table))


def test_update_ratio_is_that_of_the_next_step(table):
    """For plain gradient descent it is rate · |dJ/dW| / |W|."""
    model = fit(table, solver=lamina.Sgd(momentum=0.0), max_iter=5)
    measured = model.diagnose(*table).layers["update"]
    back = model.backpropagate(*table)
    norm = np.linalg.norm
    expected = [
        0.01 * norm(back.dW[l]) / norm(model.network_.W[l]) for l in (1, 2)
    ]  # biases are not among them
    assert measured == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("solver", ["lbfgs", "rprop"])
def test_update_ratio_is_unknown_for_solvers_on_all_data(table, solver):
    """They choose the size of a step by trial."""
    model = fit(table, (3,), solver=solver, learning_rate_init="auto", max_iter=5)
    assert np.all(np.isnan(model.diagnose(*table).layers["update"]))


def test_doctor_finds_uneven_scales(table):
    """Without scaling, an input of a thousand times the others' size is one."""
    X = table[0] * [1.0, 1.0, 1.0, 1.0, 1.0, 1e4]
    model = fit((X, table[1]), scale_inputs="none", max_iter=5)
    assert "inputs of different scales" in names(model.diagnose(X))


def test_doctor_finds_rows_unlike_the_fit(sound, table):
    """A column in another unit is named."""
    X = table[0].copy()
    X[:, 2] = 1000.0 * X[:, 2] + 5.0
    (finding,) = sound.diagnose(X)
    assert (finding.name, finding.where) == ("rows unlike those of the fit", "input 'x2'")


def test_doctor_finds_extreme_values(table):
    """One value far from all others is found, and its column named."""
    X = table[0].copy()
    X[7, 3] = 1e4
    model = fit((X, table[1]), max_iter=100)
    (finding,) = [f for f in model.diagnose(X) if f.name == "extreme values"]
    assert finding.where == "input 'x3'"


def test_doctor_finds_unscaled_target(table):
    """A target far from 1 that is not scaled is one."""
    X, y = table
    model = fit((X, 1e5 + 1e3 * y), scale_targets="none", max_iter=5)
    assert "target of another scale" in names(model.diagnose(X, 1e5 + 1e3 * y))


def test_doctor_finds_overfitting_on_new_rows():
    """Noise learned by heart is worth nothing on new rows."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 10)), random.normal(size=60)
    model = fit((X, y), (50,), solver="lbfgs", learning_rate_init="auto", alpha=0.0, max_iter=300)
    assert "overfitting" not in names(model.diagnose(X, y))
    found = names(model.diagnose(random.normal(size=(60, 10)), random.normal(size=60)))
    assert "overfitting" in found
    assert "stopped too early" not in found


def test_doctor_finds_overfitting_in_the_history():
    """A validation loss that rises again, with the last network kept, needs no rows."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(80, 10)), random.normal(size=80)
    model = lamina.FeedForwardRegressor(
        (50,), solver="adam", learning_rate_init=0.01, max_iter=200, tol=0.0, random_state=0
    )
    model.fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    (finding,) = [f for f in model.diagnose() if f.name == "overfitting"]
    assert "lowest" in finding.evidence


def test_doctor_finds_underfitting(table):
    """A network that a penalty holds down is worse than a linear model."""
    X, y = table
    model = fit((X, y), alpha=100.0, max_iter=50)
    (finding,) = [f for f in model.diagnose(X, y) if f.name == "underfitting"]
    assert "linear model" in finding.evidence


def test_doctor_finds_that_nothing_was_learned(table):
    """A target that the inputs say nothing of leaves no more than a constant."""
    y = np.random.default_rng(1).normal(size=N)
    model = fit((table[0], y), alpha=1.0, max_iter=50)
    (finding,) = [f for f in model.diagnose(table[0], y) if f.name == "underfitting"]
    assert "constant" in finding.evidence


def test_doctor_finds_unfinished_training(table):
    """Five epochs are too few where the loss still falls; it needs at least ten to be seen."""
    model = fit(table, max_iter=12, learning_rate_init=0.001)
    assert "stopped too early" in names(model.diagnose())


def test_doctor_finds_divergence(table):
    """A training that diverged says so."""
    model = copy.deepcopy(fit(table, max_iter=3))
    model.stop_reason_ = "diverged"
    assert "diverged" in names(model.diagnose())


@pytest.mark.parametrize("kind", [lamina.FeedForwardRegressor, lamina.FeedForwardClassifier])
def test_doctor_suspects_a_leak(table, kind):
    """A column that alone gives the target is named."""
    X, y = table
    y = y if kind is lamina.FeedForwardRegressor else (y > 0).astype(int)
    X = np.column_stack([X, 3.0 * y + 1e-3 * X[:, 0]])
    (finding,) = [f for f in fit((X, y), kind=kind).diagnose(X, y) if f.name == "leakage suspected"]
    assert finding.where == "input 'x6'"


def test_doctor_finds_a_missed_rare_class():
    """A class of 3 % that is never recognized is named, with its recall."""
    random = np.random.default_rng(0)
    X = random.normal(size=(600, 3))
    y = np.where(np.arange(600) < 20, "rare", "usual")
    X[:20] += 0.7
    model = fit((X, y), kind=lamina.FeedForwardClassifier, max_iter=30)
    (finding,) = [f for f in model.diagnose(X, y) if f.name == "class imbalance"]
    assert finding.where == "class 'rare'"
    assert "20 rows of 600" in finding.evidence


def test_diagnosis_is_a_report(sound, table):
    """Findings are paragraphs, rows of a frame, and HTML that names cannot break."""
    finding = Finding("thirst", "input '<b>'", "0 litres", "Drink")
    diagnosis = Diagnosis([finding], sound.diagnose(*table).layers)
    assert str(diagnosis) == "thirst, input '<b>': 0 litres. Drink."
    assert diagnosis.frame("pandas").to_dict("list") == {
        "finding": ["thirst"],
        "where": ["input '<b>'"],
        "evidence": ["0 litres"],
        "remedy": ["Drink"],
    }
    assert "<b>thirst</b>" in diagnosis._repr_html_()
    assert "&lt;b&gt;" in diagnosis._repr_html_()
    assert len(diagnosis.plot().figure_.axes) == 2  # no unit is idle
    assert Diagnosis([], {})._repr_html_() == "<p>Nothing found.</p>"


def test_diagnosis_without_rows_has_nothing_to_draw(sound):
    """A plot of nothing is refused, with what to do."""
    with pytest.raises(InvalidValueError, match="call diagnose with X and y"):
        sound.diagnose().plot()


def test_diagnosis_refuses_halves(sound, table):
    """A y without X, and X and y of different lengths, are refused."""
    X, y = table
    with pytest.raises(InvalidValueError, match="without X"):
        sound.diagnose(y=y)
    with pytest.raises(InvalidValueError, match="300 rows and y has 10"):
        sound.diagnose(X, y[:10])


def test_diagnosis_survives_the_model_file(sound, table, tmp_path):
    """A model from a file, with and without the state of training, is looked at as before."""
    for state in (True, False):
        sound.save(tmp_path / f"{state}.lamina", training_state=state)
        loaded = lamina.load(tmp_path / f"{state}.lamina")
        diagnosis = loaded.diagnose(*table)
        assert len(diagnosis) == 0
        assert np.all(np.isfinite(diagnosis.layers["update"])) == state
