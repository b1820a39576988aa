"""Keras's model files: written here as Keras 3 writes them, and read without it."""

import json
import zipfile

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidValueError, ModelFileError

h5py = pytest.importorskip("h5py", reason="the extra keras is not installed")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file of some layers and returns its path and weights."""

    def make(layers, kind="Sequential", sizes=(3, 5, 4, 2)):
        config = {"class_name": kind, "config": {"layers": layers}}
        random, weights = np.random.default_rng(0), []
        dense = [layer["config"] for layer in layers if layer["class_name"] == "Dense"]
        with h5py.File(tmp_path / "weights", "w") as file:
            for k, options in enumerate(dense):
                group = file.create_group(f"layers/dense{f'_{k}' if k else ''}/vars")
                W, b = random.normal(size=sizes[k : k + 2]), random.normal(size=sizes[k + 1])
                weights.append((W, b if options["use_bias"] else 0.0 * b))
                group["0"] = W.astype("f4")
                if options["use_bias"]:
                    group["1"] = b.astype("f4")
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            archive.write(tmp_path / "weights", "model.weights.h5")
        return path, weights

    return make


def layer(kind, **options):
    """Return the description of a layer."""
    return {"class_name": kind, "config": {"name": "it", **options}}


def dense(activation, *, use_bias=True):
    """Return the description of a Dense layer."""
    return layer("Dense", activation=activation, use_bias=use_bias)


def test_network_is_read(write):
    """Kernels, biases and activations are those of the file; what is for training is skipped."""
    path, weights = write(
        [
            layer("InputLayer"),
            dense("tanh"),
            layer("Dropout", rate=0.5),
            dense("linear"),
            layer("Activation", activation="relu"),
            dense("softmax", use_bias=False),
        ]
    )
    net = lamina.from_keras(path, error="cross_entropy")
    assert (net.S, net.dtype) == ([3, 5, 4, 2], np.float32)
    assert repr(net.recipe.activations) == "[tanh, relu, Softmax()]"
    for l, (W, b) in enumerate(weights, start=1):
        assert np.array_equal(net.W[l], W.T.astype("f4"))
        assert np.array_equal(net.b[l][:, 0], b.astype("f4"))


def test_slope_is_read(write):
    """A LeakyReLU layer has its own slope, the activation of that name Keras's."""
    path, _ = write([dense("linear"), layer("LeakyReLU", negative_slope=0.1), dense("leaky_relu")])
    slopes = [activation.slope for activation in lamina.from_keras(path).recipe.activations]
    assert slopes == [0.1, 0.2]


@pytest.mark.parametrize(
    ("layers", "kind", "words"),
    [
        ([dense("tanh"), layer("Conv2D")], "Sequential", "is a Conv2D"),
        ([dense("tanh"), layer("Activation", activation="relu")], "Sequential", "one activation"),
        ([dense("celu")], "Sequential", "no activation for Keras's 'celu'"),
        ([dense({"class_name": "mine"})], "Sequential", "no activation"),
        ([layer("InputLayer")], "Sequential", "no Dense layer"),
        ([dense("tanh")], "Functional", "got a Functional"),
    ],
)
def test_other_models_are_refused(write, layers, kind, words):
    """A model that is no stack of Dense layers is refused with the reason."""
    with pytest.raises(InvalidValueError, match=words):
        lamina.from_keras(write(layers, kind)[0])


def test_other_files_are_refused(tmp_path, write):
    """What is no model file, or lacks its weights, is refused in one line."""
    (tmp_path / "text.keras").write_text("no zip")
    with pytest.raises(ModelFileError, match=r"model.save\('model.keras'\)"):
        lamina.from_keras(tmp_path / "text.keras")
    path, _ = write([dense("tanh")])
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
    with pytest.raises(ModelFileError, match="no model of Keras"):
        lamina.from_keras(path)
    with pytest.raises(FileNotFoundError):
        lamina.from_keras(tmp_path / "missing.keras")
