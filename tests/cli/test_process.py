import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest

import lamina

LAMINA = [sys.executable, "-m", "lamina"]
INTERRUPTIBLE = (  # whatever the process that runs the tests does with Ctrl-C
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from lamina.cli import main; sys.exit(main())"
)


def start(*words, environment=None, **streams):
    """Run `lamina` in a process of its own, with nothing to compile, and return what it gave."""
    variables = {**os.environ, "LAMINA_ENGINE": "reference", **(environment or {})}
    return subprocess.run(  # noqa: PLW1510 - check is among the streams
        [*LAMINA, *map(str, words)],
        env=variables,
        **{"capture_output": True, "check": False, "timeout": 120, **streams},
    )


class Terminal:
    """A terminal that a process writes its stderr to."""

    def __init__(self):
        self.reader, self.writer = pty.openpty()
        self.shown = b""
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self.reader, 4096)
            except OSError:  # how Linux says that nobody writes any more
                piece = b""
            if not piece:
                return
            with self.news:
                self.shown += piece
                self.news.notify_all()

    def wait_for(self, text):
        """Return once the text was shown."""
        with self.news:
            assert self.news.wait_for(lambda: text in self.shown, timeout=100), self.shown

    def close(self):
        """Return all that was shown."""
        os.close(self.writer)
        self.thread.join(100)
        os.close(self.reader)
        return self.shown.decode()


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--version"], 0), (["describe", "none.lamina"], 1), (["describe"], 2)],
)
def test_process_ends_with_the_exit_code(words, code):
    """Success is 0, an error 1, a wrong command line 2; errors are one line and no traceback."""
    result = start(*words)
    assert result.returncode == code
    assert result.stderr.count(b"\n") == (code != 0)
    assert b"Traceback" not in result.stderr


def test_installed_command_is_the_module():
    """`lamina` and `python -m lamina` do the same."""
    script = os.path.join(os.path.dirname(sys.executable), "lamina")
    if not os.path.exists(script):
        pytest.skip("the package is not installed beside this Python")
    found = subprocess.run([script, "--version"], capture_output=True, check=True, timeout=120)
    assert found.stdout == start("--version").stdout


def test_json_is_all_of_stdout(tables, tmp_path):
    """With --json a pipe receives one document, and nothing on stderr but what was wrong."""
    words = ("--target", "target", "-o", tmp_path / "m.lamina", "--max-iter", "5")
    result = start("train", tables["iris"], *words, "--json")
    assert (result.returncode, result.stderr) == (0, b"")
    assert json.loads(result.stdout)["training"]["epochs"] == 5


def test_pipe_has_no_progress_bar_and_no_colors(tables, tmp_path):
    """In a pipe there are no control sequences, and nothing on stderr."""
    words = ("--target", "target", "-o", tmp_path / "m.lamina", "--max-iter", "5")
    result = start("train", tables["iris"], *words)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"\x1b" not in result.stdout


@pytest.mark.parametrize("command", ["predict", "describe", "--help"])
def test_reader_that_left_is_no_error(tables, models, command):
    """When nobody reads the output, the process ends quietly, as `head` makes others do."""
    words = {"predict": [models["digits"], tables["digits"]], "describe": [models["iris"]]}
    with subprocess.Popen(
        [*LAMINA, command, *map(str, words.get(command, []))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(120) == 141


def test_output_without_unicode_is_readable(run, models, tables, tmp_path):
    """An ASCII terminal gets a report with what it can show; CSV stays UTF-8 whatever it says."""
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "1,größer\n2,Ärger\n" * 9, encoding="utf-8")
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    words = ("--target", "y", "-o", tmp_path / "m.lamina", "--max-iter", "5", "--quiet")
    assert run("train", table, *words).code == 0
    result = start("evaluate", models["diabetes"], tables["diabetes"], environment=ascii_only)
    assert (result.returncode, b"RMSE" in result.stdout) == (0, True)
    result = start("predict", tmp_path / "m.lamina", table, environment=ascii_only)
    assert set(result.stdout.decode().split()) <= {"y", "größer", "Ärger"}


def test_full_disk_is_an_error_in_one_line(models):
    """Output that cannot be written is an error, said once."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no full device")
    with open("/dev/full", "wb") as full:
        result = start("describe", models["iris"], capture_output=False, stdout=full, stderr=-1)
    assert result.returncode == 1
    assert result.stderr == b"lamina: error: No space left on device\n"


@pytest.mark.parametrize("colors", [True, False])
def test_terminal_shows_a_progress_bar(tables, tmp_path, colors):
    """A terminal gets a bar with epochs and loss on stderr; in color unless NO_COLOR is set."""
    terminal = Terminal()
    environment = {"TERM": "xterm-256color", "COLUMNS": "80"} | (
        {} if colors else {"NO_COLOR": "1"}
    )
    words = ("--target", "target", "-o", tmp_path / "m.lamina", "--max-iter", "5")
    streams = {"capture_output": False, "stdout": subprocess.PIPE, "stderr": terminal.writer}
    result = start("train", tables["iris"], *words, environment=environment, **streams)
    shown = terminal.close()
    assert result.returncode == 0
    assert "5/5" in shown
    assert "loss" in shown
    assert ("\x1b[3" in shown or "\x1b[1;3" in shown) == colors


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals between processes")
def test_interrupt_while_training_saves_the_best_network(tables, tmp_path):
    """Ctrl-C ends training: the best network is saved and can be loaded, exit code 130."""
    out, terminal = tmp_path / "m.lamina", Terminal()
    words = ["--target", "target", "--hidden", "200,200", "--max-iter", "1000000", "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "train", tables["digits"], "-o", out, *words],
        env={**os.environ, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=terminal.writer,
    ) as process:
        terminal.wait_for(b"loss")  # the first epoch has ended
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        document = json.loads(process.communicate(timeout=100)[0])
    shown = terminal.close()
    assert process.returncode == 130
    assert "warning" in shown
    assert "Traceback" not in shown
    assert document["training"]["stop_reason"] == "interrupted"
    model = lamina.load(out)
    assert model.n_iter_ == document["training"]["epochs"] > 0
    assert start("predict", out, tables["digits"]).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals between processes")
def test_interrupt_while_reading_leaves_nothing(tmp_path):
    """Ctrl-C before training has begun: one line, no file, exit code 130."""
    pipe, out = tmp_path / "table.csv", tmp_path / "m.lamina"
    os.mkfifo(pipe)
    words = ["train", str(pipe), "--target", "y", "-o", str(out)]
    command = [sys.executable, "-c", INTERRUPTIBLE, *words]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        pipe.open("wb") as writer,  # waits until the table is opened
    ):
        writer.write(b"x,y\n1,2\n")
        writer.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=100)
    assert process.returncode == 130
    assert (output, errors) == (b"", b"lamina: error: interrupted; nothing was saved\n")
    assert not out.exists()
