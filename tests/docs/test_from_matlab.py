"""The migration table from MATLAB is true: every line of Lamina in it runs, in order."""

import re
import warnings
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "from-matlab.md"
ROW = re.compile(r"^\| (?P<matlab>.+?) \| (?P<lamina>.+?) \|(?P<differs>.*)\|$", re.MULTILINE)


def rows(text):
    """Yield MATLAB's side and Lamina's code, or None, of each line of the tables."""
    for row in ROW.finditer(text):
        if row["matlab"] != "MATLAB" and not set(row["matlab"]) <= set("-|"):
            code = re.fullmatch(r"`([^`]+)`", row["lamina"])
            assert code or row["lamina"] == "–", f"neither code nor a dash: {row[0]}"
            yield row["matlab"], code and code[1], row["differs"].strip()


def test_lines_of_the_migration_table_run(tmp_path, monkeypatch):
    """Each line runs after those before it, and returns or sets something without a warning."""
    text = PAGE.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), names)  # noqa: S102 - ours
    lines = [code for _, code, _ in rows(text) if code]
    assert len(lines) > 50
    for line in lines:
        exec(line, names)  # noqa: S102 - what the page shows is what is tested
    assert names["model"].stop_reason_


def test_lines_without_a_counterpart_say_why():
    """Where Lamina has nothing, the table says what to do instead or why."""
    assert all(differs for _, code, differs in rows(PAGE.read_text("utf-8")) if code is None)


def test_migration_names_what_people_look_for():
    """The functions and options that MATLAB's users know are found on the page."""
    text = PAGE.read_text("utf-8")
    known = """feedforwardnet fitnet patternnet train trainlm trainbr trainscg trainrp traingd
        dividerand divideblock divideint divideind mapminmax mapstd perform view genFunction
        init adapt tansig logsig purelin epochs goal min_grad max_fail plotregression""".split()
    assert [name for name in known if name not in text] == []


def test_row_reader_catches_prose_in_the_place_of_code():
    """A line of the table whose middle is neither code nor a dash is found."""
    with pytest.raises(AssertionError, match="neither code nor a dash"):
        list(rows("| `net` | call fit | |\n"))


def test_row_reader_runs_under_strict_warnings():
    """Warnings are errors here, so a deprecated line in the table cannot pass."""
    with pytest.raises(UserWarning, match="odd"):
        warnings.warn("odd", stacklevel=1)
