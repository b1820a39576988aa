"""The recipe: layers and error as immutable, comparable records."""

import dataclasses

import pytest

from lamina.network.network import Network
from lamina.network.penalties import Penalty

ARGUMENTS = {"activations": ["relu", "softmax"], "error": "cross_entropy"}


def recipe(sizes=(4, 3, 2), **changes):
    """Return the recipe of a small classifier."""
    return Network(list(sizes), **(ARGUMENTS | changes)).recipe


def test_recipe_counts_layers_units_and_parameters():
    """L, S and sizes are those of the layers."""
    assert recipe().L == 2
    assert recipe().S == [4, 3, 2]
    assert recipe().size == 3 * 5 + 2 * 4
    assert [layer.size for layer in recipe().layers] == [15, 8]


def test_recipe_is_indexed_by_layer():
    """Activations and penalties answer to 1..L."""
    penalized = recipe(penalties=[None, Penalty(l2=0.1)])
    assert [repr(penalized.activation(l)) for l in (1, 2)] == ["relu", "Softmax()"]
    assert [layer.penalty for layer in penalized.layers] == [Penalty(), Penalty(l2=0.1)]


def test_recipe_is_a_value():
    """Two equal recipes are equal and hash alike; a change of anything makes another."""
    assert recipe() == recipe()
    assert hash(recipe()) == hash(recipe())
    for changes in ({"sizes": (4, 2, 2)}, {"error": "squared"}, {"penalties": Penalty(l1=1.0)}):
        assert recipe(**changes) != recipe()


def test_recipe_is_immutable():
    """Nothing can be assigned, and looking at the pair does not make it another recipe."""
    used = recipe()
    assert used.pair is not None
    assert used == recipe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        used.error = None
