"""The comparison with scikit-learn measures both sides alike."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "defaults.py"


@pytest.fixture(scope="module")
def defaults():
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("defaults", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kinds", [2, 30])
def test_comparison_reports_what_both_sides_have(defaults, kinds):
    """Each side has score, spread and seconds; no count of warnings that only one side gives."""
    X = np.random.default_rng(0).normal(size=(30, 2))
    y = np.arange(30) % kinds
    result = defaults.compare(X, y, seeds=1, folds=2)
    assert result["task"] == ("classification" if kinds == 2 else "regression")
    for side in ("lamina", "sklearn"):
        assert set(result[side]) == {"score", "spread", "seconds"}
        assert np.all(np.isfinite(list(result[side].values())))
