"""The Python that documents show runs as it stands, and what they say of others is so.

It runs with the library alone. A page that shows optional libraries names them in a comment of its
own, <!-- runs with: matplotlib, pandas -->, and those can be imported, where they are installed.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.neural_network import MLPRegressor

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPTIONAL = {"matplotlib", "onnx", "onnxruntime", "pandas", "polars", "pyarrow", "tensorboardX"}
BARE = """
import sys

class Bare:
    @staticmethod
    def find_spec(name, *_):
        if name in ABSENT:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Bare)
"""
"""What makes a Python one without the libraries in ABSENT: no import of them works."""


def python_of(document):
    """Return the Python blocks of a document, joined in order."""
    return "\n".join(re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL))


def libraries_of(document):
    """Return the optional libraries that a document shows."""
    found = re.search(r"<!-- runs with: ([\w, ]+) -->", document.read_text("utf-8"))
    return set(found[1].split(", ")) if found else set()


def run(code, folder, libraries=frozenset()):
    """Run code in a Python of its own, in a folder, where every warning is an error."""
    absent = f"ABSENT = {sorted(OPTIONAL - libraries)}\n"
    return subprocess.run(  # noqa: PLW1510 - the caller looks at what came
        [sys.executable, "-W", "error", "-X", "utf8", "-"],
        input=absent + BARE + code,
        env={**os.environ, "MPLBACKEND": "agg"},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=250,
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_document_shows_code_that_runs(document, tmp_path):
    """The Python blocks run in order in a bare install, with no warning and no file left."""
    libraries = libraries_of(document)
    assert libraries <= OPTIONAL
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the page shows {', '.join(missing)}, and the library is not installed")
    result = run(python_of(document), tmp_path, libraries)
    assert (result.returncode, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code",
    ["import pandas", "1 / 0", "import warnings; warnings.warn('odd')"],
)
def test_document_checker_catches_what_fails(code, tmp_path):
    """A library that is no dependency, an error, and a warning are found."""
    assert run(code, tmp_path).returncode != 0


def test_readme_has_fifteen_lines():
    """The README's first example has at most fifteen lines of code."""
    first = python_of(ROOT / "README.md").split("import numpy")[0]
    assert 5 < len([line for line in first.splitlines() if line.strip()]) <= 17


def test_losses_of_scikit_learn_have_their_names_here():
    """The guide from scikit-learn names every loss that its regressor has."""
    guide = (ROOT / "docs" / "how-to" / "from-scikit-learn.md").read_text("utf-8")
    (allowed,) = MLPRegressor._parameter_constraints["loss"]
    assert allowed.options
    assert [loss for loss in allowed.options if f'"{loss}"' not in guide] == []
