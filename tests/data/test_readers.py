import contextlib
import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.data.cells import complaint
from lamina.data.readers import CHUNK, read_table
from lamina.exceptions import LaminaError, TableError

HEAD = b"a,b,kind\n"
GOOD = b"a,b,kind\n1,2,x\n3,4.5,y\n"

# Name, bytes of the file, and what the message must say.
BAD_TABLES = [
    ("empty", b"", "is empty", "first line must hold the names"),
    ("blank", b"\n\n  \n", "is empty"),
    ("only a byte order mark", b"\xef\xbb\xbf", "is empty"),
    ("header only", HEAD, "a header and no rows"),
    ("header and blank lines", HEAD + b"\n\n", "a header and no rows"),
    ("blank first line", b"\n" + GOOD, "line 1 is blank"),
    ("nameless column", b"a,,kind\n1,2,x\n", "line 1", "column 2 of 3 has no name"),
    ("index column", b",a,kind\n0,1,x\n", "column 1 of 3 has no name", "index=False"),
    ("same name twice", b"a,b,a,kind\n1,2,3,x\n", "columns 1 and 3", "'a'"),
    ("same name but for spaces", b"a, a ,kind\n1,2,x\n", "columns 1 and 2"),
    ("short row", HEAD + b"1,2,x\n3,4\n", "line 3 has 2 cells", "header has 3"),
    ("long row", HEAD + b"1,2,x\n3,4,y,5\n", "line 3 has 4 cells"),
    ("decimal commas", HEAD + b"1,5,2,7,x\n", "line 2 has 5 cells", "quote cells"),
    ("blank line between", HEAD + b"1,2,x\n\n3,4,y\n", "line 3 is blank"),
    ("spaces between", HEAD + b"1,2,x\n   \n3,4,y\n", "line 3 is blank"),
    ("empty cell", HEAD + b"1,2,x\n3,,y\n", "line 3, column 'b'", "is empty", "leave out"),
    ("spaces as a cell", HEAD + b"1,   ,x\n", "line 2, column 'b'", "is empty"),
    ("empty text", HEAD + b"1,2,x\n1,2,\n", "line 3, column 'kind'", "is empty"),
    ("NA", HEAD + b"1,NA,x\n", "line 2, column 'b'", "'NA' is no number", "leave out"),
    ("nan", HEAD + b"nan,2,x\n", "column 'a'", "'nan' is no number"),
    ("question mark", HEAD + b"1,?,x\n", "'?' is no number"),
    ("text", HEAD + b"1,2,x\n3,oak,y\n", "line 3, column 'b'", "'oak' is text"),
    ("yes", HEAD + b"1,yes,x\n", "'yes' is text", "1 for yes"),
    ("date", HEAD + b"1,2024-05-01,x\n", "'2024-05-01' is text"),
    ("percent", HEAD + b"1,12%,x\n", "'12%' is text"),
    ("infinity", HEAD + b"1,inf,x\n", "'inf' is not finite"),
    ("minus infinity", HEAD + b"1,-Infinity,x\n", "'-Infinity' is not finite"),
    ("too large", HEAD + b"1,1e999,x\n", "'1e999' is too large"),
    ("integer too large", HEAD + b"1," + b"9" * 400 + b",x\n", "is too large", "999…'"),
    ("thousands", HEAD + b'1,"1,234.5",x\n', "'1,234.5' is no number here", "1234.5"),
    ("thousands with points", HEAD + b'1,"1.234,5",x\n', "write 1234.5"),
    ("thousands with spaces", HEAD + b"1,1 234,x\n", "write 1234.5"),
    ("quoted decimal comma", HEAD + b'1,"3,14",x\n', "a point before decimals"),
    ("decimal comma", b"a;b;kind\n1;3,14;x\n", "line 2, column 'b'", "a point before decimals"),
    ("underscore", HEAD + b"1,1_000,x\n", "'1_000' is no number here"),
    ("hexadecimal", HEAD + b"1,0x10,x\n", "'0x10' is text"),
    ("other digits", HEAD + "1,١٢,x\n".encode(), "is text"),
    ("minus sign of typographers", HEAD + "1,−2,x\n".encode(), "is text"),
    ("Latin-1", HEAD + "1,2,grün\n".encode("latin-1"), "line 2", "not UTF-8", "CSV UTF-8"),
    ("UTF-16", GOOD.decode().encode("utf-16"), "UTF-16", "CSV UTF-8"),
    ("NUL at the start", b"a,b\0,kind\n1,2,x\n", "binary file"),
    ("NUL far down", GOOD + b"5,6,z\n" * 3000 + b"1,\0,x\n", "line 3004", "NUL"),
    ("binary", bytes(range(256)) * 10, "binary file"),
    ("compressed", gzip.compress(GOOD), "compressed", "unpack"),
    ("spreadsheet", b"PK\x03\x04" + bytes(100), "spreadsheet", "as CSV"),
    ("Parquet", b"PAR1" + bytes(100), "Parquet", "as CSV"),
    ("huge cell", HEAD + b"1," + b"x" * 200_000 + b",x\n", "line 2", "131072 characters"),
    ("open quote", HEAD + b'1,"2,x\n3,4,y\n', "a quote that is not closed"),
    ("open quote, long", HEAD + b'1,"2,x\n' + b"3,4,y\n" * 30_000, "quote that is not closed"),
    ("text after a quote", HEAD + b'1,"2"3,x\n', "line 2", "follows a closing quote"),
    ("other separator", b"a|b|kind\n1|2|x\n", "no column 'kind'", "'a|b|kind'"),
    ("bare carriage returns", b"a,b,kind\r1,2,x\r3,oak,y\r", "line 3, column 'b'", "'oak'"),
]


def write(folder, content):
    """Write bytes to a file and return its path."""
    path = folder / "table.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "words"), [(b, w) for _, b, *w in BAD_TABLES], ids=[name for name, *_ in BAD_TABLES]
)
def test_bad_table_is_refused_with_place_and_advice(tmp_path, content, words):
    """What is no table of numbers raises a TableError of one line, which names the place."""
    path = write(tmp_path, content)
    with pytest.raises(TableError) as caught:
        read_table(path, text=["kind"])
    message = str(caught.value)
    assert message.startswith(str(path))
    assert [word for word in words if word not in message] == []
    assert "\n" not in message
    assert len(message) < len(str(path)) + 200


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n", b"\r"),
        GOOD.replace(b",", b";"),
        GOOD.replace(b",", b"\t"),
        GOOD.replace(b",", b" , "),
        GOOD.replace(b"2,", b"2\x1c,"),
        GOOD + b"\n\n",
        GOOD.rstrip(b"\n"),
        b'"a","b","kind"\n"1","2","x"\n"3","4.5","y"\n',
        b"a;b;kind\n+1.0; 2. ;x\n.3e1;45E-1;y\n",
    ],
)
def test_table_is_read_whatever_its_dialect(tmp_path, content):
    """Byte order marks, line ends, separators, quotes and spaces do not change a table."""
    table = read_table(write(tmp_path, content), text=["kind"])
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.values, [[1.0, 2.0], [3.0, 4.5]])
    assert table.texts == {"kind": ("x", "y")}
    assert table.lines == (2, 3)
    assert table.unused == ()


def test_table_quoted_names_keep_separators(tmp_path):
    """A separator within quotes neither parts a name nor counts when separators are compared."""
    table = read_table(write(tmp_path, b'"a,b,c";d\n1;2\n'))
    assert table.names == ("a,b,c", "d")


def test_table_lines_are_those_of_an_editor(tmp_path):
    """A cell with line ends counts as the lines that it takes in the file."""
    content = b'a,kind\n1,"two\nlines"\n2,one\nx,one\n'
    with pytest.raises(TableError, match="line 5, column 'a'"):
        read_table(write(tmp_path, content), text=["kind"])


def test_table_first_bad_cell_is_named(tmp_path):
    """Of several bad cells the first one, row by row, is named."""
    with pytest.raises(TableError, match="line 2, column 'b'"):
        read_table(write(tmp_path, b"a,b\n1,x\ny,2\n"))


def test_table_columns_come_in_the_order_asked_for(tmp_path):
    """Chosen columns come as asked; others are named as unused and may hold anything."""
    path = write(tmp_path, b"name,a,b,c\noak,1,2,3\n,4,5,6\n")
    table = read_table(path, columns=["c", "a"])
    assert table.values.tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert table.unused == ("name", "b")


@pytest.mark.parametrize("where", ["columns", "text"])
def test_missing_column_is_named_with_the_likely_one(tmp_path, where):
    """A column that is not there is named, with those there are and the closest."""
    path = write(tmp_path, GOOD)
    with pytest.raises(TableError, match=r"no column 'kinds'; it has 'a', 'b', .* mean 'kind'\?"):
        read_table(path, **{where: ["kinds"]})


def test_missing_header_is_suspected(tmp_path):
    """Where all names are numbers, the message reminds of the header."""
    with pytest.raises(TableError, match="first line must hold the names"):
        read_table(write(tmp_path, b"1,2\n3,4\n"), text=["kind"])


def test_many_names_are_shortened(tmp_path):
    """Of many columns a message names some and counts the others."""
    names = ",".join(f"pixel{k}" for k in range(500))
    path = write(tmp_path, f"{names}\n".encode())
    with pytest.raises(TableError, match="and 488 more") as caught:
        read_table(path, columns=["speed"])
    assert len(str(caught.value)) < len(str(path)) + 300


def test_text_column_may_be_read_as_numbers(tmp_path):
    """A column that may hold text is given as numbers on request, or its line is named."""
    table = read_table(write(tmp_path, b"a,t,u\n1,10,x\n2,20,7\n"), text=["t", "u"])
    assert table.numbers("t").tolist() == [10.0, 20.0]
    with pytest.raises(TableError, match="line 2, column 'u': 'x' is text"):
        table.numbers("u")


def test_missing_file_raises_what_a_caller_would_catch(tmp_path):
    """No file, a folder and a forbidden name raise the builtin error, with advice."""
    with pytest.raises(FileNotFoundError, match="check its name"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        read_table(tmp_path)
    with pytest.raises(TableError, match="can be no file's name"):
        read_table("a\0b")
    assert issubclass(TableError, LaminaError)


def test_table_longer_than_a_chunk_is_read_whole(tmp_path):
    """Rows beyond the chunk that is converted at once keep their order, lines and texts."""
    n = 2 * CHUNK + 17
    rows = "".join(f"{k},{k % 7}\n" for k in range(n))
    table = read_table(write(tmp_path, f"a,kind\n{rows}".encode()), text=["kind"])
    np.testing.assert_array_equal(table.values[:, 0], np.arange(n))
    assert table.lines == tuple(range(2, n + 2))
    assert table.texts["kind"][-1] == str((n - 1) % 7)


def test_bad_cell_in_a_later_chunk_keeps_its_line(tmp_path):
    """The line of a bad cell counts from the start of the file."""
    rows = b"1,2\n" * (CHUNK + 5)
    with pytest.raises(TableError, match=f"line {CHUNK + 7}, column 'b'"):
        read_table(write(tmp_path, b"a,b\n" + rows + b"1,x\n"))


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, values):
    """Every finite float64 that Python writes is read as the same float64."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["a"], *([value] for value in values)])
    assert read_table(path).values[:, 0].tobytes() == np.array(values).tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_raise_nothing_but_table_errors(tmp_path, seed):
    """A table with random bytes changed is read, or refused by a TableError."""
    source = np.random.default_rng(seed)
    for _ in range(300):
        content = bytearray(b'\xef\xbb\xbf"a",b\r\n1,2\r\n3.5,"4"\r\n-1e5,6\r\n')
        for _ in range(source.integers(1, 5)):
            content[source.integers(len(content))] = source.integers(256)
        with contextlib.suppress(TableError):
            assert np.all(np.isfinite(read_table(write(tmp_path, bytes(content))).values))


@given(cell=st.text(max_size=12))
def test_complaint_agrees_with_python_on_finite_numbers(cell):
    """A cell without complaint is a finite number to Python; Python takes a few more."""
    if complaint(cell) is None:
        assert np.isfinite(float(cell))
