"""The first part of an ONNX graph: from the columns of a table to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.interchange.exports.onnx_graph import ML

if TYPE_CHECKING:
    from lamina.data.encoded_columns import Column
    from lamina.interchange.exports.onnx_graph import Graph
    from lamina.interchange.exports.portable import Portable

    Described = tuple[str, np.dtype[Any], int | None]

INPUT = "X"
"""The only input, N × columns, of a model of numbers."""
NONE = -1
"""The code of what is no level."""


def add_features(graph: Graph, portable: Portable) -> tuple[list[Described], str]:
    """Add inputs and what makes features of them; return the inputs, and the features, N × S_0."""
    if is_table(portable):
        inputs: list[Described] = []
        parts: list[str] = []
        for column in portable.columns:
            _add_column(graph, column, inputs, parts)
        features = graph("Concat", *parts, axis=1)
    else:
        inputs = [(INPUT, graph.dtype, len(portable.columns))]
        features = _numbers(graph, portable)
    return inputs, _scaled(graph, portable, features)


def is_table(portable: Portable) -> bool:
    """Return whether there is an input for each column, since not all are numbers."""
    return any(column.kind in {"categorical", "datetime"} for column in portable.columns)


def _numbers(graph: Graph, portable: Portable) -> str:
    """Return the features of columns that are all numbers, before scaling."""
    columns, expansion = portable.columns, portable.expansion
    kept = [place for place, column in enumerate(columns) if column.kind != "drop"]
    cells = INPUT
    if len(kept) < len(columns):
        cells = graph("Gather", INPUT, graph.constant(np.array(kept), "kept"), axis=1)
    if not np.any(expansion.indicator):
        return cells
    absent = graph("Cast", graph("IsNaN", cells), to=_type_code(graph))
    both = graph("Concat", cells, absent, axis=1)  # numbers first, then flags: put in order
    order = np.empty(expansion.n_features, dtype=np.int64)
    order[expansion.starts] = np.arange(len(kept))
    flagged = np.flatnonzero(expansion.indicator)
    order[expansion.starts[flagged] + 1] = len(kept) + flagged
    return graph("Gather", both, graph.constant(order, "order"), axis=1)


def _add_column(graph: Graph, column: Column, inputs: list[Described], parts: list[str]) -> None:
    """Add the inputs of a column to `inputs`, and its features before scaling to `parts`."""
    if column.kind == "drop":
        return
    if column.kind == "categorical":
        inputs.append((column.name, np.dtype(str), 1))
        n_codes = column.cells[0]
        parts.append(_one_hot(graph, _codes(graph, column), np.arange(n_codes)))
        return
    names = [column.name]
    if column.kind == "datetime":
        names = [f"{column.name}.{part}" for part in column.parts]
    for place, (name, n_codes) in enumerate(zip(names, column.cells, strict=True)):
        inputs.append((name, graph.dtype, 1))
        codes = np.arange(n_codes, dtype=graph.dtype)
        parts.append(_one_hot(graph, name, codes) if n_codes else name)
        if column.missing and place == 0:
            parts.append(graph("Cast", graph("IsNaN", name), to=_type_code(graph)))


def _codes(graph: Graph, column: Column) -> str:
    """Return the codes, N × 1, of a column of text; "" is a missing one."""
    n = len(column.levels)
    rest = n if column.other else NONE
    absent = n + column.other if column.missing else rest
    return graph(
        "LabelEncoder",
        column.name,
        domain=ML,
        keys_strings=[*column.levels, ""],
        values_int64s=[*range(n), absent],
        default_int64=rest,
    )


def _one_hot(graph: Graph, codes: str, known: Any) -> str:
    """Return a feature for each known code: 1 where it is, else 0."""
    return graph(
        "Cast", graph("Equal", codes, graph.constant(known, "codes")), to=_type_code(graph)
    )


def _scaled(graph: Graph, portable: Portable, u: str) -> str:
    """Return scaled and clipped features without missing ones."""
    expansion = portable.expansion
    if portable.scales_inputs:
        near, rest = portable.centers
        u = graph("Sub", u, graph.numbers(near, "center"))
        if np.any(rest != 0.0):
            u = graph("Sub", u, graph.numbers(rest, "rest"))
        u = graph("Div", u, graph.numbers(expansion.scaling.scale, "scale"))
    if expansion.clip < float("inf"):
        v = graph.bounded(graph.over(u, expansion.clip), -portable.limit, portable.limit)
        root = graph("Sqrt", graph.add(graph.times(v, v), 1.0))
        clipped = graph.times(graph.over(v, root), expansion.clip)
        u = graph.choose(graph.constant(expansion.is_number, "numbers"), clipped, u)
    if portable.fills:
        u = graph.choose(graph("IsNaN", u), 0.0, u)
    return u


def _type_code(graph: Graph) -> int:
    """Return ONNX's number of the graph's precision."""
    import onnx

    return int(onnx.helper.np_dtype_to_tensor_dtype(graph.dtype))
