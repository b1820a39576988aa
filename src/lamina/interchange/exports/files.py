"""Exports as files: which language, and written whole or not at all."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from lamina.exceptions import InvalidValueError
from lamina.interchange import files

if TYPE_CHECKING:
    from os import PathLike

    from lamina.interchange.exports.portable import Portable


class Target(NamedTuple):
    """Where an export goes: the ending of its file, and the function that writes it."""

    suffix: str
    module: str
    function: str


TARGETS = {
    "onnx": Target(".onnx", "onnx_model", "onnx_model"),
    "c": Target(".c", "c_source", "c_source"),
    "python": Target(".py", "python_source", "python_source"),
    "matlab": Target(".m", "matlab_source", "matlab_source"),
    "latex": Target(".tex", "latex_source", "latex_source"),
}
"""What a model can be exported to."""


def write_export(
    portable: Portable, path: str | PathLike[str], to: str | None = None, *, overwrite: bool = False
) -> None:
    """Write a model to a file of another program.

    Parameters
    ----------
    portable : Portable
    path : path
        Functions are called as the file, without its ending.
    to : one of `TARGETS`, optional
        By default what the ending of the file says.

    Raises
    ------
    InvalidValueError
        If there is no such target, or the ending says none.
    LaminaError, OSError
        If the model cannot be written so, or the file not at all.
    """
    target = files.as_path(path)
    made = content(portable, choose_target(target.suffix, to), target.stem)
    files.save(target, [made], overwrite=overwrite)


def choose_target(suffix: str, to: str | None) -> str:
    """Return the name of the target asked for, or that the ending of a file says.

    Raises
    ------
    InvalidValueError
        If there is none.
    """
    known = ", ".join(f"{name} ({target.suffix})" for name, target in TARGETS.items())
    if to is None:
        for name, target in TARGETS.items():
            if suffix.lower() == target.suffix:
                return name
        message = f"a file that ends with {suffix!r} does not say what to export to: {known}"
        raise InvalidValueError(message)
    if to not in TARGETS:
        message = f"a model can be exported to {known}; got {to!r}"
        raise InvalidValueError(message)
    return to


def content(portable: Portable, to: str, name: str) -> bytes:
    """Return what the file of a target holds; raises what its writer raises."""
    _, module, function = TARGETS[to]
    write = getattr(import_module(f"lamina.interchange.exports.{module}"), function)
    made: Any = write(portable, name)
    return bytes(made.SerializeToString() if to == "onnx" else made.encode("utf-8"))
