"""Equations are cited by their numbers in the note, and the numbers exist.

A citation stands in a docstring or a comment and reads (4.2): parentheses around a chapter from
1 to 4, a point, and a number without a leading zero. What follows a name or a bracket directly is
a call, as in f(1.5), and what follows >>> is code; neither cites anything. An equation of another
work is written without parentheses: eq. 4.21.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LAST_NUMBER = {1: 5, 2: 23, 3: 16, 4: 20}  # of each chapter of the note; the first is always 1
CITATION = re.compile(r"(?<![\w)\]])\(([1-4])\.([1-9]\d?)\)")


def prose(source):
    """Yield the line number and text of every docstring and comment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines = str(node.value.value).splitlines()
            yield from enumerate(lines, start=node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def citations(source):
    """Yield the line number, chapter and number of every cited equation."""
    for line, text in prose(source):
        if not text.lstrip().startswith((">>>", "...")):
            for match in CITATION.finditer(text):
                yield line, int(match[1]), int(match[2])


def unknown(source):
    """Describe each citation of an equation that the note does not have."""
    return [
        f"line {line}: there is no equation ({chapter}.{number})"
        for line, chapter, number in citations(source)
        if number > LAST_NUMBER[chapter]
    ]


@pytest.mark.parametrize(
    "path",
    sorted(path for folder in ("src", "examples") for path in (ROOT / folder).rglob("*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_equations_exist(path):
    """Every equation that a docstring or a comment cites is in the note."""
    assert unknown(path.read_text(encoding="utf-8")) == []


def test_equations_are_cited():
    """The mathematics do cite the note, so the test above looks at something."""
    files = (ROOT / "src" / "lamina" / "network").rglob("*.py")
    assert any(True for path in files for _ in citations(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        '"""Backpropagation, (4.21)."""\n',
        'def f():\n    """Return A.\n\n    See (1.1)-(4.21).\n    """\n',
        'x: float = 1.0\n"""The field of (4.21)."""\n',
        "x = f(2.5)  # the chain of (2.1), (4.21)\n",
    ],
)
def test_equation_checker_catches_unknown(source):
    """A number after the chapter's last is found in docstrings, field texts and comments."""
    (message,) = unknown(source)
    assert message.endswith("there is no equation (4.21)")


@pytest.mark.parametrize(
    "source",
    [
        "x = f(4.21) + (4.21)\n",
        'text = "(4.21)"\n',
        '"""Return f(4.21), not (0.5), (4.05), (4.217) or (5.1)."""\n',
        '"""Example.\n\n>>> print((4.21))\n(4.2)\n"""\n',
        '"""Ranges are (1.1)-(1.5), (2.1)-(2.23), (3.1)-(3.16), (4.1)-(4.20)."""\n',
    ],
)
def test_equation_checker_leaves_numbers_alone(source):
    """Code, calls, and other numbers in parentheses are no citations of unknown equations."""
    assert unknown(source) == []
