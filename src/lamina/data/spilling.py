"""Cells on disk: a table that is larger than memory, in a temporary file that is mapped into it.

A table of Parquet files is read twice. In the first pass its columns are learned, in the second
they are encoded and written, row by row. A network then trains on the map as on an array: rows are
taken by index and shuffled all together, and the result is bit for bit that of the same table in
memory.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

PIECE = 2**22
"""Numbers that are copied together."""


def spill(parts: Iterable[Array], shape: tuple[int, int], folder: str | None = None) -> Array:
    """Write cells to a temporary file, and return it as a read-only array.

    They are float32 if that holds every one of them exactly, else float64. The file has no name
    and is gone with the array, even if the process is killed.

    Parameters
    ----------
    parts : iterable of arrays, n × C
        The rows, some at a time.
    shape : (int, int)
        N and C.
    folder : str, optional
        Where there is room for 8 · N · C bytes; the system's folder for temporary files by
        default, which the environment variable TMPDIR names.

    Raises
    ------
    TableError
        If the folder has not enough room, or the number of rows is another.
    """
    folder = folder or tempfile.gettempdir()
    N, C = shape
    if 0 in shape:
        return np.zeros(shape)
    dtype: Any = np.float32
    file, rows = _new_file(folder, shape, dtype), 0
    try:
        for part in parts:
            if dtype is np.float32 and not _is_exact(part):
                wide = _new_file(folder, shape, np.float64)
                _widen(file, wide, rows * C)
                file.close()
                file, dtype = wide, np.float64
            file.write(np.ascontiguousarray(part, dtype=dtype).data)
            rows += len(part)
        if rows != N:
            message = f"the table had {N} rows and now {rows}: it changed while it was read"
            raise TableError(message)
        file.flush()
        return np.memmap(file, dtype, "r", shape=shape)
    finally:
        file.close()


def _new_file(folder: str, shape: tuple[int, int], dtype: Any) -> IO[bytes]:
    """Return a file without a name in a folder that has room for an array."""
    needed = shape[0] * shape[1] * np.dtype(dtype).itemsize
    free = shutil.disk_usage(folder).free
    if free < needed:
        message = (
            f"{folder} has {free / 1e9:.1f} GB left, and the encoded table needs "
            f"{needed / 1e9:.1f} GB there; set TMPDIR to a folder on a larger disk"
        )
        raise TableError(message)
    return tempfile.TemporaryFile(dir=folder)


def _is_exact(cells: Array) -> bool:
    """Return whether float32 holds numbers exactly."""
    if cells.dtype == np.float32:
        return True
    with np.errstate(over="ignore"):
        narrow = cells.astype(np.float32)
    return bool(np.all((narrow == cells) | np.isnan(cells)))


def _widen(narrow: IO[bytes], wide: IO[bytes], count: int) -> None:
    """Copy so many float32 from the begin of a file as float64."""
    narrow.seek(0)
    for start in range(0, count, PIECE):
        numbers = narrow.read(4 * min(PIECE, count - start))
        wide.write(np.frombuffer(numbers, np.float32).astype(np.float64).data)
