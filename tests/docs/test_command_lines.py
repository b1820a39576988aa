"""Commands that documents show exist, with the options that they are shown with."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from lamina.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = get_command(app).commands


def shown(text):
    """Yield each `lamina` command line in the blocks of a document."""
    for _language, block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("lamina "):
                yield shlex.split(command, comments=True)[1:]


def problems(words):
    """Return the words of a command line that the program does not know."""
    name, *rest = words
    if name not in COMMANDS:
        return [name]
    known = {"-h", "--help"}
    for parameter in COMMANDS[name].params:
        known.update(parameter.opts, parameter.secondary_opts)
    options = [word.split("=")[0] for word in rest if re.match(r"-+[a-z]", word)]
    return [option for option in options if option not in known]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_shown_are_known(document):
    """Every command of the program, and every option, is one that it has."""
    unknown = [problems(words) for words in shown(document.read_text("utf-8"))]
    assert [part for part in unknown if part] == []


def test_commands_are_shown():
    """The README does show commands, so the test above looks at something."""
    assert len(list(shown((ROOT / "README.md").read_text("utf-8")))) >= 4


@pytest.mark.parametrize(
    ("line", "unknown"),
    [("lamina fly x.csv", "fly"), ("lamina train x.csv --targte y", "--targte")],
)
def test_command_checker_catches_unknown(line, unknown):
    """A misspelled command or option is found."""
    (words,) = shown(f"```sh\n{line}\n```")
    assert problems(words) == [unknown]
