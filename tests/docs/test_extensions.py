"""What docs/_ext does to docstrings, equations and citations."""

import re
import sys
from pathlib import Path

import pytest

import lamina
import lamina.reports

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))

pytest.importorskip("sphinx", reason="the documentation is built with the extra docs")


@pytest.fixture(name="extension")
def import_of_extension(monkeypatch):
    """Return a function that imports a module of docs/_ext."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))

    def imported(name):
        module = __import__(name)
        monkeypatch.delitem(sys.modules, name)
        return module

    return imported


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("network_, state_ and l1 Σ|w|", r"network\_, state\_ and l1 Σ\|w\|"),
        ("`n_iter_` and n_iter_.", r"`n_iter_` and n_iter\_."),
        ("snake_case and S_0 stay", "snake_case and S_0 stay"),
        (">>> a_ | b_", ">>> a_ | b_"),
    ],
)
def test_docstring_markup_is_escaped_outside_code(extension, line, expected):
    """What reStructuredText would take for a link or a substitution is text."""
    assert extension("plain_docstrings").escape(line) == expected


def test_docstring_block_after_a_colon_is_literal(extension):
    """An indented block after a colon is shown as written, and prose after it is prose."""
    lines = ["J is", "this:", "", "    J = Σ|w| x_", "", "and w_."]
    expected = ["J is", "this::", "", "    J = Σ|w| x_", "", r"and w\_."]
    assert list(extension("plain_docstrings").escaped(lines)) == expected


def test_equation_numbers_are_unique(extension):
    """No two equations of the documentation have one number, so a citation has one goal."""
    numbers = [n for page in PAGES for n in extension("mathml").numbers(page.read_text("utf-8"))]
    assert len(numbers) > 20
    assert sorted(set(numbers)) == sorted(numbers)


def test_equations_most_cited_are_displayed(extension):
    """The equations that source code cites most can be looked up in the documentation."""
    shown = {n for page in PAGES for n in extension("mathml").numbers(page.read_text("utf-8"))}
    assert {"1.1", "1.4", "2.15", "2.18", "2.23", "4.1", "4.2", "4.3", "c1", "c2", "c3"} <= shown
    assert {"u1", "u2", "u3", "u4", "u5", "u6", "u7"} <= shown


def test_reference_has_every_public_name():
    """Each name that `lamina` and its reports offer, and each error, is in the reference."""
    text = "\n".join(p.read_text("utf-8") for p in (ROOT / "docs" / "reference").glob("*.md"))
    shown = set(re.findall(r"^\.\. auto(?:class|function):: (\w+)$", text, re.MULTILINE))
    public = {*lamina.__all__, *lamina.reports.__all__} - {"__version__", "reports"}
    assert sorted(public - shown) == []
    assert ".. automodule:: lamina.exceptions" in text


@pytest.mark.parametrize(
    "document",
    [*ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md")],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links_between_files_have_a_goal(document):
    """Documents outside of docs, which Sphinx checks, link to files that exist."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
