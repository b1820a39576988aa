"""Kernels on disk: loaded, never stale, shared by processes; and what happens without them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRELUDE = """
import sys, warnings
import numpy as np
import lamina
from lamina import FeedForwardRegressor
from lamina.exceptions import EngineWarning
compiled = []
def watch():
    from numba.core.ccallback import CFunc
    original = CFunc._compile_uncached
    def counted(self):
        compiled.append(self._pyfunc.__name__)
        return original(self)
    CFunc._compile_uncached = counted
def fit(**settings):
    X = np.random.default_rng(0).normal(size=(60, 3))
    settings = dict(hidden_layer_sizes=(5,), max_iter=2, random_state=0, dtype="float64") | settings
    return FeedForwardRegressor(**settings).fit(X, X[:, 0] ** 2)
def trained(**settings):
    return fit(**settings).network_.theta
"""
FIT = """
watch()
print(len(compiled), trained(activation="relu").tobytes().hex(), len(compiled))
"""


def start(code, folder, **environment):
    """Start a Python of its own with this folder as its cache, compiling whatever we do."""
    ours = {"LAMINA_CACHE_DIR": str(folder), "LAMINA_ENGINE": "auto", "NUMBA_DISABLE_JIT": "0"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PRELUDE + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ours | environment,
    )


def output(process):
    """Return the words that a process prints, and what it says on stderr."""
    try:
        printed, problem = process.communicate(timeout=250)
    finally:
        process.kill()
    assert process.returncode == 0, problem[-3000:]
    return printed.split(), problem


def run(code, folder, **environment):
    """Return the words that code prints in a Python of its own."""
    return output(start(code, folder, **environment))[0]


@pytest.fixture(name="folder", scope="module")
def folder_fixture(tmp_path_factory):
    """Return a cache that two processes filled at once, and the θ that each trained."""
    folder = tmp_path_factory.mktemp("cache") / "not" / "yet" / "there"
    both = [start(FIT, folder) for _ in range(2)]
    (first, _), (second, _) = [output(process) for process in both]
    assert first[1] == second[1]
    assert int(first[2]) > 0
    return folder, first[1]


def test_second_process_compiles_nothing(folder):
    """What one process compiled another one loads, and trains to the same bits."""
    path, theta = folder
    assert run(FIT, path) == ["0", theta, "0"]


READ_ONLY = """
import os
def refuse(event, arguments):  # as a read-only file system would, for the administrator too
    writes = event in {"os.mkdir", "os.rename", "os.remove"}
    writes |= event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if writes and str(arguments[0]).startswith(os.environ["LAMINA_CACHE_DIR"]):
        raise PermissionError(13, "read-only", str(arguments[0]))
sys.addaudithook(refuse)
"""


def test_cache_that_is_read_only_works(folder):
    """Where the cache cannot be written kernels are loaded from it."""
    path, theta = folder
    assert run(READ_ONLY + FIT, path) == ["0", theta, "0"]


def test_empty_cache_that_is_read_only_works(folder, tmp_path):
    """Where the cache is empty and cannot be written everything is compiled, in silence."""
    words = run(READ_ONLY + FIT, tmp_path)
    assert words[1] == folder[1]
    assert not list(tmp_path.iterdir())


def test_cache_that_cannot_be_made_works(folder, tmp_path):
    """Where there can be no cache at all everything is compiled, and trains to the same bits."""
    (tmp_path / "file").write_text("no folder")
    words = run(FIT, tmp_path / "file" / "cache")
    assert words[1] == folder[1]


def test_damaged_cache_is_compiled_again(folder, tmp_path):
    """Kernels that were cut short on disk are compiled again."""
    path, theta = folder
    for file in path.iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content[: len(content) // 2])
    words = run(FIT, tmp_path)
    assert words[1] == theta
    assert int(words[2]) > 0


EDITED = """
from mine import value, slope
watch()
lamina.register_activation("mine", value, slope)
theta = trained(activation="mine")
print(theta.tobytes().hex(), len(compiled))
"""
EDITS = {
    "constant": (
        "def value(z):\n    return NUMBER * z\ndef slope(z, a):\n    return NUMBER + 0 * z\n"
    ),
    "global": (
        "K = NUMBER\ndef value(z):\n    return K * z\ndef slope(z, a):\n    return K + 0 * z\n"
    ),
    "closure": (
        "def make(k):\n    return (lambda z: k * z), (lambda z, a: k + 0 * z)\n"
        "value, slope = make(NUMBER)\n"
    ),
    "default": (
        "def value(z, k=NUMBER):\n    return k * z\n"
        "def slope(z, a, k=NUMBER):\n    return k + 0 * z\n"
    ),
    "called": (
        "def inner(z):\n    return NUMBER * z\ndef value(z):\n    return inner(z)\n"
        "def slope(z, a):\n    return inner(0 * z + 1)\n"
    ),
    "array": (
        "import numpy as np\nK = np.array([1.0, NUMBER])\ndef value(z):\n    return K[1] * z\n"
        "def slope(z, a):\n    return K[1] + 0 * z\n"
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_edited_formula_is_compiled_again(what, folder, tmp_path):
    """A file with another number in it is never served the kernels of what it was before."""
    answers = []
    for number in ("0.1234567891", "0.1234567892"):
        (tmp_path / "mine.py").write_text(EDITS[what].replace("NUMBER", number))
        (tmp_path / "mine.py").touch()
        environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        answers.append(run(EDITED, folder[0], **environment))
    assert answers[0][0] != answers[1][0]
    if what == "constant":  # the others are kept alike
        assert run(EDITED, folder[0], **environment) == [answers[1][0], "0"]


def test_formula_in_another_module_takes_the_kernels_that_are_there(folder, tmp_path):
    """Kernels of a formula are loaded where the module that they were compiled for is gone."""
    source = EDITS["called"].replace("NUMBER", "0.987654321")
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    answers = []
    for name in ("mine", "moved"):
        (tmp_path / f"{name}.py").write_text(source)
        answers.append(run(EDITED.replace("mine", name), folder[0], **environment))
        (tmp_path / f"{name}.py").unlink()
    assert answers[1] == [answers[0][0], "0"]


MUTATED = """
K = 0.5
lamina.register_activation("mine", lambda z: K * z, lambda z, a: K + 0 * z)
first = trained(activation="mine")
K = 2.0
second = trained(activation="mine")
lamina.register_activation("other", lambda z: 2.0 * z, lambda z, a: 2.0 + 0 * z)
print(np.array_equal(first, second), np.array_equal(second, trained(activation="other")))
"""


def test_global_that_changes_is_followed(folder):
    """A formula whose global is another number now, as in a notebook, is compiled again."""
    assert run(MUTATED, folder[0]) == ["False", "True"]


WITHOUT = """
BLOCK
theta = trained(activation="relu")
print("numba" in sys.modules and sys.modules["numba"] is not None)
from lamina.engines.choice import make_engine
print(type(make_engine(fit().network_.recipe, "float64")).__name__, theta.tobytes().hex())
"""
BLOCK = "sys.modules['numba'] = None"


@pytest.mark.parametrize(
    ("block", "environment"),
    [
        (BLOCK, {}),
        (BLOCK, {"LAMINA_ENGINE": "reference"}),
        ("", {"LAMINA_ENGINE": "reference"}),
        ("", {"NUMBA_DISABLE_JIT": "1"}),
    ],
    ids=["no numba", "no numba, reference", "reference", "no jit"],
)
def test_everything_works_without_the_compiler(block, environment, tmp_path):
    """Without Numba, without its compiler or if so asked, the reference engine trains."""
    words = run(WITHOUT.replace("BLOCK", block), tmp_path, **environment)
    assert words[:2] == ["False", "ReferenceEngine"]
    assert not list(Path(tmp_path).iterdir())


FALLBACK = """
from scipy.special import expit
class Own:
    def __call__(self, Z):
        return np.tanh(Z)
    def pullback(self, Z, A, Delta):
        return Delta * (1 - A * A)
def again(n, z):
    return z if n == 0 else again(n - 1, z)
TABLE = {"k": 0.5}
lamina.register_activation("with_expit", lambda z: expit(z), lambda z, a: a * (1 - a))
lamina.register_activation("ufunc", expit, lambda z, a: a * (1 - a))
lamina.register_activation("object", Own())
lamina.register_activation("recursive", lambda z: 0.5 * again(2, z), lambda z, a: 0.5 + 0 * z)
lamina.register_activation("dictionary", lambda z: TABLE["k"] * z, lambda z, a: 0.5 + 0 * z)
lamina.register_activation("logistic_", lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a))
lamina.register_activation("half", lambda z: 0.5 * z, lambda z, a: 0.5 + 0 * z)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = fit(activation="NAME", solver="sgd")
    X = np.random.default_rng(0).normal(size=(60, 3))
    model.predict(X)
    model.predict(X)
warned = [str(w.message) for w in caught if w.category is EngineWarning]
assert len(caught) == len(warned) == 1, [str(w.message) for w in caught]
assert "cannot be compiled" in warned[0] or "not formulas" in warned[0], warned
same = trained(activation="LIKE", solver="sgd")
gap = np.abs(model.network_.theta - same).max() / np.abs(same).max()
assert gap < 1e-12, gap  # two steps; not of Adam, which divides by gradients that are 0 here
print("fine")
"""


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("with_expit", "logistic"),
        ("ufunc", "logistic"),
        ("object", "tanh"),
        ("recursive", "half"),
        ("dictionary", "half"),
    ],
)
def test_formula_that_cannot_be_compiled_falls_back(name, like, folder):
    """One warning names the formula, and training gives what compiled training would."""
    code = FALLBACK.replace("NAME", name).replace("LIKE", like)
    assert run(code, folder[0]) == ["fine"]


def test_asked_for_the_compiled_engine_refuses_what_it_cannot_do(folder):
    """With LAMINA_ENGINE=compiled there is no fallback: the error says why."""
    code = """
from scipy.special import expit
lamina.register_activation("mine", lambda z: expit(z), lambda z, a: a * (1 - a))
try:
    fit(activation="mine")
except lamina.exceptions.FormulaError as problem:
    print("cannot be compiled" in str(problem))
"""
    assert run(code, folder[0], LAMINA_ENGINE="compiled") == ["True"]


def test_import_loads_no_numba(tmp_path):
    """Neither the import nor an estimator loads Numba before there is something to train."""
    code = "FeedForwardRegressor(); print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    assert run(code, tmp_path) == ["False", "False"]
