"""What holds for every test, and for the examples in docstrings."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS

# No deadline: a first call compiles. The blob repeats a failure; pytest prints the other seed.
settings.register_profile("lamina", deadline=None, print_blob=True)
settings.load_profile("lamina")

COMPILES = (Path("tests/agreement"), Path("tests/engines/compiled"))
"""Tests that compile in this process,"""
COMPILES_ELSEWHERE = {"test_cache.py", "test_digest.py"}
"""but for these."""


ENGINE = os.environ.get("LAMINA_ENGINE")


@pytest.fixture(autouse=True)
def _environment():
    """Begin with the engine that was asked for: no fixture of many tests may choose another."""
    assert os.environ.get("LAMINA_ENGINE") == ENGINE


@pytest.fixture(autouse=True)
def _registries(monkeypatch):
    """Forget what a test or an example registers."""
    for registry in (ACTIVATIONS, ERRORS):
        monkeypatch.setattr(registry, "_makers", dict(registry._makers))


def pytest_collection_modifyitems(config, items):
    """Skip what has nothing to test where Numba's compiler is turned off."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
        return
    reason = pytest.mark.skip(reason="NUMBA_DISABLE_JIT turns off what this tests")
    for item in items:
        path = item.path.relative_to(config.rootpath)
        ours = any(path.is_relative_to(folder) for folder in COMPILES)
        given = getattr(getattr(item, "callspec", None), "params", {})
        if (ours and path.name not in COMPILES_ELSEWHERE) or given.get("engine") == "compiled":
            item.add_marker(reason)
