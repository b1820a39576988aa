"""A model as a Python file that needs NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.interchange.exports.formulas import Numbers
from lamina.interchange.exports.python_formulas import BACK, HEADS, PYTHON
from lamina.interchange.exports.words import description

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from lamina.data.encoded_columns import Column
    from lamina.interchange.exports.portable import Head, Layer, Portable

    Array = npt.NDArray[Any]

NAMES = {"variable": "predict", "probabilities": "predict_proba", "scores": "decision_function"}
"""What the function is called that answers with each kind of output."""
SHARES = '''\
def shares(a):
    """Return each number over the sum of its row, and equal shares where that is 0."""
    total = a.sum(axis=1, keepdims=True)
    equal = np.full_like(a, 1.0 / a.shape[1])
    return np.divide(a, total, out=equal, where=total > 0)
'''


def python_source(portable: Portable, name: str = "model") -> str:
    """Return the source of a module with `predict` and, for classes, what they are decided by.

    They take rows: an N × S_0 array, or a sequence of columns by name (a dict, a DataFrame).

    Raises
    ------
    InvalidValueError
        If an activation is none of Lamina's own.
    """
    del name  # a module is called as its file
    layers = [
        _layer(layer, l, Numbers(np.dtype(float))) for l, layer in enumerate(portable.layers, 1)
    ]
    codes = [_cells(portable), *layers]
    head = HEADS[portable.head.form].replace("{outputs}", str(portable.head.n_outputs))
    parts = [
        _top(portable),
        *PYTHON.needed([*codes, head, BACK.get(portable.head.form, "")]),
        *([SHARES] if portable.head.form == "shares" else []),
        _constants(portable),
        *codes,
        _features(portable),
        *_answers(portable, head),
    ]
    return "\n\n".join(part.rstrip() + "\n" for part in parts)


def _top(portable: Portable) -> str:
    """Return the docstring and the imports."""
    lines = "\n".join(line.rstrip() for line in description(portable, codes=False))
    safe = lines.replace("\\", "\\\\").replace('"""', "'''")
    return f'''"""{safe}
"""

from math import pi, sqrt

import numpy as np

DTYPE = np.{portable.dtype}
'''


def _array(name: str, values: Array, spell: Numbers) -> str:
    """Return the definition of an array of the model's precision, a line for each row."""
    if values.ndim == 1:
        return f"{name} = np.array([{', '.join(map(spell, values))}], dtype=DTYPE)\n"
    rows = "".join(f"        [{', '.join(map(spell, row))}],\n" for row in values)
    return f"{name} = np.array(\n    [\n{rows}    ],\n    dtype=DTYPE,\n)\n"


def _constants(portable: Portable) -> str:
    """Return the scalings."""
    spell = Numbers(np.dtype(float))
    parts = []
    if portable.scales_inputs:
        scaling = portable.expansion.scaling
        parts += [
            _array("CENTER", scaling.center, spell),
            _array("SCALE", scaling.scale, spell),
        ]
    if portable.head.output == "variable":
        parts += [
            _array("OUTPUT_CENTER", portable.head.center, spell),
            _array("OUTPUT_SCALE", portable.head.scale, spell),
        ]
    if portable.head.is_mapped:
        parts += [_array("MAP", portable.head.map, spell), "\n\n", BACK[portable.head.form]]
    return "".join(parts).replace("dtype=DTYPE", "dtype=float")


def _layer(layer: Layer, l: int, spell: Numbers) -> str:
    """Return weights and biases of layer l, and the function that computes it."""
    own = Numbers(layer.W.dtype)
    formula = PYTHON.of(layer, {key: spell(value) for key, value in layer.parameters.items()})
    if layer.activation in PYTHON.columnwise and len(layer.blocks) > 1:
        places = np.cumsum(layer.blocks)[:-1].tolist()
        parts = f"[{formula} for z in np.split(z, {places}, axis=1)]"
        formula = f"np.concatenate({parts}, axis=1)"
    return f'''{_array(f"W{l}", layer.W, own)}{_array(f"b{l}", layer.b, own)}

def layer{l}(a):
    """Return the outputs of layer {l}, N × {len(layer.b)}."""
    z = a @ W{l}.T + b{l}
    return np.asarray({formula}, dtype=DTYPE)
'''


CODE = '''\
def code(column, levels, rest, missing):
    """Return the place of each text among the levels; of others, and of missing ones, as given."""
    places = {level: float(place) for place, level in enumerate(levels)}
    texts = column.tolist()
    absent = [text is None or text != text for text in texts]
    found = [places.get(str(text), rest) for text in texts]
    return np.array([missing if gone else place for place, gone in zip(found, absent)])
'''


def _cells(portable: Portable) -> str:
    """Return the functions that make cells of columns: numbers, and codes of categories."""
    columns = portable.columns
    code = f"\n\n{CODE}" if any(column.kind == "categorical" for column in columns) else ""
    if all(column.kind in {"numeric", "boolean"} for column in columns):
        body = "    cells = [np.asarray(column, dtype=float) for column in columns_of(X)]\n"
    else:
        body = "    columns = columns_of(X)\n    cells = []\n"
        body += "".join(f"    {line}\n" for line in _reading(columns))
    return f'''COLUMNS = {[column.name for column in columns]!r}


def columns_of(X):
    """Return the columns of a table: of rows in an array, or by name."""
    if hasattr(X, "keys"):
        return [np.asarray(X[name]) for name in COLUMNS]
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != len(COLUMNS):
        raise ValueError(f"expected rows of {{len(COLUMNS)}} columns, got shape {{X.shape}}")
    return list(X.T)
{code}

def cells_of(X):
    """Return a table as numbers, N × {len(portable.cells)}."""
{body}    return np.column_stack(cells)
'''


def _reading(columns: Iterable[Column]) -> Iterator[str]:
    """Yield a line of Python for each column that reads its cells."""
    for place, column in enumerate(columns):
        if column.kind == "categorical":
            n = len(column.levels)
            rest = f"{n}.0" if column.other else "np.nan"
            missing = f"{n + column.other}.0" if column.missing else rest
            levels = list(column.levels)
            yield f"cells.append(code(columns[{place}], {levels!r}, {rest}, {missing}))"
        elif column.kind == "datetime":
            yield f"parts = calendar(np.asarray(columns[{place}], dtype='datetime64[us]'))"
            yield f"cells += [parts[part] for part in {list(column.parts)!r}]"
        elif column.kind != "drop":
            yield f"cells.append(np.asarray(columns[{place}], dtype=float))"


def _features(portable: Portable) -> str:
    """Return the function that makes features of cells."""
    expansion = portable.expansion
    body = "    u = cells\n"
    plain = not np.any(expansion.levels) and not np.any(expansion.indicator)
    scaled = "u = (u - CENTER) / SCALE\n" if portable.scales_inputs else ""
    if expansion.clip < float("inf"):
        clip, limit = float(expansion.clip), portable.limit
        numbers = "" if plain else "[:, NUMBERS]"
        scaled += f"    v = np.clip(u{numbers} / {clip!r}, -{limit!r}, {limit!r})\n"
        scaled += f"    u{numbers} = {clip!r} * v / np.sqrt(1.0 + v * v)\n"
    fill = "    u = np.where(np.isnan(u), 0.0, u)\n" if portable.fills else ""
    if plain:
        body += (f"    {scaled}" if scaled else "") + fill
        table = ""
    else:
        table = f"""LEVELS = {expansion.levels.tolist()!r}
FLAGS = {expansion.indicator.astype(bool).tolist()!r}
NUMBERS = np.array({np.flatnonzero(expansion.is_number).tolist()!r}, dtype=int)


"""
        body = """\
    parts = []
    for x, levels, flag in zip(cells.T, LEVELS, FLAGS):
        parts += [x == k for k in range(levels)] or [x]
        parts += [np.isnan(x)] * flag
    u = np.column_stack(parts).astype(float)
"""
        body += (f"    {scaled}" if scaled else "") + fill
    return f'''{table}def features_of(cells):
    """Return scaled numbers, and categories as one-hot columns."""
{body}    return np.asarray(u, dtype=DTYPE)
'''


def _answers(portable: Portable, head: str) -> Iterator[str]:
    """Yield the functions that answer."""
    known = portable.head
    head = head.replace("{middle}", repr(known.middle))
    calls = "".join(f"    a = layer{l}(a)\n" for l in range(1, len(portable.layers) + 1))
    result = f"    return {head}\n"
    if known.output == "variable":
        result = f"    y = {head}\n    return y[:, 0] if y.shape[1] == 1 else y\n"
    elif len(known.classes) > 1:
        result = f"    return np.split({head}, {_ends(known)}, axis=1)\n"
    elif known.form == "shifted":
        result = f"    return ({head})[:, 0]\n"
    yield f'''def outputs(X):
    """Return the outputs of the network, N × {portable.sizes[-1]}."""
    a = features_of(cells_of(X))
{calls}    return a
'''
    what = {"variable": "the prediction", "probabilities": "probabilities", "scores": "scores"}
    yield f'''def {NAMES[known.output]}(X):
    """Return {what[known.output]} for each row of a table."""
    a = outputs(X)
{result}'''
    if known.classes:
        yield _predict(portable)


def _predict(portable: Portable) -> str:
    """Return the function that decides."""
    head = portable.head
    lists = [repr(classes.tolist()) for classes in head.classes]
    if head.several:
        body = f"    return (outputs(X) > {head.middle!r}).astype(int)\n"
        return f'def predict(X):\n    """Return the labels of each row, 0 or 1."""\n{body}'
    if head.decision == "above":
        chosen = f"(a[:, 0] > {head.middle!r}).astype(int)"
        chosen = f"np.minimum({chosen}, len(CLASSES[0]) - 1)"
    else:
        chosen = "part.argmax(axis=1)"
    kinds = [
        f"np.array({text}, dtype={_kind(classes)})"
        for text, classes in zip(lists, head.classes, strict=True)
    ]
    several = len(head.classes) > 1
    mixed = len({classes.dtype.kind for classes in head.classes}) > 1
    lines = f"    parts = np.split(a, {_ends(head)}, axis=1)\n" if several else "    parts = [a]\n"
    cast = ".astype(object)" if mixed else ""
    each = f"[classes[{chosen}]{cast} for classes, part in zip(CLASSES, parts)]"
    return f'''CLASSES = [{", ".join(kinds)}]


def predict(X):
    """Return the class of each row{" and target" if several else ""}."""
    a = outputs(X)
{lines}    found = {each}
    return {"np.column_stack(found)" if several else "found[0]"}
'''


def _ends(head: Head) -> list[int]:
    """Return where the outputs of all targets but the first begin."""
    ends: list[int] = np.cumsum([len(classes) for classes in head.classes])[:-1].tolist()
    return ends


def _kind(classes: Array) -> str:
    """Return the type of labels as Python spells it."""
    return {"b": "bool", "i": "int", "u": "int", "f": "float", "U": "str"}.get(
        classes.dtype.kind, "object"
    )
