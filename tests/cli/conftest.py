"""Real tables as CSV files, models trained on them, and `lamina` called within this process."""

import csv
import json
from dataclasses import dataclass

import pytest
from sklearn import datasets

from lamina.cli import main
from lamina.estimators.fitted import Fitted

SOURCES = {
    "iris": datasets.load_iris,
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}


@dataclass
class Result:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        """The JSON document on stdout, of which there must be one."""
        return json.loads(self.out)

    @property
    def columns(self):
        """The columns of the CSV table on stdout, lists of strings by name."""
        names, *rows = csv.reader(self.out.splitlines())
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def write_csv(path, names, rows):
    """Write a table and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    """No setting of this terminal reaches a test."""
    for name in ("NO_COLOR", "FORCE_COLOR", "LAMINA_DEBUG", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """Return the paths of scikit-learn's tables; iris and breast cancer name their classes."""
    folder = tmp_path_factory.mktemp("tables")
    paths = {}
    for name, load in SOURCES.items():
        bunch = load()
        named = name in {"iris", "breast_cancer"}
        y = bunch.target_names[bunch.target] if named else bunch.target
        rows = [[*x, t] for x, t in zip(bunch.data.tolist(), y.tolist(), strict=True)]
        paths[name] = write_csv(folder / f"{name}.csv", [*bunch.feature_names, "target"], rows)
    return paths


@pytest.fixture(scope="session")
def models(tables, tmp_path_factory):
    """Return the paths of small models of iris, breast cancer, diabetes, and digits in float32."""
    folder = tmp_path_factory.mktemp("models")
    paths = {name: folder / f"{name}.lamina" for name in tables}
    for name, path in paths.items():
        words = [str(tables[name]), "--target", "target", "--out", str(path), "--quiet"]
        words += ["--hidden", "8", "--max-iter", "20"]
        words += ["--dtype", "float32"] if name == "digits" else []
        assert main(["train", *words]) == 0
    return paths


@pytest.fixture
def make_table(tmp_path):
    """Return a function that writes a table from names and rows and returns its path."""
    return lambda names, rows: write_csv(tmp_path / "table.csv", names, rows)


@pytest.fixture
def run(capsys):
    """Return a function that runs a command line and returns its `Result`."""

    def call(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(code, out, err)

    return call


def ugly_csv(columns, n=30, sep=","):
    """Return a CSV file of these columns, their cells repeated as often as needed, and x and y.

    x is a number that differs in each row, y the word u or v; both may be given.
    """
    columns = {"x": [f"{k}.5" for k in range(max(n, 1))], **columns}
    columns.setdefault("y", ["u", "v"])
    lines = [sep.join(columns)]
    lines += [sep.join(c[k % len(c)] for c in columns.values()) for k in range(n)]
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def train_ugly(run, tmp_path, monkeypatch):
    """Return a function that trains on a table, checks what is said, and returns the document.

    Where an error is expected ("error", or "usage" of a wrong command line), its one line must
    have all phrases, and there is no document; else each phrase stands in a note of its own, and
    nothing more is said.
    """
    monkeypatch.setenv("LAMINA_ENGINE", "reference")  # nothing to compile for tables of 30 rows
    monkeypatch.setattr(
        Fitted, "certify", lambda *_: None
    )  # most of the time, and tested elsewhere

    def train(content, words, expected, says, *, n=30, target="y", name="t.csv"):
        table, out = tmp_path / name, tmp_path / "m.lamina"
        if content is not None:
            table.write_bytes(ugly_csv(content, n) if isinstance(content, dict) else content)
        options = ("--hidden", "2", "--solver", "adam", "--max-iter", "1", "--json", "-o", out)
        result = run("train", table, "--target", target, *options, *words.split())
        lines = result.err.splitlines()
        code = {"error": 1, "usage": 2}.get(expected, 0)
        assert result.code == code, result.err
        if code:
            *notes, error = lines
            assert error.startswith("lamina: error: ")
            assert [phrase for phrase in says if phrase not in error] == []
            assert "unexpected" not in error
            assert len(error) < 700 + len(str(table))
            assert all(line.startswith("lamina: note: ") for line in notes)
            assert (result.out, out.exists()) == ("", False)
            return None
        assert len(lines) == len(says), result.err
        for line, phrase in zip(lines, says, strict=True):
            assert line.startswith("lamina: note: ")
            assert phrase in line
        assert out.exists()
        return result.document

    return train
