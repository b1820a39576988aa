"""Formulas of small networks."""

import re

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidValueError
from lamina.interchange.exports.latex_source import escaped, number


@pytest.fixture
def formula(tmp_path):
    """Return a function that gives the lines of the formula of a model."""

    def lines(model):
        lamina.export(model, tmp_path / "it.tex", overwrite=True)
        text = (tmp_path / "it.tex").read_text("utf-8")
        inside = re.search(r"\\begin\{align\*\}\n(.*)\n\\end\{align\*\}", text, re.DOTALL)[1]
        return inside.split(" \\\\\n")

    return lines


def test_braces_are_balanced(activation, random_network, formula):
    """Every line of a formula has one alignment, and as many opening as closing braces."""
    for line in formula(random_network(activation)):
        bare = re.sub(r"\\begin\{cases\}.*?\\end\{cases\}", "", line)
        assert bare.count("&") == 1
        assert line.count("{") == line.count("}")
        assert line.count(r"\left") == line.count(r"\right")
        assert "<" not in bare


def test_every_weight_is_there(formula):
    """Each weight and bias stands in the formula with five digits."""
    net = lamina.Network([2, 3, 1], ["tanh", "identity"], random_state=0)
    net.theta = np.random.default_rng(0).normal(size=net.theta.size)
    text = " ".join(formula(net))
    assert all(number(abs(value)) in text for value in net.theta)
    assert r"a^{(1)}_i &= \tanh z^{(1)}_i, \quad i = 1, \ldots, 3" in text


def test_estimator_says_what_it_answers(fitted, formula):
    """Inputs, scaling, classes and probabilities have their lines."""
    lines = formula(fitted("three classes")[0])
    assert r"x_{1} &= \text{x0}" in lines[0]
    assert re.search(r"u_\{2\} &= \\frac\{x_\{2\} - 202\d(\.\d+)?\}\{\d+\.\d+\}", " ".join(lines))
    assert r"y_{1} &\text{ is the probability of } \text{ant}" in " ".join(lines)


def test_categories_and_flags_are_brackets(fitted, formula):
    """A category is a bracket for each level, and a missing number has one too."""
    text = " ".join(formula(fitted("table")[0]))
    assert r"[x_{2} = \text{ant}]" in text
    assert r"[x_{1} \text{ is missing}]" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (1234567.0, r"1.2346 \cdot 10^{6}"), (1e-7, r"1 \cdot 10^{-7}")],
)
def test_number_is_set(value, text):
    """A number has five digits, and its exponent as a power of ten."""
    assert number(value) == text


def test_text_is_escaped():
    """No letter of a name means anything to LaTeX."""
    assert escaped("a_b & 50% {x}") == r"\text{a\_b \& 50\% \{x\}}"


def test_large_network_is_refused(tmp_path):
    """A network of more than 300 parameters is refused with what to do instead."""
    net = lamina.Network([10, 40, 1], ["tanh", "identity"])
    with pytest.raises(InvalidValueError, match=r"481 parameters.*export to c"):
        lamina.export(net, tmp_path / "it.tex")


def test_table_of_quantiles_is_refused(fitted, tmp_path):
    """What is no formula is not written as one."""
    with pytest.raises(InvalidValueError, match="table of quantiles"):
        lamina.export(fitted("quantile")[0], tmp_path / "it.tex")
