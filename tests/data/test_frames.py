"""Frames of every library become one and the same table."""

import datetime as dt
import decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lamina.data.frames import is_frame, to_table
from lamina.data.table import TIME
from lamina.exceptions import InvalidTypeError, LaminaError, ShapeError, TableError

ZONE = ZoneInfo("Europe/Berlin")
CELLS = {
    "float": [1.5, None, 3.0],
    "integer": [1, 2, 3],
    "integer with holes": [1, None, 3],
    "truth": [True, False, True],
    "truth with holes": [True, None, False],
    "text": ["a", None, "b"],
    "time": [dt.datetime(2020, 1, 1, 12), None, dt.datetime(2020, 6, 1)],  # noqa: DTZ001 - none
    "day": [dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)],
    "decimal": [decimal.Decimal("1.5"), None, decimal.Decimal(2)],
    "nothing": [None, None, None],
    "zoned": [dt.datetime(2020, 1, 1, 12, tzinfo=ZONE), None, dt.datetime(2020, 6, 1, tzinfo=ZONE)],
}
FRAMES = {
    "dict": lambda: CELLS,
    "dict of arrays": lambda: {n: np.array(cells, dtype=object) for n, cells in CELLS.items()},
    "pandas": lambda: pd.DataFrame(CELLS),
    "pandas nullable": lambda: pd.DataFrame(CELLS).convert_dtypes(),
    "pandas on arrow": lambda: pa.table(CELLS).to_pandas(types_mapper=pd.ArrowDtype),
    "polars": lambda: pl.DataFrame(CELLS),
    "pyarrow": lambda: pa.table(CELLS),
}
EXPECTED = {
    "float": np.array([1.5, np.nan, 3.0]),
    "integer": np.array([1.0, 2.0, 3.0]),
    "integer with holes": np.array([1.0, np.nan, 3.0]),
    "truth": np.array([True, False, True]),
    "truth with holes": np.array(["True", None, "False"], dtype=object),
    "text": np.array(["a", None, "b"], dtype=object),
    "time": np.array(["2020-01-01T12", "NaT", "2020-06-01"], dtype=TIME),
    "day": np.array(["2020-01-01", "NaT", "2021-01-01"], dtype=TIME),
    "decimal": np.array([1.5, np.nan, 2.0]),
    "nothing": np.full(3, np.nan),
    "zoned": np.array(["2020-01-01T11", "NaT", "2020-05-31T22"], dtype=TIME),
}


@pytest.mark.parametrize("library", FRAMES)
def test_frame_of_any_library_is_the_same_table(library):
    """Numbers, truth values, text, dates and times come out alike, whoever holds them."""
    frame = FRAMES[library]()
    table = to_table(frame)
    assert is_frame(frame)
    assert table.names == tuple(CELLS)
    for name, expected in EXPECTED.items():
        column = table[name]
        assert column.dtype == expected.dtype or {column.dtype.kind, expected.dtype.kind} <= set(
            "if"
        )
        np.testing.assert_array_equal(column, expected)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_categories_are_text(library):
    """Categories are text, and numbers as categories too, whole ones without a decimal point."""
    words = pd.Series(["x", None, "y"], dtype="category")
    if library is pd.DataFrame:
        whole, broken = (
            pd.Series(v, dtype="category") for v in ([1.0, None, 2.0], [0.5, 1.0, 0.5])
        )
        table = to_table(library({"words": words, "whole": whole, "broken": broken}))
        assert table["whole"].tolist() == ["1", None, "2"]
        assert table["broken"].tolist() == ["0.5", "1", "0.5"]
    elif library is pl.DataFrame:
        table = to_table(library({"words": ["x", None, "y"]}, schema={"words": pl.Categorical}))
    else:
        table = to_table(library({"words": pa.array(["x", None, "y"]).dictionary_encode()}))
    assert table["words"].tolist() == ["x", None, "y"]


def test_columns_of_numbers_are_views():
    """Where a frame holds plain numbers, none is copied."""
    numbers = np.random.default_rng(0).random(5)
    for frame in (pl.DataFrame({"a": numbers}), pa.table({"a": pa.array(numbers)}), {"a": numbers}):
        assert np.shares_memory(to_table(frame)["a"], numbers)
    frame = pd.DataFrame({"a": numbers})
    assert np.shares_memory(to_table(frame)["a"], frame["a"].to_numpy())


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        (pd.DataFrame({"a": pd.to_timedelta([1, 2], unit="s")}), InvalidTypeError, "durations"),
        (pl.DataFrame({"a": [[1], [2]]}), InvalidTypeError, "a list in each cell"),
        (pl.DataFrame({"a": [{"x": 1}]}), InvalidTypeError, "a record in each cell"),
        (pa.table({"a": [b"x"]}), InvalidTypeError, "decode them"),
        (pa.table({"a": [dt.time(1)]}), InvalidTypeError, "times without a date"),
        (pd.DataFrame({"a": [1j, 2]}), InvalidTypeError, "complex"),
        (pd.DataFrame({"a": [{}, 1]}), InvalidTypeError, "row 0, holds a dict"),
        (pd.DataFrame({"a": pd.period_range("2020", periods=2)}), InvalidTypeError, "a Period"),
        (pl.LazyFrame({"a": [1]}), InvalidTypeError, r"call its collect\(\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), TableError, "two columns of one name"),
        (pa.table([[1], [2]], names=["a", "a"]), TableError, "two columns of one name"),
        ({"a": [1, 2], "b": [1]}, TableError, "one length"),
        ({"a": np.ones((2, 2))}, ShapeError, r"one cell in each row, got shape \(2, 2\)"),
        ({"a": np.array([b"x"])}, InvalidTypeError, "decode them"),
        (np.ones(3), ShapeError, r"N × C, got an array of shape \(3,\)"),
        (3, InvalidTypeError, "must be a data frame"),
        (
            {"a": [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=ZONE)]},  # noqa: DTZ001 - a time without a zone is the case
            TableError,
            "with and without a zone",
        ),
    ],
)
def test_what_is_no_table_is_refused_in_words(frame, error, words):
    """Cells that are no numbers, truth values, text or times are named, with what to do."""
    with pytest.raises(error, match=words) as caught:
        to_table(frame)
    assert isinstance(caught.value, LaminaError)


@pytest.mark.parametrize("key", ["b", 1])
@pytest.mark.parametrize("library", [pl.DataFrame, pa.table, dict])
def test_ignored_column_is_not_looked_at(library, key):
    """A column that is dropped may hold anything."""
    table = to_table(library({"a": [1.0, 2.0], "b": [[1], [2]]}), {key})
    assert table.names == ("a", "b")
    assert np.isnan(table["b"]).all()


def test_arrays_have_numbered_columns_or_those_of_their_fields():
    """The columns of a matrix are x0, x1, ...; mixed cells are told apart; records have names."""
    mixed = np.array([[1, "a", True], [2.5, "b", False]], dtype=object)
    table = to_table(mixed)
    assert table.names == ("x0", "x1", "x2")
    assert [column.dtype.kind for column in table.columns] == ["f", "O", "b"]
    records = np.array([(1.0, "u"), (2.0, "v")], dtype=[("size", float), ("tree", "U1")])
    assert to_table(records).names == ("size", "tree")
    assert not is_frame(mixed)


def test_masked_entries_are_missing():
    """What a mask hides is missing, in a column of any type."""
    hidden = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    np.testing.assert_array_equal(to_table({"a": hidden})["a"], [1.0, np.nan, 3.0])
