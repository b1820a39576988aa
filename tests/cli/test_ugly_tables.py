import pytest

N = 30  # rows: from 20 to train on, a column of text may be refused as an id

NUMBERS = [str(k) for k in range(N)]
TIMES = [f"2024-05-{k + 1:02d}" for k in range(N)]
IDS = [f"ID-{k:03d}" for k in range(N)]
FREE = [f"this is the remark of customer number {k}" for k in range(N)]
HUGE = [str(10**18 + 7 * k) for k in range(N)]
AS_ID = "column 'a' is an id or free text"

# Name, cells of column a, options, the kind that a has or "error", phrases of notes or error.
COLUMNS = [
    ("thousands", ['"1,234.5"', "2"], "", "error", "line 2, column 'a': '1,234.5' is no number"),
    ("thousands with points", ['"1.234,5"'], "", "error", "nothing between thousands"),
    ("thousands with spaces", ["1 234", "2 345"], "", "error", "nothing between thousands"),
    ("thousands with no-break spaces", ["1\u00a0234"], "", "error", "between thousands"),
    ("thousands with apostrophes", ["1'234'567"], "", "error", "between thousands"),
    ("underscores", ["1_000", "2"], "", "error", "'1_000' is no number here"),
    ("decimal commas", ['"1,5"', '"2,5"'], "", "error", "'1,5' is no number here", "write 1234.5"),
    ("infinity", ["1", "inf", "3"], "", "error", "line 3, column 'a': 'inf' is not finite"),
    ("minus infinity", ["1", "-Infinity"], "", "error", "'-Infinity' is not finite"),
    ("too large", ["1", "1e999"], "", "error", "'1e999' is too large for a float64"),
    ("too small", ["1", "1e-999"], "", "numeric"),
    ("signs and exponents", ["+1", "-2.", ".5e1", "1E-3"], "", "numeric"),
    ("leading zeros", ["001", "002"], "", "numeric"),
    ("leading zeros told", ["001", "1"], "--kind a=categorical", "categorical"),
    ("codes told", ["1", "2"], "--kind a=categorical", "categorical"),
    ("huge", HUGE, "--drop x", "error", AS_ID, "with --drop 'a'"),
    ("huge that repeat", HUGE[:3], "", "categorical", "column 'a': holds integers beyond 2^53"),
    ("huge told", HUGE, "--kind a=numeric", "numeric"),
    ("huge among decimals", [*HUGE[:-1], "0.5"], "", "numeric"),
    ("5000 digits", ["9" * 5000, "1"], "", "categorical", "holds integers beyond 2^53 as '999"),
    ("percents", ["12%", "15%"], "", "categorical"),
    ("many percents", [f"{k}%" for k in NUMBERS], "", "error", AS_ID, "with --drop 'a'"),
    ("money", ["$5", "$7"], "", "categorical"),
    ("hexadecimal", ["0x10", "0x20"], "", "categorical"),
    ("other digits", ["١", "٢"], "", "categorical"),
    ("mistake", [*NUMBERS[:-1], "2O"], "", "error", "line 31, column 'a': '2O' is no number"),
    ("way out of a mistake", [*NUMBERS[:-1], "2O"], "", "error", "pass --kind 'a'=categorical"),
    ("mistake told", [*NUMBERS[:11], "2O"], "--kind a=categorical", "categorical"),
    ("text told", ["1", "b"], "--kind a=numeric", "error", "line 3, column 'a': 'b' is text"),
    ("numbers and text", ["1", "2", "3 or more"], "", "categorical"),
    ("constant", ["7"], "", "drop", "a (constant)"),
    ("constant text", ["b"], "", "drop", "a (constant)"),
    ("constant alone", ["b"], "--drop x", "error", "no column is left to learn from", "constant"),
    *((f"missing as {c!r}", ["1", c, "3"], "", "numeric") for c in ["", "NA", "N/A", "NaN", "  "]),
    *((f"missing as {c!r}", ["1", c, "3"], "", "numeric") for c in ["null", "None", "?", "#N/A"]),
    *((f"missing as {c!r}", ["1", c, "3"], "", "numeric") for c in ["-", "<NA>", "na", "nan"]),
    ("all missing", [""], "", "drop", "a (empty)"),
    ("missing everywhere", ["", "?"], "--drop x", "error", "no column is left", "empty"),
    ("missing category", ["b", "", "c"], "", "categorical"),
    ("none as a category", ["none", "-", "mild"], "", "categorical"),
    ("mostly missing", [*[""] * 8, "5", "6"], "", "numeric"),
    *((f"{' and '.join(w)}", w, "", "boolean") for w in (["true", "false"], ["TRUE", "FALSE"])),
    *((f"{' and '.join(w)}", w, "", "boolean") for w in (["yes", "no"], ["Yes", "NO", "yEs"])),
    ("truth with a gap", ["yes", "no", ""], "", "boolean"),
    ("y and n", ["y", "n"], "", "categorical"),
    ("yes and true", ["yes", "true", "no"], "", "categorical"),
    ("yes, no, maybe", ["yes", "no", "maybe"], "", "categorical"),
    ("0 and 1", ["0", "1"], "", "numeric"),
    ("0 and 1 told", ["0", "1"], "--kind a=boolean", "boolean"),
    ("maybe told", ["yes", "maybe"], "--kind a=boolean", "error", "'maybe' is no truth value"),
    ("always true", ["true"], "", "drop", "a (constant)"),
    ("dates", TIMES, "", "datetime"),
    ("dates with gaps", [*TIMES[:9], "NA"], "", "datetime"),
    ("times", [f"{day} 14:{k:02d}" for k, day in enumerate(TIMES)], "", "datetime"),
    ("times in UTC", [f"{day}T14:00:00Z" for day in TIMES], "", "datetime"),
    ("times with offsets", [f"{day}T14:00+02:00" for day in TIMES], "", "datetime"),
    ("dates and times", [TIMES[0], f"{TIMES[1]} 10:00"], "", "datetime"),
    ("very old dates", ["0001-01-01", "1582-10-04", "1969-12-31"], "", "datetime"),
    ("always one day", ["2024-05-31"], "", "drop", "a (constant)"),
    ("years", ["1999", "2024"], "", "numeric"),
    ("times of the day", ["14:30", "15:00"], "", "categorical"),
    ("one offset", [f"{TIMES[0]} 10:00", f"{TIMES[1]} 10:00Z"], "", "error", "offset from UTC"),
    ("days first", ["31/05/2024", "01/06/2024"], "", "error", "'31/05/2024' is a date that"),
    (
        "dates with points",
        ["31.05.2024", "1.6.2024"],
        "",
        "error",
        "write every date as 2024-05-31",
    ),
    ("months by name", ['"May 31, 2024"', '"Jun 1, 2024"'], "", "error", "is a date that cannot"),
    ("mixed dates", [*TIMES[:-1], "31/05/2024"], "", "error", "line 31, column 'a': '31/05/2024'"),
    ("no such day", ["2024-02-28", "2024-02-30"], "", "error", "line 3", "'2024-02-30' is no date"),
    ("days first told", ["31/05/2024", "1/6/2024"], "--kind a=categorical", "categorical"),
    ("days first dropped", ["31/05/2024", "1/6/2024"], "--drop a", None),
    (
        "dates told",
        ["2024-05-31", "20240531"],
        "--kind a=datetime",
        "error",
        "'20240531' is no date",
    ),
    ("ids", IDS, "", "error", AS_ID, "with --drop 'a'"),
    ("ids dropped", IDS, "--drop a", None),
    ("ids told", IDS, "--kind a=categorical", "categorical"),
    ("free text", FREE, "", "error", AS_ID, "with --drop 'a'"),
    ("free text that repeats", FREE[:16], "", "error", "column 'a' is free text", "--drop 'a'"),
    ("many levels", IDS[:12], "", "categorical"),
    ("rare levels", [*["b", "c"] * 11, "d", "e"], "", "categorical"),
    ("emoji as levels", ["🌳", "🌲", "🌴"], "", "categorical"),
    ("levels that differ in case", ["b", "B"], "", "categorical"),
    ("levels that differ in spaces", ["b", " b ", "c"], "", "categorical"),
    ("the target again", ["u", "v"], "", "categorical"),
    ("very long cell", ["b", "c", "d" * 100_000], "", "categorical"),
    ("cell without end", ["b", "c" * 200_000], "", "error", "line 3: a cell of more than 131072"),
    ("dropped twice", ["1", "2"], "--drop a --drop a", None),
    (
        "dropped and told",
        ["1", "2"],
        "--drop a --kind a=numeric",
        "error",
        "dropped and given a kind",
    ),
    ("drop of no column", ["1", "2"], "--drop b", "error", "no column 'b'; it has 'x', 'a', 'y'"),
    ("kind of no column", ["1", "2"], "--kind b=numeric", "error", "no column 'b'"),
    ("kind of the target", ["1", "2"], "--kind y=boolean", "error", "follows from --task"),
    ("everything dropped", ["1", "2"], "--drop x --drop a", "error", "no column but the target"),
    ("the target dropped", ["1", "2"], "--drop y", "error", "column 'y' is dropped and the target"),
    ("unknown kind", ["1", "2"], "--kind a=colour", "usage", "'a=colour' is no kind of a column"),
    ("kind of nothing", ["1", "2"], "--kind numeric", "usage", "write NAME=KIND"),
]

# Name, cells of the target, options, what it is said to hold or "error", phrases.
TARGETS = [
    ("one class", ["u"], "", "error", "'u' in every row: there is nothing to learn"),
    ("one number", ["1.5"], "", "error", "'1.5' in every row"),
    ("a class in one row", [*["u"] * 29, "v"], "", "text, 2 classes"),
    ("truth", ["true", "false"], "", "true and false"),
    ("truth in spellings", ["True", "FALSE", "true"], "", "true and false", "in several ways"),
    ("yes in spellings", ["Yes", "no", "yes"], "", "text, 2 classes", "spells no and yes in"),
    ("none as a class", ["none", "mild"], "", "text, 2 classes"),
    ("numbers as classes", ["1", "2", "3"], "", "3 different integers"),
    ("numbers", NUMBERS, "", "30 different integers"),
    ("infinite", [*NUMBERS[:-1], "inf"], "", "error", "line 31, column 'y': 'inf' is not finite"),
    ("mistake", [*NUMBERS[:-1], "2O"], "", "error", "line 31", "pass --task classification"),
    ("mistake told", ["1", "2", "2O"], "--task classification", "text, 3 classes"),
    ("text told", ["u", "v"], "--task regression", "error", "line 2, column 'y': 'u' is text"),
    ("decimals told", ["1", "2.5"], "--task classification", "error", "line 3", "has decimals"),
    ("another text in each row", IDS, "", "error", "almost every row holds another text"),
    ("huge integers", HUGE[:2], "", "text, 2 classes", "holds integers beyond 2^53"),
    ("emoji", ["🌳", "🌲"], "", "text, 2 classes"),
    ("quotes and commas", ['"a, ""b"""', "c"], "", "text, 2 classes"),
    ("dates", TIMES, "", "error", "dates are no target"),
    ("gaps", ["u", "", "v", "NA"], "", "text, 2 classes", "15 rows are left out, where 'y' is"),
    ("one gap", [*["u", "v"] * 11, "u", "?"], "", "text, 2 classes", "1 row is left out"),
    ("empty", ["", "NA"], "", "error", "column 'y' is empty in every row"),
    ("empty told", ["", "NA"], "--task regression", "error", "column 'y' is empty in every row"),
]


def ids_of(cases):
    """Return the names of cases."""
    return [name for name, *_ in cases]


@pytest.mark.parametrize(
    ("cells", "words", "kind", "says"), [(*c[1:4], c[4:]) for c in COLUMNS], ids=ids_of(COLUMNS)
)
def test_column_is_used_or_refused(train_ugly, cells, words, kind, says):
    """A column has the kind that it should, or one line says what is wrong and what to do."""
    document = train_ugly({"a": cells}, words, kind, says)
    if document:
        kinds = {column["name"]: column["kind"] for column in document["columns"]}
        assert kinds.get("a") == kind
        assert document["task"] == "classification"
        assert sum(document["rows"].values()) == N


@pytest.mark.parametrize(
    ("cells", "words", "holds", "says"), [(*c[1:4], c[4:]) for c in TARGETS], ids=ids_of(TARGETS)
)
def test_target_is_used_or_refused(train_ugly, cells, words, holds, says):
    """A target is learned as it should, or one line says what is wrong and what to do."""
    document = train_ugly({"y": cells}, words, holds, says)
    if document:
        assert document["target_holds"] == holds
        missing = sum(cells[k % len(cells)] in {"", "NA", "?"} for k in range(N))
        assert sum(document["rows"].values()) == N - missing


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_rows_are_enough_or_refused(train_ugly, n):
    """No row and a single row are refused; from two on there is something to learn."""
    says = {0: ["a header and no rows"], 1: ["'u' in every row"]}.get(n, [])
    document = train_ugly({}, "", "error" if says else "right", says, n=n)
    assert document is None or sum(document["rows"].values()) == n
