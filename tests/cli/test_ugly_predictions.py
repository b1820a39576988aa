import pytest

N = 40
HEAD = "size,kind,ok,day,gap,price"
ROWS = [
    f"{k}.5,{'abc'[k % 3]},{['yes', 'no'][k % 2]},2024-05-{k % 28 + 1:02d},"
    f"{k if k % 4 else ''},{2 * k}.5"
    for k in range(N)
]
GOOD = "7.5,a,yes,2024-05-08,3"
INPUTS = "size,kind,ok,day,gap"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a model of numbers, with an input of every kind, and gaps in one of them."""
    from lamina.cli import main

    folder = tmp_path_factory.mktemp("ugly")
    (folder / "t.csv").write_text("\n".join([HEAD, *ROWS]), encoding="utf-8")
    words = ["--target", "price", "-o", str(folder / "m.lamina"), "--quiet", "--task", "regression"]
    words += ["--hidden", "3", "--solver", "adam", "--max-iter", "3"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_ENGINE", "reference")
        assert main(["train", str(folder / "t.csv"), *words]) == 0
    return folder / "m.lamina"


# Name, header, row, and how the prediction compares with that of GOOD ("same", "other"), or
# "error"; then phrases of notes or of the error.
TABLES = [
    ("as in training", INPUTS, GOOD, "same"),
    ("other order", "day,gap,kind,ok,size", "2024-05-08,3,a,yes,7.5", "same"),
    ("target there", f"{INPUTS},price", f"{GOOD},9", "same"),
    ("target there, and no number", f"{INPUTS},price", f"{GOOD},oops", "same"),
    ("unknown column", f"{INPUTS},tag", f"{GOOD},x", "same", "not used by the model: 'tag'"),
    ("unknown columns", f"{INPUTS},t,u", f"{GOOD},x,inf", "same", "by the model: 't', 'u'"),
    ("column missing", "size,kind,ok,day", "7.5,a,yes,2024-05-08", "error", "no column 'gap'"),
    ("column misspelled", "sizes,kind,ok,day,gap", GOOD, "error", "did you mean 'sizes'?"),
    ("no header", GOOD, GOOD, "error", "no column 'size'"),
    ("column twice", f"{INPUTS},size", f"{GOOD},1", "error", "both called 'size'"),
    ("no rows", INPUTS, "", "error", "a header and no rows"),
    ("short row", INPUTS, "7.5,a,yes", "error", "line 2 has 3 cells and the header has 5"),
    ("spaces around", " size , kind,ok ,day,gap", "7.5 , a,yes , 2024-05-08,3", "same"),
    ("spelled otherwise", INPUTS, "75e-1,a,YES,2024-05-08 00:00,3.0", "same"),
    ("truth as a number", INPUTS, "7.5,a,1,2024-05-08,3", "same"),
    ("truth in other words", INPUTS, "7.5,a,true,2024-05-08,3", "same"),
    ("decimal comma", INPUTS.replace(",", ";"), "7,5;a;yes;2024-05-08;3", "same"),
    ("tabs", INPUTS.replace(",", "\t"), GOOD.replace(",", "\t"), "same"),
    ("new level", INPUTS, "7.5,new,yes,2024-05-08,3", "other"),
    ("level in capitals", INPUTS, "7.5,A,yes,2024-05-08,3", "other"),
    ("level like a number", INPUTS, "7.5,1,yes,2024-05-08,3", "other"),
    ("level like a date", INPUTS, "7.5,2024-05-08,yes,2024-05-08,3", "other"),
    ("missing level", INPUTS, "7.5,,yes,2024-05-08,3", "other"),
    ("missing number", INPUTS, ",a,yes,2024-05-08,3", "other"),
    ("missing number as in training", INPUTS, "7.5,a,yes,2024-05-08,NA", "other"),
    ("missing truth", INPUTS, "7.5,a,?,2024-05-08,3", "other"),
    ("missing day", INPUTS, "7.5,a,yes,,3", "other"),
    ("all missing", INPUTS, "NA,NA,NA,NA,NA", "other"),
    ("day far away", INPUTS, "7.5,a,yes,1724-05-08,3", "other"),
    ("huge integer as a number", INPUTS, "12345678901234567890,a,yes,2024-05-08,3", "other"),
    ("text for a number", INPUTS, "tall,a,yes,2024-05-08,3", "error", "column 'size': 'tall' is"),
    ("infinite number", INPUTS, "inf,a,yes,2024-05-08,3", "error", "line 2", "'inf' is not finite"),
    ("thousands", INPUTS, '"1,234",a,yes,2024-05-08,3', "error", "nothing between thousands"),
    ("maybe for yes", INPUTS, "7.5,a,maybe,2024-05-08,3", "error", "'maybe' is no truth value"),
    ("day first", INPUTS, "7.5,a,yes,08/05/2024,3", "error", "'08/05/2024' is no date"),
    ("no such day", INPUTS, "7.5,a,yes,2024-02-30,3", "error", "'2024-02-30' is no date"),
    ("number for a day", INPUTS, "7.5,a,yes,20240508,3", "error", "'20240508' is no date"),
]


@pytest.fixture
def ask(run, model, tmp_path, monkeypatch):
    """Return a function that runs a command on the model and a table of these lines."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")

    def call(command, *lines, words=()):
        table = tmp_path / "new.csv"
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return run(command, model, table, *words)

    return call


@pytest.mark.parametrize(
    ("header", "row", "expected", "says"),
    [(*case[1:4], case[4:]) for case in TABLES],
    ids=[case[0] for case in TABLES],
)
def test_ugly_row_is_predicted_or_refused(ask, header, row, expected, says):
    """A row is predicted as what it means, or one line says what is wrong with it."""
    result = ask("predict", header, *([row] if row else []))
    lines = result.err.splitlines()
    if expected == "error":
        assert (result.code, result.out, len(lines)) == (1, "", 1)
        assert lines[0].startswith("lamina: error: ")
        assert [phrase for phrase in says if phrase not in lines[0]] == []
        assert "unexpected" not in lines[0]
        return
    assert (result.code, len(lines)) == (0, len(says)), result.err
    assert all(says[k] in line and "note: " in line for k, line in enumerate(lines))
    (value,) = result.columns["price"]
    (good,) = ask("predict", INPUTS, GOOD).columns["price"]
    assert (float(value) == float(good)) == (expected == "same")


# Name, the target's column, options, the rows measured or "error", phrases of notes or error.
TRUTHS = [
    ("as in training", ["price", "1.5", "2.5"], "", 2),
    ("gap", ["price", "1.5", ""], "", 1, "1 row is left out, where 'price' is missing"),
    ("empty", ["price", "", "NA"], "", "error", "column 'price' is empty in every row"),
    ("text", ["price", "1.5", "oops"], "", "error", "line 3, column 'price': 'oops' is text"),
    ("other name", ["cost", "1.5", "2.5"], "", "error", "no column 'price'"),
    ("other name told", ["cost", "1.5", "2.5"], "--target cost", 2),
    ("an input as target", ["price", "1.5", "2.5"], "--target size", "error", "an input of the"),
    ("encoding", ["price", "1.5", "2.5"], "--encoding utf8000", "error", "unknown encoding"),
]


@pytest.mark.parametrize(
    ("column", "words", "expected", "says"),
    [(*case[1:4], case[4:]) for case in TRUTHS],
    ids=[case[0] for case in TRUTHS],
)
def test_ugly_truth_is_measured_or_refused(ask, column, words, expected, says):
    """True values are compared where there are any, or one line says what is wrong with them."""
    name, *cells = column
    lines = [f"{INPUTS},{name}", *(f"{GOOD},{cell}" for cell in cells)]
    result = ask("evaluate", *lines, words=["--json", *words.split()])
    said = result.err.splitlines()
    if expected == "error":
        assert (result.code, result.out, len(said)) == (1, "", 1)
        assert [phrase for phrase in says if phrase not in said[0]] == []
        return
    assert (result.code, len(said)) == (0, len(says)), result.err
    assert all(says[k] in line for k, line in enumerate(said))
    assert result.document["rows"] == expected
