"""Models as C."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

import lamina
from lamina.interchange.exports.c_labels import quoted
from lamina.interchange.exports.formulas import identifier

COMPILER = shutil.which("cc")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
FUNCTIONS = ["tanh", "gelu", "softplus", "elu(0.7)", "sine(1.5)", "log_softmax"]
"""Activations that together call every function of math.h; in float these have other names."""
IN_FLOAT = ["robust table", "several numbers", "quantile", "three classes"]
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")


def compiled(sources, target, *options):
    """Compile files without a single warning and return the path of what comes out."""
    command = [COMPILER, *STRICT, *options, *map(str, sources), "-o", str(target), "-lm"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return target


class Shared:
    """A model in a shared library, called row by row."""

    def __init__(self, library, name, dtype, n_outputs):
        self.library, self.name = library, name
        self.dtype, self.n = np.dtype(dtype), n_outputs

    def function(self, ending):
        """Return a function of the model."""
        return getattr(self.library, f"{self.name}_{ending}")

    def numbers(self, rows):
        """Return the answer for each row."""
        x = np.ascontiguousarray(rows, dtype=self.dtype)
        y = np.full((len(x), self.n), np.nan, dtype=self.dtype)
        predict = self.function("predict")
        for row, answer in zip(x, y, strict=True):
            predict(*(M.ctypes.data_as(ctypes.c_void_p) for M in (row, answer)))
        return y

    def labels(self, answers, classes, ending=""):
        """Return the class of each answer, as text."""
        texts = (ctypes.c_char_p * len(classes)).in_dll(self.library, f"{self.name}_labels{ending}")
        choose = self.function(f"class{ending}")
        places = [choose(y.ctypes.data_as(ctypes.c_void_p)) for y in answers]
        return [texts[place].decode() for place in places]

    def has(self, answers):
        """Return whether each label is there."""
        pointers = [y.ctypes.data_as(ctypes.c_void_p) for y in answers]
        return np.array([[self.function("has")(y, k) for k in range(self.n)] for y in pointers])


def library_of(models, folder):
    """Return a shared library of models by name, each compiled from its export."""
    for name, model in models.items():
        lamina.export(model, folder / f"{name}.c")
    sources = sorted(folder.glob("*.c"))
    return ctypes.CDLL(str(compiled(sources, folder / "models.so", "-shared", "-fPIC")))


@pytest.fixture(scope="session")
def networks(every_activation, random_network, tmp_path_factory):
    """Return the library of networks with every activation, and of some in float32."""
    models = {identifier(a): random_network(a) for a in every_activation}
    models |= {identifier(f"{a} float32"): random_network(a, "float32") for a in FUNCTIONS}
    return library_of(models, tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="session")
def estimators(every_head, fitted, tmp_path_factory):
    """Return the library of estimators with every head, and of some in float32."""
    models = {identifier(head): fitted(head)[0] for head in every_head}
    models |= {identifier(f"{head} float32"): fitted(head, "float32")[0] for head in IN_FLOAT}
    return library_of(models, tmp_path_factory.mktemp("estimators"))


@needs_compiler
def test_network_is_reproduced(activation, random_network, networks, gap):
    """A network with any activation answers as its C file."""
    net, rows = random_network(activation), np.random.default_rng(2).normal(size=(60, 3)) * 3.0
    shared = Shared(networks, identifier(activation), "float64", 2)
    assert gap(shared.numbers(rows), net(rows.T).T) <= 1e-12


@needs_compiler
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_float_network_is_reproduced(activation, random_network, networks, gap):
    """A float32 network answers as its C file, whichever function of float it calls."""
    net = random_network(activation, "float32")
    rows = np.random.default_rng(2).normal(size=(60, 3)).astype(np.float32) * 3.0
    shared = Shared(networks, identifier(f"{activation} float32"), "float32", 2)
    assert gap(shared.numbers(rows), net(rows.T).T) <= 1e-6


@needs_compiler
def test_estimator_is_reproduced(head, fitted, estimators, gap, answer_of, cells_of):
    """Predictions, probabilities, scores and labels of any head are those of the C file."""
    model, X = fitted(head)
    expected = answer_of(model, X).reshape(60, -1)
    shared = Shared(estimators, identifier(head), "float64", expected.shape[1])
    answers = shared.numbers(cells_of(model, X))
    assert gap(answers, expected) <= 1e-12
    classes, predicted = getattr(model, "classes_", None), model.predict(X)
    if isinstance(classes, list):
        for k, known in enumerate(classes):
            assert shared.labels(answers, known, f"_{k}") == [str(y) for y in predicted[:, k]]
    elif head.endswith("labels"):
        assert np.array_equal(shared.has(answers), predicted)
    elif classes is not None:
        assert shared.labels(answers, classes) == [str(label) for label in predicted.tolist()]


@needs_compiler
@pytest.mark.parametrize("head", IN_FLOAT)
def test_float_is_reproduced(head, fitted, estimators, gap, answer_of, cells_of):
    """A float32 estimator answers as its C file, which computes in float."""
    model, X = fitted(head, "float32")
    cells = cells_of(model, X).astype(np.float32)
    expected = answer_of(model, X) if isinstance(X, np.ndarray) else answer_of_cells(model, cells)
    expected = expected.reshape(60, -1)
    shared = Shared(estimators, identifier(f"{head} float32"), "float32", expected.shape[1])
    assert gap(shared.numbers(cells), expected) <= 1e-6


def answer_of_cells(model, cells):
    """Return predictions for cells in float32, which a year takes to a few hours."""
    features = model.encoding_.expansion().expand(cells, np.float32)
    return model._in_units(model.network_(features.T).T)


@needs_compiler
def test_program_tests_itself(fitted, tmp_path):
    """The file's own test passes, and fails where a weight was changed."""
    model, _ = fitted("table")
    source = tmp_path / "some-model.c"
    lamina.export(model, source)
    program = compiled([source], tmp_path / "good", "-DSOME_MODEL_TEST")
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert result.stdout.startswith("8 rows, largest relative difference ")
    text, bias = (
        source.read_text("utf-8"),
        f"{model.network_.b[2][0, 0]!r}".split("(")[-1].rstrip(")"),
    )
    assert bias in text
    source.write_text(text.replace(bias, f"{bias} + 1e-6"), "utf-8")
    program = compiled([source], tmp_path / "bad", "-DSOME_MODEL_TEST")
    assert subprocess.run([program], capture_output=True, check=False).returncode == 1


@needs_compiler
def test_precision_can_be_chosen(fitted, tmp_path):
    """A float64 model exported as float differs by float's rounding and no more."""
    model, _ = fitted("numbers")
    lamina.export(model, tmp_path / "it.c", dtype="float32")
    assert "typedef float real;" in (tmp_path / "it.c").read_text("utf-8")
    compiled([tmp_path / "it.c"], tmp_path / "it", "-DIT_TEST")
    assert subprocess.run([tmp_path / "it"], capture_output=True, check=False).returncode == 0


def test_codes_are_listed(fitted, tmp_path):
    """The comment at the top says what each input is, and what each code of a category means."""
    model, _ = fitted("table")
    lamina.export(model, tmp_path / "it.c")
    top = (tmp_path / "it.c").read_text("utf-8").partition("*/")[0]
    assert ' *   1  kind of "it\', a code: 0 ant, 1 b"ee\\? ?/, 2 dog, 3 çat' in top
    assert "4 (missing)" in top
    assert "when.weekday, a code: 0 0, 1 1" in top


@pytest.mark.parametrize("text", ["plain", 'a"b\\c', "??/", "çé\n\t", ""])
def test_text_is_quoted(text):
    """A string of C holds the bytes of a text, without what C would take for something else."""
    inside = quoted(text)[1:-1]
    assert inside.isascii()
    assert not {"\n", '"', "?"} & set(inside)
    assert inside.encode().decode("unicode_escape").encode("latin-1").decode("utf-8") == text
