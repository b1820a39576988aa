"""Estimators within pipelines that skl2onnx converts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.estimators.classifier import FeedForwardClassifier
from lamina.estimators.exporting import describe_model
from lamina.estimators.regressor import FeedForwardRegressor
from lamina.exceptions import InvalidValueError, MissingDependencyError
from lamina.interchange.exports.onnx_inputs import INPUT, is_table
from lamina.interchange.exports.onnx_model import onnx_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lamina.interchange.exports.portable import Portable


def register_onnx_converters() -> None:
    """Teach skl2onnx both estimators, so that pipelines and whatever contains them convert.

    Afterwards `skl2onnx.to_onnx(pipeline, X, options={"zipmap": False})` works. The precision is
    that of X. An estimator on its own is written by its method `export`, without skl2onnx.

    Raises
    ------
    MissingDependencyError
        If skl2onnx is not installed.
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as problem:
        message = "pipelines are converted by skl2onnx: pip install 'lamina[onnx]'"
        raise MissingDependencyError(message) from problem
    options = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
    update_registered_converter(
        FeedForwardClassifier,
        "LaminaFeedForwardClassifier",
        _shape_classifier,
        _convert,
        overwrite=True,
        options=options,
    )
    update_registered_converter(
        FeedForwardRegressor,
        "LaminaFeedForwardRegressor",
        _shape_regressor,
        _convert,
        overwrite=True,
    )


def _described(operator: Any) -> Portable:
    """Return the estimator of an operator, in the precision of its input.

    Raises
    ------
    InvalidValueError
        If it was trained on a table with text or times, whose columns are inputs of their own.
    """
    described = describe_model(operator.raw_operator)
    if is_table(described):
        message = (
            "an estimator that was trained on text or times takes the columns themselves; use its "
            "method export(path), or encode the columns in the pipeline before it"
        )
        raise InvalidValueError(message)
    double = "Double" in type(operator.inputs[0].type).__name__
    return described.of_type(np.float64 if double else np.float32)


def _shape_classifier(operator: Any) -> None:
    """Say what a classifier answers with: labels, and probabilities or scores."""
    from skl2onnx.common.data_types import (
        DoubleTensorType,
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )

    described = _described(operator)
    head, n = described.head, operator.inputs[0].get_first_dimension()
    kind = "i" if head.several else head.classes[0].dtype.kind
    types = dict.fromkeys("biu", Int64TensorType) | {"f": DoubleTensorType}
    width = [n, head.n_outputs] if head.several else [n]
    operator.outputs[0].type = types.get(kind, StringTensorType)(width)
    number = DoubleTensorType if described.dtype == np.float64 else FloatTensorType
    operator.outputs[1].type = number([n, head.n_outputs])


def _shape_regressor(operator: Any) -> None:
    """Say what a regressor answers with."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    described = _described(operator)
    number = DoubleTensorType if described.dtype == np.float64 else FloatTensorType
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = number([n, described.head.n_outputs])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the graph of an estimator to that of a pipeline."""
    import onnx

    graph = onnx_model(_described(operator)).graph
    names = {INPUT: operator.inputs[0].full_name}
    outputs = zip(graph.output, operator.outputs, strict=True)
    names |= {ours.name: theirs.full_name for ours, theirs in outputs}
    for tensor in graph.initializer:
        names[tensor.name] = scope.get_unique_variable_name(f"lamina_{tensor.name}")
        container.initializers.append(_renamed(tensor, names[tensor.name]))
    versions: Mapping[str, int] = {"": 17, "ai.onnx.ml": 3}
    for node in graph.node:
        for output in node.output:
            names.setdefault(output, scope.get_unique_variable_name(f"lamina_{output}"))
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        container.add_node(
            node.op_type,
            [names[name] for name in node.input],
            [names[name] for name in node.output],
            op_domain=node.domain,
            op_version=versions[node.domain],
            name=scope.get_unique_operator_name(f"lamina_{node.op_type}"),
            **attributes,
        )


def _renamed(tensor: Any, name: str) -> Any:
    """Return a copy of a constant of a graph with another name."""
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
