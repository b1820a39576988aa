"""Models as ONNX."""

import builtins
import warnings

import numpy as np
import pytest

import lamina
from lamina.data.calendar import calendar
from lamina.exceptions import InvalidTypeError, MissingDependencyError
from lamina.interchange.exports.files import content
from lamina.interchange.exports.onnx_model import OPSET

pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def described(model):
    """Return a model as exports see it."""
    from lamina.estimators.exporting import describe_model

    return describe_model(model)


def by_runtime(file, feed):
    """Return the outputs of ONNX Runtime by name."""
    session = onnxruntime.InferenceSession(file)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def by_reference(file, feed):
    """Return the outputs of ONNX's reference evaluator by name."""
    from onnx import load_from_string
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(load_from_string(file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # its Sigmoid lets e^z overflow
        return dict(zip(evaluator.output_names, evaluator.run(None, feed), strict=True))


def feed_of(model, X, dtype):
    """Return X as the inputs of an exported model."""
    if not isinstance(X, dict):
        return {"X": X.astype(dtype)}
    feed = {}
    for column in model.columns_:
        values = X[column.name]
        if column.kind == "categorical":
            feed[column.name] = np.array([text or "" for text in values], dtype=str)
        elif column.kind == "datetime":
            parts = calendar(values)
            feed |= {f"{column.name}.{part}": parts[part].astype(dtype) for part in column.parts}
        elif column.kind != "drop":
            feed[column.name] = values.astype(dtype)
    return {name: values.reshape(-1, 1) for name, values in feed.items()}


@pytest.mark.parametrize("evaluate", [by_runtime, by_reference])
def test_network_is_reproduced(activation, precision, random_network, gap, evaluate):
    """A network with any activation answers as its graph, in both precisions and evaluators."""
    dtype, tolerance = precision
    net = random_network(activation, dtype)
    rows = np.random.default_rng(2).normal(size=(60, 3)).astype(dtype) * 3.0
    answer = evaluate(content(described(net), "onnx", "net"), {"X": rows})["variable"]
    assert answer.dtype == dtype
    assert gap(answer, net(rows.T).T) <= tolerance


@pytest.mark.parametrize("evaluate", [by_runtime, by_reference])
def test_estimator_is_reproduced(head, fitted, gap, answer_of, evaluate):
    """Numbers and labels of any head are those of the graph."""
    model, X = fitted(head)
    outputs = evaluate(content(described(model), "onnx", "m"), feed_of(model, X, "float64"))
    labels = [outputs.pop(name) for name in list(outputs) if name.startswith("label")]
    ((name, answer),) = outputs.items()
    numeric = "probabilities" if hasattr(model, "predict_proba") else "scores"
    assert name == (numeric if labels else "variable")
    assert gap(answer, answer_of(model, X)) <= 1e-12
    if labels:
        found = (
            labels[0] if len(labels) == 1 else np.column_stack([l.astype(object) for l in labels])
        )
        assert np.array_equal(found, model.predict(X))


@pytest.mark.parametrize("head", ["robust", "log", "quantile", "table", "several labels"])
def test_float_is_reproduced(head, fitted, gap, answer_of):
    """A float32 estimator answers as its graph; a time in float32 costs it hours, and no more."""
    model, X = fitted(head, "float32")
    file = content(described(model), "onnx", "m")
    answer = by_runtime(file, feed_of(model, X, "float32")).popitem()[1]
    assert answer.dtype == np.float32
    assert gap(answer, answer_of(model, X)) <= (1e-3 if head == "table" else 1e-6)


def test_unseen_levels_are_as_in_the_model(fitted, gap):
    """A category that was never seen, and a missing number, are what they are to the model."""
    model, X = fitted("table")
    odd = {name: np.array(column) for name, column in X.items()}
    odd["kind of \"it'"][:3] = ["eel", None, "ANT"]
    odd["size"][:5] = np.nan
    feed = feed_of(model, odd, "float64")
    outputs = by_runtime(content(described(model), "onnx", "m"), feed)
    assert gap(outputs["probabilities"], model.predict_proba(odd)) <= 1e-12


def test_dropped_column_is_skipped(data, gap):
    """Columns that a model of numbers dropped are part of X, and not looked at."""
    X = {"a": data.X[:, 0], "same": np.ones(60), "b": data.holes[:, 1]}
    model = lamina.FeedForwardRegressor((3,), max_iter=2, random_state=0).fit(X, data.y)
    rows = np.column_stack(list(X.values()))
    answer = by_runtime(content(described(model), "onnx", "m"), {"X": rows})["variable"]
    assert gap(answer[:, 0], model.predict(X)) <= 1e-12


def test_versions_are_stated(fitted):
    """The file names its opset, its producer, and what the model is."""
    from onnx import load_from_string

    model = load_from_string(content(described(fitted("table")[0]), "onnx", "m"))
    assert {o.domain: o.version for o in model.opset_import} == {"": OPSET, "ai.onnx.ml": 3}
    assert (model.producer_name, model.producer_version) == ("lamina", lamina.__version__)
    assert "in float64" in model.doc_string


def test_labels_beyond_int64_are_refused(data):
    """Classes that ONNX has no numbers for are refused and not changed."""
    y = np.array([1, 2**63 + 5], dtype=np.uint64)[data.three % 2]
    model = lamina.FeedForwardClassifier((2,), max_iter=1).fit(data.X, y)
    with pytest.raises(InvalidTypeError, match="64 bits"):
        content(described(model), "onnx", "m")


def test_missing_library_is_named(fitted, monkeypatch):
    """Without onnx the error says what to install."""
    real = builtins.__import__

    def bare(name, *rest):
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", bare)
    with pytest.raises(MissingDependencyError, match=r"lamina\[onnx\]"):
        content(described(fitted("numbers")[0]), "onnx", "m")
