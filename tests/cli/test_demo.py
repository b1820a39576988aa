import importlib


def test_demo_does_the_whole_job(run):
    """On both tables: better than chance, an exact gradient, and the same bits after reloading."""
    result = run("demo", "--json")
    assert (result.code, result.err) == (0, "")
    tables = {table["table"]: table for table in result.document["tables"]}
    assert [table["task"] for table in tables.values()] == ["classification", "regression"]
    for table in tables.values():
        assert table["certificate"]["passed"]
        assert table["reloaded_equal"]
        assert set(table["held_out"]) == {"Lamina", "MLP", "scaled MLP"}
        assert table["rows"]["held_out"] > 100
    assert tables["breast_cancer"]["held_out"]["Lamina"]["accuracy"] > 0.9
    assert tables["diabetes"]["held_out"]["Lamina"]["r2"] > 0.3


def test_demo_is_readable(run, monkeypatch):
    """The report shows the measures beside scikit-learn's, what it warned of, and the reload."""
    monkeypatch.setattr(importlib.import_module("lamina.cli.demo"), "TABLES", ["diabetes"])
    monkeypatch.setenv("COLUMNS", "40")
    result = run("demo", "--seed", "1")
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= 40
    said = " ".join(result.out.split())
    for words in [
        "Diabetes: regression",
        "Lamina MLP scaled MLP",
        "RMSE",
        "scikit-learn warned that it had not converged",
        "The gradient is exact",
        "the same to the last bit",
        "seed 1",
        "no benchmark",
    ]:
        assert words in said
