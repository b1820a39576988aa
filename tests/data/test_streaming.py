"""Parquet files are read part by part, and give what the same table in memory gives."""

import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from lamina.data import streaming
from lamina.data.frames import to_table
from lamina.data.streaming import ParquetRows, is_large
from lamina.exceptions import InvalidValueError, MissingDependencyError, TableError

pytest.importorskip("pyarrow", reason="Parquet files are read by pyarrow")
N = 1000


def frame():
    """Return a frame of every type that a column may have, with missing values."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "real": random.normal(size=N),
            "single": random.normal(size=N).astype(np.float32),
            "whole": pd.array(random.integers(9, size=N), dtype="Int16"),
            "word": random.choice(["oak", "elm", "ash"], N),
            "yes": pd.array(random.random(N) < 0.4, dtype="boolean"),
            "when": pd.date_range("2024-01-01", periods=N, freq="5h"),
            "kind": pd.Categorical(random.choice(["a", "b"], N)),
        }
    )
    table.loc[N - 40 :, :] = None  # the last part has nothing at all
    table.loc[5, "yes"] = None
    return table


def write(folder, table):
    """Write a table as three files, one of them in small groups of rows."""
    for place, start in enumerate(range(0, N, 350)):
        part, path = table.iloc[start : start + 350], folder / f"part-{place}.parquet"
        part.to_parquet(path, row_group_size=35 if place == 1 else None, index=False)
    (folder / "_metadata.parquet").write_bytes(b"no table")
    return folder


@pytest.fixture(name="small", autouse=True)
def small_fixture(monkeypatch):
    """Read few rows together, so that there are many parts."""
    monkeypatch.setattr(streaming, "MOST", 20)
    monkeypatch.setattr(streaming, "LEAST", 20)


def test_columns_are_those_of_the_frame(tmp_path):
    """Each column, joined from its parts, is the one that the whole frame gives, of its type."""
    table = frame()
    rows, expected = ParquetRows.open(write(tmp_path, table)), to_table(table)
    assert (len(rows), rows.names) == (N, expected.names)
    for name in rows.names:
        found = rows.column(name)
        assert found.dtype.kind == expected[name].dtype.kind, name
        np.testing.assert_array_equal(found, expected[name])


def test_parts_are_all_rows_in_order(tmp_path):
    """Parts are small, of the chosen columns in their order, and together all rows."""
    table = frame()
    rows = ParquetRows.open(write(tmp_path, table)).choose(("word", "real"))
    parts = list(rows.parts())
    assert max(map(len, parts)) <= 20
    assert {part.names for part in parts} == {("word", "real")}
    joined = np.concatenate([part["real"] for part in parts])
    np.testing.assert_array_equal(joined, table["real"].to_numpy())


def test_chosen_rows_are_read(tmp_path):
    """Rows that are chosen, and chosen of these, are those of the frame; they must ascend."""
    table = frame()
    points = np.flatnonzero(np.random.default_rng(0).random(N) < 0.2)
    rows = ParquetRows.open(write(tmp_path, table)).choose(("when", "real")).rows(points)
    assert len(rows) == sum(map(len, rows.parts())) == len(points)
    np.testing.assert_array_equal(rows.column("real"), table["real"].to_numpy()[points])
    fewer = rows.rows(np.array([0, 5, 7]))
    np.testing.assert_array_equal(fewer.column("when"), table["when"].to_numpy()[points[[0, 5, 7]]])
    with pytest.raises(InvalidValueError, match="sort the indices first"):
        rows.rows(np.array([3, 2]))


def test_files_may_order_columns_differently(tmp_path):
    """Columns are found by name in each file of a folder."""
    table = frame()[["real", "word"]]
    table.iloc[:500].to_parquet(tmp_path / "a.parquet")
    table.iloc[500:][["word", "real"]].to_parquet(tmp_path / "b.parquet")
    rows = ParquetRows.open(tmp_path)
    np.testing.assert_array_equal(rows.column("real"), table["real"].to_numpy())


def test_equal_texts_are_one_object(tmp_path):
    """A column of text holds each of its words once."""
    frame()[["word"]].to_parquet(tmp_path / "a.parquet")
    words = ParquetRows.open(tmp_path / "a.parquet").column("word")
    assert len({id(word) for word in words if word is not None}) == 3


def test_what_is_no_table_is_refused(tmp_path):
    """Folders without files, damaged files, no rows and other columns are one-line errors."""
    with pytest.raises(TableError, match=r"has no files that end in \.parquet$"):
        ParquetRows.open(tmp_path)
    deep = tmp_path / "deep"
    deep.mkdir()
    frame().to_parquet(deep / "a.parquet")
    with pytest.raises(TableError, match="deep has some, name one such folder"):
        ParquetRows.open(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(TableError, match=r"a\.parquet cannot be read as Parquet"):
        ParquetRows.open(tmp_path / "a.parquet")
    with pytest.raises(FileNotFoundError, match="check its name and folder"):
        ParquetRows.open(tmp_path / "none.parquet")
    frame().iloc[:0].to_parquet(tmp_path / "a.parquet")
    with pytest.raises(TableError, match="has no rows"):
        ParquetRows.open(tmp_path)
    frame().drop(columns="real").to_parquet(deep / "b.parquet")
    with pytest.raises(
        TableError, match=r"a\.parquet and b\.parquet in .* differ in column 'real'"
    ):
        ParquetRows.open(deep)
    rows = ParquetRows.open(deep / "a.parquet")
    with pytest.raises(TableError, match=r"has no column 'reel'.*did you mean 'real'"):
        rows.choose(("word", "reel"))


def test_other_types_in_another_file_are_refused(tmp_path):
    """A column that is text in one file and a number in another is refused."""
    pd.DataFrame({"a": ["x", "y"]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"a": [1.0, 2.0]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(TableError, match="other cells in one file than in another"):
        ParquetRows.open(tmp_path).column("a")


def test_missing_library_is_named(tmp_path, monkeypatch):
    """Without pyarrow it is said what to install."""
    frame().to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'lamina\[tables\]'"):
        ParquetRows.open(tmp_path / "a.parquet")


def test_size_is_told_without_reading(tmp_path, monkeypatch):
    """A folder, and a Parquet file of many cells, are large; other files are not."""
    path, text = tmp_path / "a.parquet", tmp_path / "a.csv"
    frame().to_parquet(path)
    frame().to_csv(text)
    assert is_large(tmp_path)
    assert not is_large(tmp_path / "none")
    assert not is_large(path)
    monkeypatch.setattr(streaming, "LARGE", 6_999)
    assert is_large(path)
    assert not is_large(text)


def test_memory_is_that_of_a_part(tmp_path, monkeypatch):
    """Going through 16 MB of cells takes a small part of that of Python's memory."""
    monkeypatch.setattr(streaming, "MOST", 2000)
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(100_000, 20)))
    table.columns = [f"x{i}" for i in range(20)]
    table.to_parquet(tmp_path / "a.parquet", row_group_size=10_000)
    del table
    rows = ParquetRows.open(tmp_path / "a.parquet")
    next(rows.parts())  # imports
    tracemalloc.start()
    try:
        assert sum(map(len, rows.parts())) == 100_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
