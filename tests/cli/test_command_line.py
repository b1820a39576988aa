import subprocess
import sys

import pytest

import lamina
from lamina.cli import app
from lamina.cli.console import guarded

COMMANDS = ["train", "predict", "evaluate", "describe", "report", "export", "demo"]


def test_no_arguments_show_the_help(run):
    """`lamina` alone shows what `lamina --help` shows: all commands, each with its sentence."""
    result = run()
    assert (result.code, result.err) == (0, "")
    assert result.out == run("--help").out
    for command in COMMANDS:
        assert f" {command} " in result.out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("columns", [40, 80])
def test_command_shows_its_help(run, monkeypatch, command, columns):
    """Every command describes itself and its options, on narrow terminals too."""
    monkeypatch.setenv("COLUMNS", str(columns))
    result = run(command, "-h")
    assert (result.code, result.err) == (0, "")
    assert "--json" in result.out


def test_version_is_shown(run):
    """--version prints the version and nothing else."""
    assert run("--version").out == f"lamina {lamina.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trian", "No such command 'trian'"),
        ("--verison", "No such option"),
        ("train", "Missing argument"),
        ("train t.csv", "Missing option '--target'"),
        ("train t.csv --target y --hidden 64;32", "is no list of layer sizes"),
        ("train t.csv --target y --hidden 0", "is no list of layer sizes"),
        ("train t.csv --target y --test 1", "from 0 to below 1"),
        ("train t.csv --target y --dropout -0.1", "from 0 to below 1"),
        ("train t.csv --target y --max-iter 0", "--max-iter"),
        ("train t.csv --target y --seed -1", "--seed"),
        ("train t.csv --target y --alpha x", "--alpha"),
        ("train t.csv --target y --learning-rate-init fast", "neither a number nor auto"),
        ("train t.csv --target y --task ranking", "--task"),
        ("train t.csv --target y --dtype float16", "--dtype"),
        ("train t.csv u.csv --target y", "unexpected extra argument"),
        ("predict m.lamina", "Missing argument"),
        ("describe", "Missing argument"),
    ],
)
def test_wrong_command_line_is_a_usage_error(run, words, message):
    """What is wrong with a command line is said in one line, with how to get help; code 2."""
    result = run(*words.split())
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith("lamina: error: ")
    assert message in result.err
    assert "--help'" in result.err


def test_unexpected_error_is_one_line_and_a_hint(run, models, monkeypatch):
    """An exception that is not ours is called a defect, in one line; LAMINA_DEBUG=1 shows it."""

    def fail(*_):
        raise RuntimeError("first\nsecond \x1b[31m")

    monkeypatch.setattr(lamina, "load", fail)
    result = run("describe", models["iris"])
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "lamina: error: unexpected RuntimeError: first second \\x1b[31m; LAMINA_DEBUG=1 shows "
        "where it arose, for a report of this defect\n"
    )
    monkeypatch.setenv("LAMINA_DEBUG", "1")
    with pytest.raises(RuntimeError, match="first"):
        run("describe", models["iris"])


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (MemoryError("8 GiB"), 1, "not enough memory (8 GiB)"),
        (PermissionError(13, "Permission denied", "x.csv"), 1, "Permission denied: 'x.csv'"),
        (OSError("odd"), 1, "error: odd"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was saved"),
    ],
)
def test_failure_has_its_exit_code_and_line(capsys, problem, code, words):
    """Every kind of failure leaves with its code and one line on stderr."""

    def command():
        raise problem

    with pytest.raises(Exception, match=f"^$|{code}") as caught:
        guarded(command)()
    out, err = capsys.readouterr()
    assert caught.value.exit_code == code
    assert (out, err.count("\n")) == ("", 1)
    assert words in err


def test_warnings_are_single_lines(run, models, monkeypatch):
    """A warning of ours is one line on stderr, in whatever mood Python's filters are."""
    import warnings

    from lamina.exceptions import LaminaWarning

    load = lamina.load

    def warn(path):
        warnings.warn("first\nsecond", LaminaWarning, stacklevel=2)
        return load(path)

    monkeypatch.setattr(lamina, "load", warn)
    result = run("describe", models["iris"], "--json")
    assert result.document["kind"] == "FeedForwardClassifier"
    assert result.err == "lamina: warning: first second\n"


def test_import_of_the_command_line_is_light():
    """Help and usage errors need none of the heavy libraries."""
    heavy = "numpy scipy sklearn numba pandas safetensors matplotlib narwhals".split()
    code = f"import sys, lamina.cli; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_every_option_is_described():
    """No command has an option or argument without a help text."""
    from typer.main import get_command

    commands = get_command(app).commands
    assert list(commands) == COMMANDS
    for name, command in commands.items():
        assert command.help, name
        assert [p.name for p in command.params if not getattr(p, "help", None)] == []
