"""What commands say: reports on stdout, the rest on stderr; errors and warnings in one line."""

from __future__ import annotations

import errno
import functools
import json
import os
import sys
import textwrap
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from lamina.cli.wording import in_options
from lamina.exceptions import LaminaError, LaminaWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ERROR, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
_WIDE = 10_000  # columns, to measure what a table needs


@dataclass(frozen=True)
class Screen:
    """Where a command's report goes.

    Attributes
    ----------
    as_json : bool
        One JSON document at the end instead of a report.
    quiet : bool
        Neither report nor notes nor progress bar; errors and warnings stay.
    """

    as_json: bool
    quiet: bool = False

    def show(self, *parts: Any) -> None:
        """Print parts of a report, strings or whatever rich can print."""
        if self.as_json or self.quiet:
            return
        console = _Console(highlight=False, markup=False, emoji=False)
        width, wide = console.width, console.options.update(width=_WIDE)
        for part in parts:  # on too narrow a terminal lines are too long, but nothing is cut
            if isinstance(part, str):
                console.print(_wrapped(printable(part, keep="\n"), width), soft_wrap=True)
            else:
                console.width = max(width, console.measure(part, options=wide).minimum)
                console.print(part, crop=False)

    def note(self, message: str) -> None:
        """Say on stderr what a person might want to know."""
        if not self.quiet:
            say("note", message, "cyan")

    def document(self, content: dict[str, Any]) -> None:
        """Print the JSON document; NaN and infinity are null."""
        if not self.as_json:
            return
        from lamina.interchange.native import plain

        sys.stdout.write(json.dumps(plain(content), indent=2, allow_nan=False) + "\n")

    @property
    def has_progress(self) -> bool:
        """Whether a progress bar makes sense: a person looks at stderr."""
        return sys.stderr.isatty() and not self.quiet


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text with every unprintable character spelled out as in its repr.

    Names come from files of others, and a terminal obeys control characters.

    Parameters
    ----------
    keep : str
        Characters that stay as they are.

    Examples
    --------
    >>> print(printable("red \x1b[31m\n"))
    red \x1b[31m\n
    """
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def _wrapped(text: str, width: int) -> str:
    """Return text in lines of this width; a longer word, such as a path, stays whole."""
    lines = (
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )
    return "\n".join(lines)


def say(kind: str, message: str, style: str) -> None:
    """Write `lamina: kind: message` to stderr, in one line."""
    line = printable(" ".join(message.split()))
    text = Text.assemble("lamina: ", (f"{kind}:", f"bold {style}"), f" {line}")
    _Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with its errors and warnings in one line each, and exit codes."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            with _warnings_in_one_line():
                command(*args, **options)
        except KeyboardInterrupt as problem:
            say("error", str(problem) or "interrupted; nothing was saved", "red")
            raise typer.Exit(INTERRUPTED) from problem
        except BrokenPipeError as problem:
            _abandon_output()
            raise typer.Exit(BROKEN_PIPE) from problem
        except (typer.Exit, typer.Abort):
            raise
        except Exception as problem:
            if is_usage_error(problem) or os.environ.get("LAMINA_DEBUG"):
                raise
            say("error", _explain(problem), "red")
            raise typer.Exit(ERROR) from problem

    return run


def is_usage_error(problem: Exception) -> bool:
    """Return whether an exception says that the command line is wrong."""
    return hasattr(problem, "format_message")


def report_usage_error(problem: Any) -> None:
    """Say what is wrong with the command line, and how to get help."""
    context = getattr(problem, "ctx", None)
    command = context.command_path if context else "lamina"
    message = problem.format_message().strip().rstrip(".")
    say("error", f"{message}; try '{command} --help'", "red")


def _explain(problem: Exception) -> str:
    """Return an error in words; one that is not ours is a defect, and says so."""
    if isinstance(problem, LaminaError):
        return in_options(str(problem))
    if isinstance(problem, OSError):
        where = "" if problem.filename is None else f": {problem.filename!r}"
        return f"{problem.strerror or problem}{where}"
    if isinstance(problem, MemoryError):
        return f"there is not enough memory ({problem}); use fewer rows, or --dtype float32"
    return (
        f"unexpected {type(problem).__name__}: {problem}; LAMINA_DEBUG=1 shows where it arose, "
        "for a report of this defect"
    )


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Show warnings as `lamina: warning: ...`; ours always, others as Python is told to."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        say("warning", str(message), "yellow")

    with warnings.catch_warnings():
        warnings.simplefilter("always", LaminaWarning)
        warnings.showwarning = show
        yield


def prepare_output() -> None:
    """Let an output that is not UTF-8 replace what it lacks, and one that is closed drop all."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            sink = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the very end
            setattr(sys, name, sink)
        stream = getattr(sys, name)
        encoding = getattr(stream, "encoding", None) or ""
        if encoding.lower().replace("-", "") != "utf8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def flush_output() -> int:
    """Flush stdout and return 0; or an exit code, if nobody reads it or the disk is full."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_output()
        return BROKEN_PIPE
    except OSError as problem:
        _abandon_output()
        say("error", f"the output cannot be written: {problem.strerror}", "red")
        return ERROR
    return 0


def _abandon_output() -> None:
    """Send what is still in the buffer of stdout nowhere, or Python complains at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Console(Console):
    """A console that leaves it to the command what to do when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Let the exception pass."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
