import json
import re

import numpy as np
import pytest

import lamina
from lamina.data.readers import read_table

QUICK = ("--hidden", "8", "--max-iter", "20")


def test_training_reports_and_saves(run, tables, tmp_path):
    """The report names task, rows, measures, certificate and file; nothing goes to stderr."""
    out = tmp_path / "m.lamina"
    result = run("train", tables["iris"], "--target", "target", "--out", out, *QUICK)
    assert (result.code, result.err) == (0, "")
    said = " ".join(result.out.split())
    for words in [
        "Classification: 'target' holds text, 3 classes",
        "120 rows to train on, 30 held out",
        "Network 4-8-3",
        "20 epochs of bayesian_regularization",
        "Solver: bayesian_regularization was chosen: it finds the penalty itself, and 67 param",
        "Ended: all epochs were done; where the loss still falls, more (max_iter) may help.",
        "held out training",
        "balanced accuracy",
        "The gradient is exact",
        f"Saved to {out} (",
    ]:
        assert words in said
    assert lamina.load(out).classes_.tolist() == ["setosa", "versicolor", "virginica"]


def test_model_knows_its_columns(run, tables, tmp_path):
    """The model file stores the names of inputs and target, the certificate, no progress bar."""
    out = tmp_path / "m.lamina"
    assert run("train", tables["diabetes"], "--target", "target", "-o", out, *QUICK).code == 0
    model = lamina.load(out)
    assert model.target_name_ == "target"
    assert model.feature_names_in_.tolist() == "age sex bmi bp s1 s2 s3 s4 s5 s6".split()
    assert model.network_.certificate.passed
    assert model.verbose is False


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits", "diabetes"])
def test_training_document_is_whole(run, tables, tmp_path, name):
    """--json prints one document: rows, measures on both parts, training, certificate."""
    out = tmp_path / "m.lamina"
    result = run("train", tables[name], "--target", "target", "-o", out, "--json", *QUICK)
    document = result.document
    assert document["task"] == ("regression" if name == "diabetes" else "classification")
    assert document["model"] == str(out)
    assert set(document["metrics"]) == {"held_out", "training"}
    expected = {"r2"} if name == "diabetes" else {"accuracy", "balanced_accuracy", "log_loss"}
    assert expected <= set(document["metrics"]["held_out"])
    assert ("roc_auc" in document["metrics"]["held_out"]) == (name == "breast_cancer")
    assert document["training"]["epochs"] == 20
    assert document["training"]["stop_reason"] == "max_iter"
    assert document["certificate"]["passed"] is True
    assert document["network"]["parameters"] == lamina.load(out).network_.theta.size


def test_held_out_measures_are_of_unseen_rows(run, tables, tmp_path):
    """Evaluating the model on the rows of the table that were held out gives the same numbers."""
    words = ("train", tables["diabetes"], "--target", "target", "--json", *QUICK)
    whole = run(*words, "-o", tmp_path / "a.lamina", "--test", "0.25").document
    assert whole["rows"] == {"training": 332, "held_out": 110}
    everything = run(*words, "-o", tmp_path / "b.lamina", "--test", "0").document
    assert everything["rows"] == {"training": 442, "held_out": 0}
    assert set(everything["metrics"]) == {"training"}
    total = run("evaluate", tmp_path / "a.lamina", tables["diabetes"], "--json").document
    parts = [whole["metrics"][part]["mae"] for part in ("training", "held_out")]
    assert np.average(parts, weights=[332, 110]) == pytest.approx(total["metrics"]["mae"])


def test_options_reach_the_estimator(run, tables, tmp_path):
    """Every option of network and training is a parameter of the model."""
    out = tmp_path / "m.lamina"
    words = (
        "--hidden 6,5 --activation tanh,leaky_relu(0.1) --loss huber(1.5) --solver adamw "
        "--max-iter 7 --learning-rate-init 0.002 --alpha 0.003 --dropout 0.1 --early-stopping "
        "--validation interleave --seed 5 --dtype float32 --task regression --restarts 2"
    ).split()
    assert run("train", tables["diabetes"], "--target", "target", "-o", out, *words).code == 0
    model = lamina.load(out)
    expected = {
        "hidden_layer_sizes": (6, 5),
        "activation": ["tanh", "leaky_relu(0.1)"],
        "loss": "huber(1.5)",
        "solver": "adamw",
        "max_iter": 7,
        "learning_rate_init": 0.002,
        "alpha": 0.003,
        "dropout": 0.1,
        "early_stopping": True,
        "validation": "interleave",
        "random_state": 5,
        "dtype": "float32",
        "n_restarts": 2,
    }
    assert {name: model.get_params()[name] for name in expected} == expected


def test_no_hidden_layer_is_a_linear_model(run, tables, tmp_path):
    """`--hidden none` trains the output layer alone."""
    out = tmp_path / "m.lamina"
    words = ("--hidden", "none", "--solver", "lbfgs", "--max-iter", "30")
    assert run("train", tables["iris"], "--target", "target", "-o", out, *words).code == 0
    assert lamina.load(out).network_.S == [4, 3]


def test_training_is_repeatable(run, tables, tmp_path):
    """The same seed gives the same network to the bit, another seed another one."""
    thetas = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        out = tmp_path / f"{name}.lamina"
        words = ("-o", out, "--seed", seed, *QUICK)
        assert run("train", tables["iris"], "--target", "target", *words).code == 0
        thetas.append(lamina.load(out).network_.theta.tobytes())
    assert thetas[0] == thetas[1] != thetas[2]


def test_existing_model_is_kept_unless_told(run, tables, tmp_path, monkeypatch):
    """A file that exists is refused before anything is read, and replaced with --overwrite."""
    out = tmp_path / "m.lamina"
    out.write_bytes(b"precious")
    words = ("train", tables["iris"], "--target", "target", "-o", out, *QUICK)
    with monkeypatch.context() as patch:
        patch.setattr("lamina.cli.problem.read_table", None)  # whoever reads, fails otherwise
        result = run(*words)
    assert (result.code, result.out) == (1, "")
    assert "pass --overwrite" in result.err
    assert out.read_bytes() == b"precious"
    assert run(*words, "--overwrite").code == 0
    assert lamina.load(out).n_iter_ == 20


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("none/m.lamina", "does not exist; create it first"),
        (".", "is no file"),
        ("iris.csv", "is also read"),
    ],
)
def test_unusable_output_is_refused_first(run, tables, tmp_path, out, words):
    """A missing folder, a folder, and the table itself are refused as the model file."""
    table = tmp_path / "iris.csv"
    table.write_bytes(tables["iris"].read_bytes())
    result = run("train", table, "--target", "target", "-o", tmp_path / out, "--overwrite")
    assert (result.code, result.out) == (1, "")
    assert words in result.err
    assert table.read_bytes() == tables["iris"].read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--solver lbfgs --dropout 0.5", "cannot honor dropout"),
        ("--learning-rate-init -1", "learning_rate_init must be > 0"),
        ("--task regression", "line 2, column 'target': 'setosa' is text"),
    ],
)
def test_unusable_parameter_is_an_error_in_one_line(run, tables, tmp_path, words, message):
    """What the estimator refuses is said in one line, and no file is left."""
    out = tmp_path / "m.lamina"
    result = run("train", tables["iris"], "--target", "target", "-o", out, *words.split())
    assert result.code == 1
    assert result.err.startswith("lamina: error: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--activation rleu", "--activation: unknown activation 'rleu'"),
        ("--activation relu(", "cannot read activation"),
        ("--hidden 8,8 --activation tanh,rleu", "unknown activation 'rleu'"),
        ("--hidden 8,8 --activation relu,relu,relu", "2 hidden layers"),
        ("--solver adma", "--solver: unknown solver 'adma'"),
        ("--loss squard", "--loss: unknown error 'squard'"),
    ],
)
def test_unknown_name_is_a_usage_error_before_any_work(run, tmp_path, words, message):
    """A name that nothing has is refused before the table is opened, in one line; code 2."""
    table = tmp_path / "there is no such table.csv"
    result = run("train", table, "--target", "y", "-o", tmp_path / "m.lamina", *words.split())
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith("lamina: error: ")
    assert message in result.err
    assert "try 'lamina train --help'" in result.err


@pytest.mark.parametrize("rows", [3, 4])
def test_counts_agree_with_their_nouns(run, tmp_path, monkeypatch, rows):
    """One row is not called rows, here and where a model is evaluated or predicts."""
    table, one, out = (tmp_path / name for name in ("t.csv", "one.csv", "m.lamina"))
    table.write_text("x,y\n" + "".join(f"{k},{k}.5\n" for k in range(rows)), encoding="utf-8")
    one.write_text("x,y\n1,2\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "500")
    said = run("train", table, "--target", "y", "-o", out, "--test", "0.25", *QUICK).out
    said += run("evaluate", out, one).out
    said += run("predict", out, one, "-o", tmp_path / "p.csv").err
    assert re.search(r"\b1 (rows|inputs|predictions)", said) is None
    assert re.search(rf"{rows} rows, 1 input\n", said)
    assert f"{rows - 1} rows to train on, 1 held out" in said
    assert "1 row, target" in said
    assert "1 prediction written" in said


def test_quiet_training_says_nothing(run, tables, tmp_path):
    """--quiet leaves stdout and stderr empty, and saves all the same."""
    out = tmp_path / "m.lamina"
    result = run("train", tables["iris"], "--target", "target", "-o", out, "-q", *QUICK)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert out.exists()


def test_divergence_is_said_in_one_line(run, tables, tmp_path):
    """A learning rate that is far too large ends in one line, as an error or a warning."""
    words = ("--solver", "sgd", "--learning-rate-init", "1e200", "--task", "regression")
    result = run("train", tables["diabetes"], "--target", "target", "-o", tmp_path / "m", *words)
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "lower the learning rate" in result.err


def test_interruption_keeps_the_best_network(run, tables, tmp_path, monkeypatch):
    """Ctrl-C in an epoch: one line of warning, the model saved, exit code 130."""
    advance, calls = lamina.Adam.advance, []

    def interrupted(*args, **options):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return advance(*args, **options)

    monkeypatch.setattr(lamina.Adam, "advance", interrupted)
    out = tmp_path / "m.lamina"
    result = run("train", tables["iris"], "--target", "target", "-o", out, "--json")
    assert result.code == 130
    assert result.err.count("\n") == 1
    assert "lamina: warning: training was interrupted; the network of epoch 4" in result.err
    assert json.loads(result.out)["training"]["stop_reason"] == "interrupted"
    assert lamina.load(out).n_iter_ == 4


def test_interruption_before_the_first_epoch_saves_nothing(run, tables, tmp_path, monkeypatch):
    """Ctrl-C before there is a trained network: one line, no file, exit code 130."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lamina.Adam, "advance", interrupted)
    out = tmp_path / "m.lamina"
    result = run("train", tables["iris"], "--target", "target", "-o", out)
    assert result.code == 130
    assert "lamina: error: interrupted before the first epoch ended" in result.err
    assert not out.exists()


@pytest.mark.parametrize("rows", [3, 5, 11])
def test_tiny_tables_are_trained_on(run, tmp_path, rows):
    """A handful of rows is enough, whatever the task; a class may have a single row."""
    for target in ("kind", "size"):
        names = ["x", target]
        cells = [["oak", "elm", "ash"][min(k, 2)] if target == "kind" else k for k in range(rows)]
        lines = [",".join(names), *(f"{k * 0.5},{cell}" for k, cell in enumerate(cells))]
        table = tmp_path / f"{target}.csv"
        table.write_text("\n".join(lines), encoding="utf-8")
        words = ("--target", target, "-o", tmp_path / f"{target}.lamina", *QUICK)
        result = run("train", table, *words)
        assert (result.code, result.err) == (0, "")


def test_target_is_found_by_its_stripped_name(run, tmp_path):
    """Spaces around the names of columns do not count."""
    table = tmp_path / "t.csv"
    table.write_text("x , y\n" + "1,2.5\n2,3.5\n" * 5, encoding="utf-8")
    result = run("train", table, "--target", " y", "-o", tmp_path / "m.lamina", *QUICK)
    assert result.code == 0
    assert read_table(table).names == ("x", "y")
