"""The command line: `lamina train | predict | evaluate | describe | report | export | demo`.

Reports go to stdout, everything else to stderr. Exit codes: 0, all is well; 1, an error, said
in one line; 2, the command line is wrong; 130, stopped by Ctrl-C; 141, nobody reads the output.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

import lamina
from lamina.cli import console
from lamina.cli.demo import demo
from lamina.cli.describe import describe
from lamina.cli.evaluate import evaluate
from lamina.cli.export import export
from lamina.cli.predict import predict
from lamina.cli.report import report
from lamina.cli.train import train

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="lamina",
    help="Feed-forward neural networks on tables of numbers, with exact gradients.",
    epilog="LAMINA_DEBUG=1 shows where an error arose; NO_COLOR=1 turns colors off.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, predict, evaluate, describe, report, export, demo):
    app.command()(console.guarded(command))


def _print_version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        typer.echo(f"lamina {lamina.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    del version  # its callback has done everything


def main(arguments: Sequence[str] | None = None, *, program: str = "lamina") -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; those of this process by default.
    program : str
        The name in messages and help.
    """
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    console.prepare_output()
    try:
        code = get_command(app)(args=words, prog_name=program, standalone_mode=False)
    except SystemExit:  # how the printer of the help leaves when nobody reads it
        return console.BROKEN_PIPE
    except Exception as problem:
        if not console.is_usage_error(problem):
            raise
        console.report_usage_error(problem)
        return console.USAGE
    return console.flush_output() or (code if isinstance(code, int) else 0)
