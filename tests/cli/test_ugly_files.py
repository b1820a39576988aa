import gzip
import io
import zipfile

import numpy as np
import pytest

ROWS = b"".join(b"%d.5,%d,%s\n" % (k, k % 3, b"uv"[k % 2 : k % 2 + 1]) for k in range(24))
PLAIN = b"x,a,y\n" + ROWS
ACCENTS = PLAIN.replace(b",u", b",\xc3\xa9t\xc3\xa9").decode()


def named(name):
    """Return the plain table with another name for column a."""
    return PLAIN.replace(b"a", name.encode(), 1)


# Name, bytes, options, and the names of the inputs, or phrases of the error.
FILES = [
    ("byte order mark", b"\xef\xbb\xbf" + PLAIN, "", ["x", "a"]),
    ("UTF-16, low byte first", PLAIN.decode().encode("utf-16"), "", ["x", "a"]),
    ("UTF-16, high byte first", b"\xfe\xff" + PLAIN.decode().encode("utf-16-be"), "", ["x", "a"]),
    ("UTF-32", PLAIN.decode().encode("utf-32"), "", ["x", "a"]),
    ("unmarked UTF-16", PLAIN.decode().encode("utf-16-le"), "", "pass --encoding utf-16-le"),
    ("UTF-16 told", PLAIN.decode().encode("utf-16-le"), "--encoding utf-16-le", ["x", "a"]),
    ("half of UTF-16", PLAIN.decode().encode("utf-16")[:-1], "", "not utf-16 all through"),
    ("cp1252", ACCENTS.encode("cp1252"), "", "line 2: not UTF-8; pass --encoding cp1252"),
    ("cp1252 told", ACCENTS.encode("cp1252"), "--encoding cp1252", ["x", "a"]),
    ("unknown encoding", PLAIN, "--encoding utf8000", "unknown encoding 'utf8000'"),
    ("no encoding of text", PLAIN, "--encoding hex", "unknown encoding 'hex'"),
    ("wrong encoding", ACCENTS.encode(), "--encoding ascii", "line 2: not ascii"),
    ("CRLF", PLAIN.replace(b"\n", b"\r\n"), "", ["x", "a"]),
    ("CR", PLAIN.replace(b"\n", b"\r"), "", ["x", "a"]),
    ("all line ends", PLAIN.replace(b"u\n", b"u\r\n").replace(b"v\n", b"v\r", 5), "", ["x", "a"]),
    ("semicolons", PLAIN.replace(b",", b";"), "", ["x", "a"]),
    ("tabs", PLAIN.replace(b",", b"\t"), "", ["x", "a"]),
    ("bars", PLAIN.replace(b",", b"|"), "", ["x", "a"]),
    ("decimal commas", PLAIN.replace(b",", b";").replace(b".", b","), "", ["x", "a"]),
    (
        "commas and points",
        PLAIN.replace(b",", b";").replace(b".", b",", 3),
        "",
        "line 2, column 'x': '0,5' is no number here",
    ),
    ("no last line end", PLAIN.rstrip(b"\n"), "", ["x", "a"]),
    ("blank lines at the end", PLAIN + b"\n\n \n", "", ["x", "a"]),
    ("blank line between", PLAIN + b"\n1,2,u\n", "", "line 26 is blank; remove it"),
    ("spaces around", PLAIN.replace(b",", b" , "), "", ["x", "a"]),
    ("everything quoted", b'"x","a","y"\n' + ROWS.replace(b",", b',"', 0), "", ["x", "a"]),
    ("quoted cells", PLAIN.replace(b",u", b',"u"'), "", ["x", "a"]),
    ("quoted separators", PLAIN.replace(b",u", b',"u, or not"'), "", ["x", "a"]),
    ("quotes in cells", PLAIN.replace(b",u", b',"say ""u"""'), "", ["x", "a"]),
    ("line ends in cells", PLAIN.replace(b",u", b',"u\nu"'), "", ["x", "a"]),
    ("open quote", PLAIN + b'1,"2,u\n', "", "a quote that is not closed"),
    ("text after a quote", PLAIN + b'1,"2"3,u\n', "", "line 26: text follows a closing quote"),
    ("NUL", PLAIN + b"1,\0,u\n", "", "is a binary file"),
    ("NUL far down", PLAIN + ROWS * 30 + b"1,\0,u\n", "", "line 746: a NUL byte"),
    ("binary", bytes(range(256)) * 20, "", "is a binary file"),
    ("compressed", gzip.compress(PLAIN), "", "a compressed file; unpack it first"),
    ("damaged archive", b"PK\x03\x04" + bytes(100), "", "is damaged"),
    ("old spreadsheet", b"\xd0\xcf\x11\xe0" + bytes(100), "", "export one sheet as CSV"),
    ("PDF", b"%PDF-1.7\n", "", "is no table but a PDF"),
    ("empty", b"", "", "is empty; the first line must hold the names"),
    ("only a mark", b"\xef\xbb\xbf", "", "is empty"),
    ("only blank lines", b"\n\n", "", "is empty"),
    ("header only", b"x,y\n", "", "has a header and no rows"),
    ("header and blanks", b"x,y\n\n\n", "", "has a header and no rows"),
    ("blank first line", b"\n" + PLAIN, "", "line 1 is blank"),
    ("no header", ROWS, "", "no column 'y'; it has '0.5', '0', 'u'"),
    ("numbers as header", b"1,2,3\n" * 9, "", "the first line must hold the names"),
    ("short row", PLAIN + b"1,2\n", "", "line 26 has 2 cells and the header has 3"),
    ("long row", PLAIN + b"1,2,3,4\n", "", "line 26 has 4 cells"),
    ("separator at an end", PLAIN + b"1,2,u,\n", "", "remove the separator at the end"),
    ("separators at all ends", PLAIN.replace(b"\n", b",\n"), "", "separators at the ends"),
    ("nameless column", named(""), "", "line 1: column 2 of 3 has no name"),
    ("index column", PLAIN.replace(b"x", b"", 1), "", "column 1 of 3 has no name", "index=False"),
    ("name twice", named("x"), "", "columns 1 and 2 are both called 'x'"),
    ("name twice but for spaces", named(" x "), "", "columns 1 and 2 are both called 'x'"),
    ("names that differ in case", named("X"), "", ["x", "X"]),
    ("emoji as a name", named("🌳 größe"), "", ["x", "🌳 größe"]),
    ("quotes in a name", named('"a ""b"", c"'), "", ["x", 'a "b", c']),
    ("control characters in a name", named("a\x1b[31m"), "", ["x", "a\x1b[31m"]),
    ("line end in a name", named('"a\nb"'), "", ["x", "a\nb"]),
    ("very long name", named("a" * 5000), "", ["x", "a" * 5000]),
    ("equals sign in a name", named("a=b"), "--kind a=b=categorical", ["x", "a=b"]),
    ("spaces around the target", PLAIN.replace(b",y", b", y "), "", ["x", "a"]),
    ("only the target", b"y\n" + b"u\nv\n" * 9, "", "has no column but the target"),
    ("no such target", PLAIN.replace(b"y", b"yy", 1), "", "no column 'y'", "did you mean 'yy'?"),
]


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [(*case[1:3], case[3] if isinstance(case[3], list) else case[3:]) for case in FILES],
    ids=[case[0] for case in FILES],
)
def test_csv_file_is_read_or_refused(train_ugly, content, words, expected):
    """A CSV file gives its inputs, or one line says where it is none and what to do."""
    if isinstance(expected, list):
        assert train_ugly(content, words, "right", [])["features"] == expected
    else:
        train_ugly(content, words, "error", expected)


def test_missing_table_and_folder_are_refused(train_ugly, tmp_path):
    """A table that is not there, or a folder, is refused in one line."""
    train_ugly(None, "", "error", ["there is no such table; check its name"])
    (tmp_path / "folder").mkdir()
    train_ugly(None, "", "error", ["this is a folder"], name="folder")


def npz(**arrays):
    """Return an NPZ file of these arrays."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


X = np.arange(48.0).reshape(24, 2)
y = np.array(["u", "v"] * 12)
ARRAYS = [
    ("table and target", npz(X=X, y=y), ["X0", "X1"]),
    ("columns", npz(x=X[:, 0], n=np.arange(24), y=y), ["x", "n"]),
    ("truth and times", npz(t=np.arange("2024-05-01", "2024-05-25", dtype="M8[D]"), y=y), ["t"]),
    (
        "integers and halves",
        npz(x=np.arange(24, dtype="u1"), h=X[:, 0].astype("f2"), y=y),
        ["x", "h"],
    ),
    ("missing", npz(x=np.where(X[:, 0] > 9, X[:, 0], np.nan), y=y), ["x"]),
    ("infinite", npz(x=np.where(X[:, 0] > 9, X[:, 0], np.inf), y=y), "is infinite; put a finite"),
    ("unequal lengths", npz(x=X[:9, 0], y=y), "not the same number of rows: x (9,), y (24,)"),
    ("cube", npz(x=np.zeros((24, 2, 2)), y=y), "array 'x' has shape (24, 2, 2)"),
    ("complex", npz(x=X[:, 0] + 1j, y=y), "column 'x' holds complex128"),
    ("objects", npz(x=X[:, 0].astype(object), y=y), "Python objects, which are not loaded"),
    ("no rows", npz(x=X[:0, 0], y=y[:0]), "has no rows"),
    ("name twice", npz(X=X, X1=X[:, 0], y=y), "two columns called 'X1'"),
    ("one number in all rows", npz(X=X, y=np.ones(24)), "column 'y' holds '1' in every row"),
    ("damaged", npz(X=X, y=y)[:-40], "is damaged"),
]


@pytest.mark.parametrize(
    ("content", "expected"), [case[1:] for case in ARRAYS], ids=[case[0] for case in ARRAYS]
)
def test_arrays_are_read_or_refused(train_ugly, content, expected):
    """An archive of arrays gives its inputs, or one line says why it is no table."""
    if isinstance(expected, list):
        assert train_ugly(content, "", "right", [], name="t.npz")["features"] == expected
    else:
        train_ugly(content, "", "error", [expected], name="t.npz")


def test_spreadsheet_is_refused(train_ugly):
    """A spreadsheet, which is an archive as well, is called one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    train_ugly(file.getvalue(), "", "error", ["a spreadsheet or zip archive; open it"])


FRAMES = [
    ("numbers", {"x": list(range(24))}, "numeric"),
    ("gaps", {"x": [*range(23), None]}, "numeric"),
    ("text", {"x": ["a", "b", None] * 8}, "categorical"),
    ("truth", {"x": [True, False] * 12}, "boolean"),
    ("truth with gaps", {"x": [True, False, None] * 8}, "boolean"),
    ("empty text", {"x": ["", "b"] * 12}, "categorical"),
    ("lists", {"x": [[1], [2]] * 12}, "give every entry a column of its own"),
    ("records", {"x": [{"a": 1}] * 24}, "give every field a column of its own"),
    ("bytes", {"x": [b"a", b"b"] * 12}, "decode them to text"),
    ("no rows", {"x": []}, "has no rows"),
]


@pytest.mark.parametrize("form", ["parquet", "feather"])
@pytest.mark.parametrize(
    ("columns", "expected"), [case[1:] for case in FRAMES], ids=[case[0] for case in FRAMES]
)
def test_parquet_and_feather_are_read_or_refused(train_ugly, tmp_path, form, columns, expected):
    """The columns of these files have the kinds that they should, or one line says why not."""
    pa = pytest.importorskip("pyarrow", reason="Parquet and Feather files are read by pyarrow")
    from pyarrow import feather, parquet

    n = len(columns["x"])
    frame = pa.table({**columns, "z": np.arange(n) * 0.5, "y": (["u", "v"] * 12)[:n]})
    path = tmp_path / f"t.{form}"
    (parquet.write_table if form == "parquet" else feather.write_feather)(frame, path)
    if expected in {"numeric", "categorical", "boolean"}:
        document = train_ugly(None, "", "right", [], name=path.name)
        assert [column["kind"] for column in document["columns"]] == [expected, "numeric"]
    else:
        train_ugly(None, "", "error", [expected], name=path.name)
