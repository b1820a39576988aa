"""`lamina export`: a model as a file for another program."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from lamina.cli import options
from lamina.cli.console import Screen, printable
from lamina.cli.outputs import refuse_output, size_of


class To(StrEnum):
    """What a model can be exported to; the names of `lamina.interchange.exports.files.TARGETS`."""

    onnx = "onnx"
    c = "c"
    python = "python"
    matlab = "matlab"
    latex = "latex"


def export(
    *,
    model: options.ModelFile,
    out: Annotated[
        Path,
        Option("--out", "-o", metavar="FILE", help="The file; functions are called like it."),
    ],
    to: Annotated[
        To | None, Option("--to", help="By default what the ending of FILE says.")
    ] = None,
    dtype: Annotated[
        options.Precision | None,
        Option("--dtype", help="What it computes in; by default as the model."),
    ] = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Write a model as ONNX (.onnx), C99 (.c), Python (.py), MATLAB (.m) or LaTeX (.tex)."""
    import lamina
    from lamina.interchange.exports.files import choose_target

    screen = Screen(as_json, quiet)
    refuse_output(out, [model], overwrite=overwrite)
    target = choose_target(out.suffix, to and to.value)
    lamina.export(lamina.load(model), out, target, dtype=dtype and dtype.value, overwrite=overwrite)
    screen.note(f"{target}, {size_of(out)}, written to {printable(str(out))}")
    screen.document({"command": "export", "model": str(model), "to": target, "out": str(out)})
