"""A model as a MATLAB function, the twin of what genFunction writes; Octave runs it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.interchange.exports.formulas import Numbers, identifier
from lamina.interchange.exports.matlab_formulas import HEADS, MATLAB
from lamina.interchange.exports.words import description

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.interchange.exports.portable import Head, Layer, Portable

    Array = npt.NDArray[Any]

EXACT = Numbers(np.dtype(float))


def matlab_source(portable: Portable, name: str) -> str:
    """Return the source of `[y, label] = NAME(x)`, for x of C × N: columns are data points.

    Raises
    ------
    InvalidValueError
        If an activation is none of Lamina's own.
    """
    name = identifier(name)
    layers = [_layer(layer, l) for l, layer in enumerate(portable.layers, start=1)]
    head = HEADS[portable.head.form]
    head = head.replace("{outputs}", str(portable.head.n_outputs))
    head = head.replace("{middle}", EXACT(portable.head.middle))
    parts = [_main(portable, name, head), _features(portable), *layers]
    return "\n".join([*parts, *MATLAB.needed([*layers, head])])


def _matrix(name: str, values: Array, spell: Numbers = EXACT) -> str:
    """Return an assignment of a matrix, a line for each row; a vector becomes a column."""
    rows = values.reshape(len(values), -1)
    kind = "single" if values.dtype == np.float32 else ""
    lines = []
    for row in rows:
        words = [spell(value) for value in row]
        cut = [" ".join(words[start : start + 8]) for start in range(0, len(words), 8)]
        lines.append(" ...\n        ".join(cut))
    body = ";\n    ".join(lines)
    return f"{name} = {kind}([ ...\n    {body}]);\n"


def _main(portable: Portable, name: str, head: str) -> str:
    """Return the function itself, after a comment that describes it."""
    known = portable.head
    about = "\n".join(f"% {line}".rstrip() for line in description(portable))
    answers = "[y, label]" if known.classes else "y"
    calls = "".join(f"a = layer{l}(a);\n" for l in range(1, len(portable.layers) + 1))
    arrays = ""
    if known.output == "variable":
        arrays = _matrix("output_center", known.center) + _matrix("output_scale", known.scale)
    if known.is_mapped:
        arrays += _matrix("known", known.map) if known.map.size else "known = [];\n"
    return f"""\
function {answers} = {name}(x)
%{name.upper()}  {answers} = {name}(x) for x of {len(portable.cells)} rows; columns are data points.
%
{about}

a = features_of(x);
{calls}{arrays}y = {head};
{_label(known)}end
"""


def _label(head: Head) -> str:
    """Return the lines that decide; a label for each column."""
    if not head.classes:
        return ""
    if head.several:
        return f"label = a > {EXACT(head.middle)};\n"
    lines, start = "", 0
    names = []
    for target, classes in enumerate(head.classes, start=1):
        if len(classes) == 1:
            lines += "place = ones(1, size(a, 2));\n"
        elif head.decision == "above":
            lines += f"place = 1 + (a > {EXACT(head.middle)});\n"
        else:
            lines += f"[~, place] = max(a({start + 1}:{start + len(classes)}, :), [], 1);\n"
        start += len(classes)
        lines += f"classes = {_classes(classes)};\nlabel{target} = classes(place);\n"
        names.append(f"label{target}")
    several = f"{{{'; '.join(names)}}}" if len(names) > 1 else names[0]
    return f"{lines}label = {several};\n"


def _classes(classes: Array) -> str:
    """Return labels as a row: numbers, truth values, or a cell array of text."""
    if classes.dtype.kind == "b":
        return f"[{' '.join(str(bool(label)).lower() for label in classes)}]"
    if classes.dtype.kind in "iuf":
        return f"[{' '.join(EXACT(label) for label in classes)}]"
    return f"{{{', '.join(quoted(str(label)) for label in classes.tolist())}}}"


def quoted(text: str) -> str:
    """Return text as MATLAB spells it; what cannot be printed by its code."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    letters = (quoted(c) if c.isprintable() else f"char({ord(c)})" for c in text)
    return f"[{' '.join(letters)}]"


def _layer(layer: Layer, l: int) -> str:
    """Return the function of layer l."""
    spelled = {key: EXACT(value) for key, value in layer.parameters.items()}
    formula = MATLAB.of(layer, spelled)
    if layer.activation in MATLAB.columnwise and len(layer.blocks) > 1:
        ends = np.cumsum(layer.blocks)
        parts = [
            formula.replace("(z)", f"(z({end - size + 1}:{end}, :))")
            for end, size in zip(ends, layer.blocks, strict=True)
        ]
        formula = f"[{'; '.join(parts)}]"
    own = Numbers(layer.W.dtype)
    return f"""\
function a = layer{l}(a)
{_matrix("W", layer.W, own)}{_matrix("b", layer.b, own)}z = W * a + b;
a = {formula};
end
"""


def _features(portable: Portable) -> str:
    """Return the function that makes features of cells: scaled numbers, one-hot categories."""
    expansion = portable.expansion
    levels = " ".join(map(str, expansion.levels.tolist()))
    flags = " ".join(str(int(flag)) for flag in expansion.indicator)
    clip = ""
    if np.isfinite(expansion.clip):
        c, limit = EXACT(expansion.clip), EXACT(portable.limit)
        clip = f"""
        v = v / {c};
        v(v < -{limit}) = -{limit};
        v(v > {limit}) = {limit};
        v = {c} * v ./ sqrt(1 + v .^ 2);"""
    fill = "\n        v(isnan(v)) = 0;" if portable.fills else ""
    kind = "single" if portable.dtype == np.float32 else "double"
    return f"""\
function u = features_of(x)
levels = [{levels}];
flags = [{flags}];
{_matrix("center", expansion.scaling.center)}{_matrix("scale", expansion.scaling.scale)}\
x = double(x);
u = zeros({expansion.n_features}, size(x, 2));
j = 1;
for i = 1:{len(expansion.levels)}
    K = levels(i);
    if K > 0
        u(j:j + K - 1, :) = x(i, :) == (0:K - 1)';
        j = j + K;
    else
        v = (x(i, :) - center(j)) / scale(j);{clip}{fill}
        u(j, :) = v;
        j = j + 1;
        if flags(i)
            u(j, :) = isnan(x(i, :));
            j = j + 1;
        end
    end
end
u = {kind}(u);
end
"""
