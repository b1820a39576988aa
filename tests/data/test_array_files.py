import io
import sys
import zipfile

import numpy as np
import pytest

from lamina.data.readers import read_table
from lamina.exceptions import MissingDependencyError, TableError


def write(folder, content):
    """Write bytes to a file and return its path."""
    path = folder / "table.bin"
    path.write_bytes(content)
    return path


def contents(table):
    """Return the columns of a table as lists, by name."""
    return {n: c.tolist() for n, c in zip(table.names, table.columns, strict=True)}


@pytest.mark.parametrize(
    "start",
    [b"PK\x03\x04", b"\x93NUMPY\x09\x00", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff\x10\0\0\0"],
)
def test_damaged_file_is_refused(tmp_path, start):
    """A file that begins as one of arrays does, and is none, is refused in one line."""
    path = write(tmp_path, start + bytes(100))
    with pytest.raises(TableError, match=r"is damaged|cannot be read") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_arrays_are_columns(tmp_path):
    """An NPY file has numbered columns; an NPZ file named ones, and numbered ones of matrices."""
    X = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "a.npy", X)
    assert contents(read_table(tmp_path / "a.npy")) == {"x0": [0, 2, 4], "x1": [1, 3, 5]}
    arrays = {"X": X, "n": np.arange(3), "ok": np.array([True, False, True])}
    texts = {"t": np.array(["a", "", " b "]), "d": np.array(["2024-05-31"] * 3, "datetime64[D]")}
    np.savez_compressed(tmp_path / "a.npz", **arrays, **texts)
    table = read_table(tmp_path / "a.npz", choose=lambda names: [n for n in names if n != "X0"])
    assert table.names == ("X1", "n", "ok", "t", "d")
    assert [column.dtype.kind for column in table.columns] == ["f", "i", "b", "O", "M"]
    assert table.columns[3].tolist() == ["a", None, "b"]
    assert table.columns[4].dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros(3), "b": np.zeros(4)}, "not the same number of rows: a (3,), b (4,)"),
        ({"a": np.zeros((2, 2, 2))}, "array 'a' has shape (2, 2, 2)"),
        ({"a": np.array(5.0)}, "array 'a' has shape ()"),
        ({"a": np.zeros(0)}, "has no rows"),
        ({"a": np.zeros((0, 3))}, "has no rows"),
        ({"a": np.zeros((2, 1)), "a0": np.zeros(2)}, "two columns called 'a0'"),
        ({"a": np.zeros(2, complex)}, "column 'a' holds complex128"),
        ({"a": np.array([b"x", b"y"])}, "column 'a' holds |S1"),
        ({"a": np.array([1, "x"], dtype=object)}, "Python objects, which are not loaded"),
    ],
)
def test_arrays_that_are_no_table_are_refused(tmp_path, arrays, words):
    """Arrays of other shapes, lengths and types are refused in one line; nothing is unpickled."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / "a.npz")
    assert words in str(caught.value)


def test_archive_of_other_files_is_no_table(tmp_path):
    """A spreadsheet, which is an archive as well, is called one."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(TableError, match="spreadsheet or zip archive; open it"):
        read_table(write(tmp_path, content.getvalue()))


@pytest.mark.parametrize("form", ["parquet", "feather", "stream"])
def test_arrow_files_are_read(tmp_path, form):
    """Parquet, Feather and Arrow files give their columns, of which some may be chosen."""
    pa = pytest.importorskip("pyarrow", reason="Parquet and Arrow files are read by pyarrow")
    from pyarrow import feather, ipc, parquet

    frame = pa.table({"a": [1.5, None], "b": [1, 2], "t": ["x", None], "ok": [True, False]})
    path = tmp_path / "a.bin"
    if form == "parquet":
        parquet.write_table(frame, path)
    elif form == "feather":
        feather.write_feather(frame, path)
    else:
        with ipc.new_stream(path, frame.schema) as stream:
            stream.write_table(frame)
    table = read_table(path, choose=lambda names: [names[2], names[0]])
    assert table.names == ("t", "a")
    assert table.columns[0].tolist() == ["x", None]
    np.testing.assert_array_equal(table.columns[1], [1.5, np.nan])
    assert read_table(path).names == ("a", "b", "t", "ok")


def test_arrow_names_and_rows_are_checked(tmp_path):
    """A name twice, and a file without rows, are refused."""
    pa = pytest.importorskip("pyarrow", reason="Parquet and Arrow files are read by pyarrow")
    from pyarrow import ipc, parquet

    twice = pa.table([[1.0], [2.0]], names=["a", "a"])
    with ipc.new_stream(tmp_path / "twice", twice.schema) as stream:
        stream.write_table(twice)
    parquet.write_table(pa.table({"a": pa.array([], pa.float64())}), tmp_path / "none")
    with pytest.raises(TableError, match="has no rows"):
        read_table(tmp_path / "none")
    with pytest.raises(TableError, match="two columns called 'a'"):
        read_table(tmp_path / "twice")


def test_missing_pyarrow_is_named(tmp_path, monkeypatch):
    """Where pyarrow is not installed, the message says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'lamina\[tables\]'"):
        read_table(write(tmp_path, b"PAR1" + bytes(100)))
