"""Exports as files: which language, and what is refused."""

import re

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError, ModelExistsError
from lamina.interchange.exports.files import TARGETS, choose_target
from lamina.interchange.exports.formulas import Numbers, identifier


@pytest.fixture(scope="module")
def net():
    """Return a small network."""
    return lamina.Network([2, 3, 1], ["tanh", "identity"], random_state=0)


@pytest.mark.parametrize("to", TARGETS)
def test_ending_says_the_target(to):
    """The ending of a file chooses what is written, in small or capital letters."""
    suffix = TARGETS[to].suffix
    assert choose_target(suffix, None) == choose_target(suffix.upper(), None) == to
    assert choose_target(".txt", to) == to


def test_unknown_target_is_refused(net, tmp_path):
    """A target or an ending that there is not is refused, and those that there are listed."""
    with pytest.raises(InvalidValueError, match=r"'.txt' does not say.*python \(.py\)"):
        lamina.export(net, tmp_path / "it.txt")
    with pytest.raises(InvalidValueError, match="got 'java'"):
        lamina.export(net, tmp_path / "it.c", "java")
    assert list(tmp_path.iterdir()) == []


def test_existing_file_is_kept(net, tmp_path):
    """A file that exists is replaced only if asked for."""
    path = tmp_path / "it.c"
    path.write_text("mine")
    with pytest.raises(ModelExistsError):
        lamina.export(net, path)
    assert path.read_text() == "mine"
    lamina.export(net, path, overwrite=True)
    assert path.read_text() != "mine"


def test_wrong_model_is_refused(tmp_path):
    """What is neither an estimator of ours nor a network is refused."""
    with pytest.raises(InvalidTypeError, match="got a list"):
        lamina.export([], tmp_path / "it.c")


def test_wrong_precision_is_refused(net, tmp_path):
    """An export computes in float32 or float64 and in nothing else."""
    with pytest.raises(InvalidValueError, match="float32 or float64"):
        lamina.export(net, tmp_path / "it.c", dtype="float16")


@pytest.mark.parametrize("to", TARGETS)
def test_own_activation_is_refused(to, tmp_path):
    """An activation of the user's own is refused by name where a language has no formula."""
    name = f"own_of_{to}"
    lamina.register_activation(name, lambda z: z * z, lambda z, _a: 2.0 * z)
    net = lamina.Network([2, 2, 1], [name, "identity"], random_state=0)
    with pytest.raises(InvalidValueError, match=f"no formula in .* for the activation '{name}'"):
        lamina.export(net, tmp_path / "it", to)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_number_comes_back(dtype):
    """A spelled number is the same number again."""
    spell = Numbers(np.dtype(dtype))
    values = np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-250, 250)[::-1]
    with np.errstate(over="ignore"):
        values = values.astype(dtype)
    values = values[np.isfinite(values)]
    assert all(values.dtype.type(spell(value)) == value for value in values)
    assert all(re.fullmatch(r"-?\d+(\.\d*)?(e[+-]?\d+)?", spell(value)) for value in values)


@pytest.mark.parametrize(
    ("text", "name"), [("a model-1", "a_model_1"), ("1st", "model_1st"), ("ü", "model")]
)
def test_identifier_is_one(text, name):
    """Functions are called as the file, with letters that every language takes."""
    assert identifier(text) == name
