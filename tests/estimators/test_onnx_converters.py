"""Pipelines that skl2onnx converts."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import lamina
from lamina.exceptions import InvalidValueError

skl2onnx = pytest.importorskip("skl2onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

TARGETS = {
    "two": lambda t: t.two,
    "booleans": lambda t: t.y > 0,
    "three": lambda t: t.three,
    "labels": lambda t: t.labels,
    "numbers": lambda t: t.targets,
}


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """Register the converters, and take the engine that is quick to begin."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")
    lamina.register_onnx_converters()


def converted(pipeline, X, **options):
    """Return the outputs of a converted pipeline, by name."""
    model = skl2onnx.to_onnx(pipeline, X[:1], **options)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("name", TARGETS)
def test_pipeline_is_reproduced(name, dtype, tolerance, table):
    """A pipeline that ends with an estimator of ours answers as its graph.

    In float32 its first step, which is not ours, scales in float32.
    """
    kind = lamina.FeedForwardRegressor if name == "numbers" else lamina.FeedForwardClassifier
    model = kind((4,), activation="tanh", max_iter=3, random_state=0)
    pipeline = make_pipeline(MinMaxScaler(), model).fit(table.X, TARGETS[name](table))
    X = table.X.astype(dtype)
    if name == "numbers":
        answer, expected = converted(pipeline, X)["variable"], pipeline.predict(X)
    else:
        outputs = converted(pipeline, X, options={id(pipeline): {"zipmap": False}})
        answer, expected = outputs["probabilities"], pipeline.predict_proba(X)
        assert np.array_equal(outputs["label"], pipeline.predict(X))
    assert answer.dtype == dtype
    assert np.abs(answer - expected).max() <= tolerance * np.abs(expected).max()


def test_zipmap_is_honored(table):
    """By default probabilities come as dicts by class, as skl2onnx has it."""
    pipeline = make_pipeline(lamina.FeedForwardClassifier((4,), max_iter=1, random_state=0))
    outputs = converted(pipeline.fit(table.X, table.two), table.X.astype("f4"))
    assert set(outputs["output_probability"][0]) == {"no", "yes"}


def test_text_is_refused(table):
    """An estimator that takes columns of text itself is refused with what to do."""
    rows = {"a": table.two.astype(object), "b": table.y}
    model = lamina.FeedForwardRegressor((2,), max_iter=1).fit(rows, table.y)
    with pytest.raises(InvalidValueError, match="method export"):
        skl2onnx.to_onnx(model, table.X[:1, :2])
