"""What holds for every test, and for the examples in docstrings."""

import pytest
from hypothesis import settings

from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS

# No deadline: a first call compiles. The blob repeats a failure; pytest prints the other seed.
settings.register_profile("lamina", deadline=None, print_blob=True)
settings.load_profile("lamina")


@pytest.fixture(autouse=True)
def _registries(monkeypatch):
    """Forget what a test or an example registers."""
    for registry in (ACTIVATIONS, ERRORS):
        monkeypatch.setattr(registry, "_makers", dict(registry._makers))
