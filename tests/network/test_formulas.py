"""The registry: names, spellings, and what becomes of wrong ones."""

import json
from dataclasses import dataclass

import pytest

from lamina.exceptions import InvalidTypeError, InvalidValueError, UnknownNameError
from lamina.network.activation_families import LeakyRelu
from lamina.network.activations import ACTIVATIONS, get_activation
from lamina.network.errors import ERRORS, get_error
from lamina.registry import Registry

SPELLINGS = [
    ("tanh", {"name": "tanh"}),
    (" tanh ", {"name": "tanh"}),
    ("softmax", {"name": "softmax"}),
    ("softmax()", {"name": "softmax"}),
    ("leaky_relu", {"name": "leaky_relu", "slope": 0.01}),
    ("leaky_relu()", {"name": "leaky_relu", "slope": 0.01}),
    ("leaky_relu(0.2)", {"name": "leaky_relu", "slope": 0.2}),
    ("leaky_relu( slope = 0.2 )", {"name": "leaky_relu", "slope": 0.2}),
    ("elu(-0.5)", {"name": "elu", "alpha": -0.5}),
]


@pytest.mark.parametrize(("text", "spelled"), SPELLINGS)
def test_spelling_is_read_and_written(text, spelled):
    """A name, with parameters by place or by name, is a record, and the record is JSON."""
    record = get_activation(text)
    assert ACTIVATIONS.spell(record) == spelled
    parameters = json.loads(json.dumps(spelled))
    assert ACTIVATIONS.make(parameters.pop("name"), parameters) == record


@pytest.mark.parametrize(
    "text", ["huber(1.5)", "quantile((0.1, 0.9))", "tweedie(p=1.3)", "squared"]
)
def test_error_comes_back_from_json(text):
    """Errors survive JSON, whose arrays are lists, as equal records."""
    record = get_error(text)
    parameters = json.loads(json.dumps(ERRORS.spell(record)))
    assert ERRORS.make(parameters.pop("name"), parameters) == record


UNREADABLE = """
tanh( tanh) leaky_relu[0.2] a.b 3 None lambda leaky_relu(x) leaky_relu(0.1+) __import__('os')
leaky_relu(__import__('os')) tanh;tanh leaky_relu(slope=sqrt(2)) leaky_relu(*[0.1])
""".split()


@pytest.mark.parametrize("text", ["", " ", "two words", "\x00", *UNREADABLE])
def test_unreadable_spelling_is_refused(text):
    """What is no name and no call with plain numbers is refused; nothing is evaluated."""
    with pytest.raises((InvalidTypeError, UnknownNameError), match="activation"):
        get_activation(text)


TOO_MANY = """
leaky_relu(0.1,0.2) leaky_relu(0.1,slope=0.2) leaky_relu(alpha=0.2) softmax(1) tanh(3)
tanh(name='relu') leaky_relu(**{'slope':0.2})
""".split()


@pytest.mark.parametrize("text", TOO_MANY)
def test_parameter_too_many_is_refused(text):
    """A parameter that the record does not have, or has already, is never dropped."""
    with pytest.raises((InvalidTypeError, UnknownNameError)):
        get_activation(text)


def test_parameters_of_a_plain_formula_are_refused_in_its_own_words():
    """The message about tanh(3) tells what was given, not how records are built."""
    with pytest.raises(InvalidTypeError, match=r"'tanh' takes no parameters") as caught:
        get_activation("tanh(3)")
    assert "'name'" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "two words", "3d", "a-b", None, 3])
def test_name_that_cannot_be_written_is_refused(name):
    """A name is an identifier: no space, no number, no text of another kind."""
    with pytest.raises(InvalidValueError, match="identifier"):
        ACTIVATIONS.add(name, LeakyRelu(0.5))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS._builtin))
def test_builtin_activation_is_protected(name):
    """A built-in name cannot be taken by another formula."""
    with pytest.raises(InvalidValueError, match="choose another name"):
        ACTIVATIONS.add(name, LeakyRelu(0.5))


@pytest.mark.parametrize("name", sorted(ERRORS._builtin))
def test_builtin_error_is_protected(name):
    """A built-in name cannot be taken by another error."""
    with pytest.raises(InvalidValueError, match="choose another name"):
        ERRORS.add(name, get_error("huber(0.5)"))


def test_unregistered_record_cannot_be_spelled():
    """A record that nothing can make again is refused, with the way to register it."""

    @dataclass(frozen=True)
    class Unknown:
        number: float = 1.0

    with pytest.raises(UnknownNameError, match=r"register_activation"):
        ACTIVATIONS.spell(Unknown())


def test_registry_lists_its_names():
    """Names are sorted, and user's names stand among the built-in ones."""
    registry = Registry("thing")
    registry.builtin("b")(1)
    registry.add("a", 2)
    assert registry.names() == ["a", "b"]
    assert registry.is_builtin("b")
    assert not registry.is_builtin("a")
    registry.add("a", 3)
    assert registry.make("a") == 3
