import pytest
from sklearn import datasets

import lamina
from lamina.cli.metrics import measure
from lamina.cli.models import open_model, read_rows
from lamina.data.readers import read_table


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits", "diabetes"])
def test_evaluation_measures_the_model(run, tables, models, name):
    """The measures are those of the model on all rows of the table."""
    document = run("evaluate", models[name], tables[name], "--json").document
    opened = open_model(models[name])
    y = read_table(tables[name], choose=lambda _: ["target"]).columns[0]
    y = y.astype(int) if name == "digits" else y.astype(getattr(y[0], "dtype", str))
    X = read_rows(opened, tables[name], [].append)
    assert document["metrics"] == pytest.approx(measure(opened.estimator, X, y), rel=1e-12)
    assert document["rows"] == len(y)


def test_evaluation_is_shown_as_a_table(run, tables, models):
    """The report names the model, the table and every measure."""
    result = run("evaluate", models["breast_cancer"], tables["breast_cancer"])
    assert (result.code, result.err) == (0, "")
    for words in ("569 rows", "accuracy", "balanced accuracy", "log loss", "ROC AUC"):
        assert words in result.out


def test_true_values_may_have_another_name(run, tables, models, tmp_path):
    """--target names the column with the true values; the name as trained is the default."""
    renamed = tmp_path / "renamed.csv"
    renamed.write_bytes(tables["iris"].read_bytes().replace(b"target", b"species", 1))
    result = run("evaluate", models["iris"], renamed)
    assert (result.code, "has no column 'target'" in result.err) == (1, True)
    words = ("--json", "--target", "species")
    document = run("evaluate", models["iris"], renamed, *words).document
    whole = run("evaluate", models["iris"], tables["iris"], "--json").document
    assert document["metrics"] == whole["metrics"]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("iris", b"virginica", b"Virginica", "'Virginica' is none of the model's classes: setosa"),
        ("digits", b",9\r\n", b",10\r\n", "'10' is none of the model's classes: 0, 1, 2"),
        ("digits", b",9\r\n", b",nine\r\n", "'nine' is none"),
        ("diabetes", b",151.0\r\n", b",x\r\n", "line 2, column 'target': 'x' is text"),
    ],
)
def test_strange_true_value_is_named(run, tables, models, tmp_path, name, old, new, message):
    """A class that the model does not know, or a cell that is no number, is named by its line."""
    table = tmp_path / "t.csv"
    table.write_bytes(tables[name].read_bytes().replace(old, new))
    result = run("evaluate", models[name], table)
    assert result.code == 1
    assert message in result.err
    assert "column 'target'" in result.err
    assert result.err.count("\n") == 1


def test_classes_are_compared_as_trained(run, models, tables, tmp_path):
    """Integer classes may be written as decimals: 3.0 is the class 3."""
    table = tmp_path / "t.csv"
    table.write_bytes(
        tables["digits"].read_bytes().replace(b"\r\n", b".0\r\n").replace(b"target.0", b"target")
    )
    found, expected = (
        run("evaluate", models["digits"], path, "--json").document["metrics"]
        for path in (table, tables["digits"])
    )
    assert found == expected


def test_single_class_is_measured(run, models, tables, tmp_path):
    """A table with rows of one class alone has measures, but no ROC AUC."""
    lines = tables["breast_cancer"].read_bytes().splitlines(keepends=True)
    table = tmp_path / "t.csv"
    table.write_bytes(lines[0] + b"".join(line for line in lines if b"benign" in line))
    document = run("evaluate", models["breast_cancer"], table, "--json").document
    assert set(document["metrics"]) == {"accuracy", "balanced_accuracy", "log_loss"}


def fitted_on_arrays(path, n_targets):
    """Save a regressor of the diabetes table, or of its first columns, without any names."""
    X, y = datasets.load_diabetes(return_X_y=True)
    model = lamina.FeedForwardRegressor(8, max_iter=2, random_state=0)
    model.fit(X, y if n_targets == 1 else X[:, :n_targets]).save(path)
    return path


def test_model_without_target_name_asks_for_it(run, tables, tmp_path):
    """A model fitted in Python does not know the target's name; --target gives it."""
    path = fitted_on_arrays(tmp_path / "m.lamina", 1)
    result = run("evaluate", path, tables["diabetes"])
    assert (result.code, "pass --target NAME" in result.err) == (1, True)
    assert run("evaluate", path, tables["diabetes"], "--target", "target").code == 0


def test_several_targets_are_refused(run, tables, tmp_path):
    """A model of several targets is not evaluated on one column."""
    path = fitted_on_arrays(tmp_path / "m.lamina", 2)
    result = run("evaluate", path, tables["diabetes"], "--target", "target")
    assert (result.code, "several targets" in result.err) == (1, True)


def test_rows_without_true_value_are_left_out(run, tables, models, tmp_path):
    """Rows where the target is missing are not measured, and this is said."""
    table = tmp_path / "t.csv"
    table.write_bytes(tables["iris"].read_bytes().replace(b"virginica", b""))
    result = run("evaluate", models["iris"], table, "--json")
    assert result.document["rows"] == 100
    assert result.err == "lamina: note: 50 rows are left out, where 'target' is missing\n"


def test_input_is_no_target(run, tables, models):
    """The true values cannot be in a column that the model predicts from."""
    result = run("evaluate", models["diabetes"], tables["diabetes"], "--target", "bmi")
    assert (result.code, "'bmi' is an input of the model" in result.err) == (1, True)
