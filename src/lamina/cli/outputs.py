"""Files that commands write: refused before any work is done, and written whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lamina.exceptions import InvalidValueError, ModelExistsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def refuse_output(path: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse a file that cannot or should not be written, before hours are spent on it.

    Raises
    ------
    ModelExistsError
        If the file exists and `overwrite` is false.
    InvalidValueError
        If it is one of the inputs, or no regular file.
    OSError
        If its folder is missing or may not be written to.
    """
    if path.exists():
        if not path.is_file():
            raise InvalidValueError(f"{str(path)!r} is no file; name a file to write")
        for source in inputs:
            if source.exists() and path.samefile(source):
                raise InvalidValueError(f"{str(path)!r} is also read; write to another file")
        if not overwrite:
            message = f"{str(path)!r} exists; pass --overwrite to replace it, or another name"
            raise ModelExistsError(message)
    folder = path.parent
    if not folder.is_dir():
        message = "the folder to write to does not exist; create it first"
        raise FileNotFoundError(2, message, str(folder))
    if not os.access(folder, os.W_OK):
        message = "the folder may not be written to; choose another one"
        raise PermissionError(13, message, str(folder))


def size_of(path: Path) -> str:
    """Return the size of a file in words."""
    size = float(path.stat().st_size)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
