"""Whatever is public is described."""

import inspect
from dataclasses import make_dataclass
from functools import cached_property

import pytest

import lamina


def is_described(thing, name):
    """Tell whether thing has a docstring that a person wrote."""
    text = inspect.getdoc(thing) or ""
    generated = text.startswith(f"{name}(")  # a dataclass or a named tuple without a docstring
    return bool(text) and not generated


def public_methods(cls):
    """Yield name and object of each public method and property that Lamina defines for cls."""
    for name in dir(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), None)
        if name.startswith("_") or owner is None or not owner.__module__.startswith("lamina"):
            continue
        method = inspect.getattr_static(cls, name)
        if isinstance(method, property | cached_property) or inspect.isroutine(method):
            yield name, method


def undescribed(name, thing):
    """Return the public names of thing, and its own, that have no docstring."""
    if not (inspect.isclass(thing) or inspect.ismodule(thing) or inspect.isroutine(thing)):
        thing = type(thing)  # a constant is described by its kind
    missing = [] if is_described(thing, thing.__name__) else [name]
    if inspect.isclass(thing):
        methods = public_methods(thing)
        missing += [f"{name}.{key}" for key, method in methods if not is_described(method, key)]
    return missing


def test_public_names_are_listed_once():
    """`lamina.__all__` lists no name twice, and `dir(lamina)` shows them all."""
    assert len(lamina.__all__) == len(set(lamina.__all__))
    assert set(lamina.__all__) <= set(dir(lamina))


@pytest.mark.parametrize("name", [name for name in lamina.__all__ if name != "__version__"])
def test_public_name_is_described(name):
    """A public name and each of its public methods have a docstring."""
    assert undescribed(name, getattr(lamina, name)) == []


def test_docstring_checker_catches_method():
    """A method or property of ours without a docstring is found, a private or foreign one not."""
    contents = {"__doc__": "A kind.", "__module__": "lamina.kinds", "described": is_described}
    contents |= {"_own": lambda self: self, "method": lambda self: self}
    contents |= {"number": property(lambda self: self)}
    kind = type("Kind", (list,), contents)
    assert undescribed("Kind", kind) == ["Kind.method", "Kind.number"]


def test_docstring_checker_catches_generated_text():
    """The signature that a dataclass puts in place of a missing docstring is none."""
    assert undescribed("Point", make_dataclass("Point", ["x", "y"])) == ["Point"]
