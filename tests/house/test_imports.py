"""Imports point down, and importing Lamina costs and changes nothing."""

import ast
import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "src" / "lamina" / "network"
LAYERS = (
    "cli reports estimators interchange uncertainty training engines data certification network "
    "exceptions"
).split()

# Whatever Lamina uses beyond NumPy waits until it is needed.
LATE = (
    "joblib llvmlite matplotlib narwhals numba onnx onnxruntime pandas polars pyarrow rich "
    "safetensors scipy sklearn tensorboardX torch typer"
).split()

STATE = """
import json, locale, logging, os, random, signal, sys, threading, warnings
import numpy as np

def state():
    return {
        "environment": dict(os.environ),
        "error handling": np.geterr(),
        "excepthook": repr(sys.excepthook),
        "locale": locale.setlocale(locale.LC_ALL),
        "loggers": repr(logging.getLogger().handlers) + str(logging.getLogger().level),
        "print options": repr(np.get_printoptions()),
        "random numbers": repr((random.getstate(), np.random.get_state())),
        "search path": sys.path,
        "signals": repr([signal.getsignal(number) for number in signal.valid_signals()]),
        "threads": repr(threading.enumerate()),
        "warning filters": repr(warnings.filters),
    }

before = json.loads(json.dumps(state()))
import lamina
after = json.loads(json.dumps(state()))
print(json.dumps([name for name in before if before[name] != after[name]]))
"""


def run(*command, folder):
    """Run a command in a folder; return what came of it."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def fresh(code, folder):
    """Run code in a fresh interpreter and return the JSON that it prints."""
    result = run(sys.executable, "-c", code, folder=folder)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def lint_imports(folder):
    """Check the contracts of the folder's pyproject.toml on the package found from there."""
    linter = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return run(linter, "--no-cache", "--no-logo", folder=folder)


def foreign_imports(source):
    """Return the top-level packages that source imports, other than the standard library."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "lamina" if node.level == 0 else "lamina")
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


@pytest.fixture
def small_house(tmp_path):
    """Return a package of empty layers under our contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for layer in LAYERS:
        (tmp_path / "lamina" / layer).mkdir(parents=True)
        (tmp_path / "lamina" / layer / "__init__.py").touch()
    for name in (
        "__init__.py",
        "registration.py",
        "registry.py",
        "exceptions.py",
        "certification/certify.py",
        "engines/predictor.py",
        "interchange/native.py",
        "reports/diagnosis.py",
        "reports/notebook.py",
    ):
        (tmp_path / "lamina" / name).touch()
    # the exceptions that the contracts name
    declared = ("certification.certify", "engines.predictor", "interchange.native")
    text = "".join(f"import lamina.{name}\n" for name in declared)
    (tmp_path / "lamina" / "network" / "network.py").write_text(text)
    text = "".join(f"import lamina.reports.{name}\n" for name in ("diagnosis", "notebook"))
    (tmp_path / "lamina" / "estimators" / "reporting.py").write_text(text)
    return tmp_path


def test_imports_point_down():
    """The library keeps every contract of pyproject.toml."""
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_contracts_allow_layers(small_house):
    """A house whose imports point down keeps the contracts."""
    (small_house / "lamina" / "cli" / "demo.py").write_text("import lamina.estimators, typer\n")
    result = lint_imports(small_house)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("layer", "imported"),
    [
        ("network", "lamina.training"),
        ("network", "scipy"),
        ("training", "lamina.estimators"),
        ("training", "lamina.uncertainty"),
        ("uncertainty", "lamina.interchange"),
        ("training", "sklearn"),
        ("engines", "lamina.data"),
        ("data", "lamina.engines"),
        ("exceptions", "lamina.network"),
    ],
)
def test_contracts_catch_violation(small_house, layer, imported):
    """An import that points up or sideways, or a foreign one where none belongs, is refused."""
    (small_house / "lamina" / layer / "wrong.py").write_text(f"def f():\n    import {imported}\n")
    assert lint_imports(small_house).returncode == 1


def test_contracts_catch_homeless_package(small_house):
    """A package without a place among the layers is refused."""
    (small_house / "lamina" / "utilities.py").touch()
    assert lint_imports(small_house).returncode == 1


@pytest.mark.parametrize("path", sorted(NETWORK.rglob("*.py")), ids=lambda path: path.name)
def test_mathematics_import_numpy_only(path):
    """A file of network/ imports the standard library, NumPy and Lamina, and nothing else."""
    assert foreign_imports(path.read_text(encoding="utf-8")) <= {"lamina", "numpy"}


def test_import_is_light(tmp_path):
    """`import lamina` loads none of the large libraries that Lamina uses later."""
    loaded = fresh("import json, sys, lamina; print(json.dumps(list(sys.modules)))", tmp_path)
    assert "lamina" in loaded
    assert set(LATE).isdisjoint(loaded)


def test_import_changes_no_state(tmp_path):
    """`import lamina` changes no state that it shares with the rest of the process."""
    assert fresh(STATE, tmp_path) == []


def test_state_checker_catches_change(tmp_path):
    """A module that changed NumPy's error handling when imported would be found."""
    changed = STATE.replace("import lamina", "np.seterr(all='raise')")
    assert fresh(changed, tmp_path) == ["error handling"]
