"""Tables: what they hold, and what they refuse."""

import numpy as np
import pytest

from lamina.data.table import TIME, Table
from lamina.exceptions import TableError

NUMBERS, TEXT = np.array([1.5, np.nan, 3.0]), np.array(["a", None, "b"], dtype=object)


def test_table_gives_columns_by_name_and_rows_by_index():
    """A table of chosen columns or rows has them in the order asked for, lines with them."""
    table = Table(("x", "y"), (NUMBERS, TEXT), "t.csv", (2, 3, 5))
    assert len(table) == 3
    assert table.choose(("y", "x")).names == ("y", "x")
    assert table.choose(("y",)).columns[0] is TEXT
    part = table.rows(np.array([2, 0]))
    assert (part["y"].tolist(), part.lines, part.path) == (["b", "a"], (5, 2), "t.csv")
    assert table.rows(slice(1, 3)).lines == (3, 5)
    with pytest.raises(KeyError):
        table["z"]


@pytest.mark.parametrize(
    ("names", "columns", "words"),
    [
        (("x", "x"), (NUMBERS, TEXT), "two columns called 'x'"),
        (("x",), (NUMBERS, TEXT), "1 names for 2 columns"),
        (("x", "y"), (NUMBERS, TEXT[:2]), "one length"),
        (("x",), (NUMBERS[:, None],), "one length"),
        (("x",), (np.array(["a"]),), "'x' of the table is of <U1"),
        (("x",), (np.array(["2020"], dtype="M8[D]"),), "datetime64"),
    ],
)
def test_what_is_no_table_is_refused(names, columns, words):
    """Names twice, columns of other lengths, and other types of cells are refused in words."""
    with pytest.raises(TableError, match=words):
        Table(names, columns)


def test_table_of_every_type_of_cell_is_taken():
    """Floats, integers, truth values, text and times in microseconds make a table."""
    kinds = ["f4", "f8", "u1", "i8", "?", "O", TIME]
    columns = tuple(np.zeros(2, dtype=kind) for kind in kinds)
    assert len(Table(tuple(map(str, kinds)), columns)) == 2
