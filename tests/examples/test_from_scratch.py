"""The note in a hundred lines: short, self-contained, exact, and it learns."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lamina.network.network import Network

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "from_scratch.py"
SIZES = [3, 5, 4, 2]


@pytest.fixture(name="example", scope="module")
def example_names():
    """Return what the example defines, without running it."""
    return runpy.run_path(str(EXAMPLE), run_name="from_scratch")


def test_example_is_a_hundred_lines():
    """The whole note fits on a hundred lines of a hundred characters."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 100


def test_example_imports_numpy_alone():
    """NumPy, the standard library, and scikit-learn for its digits; not Lamina."""
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert modules == {"time", "itertools", "numpy", "sklearn.datasets"}


def test_example_cites_the_equations_it_computes():
    """Forward, error and backward carry their numbers at the ends of their lines."""
    cited = re.findall(r"#\s+\((\d\.\d+)\)", EXAMPLE.read_text(encoding="utf-8"))
    assert set(cited) == {"1.2", "1.4", "1.5", "2.18", "2.23", "4.1", "4.2"}


def test_example_gradient_is_that_of_the_library(example):
    """On the same weights outputs, error and every derivative equal those of a Network."""
    random = np.random.default_rng(0)
    W, b = example["start"](SIZES, random)
    b = [random.normal(size=bias.shape) for bias in b]
    X, T = random.normal(size=(3, 7)), random.uniform(size=(2, 7))
    net = Network(SIZES, ["tanh", "tanh", "logistic"])
    for l in (1, 2, 3):
        net.W[l][...], net.b[l][...] = W[l], b[l]
    A = example["forward"](W, b, X)
    dW, db = example["backward"](W, A, T)
    result = net.backpropagate(X, T)
    np.testing.assert_allclose(example["error"](T, A[-1]), result.J, rtol=1e-13)
    for l in (1, 2, 3):
        np.testing.assert_allclose(A[l], result.A[l], rtol=1e-13)
        np.testing.assert_allclose(dW[l], result.dW[l], rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(db[l], result.db[l], rtol=1e-11, atol=1e-15)


def test_example_learns_digits():
    """Run as a script it reads at least 96 of 100 digits that it has not seen, within seconds."""
    run = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r"accuracy ([\d.]+)% after ([\d.]+) s", run.stdout)
    assert float(found[1]) >= 96.0
    assert run.stderr == ""
