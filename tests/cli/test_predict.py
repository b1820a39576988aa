import csv

import numpy as np
import pytest

import lamina
from lamina.cli.models import open_model, read_rows
from lamina.data.readers import read_table


def read(path):
    """Return the names and the numbers of a table's inputs, N × S_0."""
    table = read_table(path, choose=lambda names: [name for name in names if name != "target"])
    return table.names, np.column_stack(table.columns)


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits", "diabetes"])
def test_predictions_are_those_of_the_model(run, tables, models, name):
    """The first column holds the predictions under the target's name, to the last bit."""
    result = run("predict", models[name], tables[name])
    assert (result.code, result.err) == (0, "")
    opened = open_model(models[name])
    expected = opened.estimator.predict(read_rows(opened, tables[name], [].append))
    cells = result.columns["target"]
    assert list(result.columns) == ["target"]
    assert np.array(cells, dtype=expected.dtype).tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits"])
def test_probabilities_follow_the_prediction(run, tables, models, name):
    """--proba adds the probability of every class, to the last bit, and each row sums to 1."""
    columns = run("predict", models[name], tables[name], "--proba").columns
    opened = open_model(models[name])
    model = opened.estimator
    kinds = [str(kind) for kind in model.classes_]
    assert list(columns) == ["target", *(f"proba_{kind}" for kind in kinds)]
    expected = model.predict_proba(read_rows(opened, tables[name], [].append))
    found = np.array([columns[f"proba_{kind}"] for kind in kinds], dtype=expected.dtype).T
    assert found.tobytes() == np.ascontiguousarray(expected).tobytes()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)


def test_columns_are_matched_by_name(run, tables, models, make_table):
    """Other columns and another order change nothing; the unknown ones are noted."""
    names, values = read(tables["iris"])
    rows = [["tag", *row[::-1]] for row in values.tolist()]
    shuffled = make_table(["tag", *names[::-1]], rows)
    result = run("predict", models["iris"], shuffled)
    assert result.out == run("predict", models["iris"], tables["iris"]).out
    assert result.err == "lamina: note: not used by the model: 'tag'\n"


def test_missing_column_is_named(run, tables, models):
    """A table without an input of the model is refused, with the name of the input."""
    result = run("predict", models["iris"], tables["diabetes"])
    assert result.code == 1
    assert "has no column 'sepal length (cm)'" in result.err
    assert result.err.count("\n") == 1


def test_bad_cell_is_named(run, models, tables, make_table):
    """A cell that is no number in a column of numbers is named by line and column."""
    names, values = read(tables["iris"])
    rows = values.tolist()
    rows[6][2] = "tall"
    result = run("predict", models["iris"], make_table(names, rows))
    assert result.code == 1
    assert "line 8, column 'petal length (cm)': 'tall' is text" in result.err


def test_output_file_holds_what_stdout_would(run, tables, models, tmp_path):
    """-o writes the same bytes to a file, says so on stderr, and `-` is stdout."""
    out = tmp_path / "out.csv"
    result = run("predict", models["iris"], tables["iris"], "-o", out, "--proba")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"lamina: note: 150 predictions written to {out}\n"
    direct = run("predict", models["iris"], tables["iris"], "--proba", "-o", "-")
    assert out.read_bytes() == direct.out.encode()
    assert sorted(tmp_path.iterdir()) == [out]


def test_existing_output_is_kept_unless_told(run, tables, models, tmp_path):
    """A file that exists is refused, and replaced with --overwrite; inputs never are."""
    out = tmp_path / "out.csv"
    out.write_text("precious", encoding="utf-8")
    words = ("predict", models["iris"], tables["iris"])
    result = run(*words, "-o", out)
    assert (result.code, out.read_text(encoding="utf-8")) == (1, "precious")
    assert "pass --overwrite" in result.err
    assert run(*words, "-o", out, "--overwrite", "-q").code == 0
    assert out.read_text(encoding="utf-8").startswith("target\n")
    for source in words[1:]:
        before = source.read_bytes()
        assert "is also read" in run(*words, "-o", source, "--overwrite").err
        assert source.read_bytes() == before


def test_predictions_as_json(run, tables, models, tmp_path):
    """--json prints the columns in one document, or where they were written."""
    words = ("predict", models["iris"], tables["iris"], "--proba", "--json")
    document = run(*words).document
    assert document["rows"] == 150
    assert document["columns"]["target"][0] == "setosa"
    assert len(document["columns"]["proba_virginica"]) == 150
    document = run(*words, "-o", tmp_path / "out.csv").document
    assert (document["out"], "columns" in document) == (str(tmp_path / "out.csv"), False)


def test_probabilities_of_numbers_are_refused(run, tables, models):
    """A regression model has no probabilities, and says so."""
    result = run("predict", models["diabetes"], tables["diabetes"], "--proba")
    assert result.code == 1
    assert "gives no probabilities; leave out --proba" in result.err


def test_classes_keep_commas_quotes_and_letters(run, make_table, tmp_path):
    """Names of classes with commas, quotes, line ends and any letters come back as they were."""
    kinds = ['a,"b"', "größer", "two\nlines"]
    table = make_table(["x", "y"], [[k % 3 + 0.01 * k, kinds[k % 3]] for k in range(60)])
    model = tmp_path / "m.lamina"
    words = ("--solver", "lbfgs", "--hidden", "none")
    assert run("train", table, "--target", "y", "-o", model, *words).code == 0
    result = run("predict", model, table)
    assert {row[0] for row in list(csv.reader(result.out.splitlines(keepends=True)))[1:]} <= set(
        kinds
    )


def test_model_without_names_takes_columns_in_order(run, tables, make_table, tmp_path):
    """A model fitted on arrays takes exactly its number of columns, as they come."""
    names, values = read(tables["diabetes"])
    y = values[:, 0] - values[:, 1]
    model = tmp_path / "m.lamina"
    fitted = lamina.FeedForwardRegressor(8, max_iter=5, random_state=0).fit(values, y)
    fitted.save(model)
    result = run("predict", model, make_table(names, values.tolist()))
    assert [float(cell) for cell in result.columns["prediction"]] == fitted.predict(values).tolist()
    result = run("predict", model, tables["diabetes"])
    assert result.code == 1
    assert "has 11 columns of inputs, and the model takes 10" in result.err


def test_several_targets_are_numbered(run, tables, make_table, tmp_path):
    """A model of several targets, or labels, gives a column for each."""
    names, values = read(tables["diabetes"])
    table, model = make_table(names, values.tolist()), tmp_path / "m.lamina"
    regressor = lamina.FeedForwardRegressor(8, max_iter=2, random_state=0)
    regressor.fit(values, values[:, :3]).save(model)
    assert list(run("predict", model, table).columns) == [f"prediction_{k}" for k in range(3)]
    classifier = lamina.FeedForwardClassifier(8, max_iter=2, random_state=0)
    classifier.fit(values, (values[:, :2] > 0).astype(int)).save(model, overwrite=True)
    columns = run("predict", model, table, "--proba").columns
    assert list(columns) == ["prediction_0", "prediction_1", "proba_0", "proba_1"]
    assert set(columns["prediction_1"]) <= {"0", "1"}


def test_bare_network_is_refused(run, tables, tmp_path):
    """A network without estimator knows no scaling, so nothing is predicted with it."""
    path = tmp_path / "net.lamina"
    lamina.Network([4, 3, 1], ["tanh", "identity"], random_state=0).save(path)
    for command in ("predict", "evaluate"):
        result = run(command, path, tables["iris"])
        assert result.code == 1
        assert "holds a bare network" in result.err


@pytest.mark.parametrize("command", ["predict", "evaluate", "describe"])
def test_unreadable_model_is_an_error_in_one_line(run, tables, models, tmp_path, command):
    """A missing, damaged or foreign model file is refused in one line."""
    damaged = tmp_path / "damaged.lamina"
    content = bytearray(models["iris"].read_bytes())
    content[-9] ^= 1
    damaged.write_bytes(content)
    foreign = [tables["iris"]] if command != "describe" else []  # which describes tables too
    for path in (tmp_path / "none.lamina", tmp_path, damaged, *foreign):
        rest = () if command == "describe" else (tables["iris"],)
        result = run(command, path, *rest)
        assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
        assert result.err.startswith("lamina: error: ")
        assert "unexpected" not in result.err


def test_swapped_arguments_are_understood(run, tables, models):
    """A table where the model should be, or the other way around, is said plainly."""
    assert "no model" in run("predict", tables["iris"], models["iris"]).err
    assert "no table" in run("predict", models["iris"], models["iris"]).err
