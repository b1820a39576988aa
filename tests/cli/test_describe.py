import numpy as np
import pytest

import lamina
from lamina.cli.show import number
from lamina.interchange.container import read, write


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits", "diabetes"])
def test_description_is_whole(run, models, name):
    """--json gives layers, scaling, names, training, certificate and versions."""
    document = run("describe", models[name], "--json").document
    model = lamina.load(models[name])
    network = document["network"]
    assert [network["inputs"], *(layer["units"] for layer in network["layers"])] == model.network_.S
    assert sum(layer["parameters"] for layer in network["layers"]) == model.network_.theta.size
    norms = [layer["weight_norm"] for layer in network["layers"]]
    assert norms == pytest.approx([np.linalg.norm(W) for W in model.network_.W[1:]])
    assert document["features"] == model.feature_names_in_.tolist()
    assert document["target"] == "target"
    assert document["classes"] == (None if name == "diabetes" else model.classes_.tolist())
    assert set(document["scaling"]) == {"inputs", *(["targets"] if name == "diabetes" else [])}
    for part in ("center", "scale"):
        numbers = getattr(model.input_scaling_, part)
        ends = {"min": numbers.min(), "max": numbers.max()}
        assert document["scaling"]["inputs"][part] == ends
    assert document["training"]["epochs"] == 20
    assert document["training"]["stop_reason"] == "max_iter"
    assert document["training"]["loss"] == model.loss_
    assert document["certificate"]["passed"] is True
    assert document["versions"]["written_by"] == lamina.__version__


def test_description_is_readable(run, models):
    """The report shows each part in words; of many names only the first ones."""
    result = run("describe", models["digits"])
    assert (result.code, result.err) == (0, "")
    said = " ".join(result.out.split())
    for words in [
        "FeedForwardClassifier",
        "1 8 relu 496",
        "Classes 0, 1, 2, 3, 4, 5, 6, ... (10 in all)",
        "(64 in all)",
        "inputs standard: centers",
        "20 epochs of adam",
        "Ended: all epochs were done; where the loss still falls, more (max_iter) may help.",
        "cross_entropy, in float32",
        "pixel_0_0 drop constant",
        "and 61 columns of numbers; --json has all",
        "The gradient is exact",
        f"written by lamina {lamina.__version__}",
    ]:
        assert words in said


def test_network_file_is_described(run, tmp_path):
    """A bare network shows its layers, and whether it has a certificate."""
    path = tmp_path / "net.lamina"
    net = lamina.Network([2, 3, 1], ["tanh", "identity"], random_state=0)
    net.save(path)
    result = run("describe", path)
    assert (result.code, result.err) == (0, "")
    assert "none was made" in result.out
    document = run("describe", path, "--json").document
    assert (document["kind"], document["certificate"]) == ("Network", None)
    net.certify(np.eye(2), np.ones((1, 2)))
    net.save(path, overwrite=True)
    assert "The gradient is exact" in run("describe", path).out


@pytest.mark.parametrize("columns", [20, 40, 60, 200])
def test_narrow_terminal_cuts_no_number(run, models, monkeypatch, columns):
    """Every number of the layers is whole on any terminal; from 40 columns on, lines fit too."""
    monkeypatch.setenv("COLUMNS", str(columns))
    result = run("describe", models["digits"])
    assert result.code == 0
    assert "…" not in result.out
    lines = result.out.splitlines()
    words = result.out.split()
    norms = [np.linalg.norm(W) for W in lamina.load(models["digits"]).network_.W[1:]]
    assert {"496", "90", "586", *(number(float(norm)) for norm in norms)} <= set(words)
    if columns >= 40:
        assert max(len(line) for line in lines[2:]) <= columns


def test_early_stopping_names_the_best_epoch(run, tables, tmp_path):
    """A model with the network of an earlier epoch says which."""
    out = tmp_path / "m.lamina"
    words = ("--early-stopping", "--hidden", "8", "--max-iter", "5")
    assert run("train", tables["iris"], "--target", "target", "-o", out, *words).code == 0
    assert "best epoch" in run("describe", out).out
    assert 1 <= run("describe", out, "--json").document["training"]["best_epoch"] <= 5


HOSTILE = "red\x1b[31m\nsecond\u202eline"


def test_names_cannot_command_the_terminal(run, make_table, tmp_path):
    """Control characters in names of inputs, target and classes are spelled out, not obeyed."""
    target, out = f"y{HOSTILE}", tmp_path / "m\x1b[2J.lamina"
    table = make_table([HOSTILE, target], [[k, f"{HOSTILE}{k % 2}"] for k in range(20)])
    words = ("--target", target, "-o", out, "--hidden", "3", "--max-iter", "3")
    results = [run("train", table, *words), run("describe", out), run("evaluate", out, table)]
    for result in results:
        assert (result.code, result.err) == (0, "")
        assert all(c.isprintable() or c == "\n" for c in result.out)
    said = " ".join(results[1].out.split())
    for name in ("Target y", "Inputs ", "Classes "):
        assert f"{name}red\\x1b[31m\\nsecond\\u202eline" in said


def test_forged_texts_cannot_command_the_terminal(run, tmp_path):
    """Neither can the version and the certificate that a file claims to have."""
    path = tmp_path / "net.lamina"
    net = lamina.Network([2, 3, 1], ["tanh", "identity"], random_state=0)
    net.certify(np.eye(2), np.ones((1, 2)))
    net.save(path)
    document = read(path)
    document.metadata["lamina"] = HOSTILE
    document.metadata["network"]["certificate"]["method"] = HOSTILE
    write(path, document, overwrite=True)
    said = run("describe", path).out
    assert all(c.isprintable() or c == "\n" for c in said)
    assert said.replace("\n", "").count("\\x1b[31m\\nsecond") == 2
