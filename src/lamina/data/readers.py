"""Tables from files: CSV, Parquet, Feather and Arrow, NPZ and NPY, told apart by their bytes."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.data.array_files import ARROW_STREAM, read_arrow, read_npy, read_npz
from lamina.data.cells import is_number, quote
from lamina.data.csv_tables import read_csv
from lamina.data.inference import CLASSES, LABEL
from lamina.data.kinds import KINDS
from lamina.exceptions import InvalidValueError, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from lamina.data.table import Table

_STRANGERS = {
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; open it and export one sheet as CSV",
    b"\x1f\x8b": "a compressed file; unpack it first",
    b"%PDF": "a PDF; get the data as CSV",
    b"{\x00": "no table",
}
_NAMES_LIMIT = 12  # in a message


def read_table(
    path: str | os.PathLike[str],
    *,
    choose: Callable[[tuple[str, ...]], Sequence[str]] | None = None,
    kinds: Mapping[str, str] | None = None,
    encoding: str | None = None,
    note: Callable[[str], None] | None = None,
) -> Table:
    r"""Read a table from a CSV, Parquet, Feather, Arrow, NPZ or NPY file.

    CSV has a header with the names of the columns, then rows: UTF-8, or UTF-16 and UTF-32 with
    a byte order mark, or the encoding told; cells are separated by commas, semicolons, tabs or
    bars, whichever the header has most of, and may be quoted. Blank lines at the end do not
    count, nor do spaces around a cell. What a column is, all of its cells decide
    (docs/how-to/tables.md): numbers, truth values, dates, or text.

    Parameters
    ----------
    path : str or path-like
        The bytes of the file say what it is, not its name. Parquet, Feather and Arrow need
        pyarrow.
    choose : function, optional
        From the names of all columns to those to read, in their order; it may raise. The cells
        of other columns are not looked at. All by default.
    kinds : mapping of name to kind, optional
        What columns of a CSV file are, where it is not for their cells to decide: "numeric",
        "boolean", "datetime", "categorical"; of a target "label", which keeps the words for
        truth values, or "classes", which keeps text beside numbers too.
    encoding : str, optional
        Of a CSV file.
    note : function, optional
        Called with each sentence about a column that is not read as it might seem.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        If the file is no such table; the message names line and column and says what to do.
    InvalidValueError
        If a kind is another word.
    MissingDependencyError
        If the file needs pyarrow, and that is not installed.
    OSError
        If there is no such file, or it may not be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "table.csv")
    >>> _ = path.write_text("height;kind\n1,5;oak\nNA;elm\n", encoding="utf-8")
    >>> table = read_table(path)
    >>> table.names, [column.tolist() for column in table.columns]
    (('height', 'kind'), [[1.5, nan], ['oak', 'elm']])
    >>> folder.cleanup()
    """
    kinds = {} if kinds is None else kinds
    for name, kind in kinds.items():
        if kind not in (*KINDS, LABEL, CLASSES):
            listed = ", ".join(map(repr, KINDS))
            raise InvalidValueError(f"the kind of {quote(name)} is one of {listed}; got {kind!r}")
    choose = choose or _choose_all
    shown = os.fspath(path)
    with _open(shown) as file:
        start = file.read(8)
        file.seek(0)
        for magic, what in _STRANGERS.items():
            if start.startswith(magic):
                raise TableError(f"{shown} is no table but {what}")
        if start.startswith((b"PAR1", b"ARROW1", b"FEA1", ARROW_STREAM)):
            return read_arrow(shown, file, start, choose)
        if start.startswith(b"PK\x03\x04"):
            return read_npz(shown, file, choose)
        if start.startswith(b"\x93NUMPY"):
            return read_npy(shown, file, choose)
        say = note or _say_nothing
        return read_csv(shown, file, choose=choose, kinds=kinds, encoding=encoding, note=say)


def missing_column(path: str, wanted: str, names: Sequence[str]) -> TableError:
    """Return the error for a column that a table lacks; it says which there are."""
    close = get_close_matches(wanted, names, 1)
    hint = f"; did you mean {quote(close[0])}?" if close else ""
    if not close and all(map(is_number, names)):
        hint = "; the first line must hold the names of the columns"
    listed = ", ".join(map(quote, names[:_NAMES_LIMIT]))
    more = f" and {len(names) - _NAMES_LIMIT} more" if len(names) > _NAMES_LIMIT else ""
    return TableError(f"{path} has no column {quote(wanted)}; it has {listed}{more}{hint}")


def _choose_all(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return all names."""
    return names


def _say_nothing(_: str) -> None:
    """Leave a note unsaid."""


@contextmanager
def _open(path: str) -> Iterator[BinaryIO]:
    """Open a file for reading; the system's refusal says what to do.

    What cannot be read twice, as a pipe, is copied first.
    """
    advice = {
        errno.ENOENT: "there is no such table; check its name and folder",
        errno.EISDIR: "a table is needed, and this is a folder; name a file in it",
        errno.EACCES: "the table may not be read; change its permissions",
    }
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as problem:
        code = problem.errno or 0
        raise OSError(code, advice.get(code, problem.strerror), path) from problem
    except ValueError as problem:
        raise TableError(f"{quote(path)} can be no file's name: {problem}") from problem
    with file:
        if file.seekable():
            yield file
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy
