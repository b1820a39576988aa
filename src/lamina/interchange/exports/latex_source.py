"""The formula of a small network in LaTeX, for a paper or a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.interchange.exports.latex_formulas import HEADS, LATEX
from lamina.interchange.exports.words import description

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lamina.interchange.exports.portable import Head, Layer, Portable

MOST = 300
"""Parameters at most: nobody reads a longer formula."""
DIGITS = 5
"""Digits of each number."""
TERMS = 5
"""Terms on a line."""
ESCAPED = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{letter: f"\\{letter}" for letter in "#$%&_{}"},
}


def latex_source(portable: Portable, name: str = "model") -> str:
    """Return an `align*` of amsmath: inputs, features, each unit, and what is made of the outputs.

    Numbers have five digits, so that the formula is for reading and not for computing.

    Raises
    ------
    InvalidValueError
        If the network has more than 300 parameters, or an activation is none of Lamina's own.
    """
    size = sum(layer.W.size + layer.b.size for layer in portable.layers)
    if size > MOST:
        message = (
            f"the network has {size:,} parameters, and a formula of more than {MOST} is not for "
            "reading; export to c, python, matlab or onnx, or train a smaller network"
        )
        raise InvalidValueError(message)
    lines = [*_inputs(portable), *_features(portable)]
    feature = "u" if _has_features(portable) else "x"
    below = [f"{feature}_{{{n}}}" for n in range(1, portable.sizes[0] + 1)]
    L = len(portable.layers)
    for l, layer in enumerate(portable.layers, start=1):
        mark = f"^{{({l})}}" if l < L else ""
        last = "y" if l == L and portable.head.form == "same" else "a"
        lines += _layer(layer, below, mark, last)
        below = [f"a{mark}_{{{i}}}" for i in range(1, len(layer.b) + 1)]
    lines += _answer(portable)
    about = "\n".join(f"% {line}".rstrip() for line in description(portable, codes=False))
    body = " \\\\\n".join(f"  {line}" for line in lines)
    needs = "% Needs \\usepackage{amsmath}."
    top = f"% {name}\n{about}\n{needs}"
    return f"{top}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def number(value: float) -> str:
    """Return a number of five digits as LaTeX sets it."""
    text = f"{float(value):.{DIGITS}g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def escaped(text: str) -> str:
    """Return text in which no letter means anything to LaTeX."""
    safe = (ESCAPED.get(c, c if c.isprintable() else " ") for c in text)
    return rf"\text{{{''.join(safe)}}}"


def _has_features(portable: Portable) -> bool:
    """Return whether features are something else than the inputs."""
    expansion = portable.expansion
    plain = not np.any(expansion.levels) and not np.any(expansion.indicator)
    return portable.scales_inputs or not plain or bool(np.isfinite(expansion.clip))


def _inputs(portable: Portable) -> Iterator[str]:
    """Yield what each x is."""
    for n, cell in enumerate(portable.cells, start=1):
        yield rf"x_{{{n}}} &= {escaped(cell.name)}"


def _features(portable: Portable) -> Iterator[str]:
    """Yield what each u is; a bracket is 1 where it is true."""
    if not _has_features(portable):
        return
    expansion, j = portable.expansion, 0
    for n, cell in enumerate(portable.cells, start=1):
        for text in cell.codes:
            j += 1
            yield rf"u_{{{j}}} &= [x_{{{n}}} = {escaped(text)}]"
        if cell.codes:
            continue
        center, scale = expansion.scaling.center[j], expansion.scaling.scale[j]
        j += 1
        u = f"x_{{{n}}}"
        if center:
            u = f"{u} {'-' if center > 0 else '+'} {number(abs(center))}"
        if scale != 1.0:
            u = rf"\frac{{{u}}}{{{number(scale)}}}"
        if np.isfinite(expansion.clip):
            bent = rf"\left(\frac{{v}}{{{number(expansion.clip)}}}\right)^2"
            u = rf"\frac{{v}}{{\sqrt{{1 + {bent}}}}}, \quad v = {u}"
        yield f"u_{{{j}}} &= {u}"
        if expansion.indicator[n - 1]:
            j += 1
            then = rf"\quad u_{{{j - 1}}} = 0 \text{{ then}}"
            yield rf"u_{{{j}}} &= [x_{{{n}}} \text{{ is missing}}], {then}"


def _sum(terms: Sequence[tuple[float, str]], constant: float) -> str:
    """Return a sum of products and a constant, broken into lines."""
    pieces = [
        f"{'-' if weight < 0 else '+'} {number(abs(weight))} \\, {factor}"
        for weight, factor in terms
        if weight != 0.0
    ]
    if constant != 0.0 or not pieces:
        pieces.append(f"{'-' if constant < 0 else '+'} {number(abs(constant))}")
    pieces[0] = re.sub(r"^(-) |^\+ ", r"\1", pieces[0])
    lines = [" ".join(pieces[start : start + TERMS]) for start in range(0, len(pieces), TERMS)]
    return " \\\\\n  &\\quad {} ".join(lines)


def _layer(layer: Layer, below: Sequence[str], mark: str, name: str) -> Iterator[str]:
    """Yield z of each unit, and what is called `name` of all."""
    for i, (row, bias) in enumerate(zip(layer.W, layer.b, strict=True), start=1):
        weights = [(float(weight), a) for weight, a in zip(row, below, strict=True)]
        left = name if layer.activation == "identity" else "z"
        yield f"{left}{mark}_{{{i}}} &= {_sum(weights, float(bias))}"
    if layer.activation == "identity":
        return
    formula = LATEX.of(layer, {key: number(value) for key, value in layer.parameters.items()})
    j = "j" if len(layer.blocks) == 1 else r"j \text{ in the block of } i"
    for placeholder, text in (("<z>", f"z{mark}_i"), ("<z_j>", f"z{mark}_j"), ("<j>", j)):
        formula = formula.replace(placeholder, text)
    places = rf", \quad i = 1, \ldots, {len(layer.b)}" if len(layer.b) > 1 else ", \\quad i = 1"
    yield f"{name}{mark}_i &= {formula}{places}"


def _answer(portable: Portable) -> Iterator[str]:
    """Yield what is made of the outputs."""
    head = portable.head
    if head.output == "variable":
        for i, (center, scale) in enumerate(zip(head.center, head.scale, strict=True), start=1):
            v = _sum([(float(scale), f"a_{{{i}}}")], float(center))
            yield f"y_{{{i}}} &= {_mapped(head, v, i)}"
        return
    if head.form == "pair":
        yield r"y_{1} &= 1 - a_{1}"
        yield r"y_{2} &= a_{1}"
    elif head.form == "shifted":
        yield f"y_{{1}} &= {_sum([(1.0, 'a_{1}')], -head.middle)}"
    elif head.form != "same":
        yield rf"y_i &= {HEADS[head.form]}, \quad i = 1, \ldots, {head.n_outputs}"
    names = [label for classes in head.classes for label in classes.tolist()]
    what = "is the probability of " if head.output == "probabilities" else "is the score of "
    for i, label in enumerate(names if len(names) == head.n_outputs else [], start=1):
        yield rf"y_{{{i}}} &\text{{ {what}}} {escaped(str(label))}"


def _mapped(head: Head, v: str, i: int) -> str:
    """Return a predicted number in the units of the target.

    Raises
    ------
    InvalidValueError
        If there is a table instead of a formula.
    """
    if head.form == "quantile":
        message = (
            "predictions are mapped back by a table of quantiles (target_transform='quantile'), "
            "which is no formula; export to c, python, matlab or onnx"
        )
        raise InvalidValueError(message)
    if head.form == "affine":
        return v
    power = float(head.map[0, i - 1]) if head.form == "box-cox" else 0.0
    if power == 0.0:
        return f"e^{{{v}}}"
    return rf"\max\left(0, 1 + {number(power)} \left({v}\right)\right)^{{1 / {number(power)}}}"
