"""Tables from files that hold arrays: NPY and NPZ, and Parquet and Arrow through pyarrow."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.cells import quote
from lamina.data.table import Table
from lamina.exceptions import MissingDependencyError, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Choose = Callable[[tuple[str, ...]], Sequence[str]]

ARROW_STREAM = b"\xff\xff\xff\xff"
"""How an Arrow stream begins; files of Arrow and Parquet begin with their names."""


def read_npy(path: str, file: BinaryIO, choose: Choose) -> Table:
    """Return a 2-D array as columns x0, x1, ..., of which some are chosen.

    Raises
    ------
    TableError
        If the file is damaged, or holds something else.
    """
    return _from_arrays(path, {"x": _load(path, file)}, choose)


def read_npz(path: str, file: BinaryIO, choose: Choose) -> Table:
    """Return the arrays of an archive: 1-D ones as columns, the columns of 2-D ones numbered.

    Raises
    ------
    TableError
        If the file is a spreadsheet or damaged, or its arrays are no columns of one table.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if not names or not all(name.endswith(".npy") for name in names):
                what = "a spreadsheet or zip archive; open it and export one sheet as CSV"
                raise TableError(f"{path} is no table but {what}")
            arrays = {}
            for name in names:
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = _load(path, member)
    except zipfile.BadZipFile as problem:
        raise TableError(f"{path} is damaged: {problem}; get the file again") from problem
    return _from_arrays(path, arrays, choose)


def read_arrow(path: str, file: BinaryIO, start: bytes, choose: Choose) -> Table:
    """Return the chosen columns of a Parquet, Feather or Arrow file, through pyarrow.

    Raises
    ------
    MissingDependencyError
        If pyarrow is not installed.
    TableError
        If the file is damaged, or its columns cannot be used.
    """
    try:
        import pyarrow as pa
        from pyarrow import feather, ipc, parquet
    except ImportError as problem:
        message = f"{path} is a Parquet or Arrow file: pip install 'lamina[tables]' to read it"
        raise MissingDependencyError(message) from problem
    from lamina.data.frames import to_table

    try:
        if start.startswith(b"PAR1"):
            opened = parquet.ParquetFile(file)
            names = _wanted(opened.schema_arrow.names, choose, path)
            frame = opened.read(columns=names).select(names)
        else:
            is_stream = start.startswith(ARROW_STREAM)
            frame = ipc.open_stream(file).read_all() if is_stream else feather.read_table(file)
            frame = frame.select(_wanted(frame.column_names, choose, path))
    except (pa.ArrowException, OSError) as problem:
        reason = str(problem).splitlines()[0]
        raise TableError(f"{path} is damaged: {reason}; write the file again") from problem
    table = to_table(frame)
    if not len(table):
        raise TableError(f"{path} has no rows; a row is needed for each data point")
    return Table(table.names, table.columns, path)


def _wanted(names: Sequence[str], choose: Choose, path: str) -> list[str]:
    """Return the chosen names; refuse a file with a name twice."""
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise TableError(f"{path} has two columns called {quote(twice)}; rename or remove one")
    return list(choose(tuple(names)))


def _load(path: str, file: Any) -> Array:
    """Return the array of an NPY file, without pickles."""
    try:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except (ValueError, OSError, EOFError, MemoryError) as problem:
        reason = str(problem).splitlines()[0]
        if "Object arrays" in reason:
            reason = "it holds Python objects, which are not loaded; save numbers or text"
        raise TableError(f"{path} cannot be read: {reason}") from problem


def _from_arrays(path: str, arrays: dict[str, Array], choose: Choose) -> Table:
    """Return a table of arrays of N rows, each one column or several."""
    columns: dict[str, Array] = {}
    for name, array in arrays.items():
        if array.ndim not in {1, 2}:
            what = f"array {quote(name)} has shape {array.shape}"
            raise TableError(f"{path}: {what}; a table has columns (N) or tables (N × S) in it")
        parts = {name: array} if array.ndim == 1 else _numbered(name, array)
        for key, column in parts.items():
            if key in columns:
                message = f"{path} has two columns called {quote(key)}; rename an array"
                raise TableError(message)
            columns[key] = column
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        listed = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise TableError(f"{path}: the arrays have not the same number of rows: {listed}")
    if lengths <= {0}:
        raise TableError(f"{path} has no rows; a row is needed for each data point")
    names = tuple(choose(tuple(columns)))
    return Table(names, tuple(_plain(path, name, columns[name]) for name in names), path)


def _numbered(name: str, array: Array) -> dict[str, Array]:
    """Return the columns of a matrix by numbered names."""
    return {f"{name}{place}": column for place, column in enumerate(array.T)}


def _plain(path: str, name: str, column: Array) -> Array:
    """Return a column in one of the types of a `Table`."""
    kind = column.dtype.kind
    if kind in "biu":
        return column
    if kind == "f":
        return column if column.itemsize in {4, 8} else column.astype(np.float64)
    if kind == "U":
        return np.array([cell.strip() or None for cell in column.tolist()], dtype=object)
    if kind == "M":
        return column.astype("datetime64[us]")
    what = f"column {quote(name)} holds {column.dtype}"
    raise TableError(f"{path}: {what}; save numbers, truth values, text or dates")
