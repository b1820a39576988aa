import contextlib
import csv
import gzip
import os
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.data.readers import missing_column, read_table
from lamina.exceptions import InvalidValueError, LaminaError, TableError

HEAD = b"a,b,kind\n"
GOOD = b"a,b,kind\n1,2,x\n3,4.5,y\n"
NUMBERED = b"".join(b"%d,%d,x\n" % (k, k) for k in range(20))

# Name, bytes of the file, and what the message must say.
BAD_TABLES = [
    ("empty", b"", "is empty", "first line must hold the names"),
    ("blank", b"\n\n  \n", "is empty"),
    ("only a byte order mark", b"\xef\xbb\xbf", "is empty"),
    ("only a byte order mark of UTF-16", b"\xff\xfe", "is empty"),
    ("header only", HEAD, "a header and no rows"),
    ("header and blank lines", HEAD + b"\n\n", "a header and no rows"),
    ("blank first line", b"\n" + GOOD, "line 1 is blank"),
    ("nameless column", b"a,,kind\n1,2,x\n", "line 1", "column 2 of 3 has no name"),
    ("index column", b",a,kind\n0,1,x\n", "column 1 of 3 has no name", "index=False"),
    ("separator at the ends", b"a,b,\n1,2,\n", "column 3 of 3", "separators at the ends"),
    ("same name twice", b"a,b,a,kind\n1,2,3,x\n", "columns 1 and 3", "'a'"),
    ("same name but for spaces", b"a, a ,kind\n1,2,x\n", "columns 1 and 2"),
    ("short row", HEAD + b"1,2,x\n3,4\n", "line 3 has 2 cells", "header has 3"),
    ("long row", HEAD + b"1,2,x\n3,4,y,5\n", "line 3 has 4 cells", "quote cells"),
    ("separator at an end", HEAD + b"1,2,x,\n", "remove the separator at the end of the line"),
    ("blank line between", HEAD + b"1,2,x\n\n3,4,y\n", "line 3 is blank"),
    ("spaces between", HEAD + b"1,2,x\n   \n3,4,y\n", "line 3 is blank"),
    ("infinity", HEAD + b"1,inf,x\n2,3,x\n", "line 2, column 'b'", "'inf' is not finite"),
    ("mistake", HEAD + NUMBERED + b"1,2O,x\n", "line 22, column 'b'", "'2O' is no number"),
    ("Latin-1", HEAD + "1,2,grün\n".encode("latin-1"), "line 2", "not UTF-8", "--encoding cp1252"),
    ("half a character", GOOD.decode().encode("utf-16")[:-1], "not utf-16 all through"),
    ("unmarked UTF-16", GOOD.decode().encode("utf-16-le"), "pass --encoding utf-16-le"),
    ("unmarked UTF-16, high byte first", GOOD.decode().encode("utf-16-be"), "utf-16-be"),
    ("NUL at the start", b"a,b\0,kind\n1,2,x\n", "binary file"),
    ("NUL far down", GOOD + b"5,6,z\n" * 3000 + b"1,\0,x\n", "line 3004", "NUL"),
    ("binary", bytes(range(256)) * 10, "binary file"),
    ("compressed", gzip.compress(GOOD), "compressed", "unpack"),
    ("old spreadsheet", b"\xd0\xcf\x11\xe0" + bytes(100), "spreadsheet", "as CSV"),
    ("PDF", b"%PDF-1.7", "no table but a PDF"),
    ("huge cell", HEAD + b"1," + b"x" * 200_000 + b",x\n", "line 2", "131072 characters"),
    ("open quote", HEAD + b'1,"2,x\n3,4,y\n', "a quote that is not closed"),
    ("open quote, long", HEAD + b'1,"2,x\n' + b"3,4,y\n" * 30_000, "quote that is not closed"),
    ("text after a quote", HEAD + b'1,"2"3,x\n', "line 2", "follows a closing quote"),
]


def write(folder, content):
    """Write bytes to a file and return its path."""
    path = folder / "table.csv"
    path.write_bytes(content)
    return path


def contents(table):
    """Return the columns of a table as lists, by name."""
    return {n: c.tolist() for n, c in zip(table.names, table.columns, strict=True)}


@pytest.mark.parametrize(
    ("content", "words"), [(b, w) for _, b, *w in BAD_TABLES], ids=[name for name, *_ in BAD_TABLES]
)
def test_bad_table_is_refused_with_place_and_advice(tmp_path, content, words):
    """What is no table raises a TableError of one line, which names the place."""
    path = write(tmp_path, content)
    with pytest.raises(TableError) as caught:
        read_table(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert [word for word in words if word not in message] == []
    assert "\n" not in message
    assert len(message) < len(str(path)) + 250


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        b"\xfe\xff" + GOOD.decode().encode("utf-16-be"),
        GOOD.decode().encode("utf-32"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n", b"\r"),
        GOOD.replace(b",", b";"),
        GOOD.replace(b",", b"\t"),
        GOOD.replace(b",", b"|"),
        GOOD.replace(b",", b" , "),
        GOOD.replace(b"2,", b"2\x1c,"),
        GOOD.replace(b",", b";").replace(b".", b","),
        GOOD + b"\n\n",
        GOOD.rstrip(b"\n"),
        b'"a","b","kind"\n"1","2","x"\n"3","4.5","y"\n',
        b"a;b;kind\n+1.0; 2. ;x\n.3e1;45E-1;y\n",
    ],
)
def test_table_is_read_whatever_its_dialect(tmp_path, content):
    """Encodings, line ends, separators, quotes and spaces do not change a table."""
    table = read_table(write(tmp_path, content))
    assert contents(table) == {"a": [1.0, 3.0], "b": [2.0, 4.5], "kind": ["x", "y"]}
    assert tuple(table.lines) == (2, 3)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "utf-8", "mac-roman"])
def test_encoding_is_as_told(tmp_path, encoding):
    """A file in any encoding is read when it is told which."""
    path = write(tmp_path, "größe,art\n1,Blåbär\n2,é\n".encode(encoding))
    table = read_table(path, encoding=encoding)
    assert contents(table) == {"größe": [1.0, 2.0], "art": ["Blåbär", "é"]}


def test_wrong_encoding_is_refused(tmp_path):
    """An unknown encoding, and bytes that one does not have, are refused."""
    path = write(tmp_path, b"a,b\n1,\x81\n")
    for name in ("cp9999", "hex"):
        with pytest.raises(TableError, match=f"unknown encoding '{name}'"):
            read_table(path, encoding=name)
    with pytest.raises(TableError, match="line 2: not cp1252"):
        read_table(path, encoding="cp1252")


def test_table_quoted_names_keep_separators(tmp_path):
    """A separator within quotes neither parts a name nor counts when separators are compared."""
    assert read_table(write(tmp_path, b'"a,b,c";d\n1;2\n')).names == ("a,b,c", "d")


def test_table_lines_are_those_of_an_editor(tmp_path):
    """A cell with line ends counts as the lines that it takes in the file."""
    content = b'a,b,kind\n1,2,"two\nlines"\n' + NUMBERED + b"1,x,one\n"
    with pytest.raises(TableError, match="line 24, column 'b'"):
        read_table(write(tmp_path, content))


def test_table_columns_come_as_chosen(tmp_path):
    """Chosen columns come in that order; others may hold anything, and a choice may refuse."""
    path = write(tmp_path, b"name,a,b,c\noak,1,inf,3\n,4,5,6\n")
    table = read_table(path, choose=lambda names: [names[3], names[1]])
    assert contents(table) == {"c": [3.0, 6.0], "a": [1.0, 4.0]}
    with pytest.raises(TableError, match=r"no column 'nam'; .* mean 'name'\?"):
        read_table(path, choose=lambda names: [].append(fail("nam", names)))


def fail(wanted, names):
    """Raise the error for a missing column."""
    raise missing_column("t.csv", wanted, names)


def test_missing_column_suggests_what_may_be_wrong():
    """The message has the closest name, suspects a missing header, and shortens many names."""
    assert "did you mean 'kind'?" in str(missing_column("t.csv", "kinds", ["a", "kind"]))
    assert "first line must hold" in str(missing_column("t.csv", "kind", ["1", "2.5"]))
    many = str(missing_column("t.csv", "speed", [f"pixel{k}" for k in range(500)]))
    assert "and 488 more" in many
    assert len(many) < 300


def test_told_kinds_are_read(tmp_path):
    """A column is read as told, a decimal comma included; another word is refused."""
    path = write(tmp_path, b"code;share;ok\n01;1,5;yes\n02;2;no\n")
    table = read_table(path, kinds={"code": "categorical", "share": "numeric"})
    assert contents(table) == {"code": ["01", "02"], "share": [1.5, 2.0], "ok": [True, False]}
    with pytest.raises(TableError, match="line 2, column 'ok': 'yes' is text"):
        read_table(path, kinds={"ok": "numeric"})
    with pytest.raises(InvalidValueError, match="the kind of 'ok' is one of"):
        read_table(path, kinds={"ok": "colour"})


def test_notes_name_the_column(tmp_path):
    """What is not read as it might seem is said, with the column."""
    notes = []
    table = read_table(write(tmp_path, b"id\n12345678901234567890\n1\n"), note=notes.append)
    assert contents(table) == {"id": ["12345678901234567890", "1"]}
    assert len(notes) == 1
    assert "column 'id': holds integers beyond 2^53" in notes[0]


def test_missing_file_raises_what_a_caller_would_catch(tmp_path):
    """No file, a folder and a forbidden name raise the builtin error, with advice."""
    with pytest.raises(FileNotFoundError, match="check its name"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        read_table(tmp_path)
    with pytest.raises(TableError, match="can be no file's name"):
        read_table("a\0b")
    assert issubclass(TableError, LaminaError)


LATE = [
    (b"x", "1x", "categorical"),  # text, where the spelling of numbers counts
    (b"", 1.0, None),
    (b"9007199254740993", "01", None),
]


@pytest.mark.parametrize(("cell", "first", "kind"), LATE)
@pytest.mark.parametrize("piped", [False, True])
def test_column_that_changes_late_keeps_its_spelling(
    tmp_path, monkeypatch, cell, first, kind, piped
):
    """Where a later chunk makes a column text, its first cells are as in the file, once more."""
    monkeypatch.setattr("lamina.data.csv_tables.CELLS", 64)
    monkeypatch.setattr("lamina.data.csv_tables.ROWS", 1)
    n = 100  # of two columns: more than a chunk
    start = b"1x" if first == "1x" else b"01"
    content = b"a,kind\n" + start + b",0\n" + b"1,1\n" * n + cell + b",2\n"
    path = tmp_path / "table.csv"
    writer = None
    if piped and sys.platform != "win32":
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(content,))
        writer.start()
    else:
        path.write_bytes(content)
    table = read_table(path, kinds={"a": kind} if kind else {})
    if writer:
        writer.join()
    a, b = table.columns
    assert (len(table), a[0], b[0], b[-1]) == (n + 2, first, 0.0, 2.0)
    assert table.lines[-1] == n + 3
    if cell:
        assert (a[1], a[-1]) == ("1", cell.decode())
    else:
        assert np.isnan(a[-1])


def test_bad_cell_in_a_later_chunk_keeps_its_line(tmp_path, monkeypatch):
    """The line of a bad cell counts from the start of the file."""
    monkeypatch.setattr("lamina.data.csv_tables.CELLS", 64)
    monkeypatch.setattr("lamina.data.csv_tables.ROWS", 1)
    rows = b"1,2\n" * 100
    with pytest.raises(TableError, match="line 102, column 'b'"):
        read_table(write(tmp_path, b"a,b\n" + rows + b"1,inf\n"))


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, values):
    """Every finite float64 that Python writes is read as the same float64."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["a"], *([value] for value in values)])
    assert read_table(path).columns[0].tobytes() == np.array(values).tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_raise_nothing_but_table_errors(tmp_path, seed):
    """A table with random bytes changed is read, or refused by a TableError."""
    source = np.random.default_rng(seed)
    for _ in range(300):
        content = bytearray(b'\xef\xbb\xbf"a",b\r\n1,2\r\n3.5,"4"\r\n-1e5,6\r\n')
        for _ in range(source.integers(1, 5)):
            content[source.integers(len(content))] = source.integers(256)
        with contextlib.suppress(TableError):
            assert len(read_table(write(tmp_path, bytes(content)))) > 0
