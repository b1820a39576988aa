"""A model as ONNX: scaling, categories, missing values and labels are part of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.exceptions import InvalidTypeError, MissingDependencyError
from lamina.interchange.exports.formulas import require_known
from lamina.interchange.exports.onnx_formulas import BACK, COLUMNWISE, ELEMENTWISE
from lamina.interchange.exports.onnx_formulas import answer as make_answer
from lamina.interchange.exports.onnx_graph import ML, Graph
from lamina.interchange.exports.onnx_inputs import add_features
from lamina.interchange.exports.words import description

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lamina.interchange.exports.onnx_inputs import Described
    from lamina.interchange.exports.portable import Head, Layer, Portable

    Array = npt.NDArray[Any]

OPSET, ML_OPSET, IR = 17, 3, 8
"""Versions of ONNX's operators, of those for tables, and of the file, as of 2021."""


def onnx_model(portable: Portable, name: str = "lamina") -> Any:
    """Return a model as an `onnx.ModelProto`, which has passed ONNX's checker.

    A model of numbers has one input "X", N × C. With categories or times there is an input for
    each column, N × 1, called as the column: strings for categories, "" where missing. Outputs
    are called as skl2onnx calls them: "variable"; "label" and "probabilities", or "scores" where
    the outputs are no probabilities.

    Raises
    ------
    MissingDependencyError
        If onnx is not installed.
    InvalidTypeError, InvalidValueError
        If classes are neither numbers nor text, or an activation is none of Lamina's own.
    """
    try:
        import onnx
    except ImportError as problem:
        message = "ONNX files need the package onnx: pip install 'lamina[onnx]'"
        raise MissingDependencyError(message) from problem
    graph = Graph(portable.dtype)
    inputs, features = add_features(graph, portable)
    A = _network(graph, portable, features)
    outputs = _answers(graph, portable.head, A, portable.sizes[-1])
    made = onnx.helper.make_graph(
        [
            onnx.helper.make_node(op, ins, outs, name=outs[0], domain=domain, **attributes)
            for op, ins, outs, domain, attributes in graph.nodes
        ],
        name,
        [_info(*described) for described in inputs],
        [_info(*described) for described in outputs],
        [onnx.numpy_helper.from_array(v, key) for key, v in graph.constants.items()],
    )
    versions = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(ML, ML_OPSET)]
    model = onnx.helper.make_model(
        made,
        opset_imports=versions,
        ir_version=IR,
        producer_name="lamina",
        producer_version=lamina.__version__,
        doc_string="\n".join(description(portable, codes=False)),
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _code(kind: np.dtype[Any]) -> int:
    """Return ONNX's number of a type."""
    import onnx

    if kind.kind in "UO":
        return int(onnx.TensorProto.STRING)
    return int(onnx.helper.np_dtype_to_tensor_dtype(kind))


def _info(name: str, kind: np.dtype[Any], width: int | None) -> Any:
    """Return the description of an input or output, N × width, or N without."""
    import onnx

    shape = ["N"] if width is None else ["N", width]
    return onnx.helper.make_tensor_value_info(name, _code(kind), shape)


def _network(graph: Graph, portable: Portable, A: str) -> str:
    """Return the outputs A_L, N × S_L."""
    for layer in portable.layers:
        require_known(layer.activation, {**ELEMENTWISE, **COLUMNWISE}, "ONNX")
        Z = graph("Gemm", A, graph.numbers(layer.W, "W"), graph.numbers(layer.b, "b"), transB=1)
        A = _activated(graph, layer, Z)
    return A


def _activated(graph: Graph, layer: Layer, Z: str) -> str:
    """Return σ(Z)."""
    if layer.activation in ELEMENTWISE:
        return ELEMENTWISE[layer.activation](graph, Z, **layer.parameters)
    op = COLUMNWISE[layer.activation]
    parts = [graph(op, part, axis=1) for part in _parted(graph, Z, layer.blocks)]
    return parts[0] if len(parts) == 1 else graph("Concat", *parts, axis=1)


def _parted(graph: Graph, A: str, sizes: Sequence[int]) -> list[str]:
    """Return the blocks of so many columns of a matrix."""
    if len(sizes) == 1:
        return [A]
    ends = np.cumsum(sizes)
    one = graph.constant(np.array([1]), "axis")
    return [
        graph("Slice", A, *(graph.constant(np.array([place]), "place") for place in pair), one)
        for pair in zip(ends - sizes, ends, strict=True)
    ]


def _answers(graph: Graph, head: Head, A: str, n_units: int) -> list[Described]:
    """Add what is made of A_L, and the labels; return the outputs of the graph."""
    outputs = _labels(graph, head, A) if head.classes else []
    if head.output == "variable":
        answer = _scaled(graph, head, A, n_units)
    else:
        answer = make_answer(graph, A, head)
    graph("Identity", answer, output=head.output)
    return [*outputs, (head.output, graph.dtype, head.n_outputs)]


def _scaled(graph: Graph, head: Head, A: str, n_units: int) -> str:
    """Return the first outputs times scale plus center, mapped back where there is a map."""
    if head.n_outputs < n_units:
        bounds = ([0], [head.n_outputs], [1])
        A = graph("Slice", A, *(graph.constant(np.array(place), "place") for place in bounds))
    if not head.is_mapped:
        return _affine(graph, head, A)
    precision, graph.dtype = graph.dtype, np.dtype(np.float64)
    v = _affine(graph, head, graph("Cast", A, to=_code(graph.dtype)))
    y = BACK[head.form](graph, v, head.map)
    graph.dtype = precision
    return graph("Cast", y, to=_code(precision))


def _affine(graph: Graph, head: Head, A: str) -> str:
    """Return A times scale plus center."""
    if np.any(head.scale != 1.0):
        A = graph("Mul", A, graph.numbers(head.scale, "output_scale"))
    if np.any(head.center != 0.0):
        A = graph("Add", A, graph.numbers(head.center, "output_center"))
    return A


def _labels(graph: Graph, head: Head, A: str) -> list[Described]:
    """Add the output "label": N labels, or N × K of 0 and 1, or N × targets.

    Targets whose labels are of different kinds have outputs of their own, "label_0" and so on.
    """
    if head.several:
        graph("Cast", graph.above(A, head.middle), output="label", to=_code(np.dtype(np.int64)))
        return [("label", np.dtype(np.int64), head.n_outputs)]
    labels = [_known_labels(classes) for classes in head.classes]
    parts = _parted(graph, A, [len(known) for known in labels])
    chosen = [_choose(graph, head, *pair) for pair in zip(labels, parts, strict=True)]
    if len(chosen) == 1:
        graph("Identity", chosen[0], output="label")
        return [("label", labels[0].dtype, None)]
    if len({known.dtype.kind for known in labels}) > 1:
        outputs: list[Described] = [
            (f"label_{k}", known.dtype, None) for k, known in enumerate(labels)
        ]
        for (name, *_), label in zip(outputs, chosen, strict=True):
            graph("Identity", label, output=name)
        return outputs
    column = graph.constant(np.array([-1, 1]), "column")
    graph("Concat", *(graph("Reshape", c, column) for c in chosen), output="label", axis=1)
    return [("label", labels[0].dtype, len(chosen))]


def _choose(graph: Graph, head: Head, labels: Array, A: str) -> str:
    """Return the label, N of them, that the outputs of a target decide for."""
    if head.decision == "above":
        second = graph("Cast", graph.above(A, head.middle), to=_code(np.dtype(np.int64)))
        place = graph("Reshape", second, graph.constant(np.array([-1]), "shape"))
        labels = np.resize(labels, 2)  # a single class is both
    else:
        place = graph("ArgMax", A, axis=1, keepdims=0)
    return graph("Gather", graph.constant(labels, "classes"), place, axis=0)


def _known_labels(classes: Array) -> Array:
    """Return classes as ONNX holds them: int64, float64 or text; truth values are 0 and 1.

    Raises
    ------
    InvalidTypeError
        If they are neither numbers nor text.
    """
    if classes.dtype.kind == "u" and classes.max() > np.iinfo(np.int64).max:
        message = f"ONNX has whole numbers of 64 bits with a sign, got the class {classes.max()}"
        raise InvalidTypeError(message)
    if classes.dtype.kind in "biu":
        return classes.astype(np.int64)
    if classes.dtype.kind == "f":
        return classes.astype(np.float64)
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes.astype(str)
    message = f"ONNX has labels of numbers or text, got classes of {classes.dtype}; encode them"
    raise InvalidTypeError(message)
