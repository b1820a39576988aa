"""What the registries say when a name or a record is unknown."""

from dataclasses import dataclass

import pytest

from lamina.exceptions import UnknownNameError
from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS
from lamina.registry import OWN, Registry
from lamina.training.schedules import SCHEDULES
from lamina.training.solvers import SOLVERS

REGISTRIES = [ACTIVATIONS, ERRORS, SCHEDULES, SOLVERS]


@dataclass(frozen=True)
class Stranger:
    """A record that nobody registered."""


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_advice_to_register_is_given_where_one_can(registry):
    """Only activations and errors can be registered, so only for them it is recommended."""
    with pytest.raises(UnknownNameError, match=r"unknown .* 'nobody'; known: ") as by_name:
        registry.make("nobody")
    with pytest.raises(UnknownNameError, match="is not registered") as by_record:
        registry.spell(Stranger())
    assert ("Register your own" in str(by_name.value)) == (registry.kind in OWN)
    assert ("lamina.register_" in str(by_record.value)) == (registry.kind in OWN)


def test_every_own_kind_has_its_function():
    """The functions that messages recommend exist."""
    import lamina

    for kind in OWN:
        assert callable(getattr(lamina, f"register_{kind}"))
        with pytest.raises(UnknownNameError, match=f"register_{kind}"):
            Registry(kind).spell(Stranger())
