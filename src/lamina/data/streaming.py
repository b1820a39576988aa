"""Parquet files, and folders of them, read part by part: tables that are larger than memory."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.cells import quote
from lamina.data.frames import to_table
from lamina.data.objects import texts_of
from lamina.data.readers import missing_column
from lamina.data.table import TIME, Table
from lamina.exceptions import InvalidValueError, MissingDependencyError, TableError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

CELLS = 2**20
"""Cells that are read together, about."""
LEAST, MOST = 256, 2**16
"""Rows that are read together."""
LARGE = 2**27
"""Cells of a table from which on it is not read into memory: 1 GB of float64."""
ENDING = ".parquet"


@dataclass(frozen=True, eq=False)
class ParquetRows:
    """The rows of a Parquet file, or of all in a folder, in the order of their names.

    Attributes
    ----------
    path : str
        As the user gave it.
    names : tuple of str
        The columns; all files have them.
    files : tuple of paths
    counts : tuple of int
        The rows of each file.
    chosen : N integers, optional
        Which of all rows there are; all by default.
    encoded : dict
        The cells that were made of these rows last, by what they were made with.
    """

    path: str
    names: tuple[str, ...]
    files: tuple[Path, ...]
    counts: tuple[int, ...]
    chosen: Array | None = None
    encoded: dict[Any, Array] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return the number of rows N."""
        return sum(self.counts) if self.chosen is None else len(self.chosen)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> ParquetRows:
        """Return the rows of a file or folder; only what the files say of themselves is read.

        Raises
        ------
        MissingDependencyError
            If pyarrow is not installed.
        TableError
            If there is no Parquet file, a file is damaged, or the files have different columns.
        OSError
            If there is no such file, or it may not be read.
        """
        shown, files = str(path), _files(Path(path))
        names, counts = _look_at(files[0])
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise TableError(f"{shown} has two columns called {quote(twice)}; rename one")
        sizes = [counts]
        for file in files[1:]:
            others, count = _look_at(file)
            odd = set(names).symmetric_difference(others)
            if odd:
                where = f"{files[0].name} and {file.name} in {shown}"
                message = f"{where} differ in column {quote(min(odd))}; all must have the same"
                raise TableError(message)
            sizes.append(count)
        if not sum(sizes):
            raise TableError(f"{shown} has no rows; a row is needed for each data point")
        return cls(shown, names, files, tuple(sizes))

    def choose(self, names: Sequence[str]) -> ParquetRows:
        """Return the same rows of these columns only, in this order.

        Raises
        ------
        TableError
            If there is none of a name.
        """
        for name in names:
            if name not in self.names:
                raise missing_column(self.path, name, self.names)
        same = tuple(names) == self.names
        return self if same else replace(self, names=tuple(names), encoded={})

    def rows(self, points: Array) -> ParquetRows:
        """Return the rows of these indices, which must ascend.

        Raises
        ------
        InvalidValueError
            If they do not.
        """
        if np.any(np.diff(points) <= 0):
            message = "rows of Parquet files are read in their order; sort the indices first"
            raise InvalidValueError(message)
        chosen = points if self.chosen is None else self.chosen[points]
        return replace(self, chosen=chosen, encoded={})

    def parts(self) -> Iterator[Table]:
        """Yield all rows in order, so many at a time that few cells are in memory.

        Raises
        ------
        TableError
            If a file is damaged, or a column cannot be used.
        """
        import pyarrow as pa

        size = int(np.clip(CELLS // max(1, len(self.names)), LEAST, MOST))
        start = 0
        try:
            for path in self.files:
                with _opened(path) as file:
                    for batch in file.iter_batches(size, columns=list(self.names)):
                        part = _part(batch, self.names, str(path))
                        end = start + len(part)
                        if self.chosen is not None:
                            ends = np.searchsorted(self.chosen, (start, end))
                            part = part.rows(self.chosen[slice(*ends)] - start)
                        yield part
                        start = end
        finally:
            pa.default_memory_pool().release_unused()  # buffers of a page for each column

    def column(self, name: str) -> Array:
        """Return one column, N, of one of the types of a `Table`; equal texts are one object.

        Raises
        ------
        TableError
            If there is none of this name, or its files differ in what it is.
        """
        parts: list[Array] = []
        texts: dict[str | None, str | None] = {}
        for part in self.choose((name,)).parts():
            values = part.columns[0]
            if values.dtype == object:
                same = (texts.setdefault(cell, cell) for cell in values.tolist())
                values = np.fromiter(same, object, len(values))
            parts.append(values)
        return _joined(self.path, name, parts)


def is_large(path: str | os.PathLike[str]) -> bool:
    """Return whether a table is a folder of Parquet files, or one of more than `LARGE` cells.

    Raises
    ------
    MissingDependencyError, TableError, OSError
        If it is a Parquet file, and pyarrow is not installed or cannot read it.
    """
    if Path(path).is_dir():
        return any(Path(path).glob(f"*{ENDING}"))
    if not Path(path).is_file():  # there is none, or it is a pipe, which is read only once
        return False
    with Path(path).open("rb") as file:
        if file.read(4) != b"PAR1":
            return False
    rows = ParquetRows.open(path)
    return len(rows) * len(rows.names) > LARGE


def _part(batch: Any, names: tuple[str, ...], path: str) -> Table:
    """Return a batch of Arrow as a table."""
    import pyarrow as pa

    texts = {name: batch.column(name) for name in names if _is_text(batch.schema.field(name).type)}
    others = [name for name in names if name not in texts]
    rest = to_table(pa.Table.from_batches([batch]).select(others)) if others else None
    columns = (
        _words(texts[name]) if rest is None or name in texts else rest[name] for name in names
    )
    return Table(names, tuple(columns), path)


def _is_text(kind: Any) -> bool:
    """Return whether a type of Arrow is text, or a category that is."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _words(values: Any) -> Array:
    """Return text of Arrow as objects, None where it is missing; each word is made once."""
    values = values if hasattr(values, "indices") else values.dictionary_encode()
    words = np.array([*values.dictionary.to_pylist(), None], dtype=object)
    codes = values.indices.fill_null(len(words) - 1) if values.null_count else values.indices
    return np.asarray(words[codes.to_numpy(zero_copy_only=False)])


def _joined(path: str, name: str, parts: list[Array]) -> Array:
    """Return parts of a column as one; a part without any value fits to all."""
    empty = [part.dtype.kind == "f" and bool(np.isnan(part).all()) for part in parts]
    kinds = {p.dtype.kind for p, nothing in zip(parts, empty, strict=True) if not nothing}
    if kinds in ({"O"}, {"O", "b"}) or (kinds == {"b"} and any(empty)):
        parts = [texts_of(part) for part in parts]  # truth values too, of which some are missing
    elif kinds == {"M"}:
        never = np.datetime64("NaT")
        pairs = zip(parts, empty, strict=True)
        parts = [np.full(len(p), never, TIME) if nothing else p for p, nothing in pairs]
    elif not (kinds <= set("fiu") or len(kinds) == 1):
        message = f"{path}: column {quote(name)} has other cells in one file than in another"
        raise TableError(f"{message}; write all files with the same types")
    return np.concatenate(parts)


def _files(path: Path) -> tuple[Path, ...]:
    """Return the file, or the Parquet files of a folder by name; hidden ones do not count."""
    if not path.exists():
        advice = "there is no such table; check its name and folder"
        raise FileNotFoundError(errno.ENOENT, advice, str(path))
    if not path.is_dir():
        return (path,)
    found = sorted(path.glob(f"*{ENDING}"))
    files = tuple(file for file in found if file.is_file() and file.name[0] not in "._")
    if not files:
        deeper = next(path.rglob(f"*{ENDING}"), None)
        hint = f"; {deeper.parent} has some, name one such folder" if deeper else ""
        raise TableError(f"{path} has no files that end in {ENDING}{hint}")
    return files


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file, mapped into memory, and say what is wrong with it."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as problem:
        message = f"{path} is a Parquet file: pip install 'lamina[tables]' to read it"
        raise MissingDependencyError(message) from problem
    with path.open("rb"):  # or the system says why not
        pass
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            yield file
    except (pa.ArrowException, OSError) as problem:
        raise _damaged(path, problem) from problem


def _look_at(path: Path) -> tuple[tuple[str, ...], int]:
    """Return the columns of a Parquet file, and its number of rows."""
    with _opened(path) as file:
        return tuple(file.schema_arrow.names), int(file.metadata.num_rows)


def _damaged(file: Path, problem: Exception) -> TableError:
    """Return the error for a file that cannot be read."""
    reason = str(problem).splitlines()[0]
    return TableError(f"{file} cannot be read as Parquet: {reason}; write the file again")
