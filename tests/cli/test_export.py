import numpy as np
import pytest

import lamina
from lamina.cli.export import To
from lamina.interchange.exports.files import TARGETS


@pytest.mark.parametrize("to", ["c", "python", "matlab", "latex"])
def test_export_is_what_python_writes(run, models, tmp_path, to):
    """The command writes the same bytes as the function."""
    result = run("export", models["iris"], "--to", to, "--out", tmp_path / "it.txt", "--json")
    assert (result.code, result.document["to"]) == (0, to)
    lamina.export(lamina.load(models["iris"]), tmp_path / "it", to)
    assert (tmp_path / "it.txt").read_bytes() == (tmp_path / "it").read_bytes()


def test_onnx_is_written(run, models, tmp_path):
    """A file that ends with .onnx is ONNX, and answers as the model."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    result = run("export", models["digits"], "-o", tmp_path / "digits.onnx")
    assert (result.code, result.out) == (0, "")
    assert "digits.onnx" in result.err
    session = onnxruntime.InferenceSession(tmp_path / "digits.onnx")
    X = np.random.default_rng(0).integers(17, size=(9, 64)).astype("f4")
    label, probabilities = session.run(None, {"X": X})
    model = lamina.load(models["digits"])
    X = dict(zip(model.feature_names_in_, X.T, strict=True))
    assert np.array_equal(label, model.predict(X))
    assert np.allclose(probabilities, model.predict_proba(X), rtol=0, atol=1e-6)


def test_precision_is_chosen(run, models, tmp_path):
    """--dtype says what the export computes in."""
    assert run("export", models["iris"], "-o", tmp_path / "it.c", "--dtype", "float32").code == 0
    assert "typedef float real;" in (tmp_path / "it.c").read_text("utf-8")


def test_bare_network_is_exported(run, tmp_path):
    """A file that holds a network, without estimator, is exported too."""
    lamina.Network([2, 3, 1], ["tanh", "identity"], random_state=0).save(tmp_path / "net.lamina")
    assert run("export", tmp_path / "net.lamina", "-o", tmp_path / "net.tex").code == 0
    assert r"\tanh" in (tmp_path / "net.tex").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "it.txt"], "does not say what to export to"),
        (["-o", "no/folder/it.c"], "folder"),
        (["-o", "there.c"], "--overwrite"),
        (["-o", "it.tex"], "is not for reading"),
    ],
)
def test_wrong_export_is_one_line(run, models, tmp_path, monkeypatch, words, message):
    """What cannot be exported is refused in one line, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.c").write_text("mine")
    result = run("export", models["digits"], *words)
    assert result.code == 1
    assert message in result.err
    assert result.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.c"]


def test_targets_are_those_of_the_library():
    """The command offers what the library can write."""
    assert {to.value for to in To} == set(TARGETS)
