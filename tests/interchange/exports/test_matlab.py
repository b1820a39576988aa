"""Models as MATLAB functions: their formulas, their form, and what Octave makes of them."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from scipy.special import erfc

import lamina
from lamina.exceptions import UnknownNameError
from lamina.interchange.exports.matlab_formulas import MATLAB
from lamina.interchange.exports.matlab_source import quoted
from lamina.network.activations import ACTIVATIONS
from lamina.network.special import tanh_softplus

OCTAVE = shutil.which("octave-cli")
needs_octave = pytest.mark.skipif(OCTAVE is None, reason="Octave is not installed here")
MEANINGS = {
    **{name: getattr(np, name) for name in "tanh exp abs sqrt expm1 log1p sin".split()},
    "erfc": erfc,
    "Inf": np.inf,
    "bounded": np.clip,
    "pick": np.where,
    "logistic": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "tanh_softplus": tanh_softplus,
}


def text_of(model, path):
    """Return the text of an export."""
    lamina.export(model, path, overwrite=True)
    return path.read_text("utf-8")


@pytest.mark.parametrize("name", MATLAB.elementwise)
def test_formula_is_that_of_the_activation(name):
    """A formula, read as Python, gives the activation's numbers at the default parameters."""
    activation = ACTIVATIONS.make(name)
    text = MATLAB.elementwise[name]
    for key, value in ACTIVATIONS.spell(activation).items():
        text = text.replace("{" + key + "}", repr(value))
    for theirs, ours in ((".*", "*"), ("./", "/"), (".^", "**")):
        text = text.replace(theirs, ours)
    z = np.linspace(-6.0, 6.0, 121)
    found = eval(text, {"z": z, **MEANINGS})  # noqa: S307 - our own table
    assert np.allclose(found, activation(z), rtol=1e-13, atol=1e-15)


def test_every_function_ends_and_is_there(head, fitted, tmp_path):
    """Each function has its end, and those that are called and are not MATLAB's are in the file."""
    text = text_of(fitted(head)[0], tmp_path / "it.m")
    code = "\n".join(
        line.partition("%")[0] for line in re.sub(r"'[^'\n]*'", "''", text).splitlines()
    )
    opened = re.findall(r"^\s*(?:function|for|if)\b", code, re.MULTILINE)
    assert len(opened) == len(re.findall(r"^\s*end\s*$", code, re.MULTILINE))
    defined = set(re.findall(r"^function .*?(\w+)\(", code, re.MULTILINE))
    called = set(re.findall(r"\b(layer\d+|features_of|\w+_of|back_\w+|bounded|pick)\(", code))
    assert called <= defined


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("a'b", "'a''b'"), ("é", "'é'"), ("a\nb", "['a' char(10) 'b']"), ("", "''")],
)
def test_text_is_quoted(text, spelled):
    """Text stands in single quotes, and what cannot be printed as its code."""
    assert quoted(text) == spelled


def test_activation_without_a_name_is_refused(tmp_path):
    """An object that is not registered has no name, and so no formula in another language."""

    class Own(type(ACTIVATIONS.make("leaky_relu"))):
        pass

    net = lamina.Network([2, 2, 1], [Own(), "identity"])
    with pytest.raises(UnknownNameError, match="register"):
        lamina.export(net, tmp_path / "it.m")


@needs_octave
def test_estimators_are_reproduced(every_head, fitted, gap, answer_of, cells_of, tmp_path):
    """Octave's answers are those of the models, with every head."""
    expected = {}
    script = ["warning('off', 'all');"]
    for number, head in enumerate(every_head):
        model, X = fitted(head)
        expected[number] = answer_of(model, X)
        lamina.export(model, tmp_path / f"f{number}.m")
        np.savetxt(tmp_path / f"x{number}", cells_of(model, X).T, fmt="%.17g")
        call = f"y = f{number}(load('x{number}')); save('-text', 'y', 'y');"
        script.append(call.replace("'y', 'y'", f"'y{number}', 'y'"))
    command = [OCTAVE, "--no-init-file", "--eval", "\n".join(script)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for number, answer in expected.items():
        found = np.loadtxt(tmp_path / f"y{number}", ndmin=2, comments="#").T
        assert gap(found, answer) <= 1e-12
