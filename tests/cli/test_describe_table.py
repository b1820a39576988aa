import pytest

from lamina.cli.grouped import grouped
from lamina.cli.wording import in_options

NAMES = ["id", "when", "kind", "size", "same", "none", "ok", "huge", "y"]


@pytest.fixture
def mixed(make_table):
    """Return a table with a column of every kind, and some that cannot be used."""
    rows = [
        [
            f"C-{k:04d}",
            f"2024-05-{k % 28 + 1:02d}",
            "abc"[k % 3] if k % 7 else "",
            k / 2,
            7,
            "",
            ["yes", "no"][k % 2],
            10**18 + k % 2,
            "uv"[k % 2],
        ]
        for k in range(50)
    ]
    return make_table(NAMES, rows)


def test_every_column_of_a_table_is_described(run, mixed):
    """--json has the kind, the range or levels, the gaps and the features of each column."""
    result = run("describe", mixed, "--json")
    columns = {column["name"]: column for column in result.document["columns"]}
    assert list(columns) == NAMES
    assert result.document["rows"] == 50
    assert {name: column["kind"] for name, column in columns.items()} == {
        "id": None,
        "when": "datetime",
        "kind": "categorical",
        "size": "numeric",
        "same": "drop",
        "none": "drop",
        "ok": "boolean",
        "huge": "categorical",
        "y": "categorical",
    }
    assert columns["kind"]["levels"] == ["a", "b", "c"]
    assert columns["kind"]["missing"] == 8
    assert columns["kind"]["features"] == ["kind=a", "kind=b", "kind=c", "kind=(missing)"]
    assert (columns["size"]["low"], columns["size"]["high"]) == (0.0, 24.5)
    assert columns["when"]["low"].startswith("2024-05-01")
    assert (columns["same"]["note"], columns["none"]["note"]) == ("constant", "empty")
    assert "Leave it out with --drop 'id'" in columns["id"]["note"]
    assert result.err.count("\n") == 1
    assert "column 'huge': holds integers beyond 2^53" in result.err


def test_table_is_described_for_people(run, mixed, monkeypatch):
    """The report says what each column holds, what becomes of it, and what may be changed."""
    monkeypatch.setenv("COLUMNS", "400")
    said = run("describe", mixed).out
    for words in [
        "50 rows, 9 columns",
        "0 to 24.5",
        "a, b, c",
        "False, True",
        "left out: constant",
        "left out: empty",
        "nothing",
        "refused: is an id or free text: 50 different texts in 50 rows, such as 'C-0000'",
        "--kind NAME=KIND",
    ]:
        assert words in said


def test_told_kinds_are_described(run, mixed):
    """--kind shows what a column would be; a column that is not there is an error."""
    document = run("describe", mixed, "--kind", "id=categorical", "--json").document
    assert document["columns"][0]["kind"] == "categorical"
    result = run("describe", mixed, "--kind", "idd=numeric")
    assert (result.code, "no column 'idd'" in result.err) == (1, True)


def test_options_of_tables_are_not_for_models(run, models):
    """A model file with an option of tables is a wrong command line."""
    result = run("describe", models["iris"], "--encoding", "cp1252")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "this is a model file" in result.err


def test_model_shows_its_columns(run, mixed, tmp_path):
    """A model of columns that are not all plain numbers lists them, in JSON as well."""
    out = tmp_path / "m.lamina"
    words = ("--target", "y", "--drop", "id", "--hidden", "2", "--max-iter", "2", "-o", out)
    assert run("train", mixed, *words).code == 0
    document = run("describe", out, "--json").document
    kinds = [column["kind"] for column in document["columns"]]
    assert kinds == ["datetime", "categorical", "numeric", "drop", "drop", "boolean", "categorical"]
    assert document["features"] == NAMES[1:-1]
    said = run("describe", out).out
    assert "levels or parts" in said
    assert "constant" in said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("use column_kinds={'a b': 'drop'}, or not", "use --drop 'a b', or not"),
        ("column_kinds={\"it's\": 'numeric'}", '--kind "it\'s"=numeric'),
        ("column_kinds={'a\\'b\"': 'boolean'}", "--kind 'a\\'b\"'=boolean"),
        ("column_kinds={3}", "column_kinds={3}"),
    ],
)
def test_parameters_are_said_as_options(message, said):
    """What Python is told stands in messages as the command line takes it."""
    assert in_options(message) == said


def test_grouped_options_are_given_in_records():
    """A command of records has their fields as parameters, and is called with records."""
    import inspect
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class One:
        a: int
        b: int = 2

    @dataclass(frozen=True)
    class Two:
        c: str = "x"

    found = []

    def command(*, one, two):
        found.append((one, two))

    command.__annotations__ = {"one": One, "two": Two}
    wrapped = grouped(command)
    parameters = inspect.signature(wrapped).parameters
    assert {name: p.default for name, p in parameters.items()} == {
        "a": inspect.Parameter.empty,
        "b": 2,
        "c": "x",
    }
    wrapped(a=1, b=5, c="y")
    assert found == [(One(1, 5), Two("y"))]
