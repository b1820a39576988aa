"""ONNX Runtime: the network as Gemm, Relu and Softmax, optimized as the runtime does by default."""

from __future__ import annotations

import numpy as np
import onnxruntime
from cases import data, weights
from onnx import TensorProto, helper, numpy_helper

from peers import repeated


def session(task, threads: int):
    """Return the network, ready to run on so many threads."""
    nodes, numbers, A = [], [], "X"
    for l, (W, b) in enumerate(weights(task), start=1):  # noqa: E741 - the layer
        numbers += [numpy_helper.from_array(W, f"W{l}"), numpy_helper.from_array(b, f"b{l}")]
        nodes.append(helper.make_node("Gemm", [A, f"W{l}", f"b{l}"], [f"Z{l}"]))
        last = l == len(task.S) - 1
        A = "outputs" if last else f"A{l}"
        nodes.append(helper.make_node("Softmax" if last else "Relu", [f"Z{l}"], [A]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
        for name, size in (("X", task.S[0]), ("outputs", task.S[-1]))
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], numbers)
    versions = {"opset_imports": [helper.make_opsetid("", 17)], "ir_version": 8}
    model = helper.make_model(graph, **versions)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def outputs(task, rows: int, threads: int):
    """Return `run` for the first rows."""
    X = np.ascontiguousarray(data(task)[0][:rows])

    def build():
        call = session(task, threads).run
        return repeated(lambda: call(None, {"X": X}))

    return {"": build}


def predictor(task):
    """One row, on one thread: a second one would have nothing to do."""
    return outputs(task, 1, threads=1)


def rows(task):
    """All rows, on two threads."""
    return outputs(task, task.n, threads=2)


MAKERS = {f.__name__: f for f in (predictor, rows)}
