"""Models as Python files."""

import subprocess
import sys

import numpy as np
import pytest

import lamina
from lamina.network.activations import ACTIVATIONS

NUMBERS = ("predict_proba", "decision_function", "predict")


def run(path):
    """Return what a file defines."""
    names = {"__name__": "exported"}
    exec(compile(path.read_text("utf-8"), path.name, "exec"), names)  # noqa: S102 - what was written here
    return names


@pytest.fixture
def exported(tmp_path):
    """Return a function that exports a model and returns what the file defines."""

    def make(model, **options):
        path = tmp_path / "model.py"
        lamina.export(model, path, overwrite=True, **options)
        return run(path)

    return make


def test_activations_are_all_tried(every_activation):
    """The tests of exports know every activation there is."""
    builtin = {name for name in ACTIVATIONS.names() if ACTIVATIONS.is_builtin(name)}
    assert {spelling.partition("(")[0] for spelling in every_activation} == builtin


def test_network_is_reproduced(activation, precision, random_network, exported, gap):
    """A network with any activation answers as its Python file, in both precisions."""
    dtype, tolerance = precision
    net = random_network(activation, dtype)
    rows = np.random.default_rng(2).normal(size=(60, 3)).astype(dtype) * 3.0
    assert gap(exported(net)["predict"](rows), net(rows.T).T) <= tolerance


def test_estimator_is_reproduced(head, precision, fitted, exported, gap, answer_of):
    """Predictions, probabilities, scores and labels of any head are those of the Python file."""
    dtype, tolerance = precision
    model, X = fitted(head, dtype)
    made = exported(model)
    numbers = next(made[name] for name in NUMBERS if name in made)(X)
    numbers = np.concatenate(numbers, axis=1) if isinstance(numbers, list) else numbers
    assert gap(numbers, answer_of(model, X)) <= tolerance
    if hasattr(model, "classes_"):
        assert np.array_equal(made["predict"](X), model.predict(X))


def test_unseen_levels_are_as_in_the_model(fitted, exported, gap):
    """A category that was never seen, and a missing time, are what they are to the model."""
    model, X = fitted("table")
    odd = {name: np.array(column) for name, column in X.items()}
    odd["kind of \"it'"][:4] = ["eel", "", None, "ANT"]
    odd["when"][0] = np.datetime64("NaT")
    assert gap(exported(model)["predict_proba"](odd), model.predict_proba(odd)) <= 1e-12


def test_file_needs_numpy_only(fitted, tmp_path):
    """The file runs in a Python that finds no other library than NumPy."""
    model, _ = fitted("three classes")
    lamina.export(model, tmp_path / "flowers.py")
    code = (
        "import sys, numpy; sys.modules.update(dict.fromkeys(['lamina', 'scipy', 'sklearn']));"
        "import flowers; print(flowers.predict([[0.0, 2020.0, -5.0]]).tolist())"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert eval(result.stdout) == model.predict([[0.0, 2020.0, -5.0]]).tolist()  # noqa: S307 - a list of text


def test_wrong_width_is_refused(fitted, exported):
    """Rows of another width are refused with the width that is expected."""
    model, _ = fitted("numbers")
    with pytest.raises(ValueError, match=r"expected rows of 3 columns, got shape \(1, 2\)"):
        exported(model)["predict"]([[1.0, 2.0]])
