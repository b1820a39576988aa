"""What a column is found to be, and what it can be told to be."""

import numpy as np
import pytest

from lamina.data.encoding import learn_columns
from lamina.data.frames import to_table
from lamina.exceptions import InvalidTypeError, InvalidValueError, TableError

N = 60
random = np.random.default_rng(0)
COLUMNS = {
    "float": random.random(N),
    "integer": np.arange(N),
    "few integers": np.arange(N) % 3,
    "holes": np.where(np.arange(N) % 4, 1.5, np.nan),
    "truth": np.arange(N) % 2 == 0,
    "truth with holes": [None if n == 3 else n % 2 == 0 for n in range(N)],
    "text": [f"t{n % 4}" for n in range(N)],
    "long text": [f"a sentence of many words {n % 9}" for n in range(N)],
    "time": np.datetime64("2020-01-01T00:00", "us") + np.arange(N) * np.timedelta64(1, "D"),
    "ids": [f"customer {n}" for n in range(N)],
    "letters": [f"these are words of person {n * 2 // 3 + 100}" for n in range(N)],
    "numbers as text": [f"{n / 7:.3f}" for n in range(N)],
    "dates as text": [f"2024-05-{1 + n % 28:02d}" for n in range(N)],
    "constant": np.ones(N),
    "one word": ["x"] * N,
    "empty": [None] * N,
}


def learned(name, kinds=None, column=None):
    """Return what is learned of a column, beside another one."""
    cells = COLUMNS[name] if column is None else column
    return learn_columns(to_table({name: cells, "other": np.arange(len(cells))}), kinds).columns[0]


@pytest.mark.parametrize(
    ("name", "kind", "note"),
    [
        ("float", "numeric", ""),
        ("integer", "numeric", ""),
        ("few integers", "numeric", ""),
        ("holes", "numeric", ""),
        ("truth", "boolean", ""),
        ("truth with holes", "boolean", ""),
        ("text", "categorical", ""),
        ("long text", "categorical", ""),
        ("time", "datetime", ""),
        ("constant", "drop", "constant"),
        ("one word", "drop", "constant"),
        ("empty", "drop", "empty"),
    ],
)
def test_kind_is_found(name, kind, note):
    """Numbers are numbers, whole ones too; text is categories; what never varies is dropped."""
    column = learned(name)
    assert (column.kind, column.note) == (kind, note)
    assert column.missing == (name in {"holes", "truth with holes"})
    assert kind in str(column)


@pytest.mark.parametrize(
    ("name", "words"), [("ids", "an id or free text"), ("letters", "is free text")]
)
def test_text_that_is_no_category_is_refused(name, words):
    """Ids and free text are refused, and the message says how to drop them; that helps."""
    with pytest.raises(TableError, match=words) as caught:
        learned(name)
    assert f"column_kinds={{{name!r}: 'drop'}}" in str(caught.value)
    assert learned(name, {name: "drop"}).kind == "drop"
    assert learned(name, {name: "categorical"}).kind == "categorical"


def test_few_rows_are_never_ids():
    """Among fewer than 20 rows every text may be a category."""
    assert learned("ids", column=COLUMNS["ids"][:19]).kind == "categorical"
    with pytest.raises(TableError, match="an id"):
        learned("ids", column=COLUMNS["ids"][:20])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("few integers", "categorical"),
        ("numbers as text", "numeric"),
        ("dates as text", "datetime"),
        ("truth", "numeric"),
        ("truth", "categorical"),
        ("time", "categorical"),
        ("float", "drop"),
    ],
)
def test_kind_can_be_told(name, kind):
    """By name or index a column is what the user says it is."""
    assert learned(name, {name: kind}) == learned(name, {0: kind})
    assert learned(name, {name: kind}).kind == kind


def test_numbers_as_categories_are_the_same_whatever_holds_them():
    """Whole numbers have the same levels as floats and integers, True is not 1."""
    for column in (np.arange(N) % 3, np.arange(N) % 3 * 1.0):
        assert learned("n", {"n": "categorical"}, column).levels == ("0", "1", "2")
    assert learned("n", {"n": "categorical"}, COLUMNS["truth"]).levels == ("False", "True")


@pytest.mark.parametrize(
    ("kinds", "error", "words"),
    [
        ({"nobody": "drop"}, InvalidValueError, "names a column 'nobody'; the table has 'text'"),
        ({2: "drop"}, InvalidValueError, "names a column 2"),
        ({True: "drop"}, InvalidValueError, "names a column True"),
        ({"text": "ordinal"}, InvalidValueError, "must be one of numeric, .*; got 'ordinal'"),
        ({"text": "drop", 0: "categorical"}, InvalidValueError, "'text' drop and categorical"),
        (["text"], InvalidTypeError, "must map names to kinds, got a list"),
        ({"text": "numeric"}, TableError, "'text', row 0: 't0' is no number"),
        ({"text": "boolean"}, TableError, "'t0' is no truth value"),
        ({"text": "datetime"}, TableError, "'t0' is no date; write"),
        ({"other": "datetime"}, TableError, "'other' holds numbers and not times"),
        ({"other": "boolean"}, TableError, "'other', row 2: '2' is no truth value"),
        ({"text": "drop", "other": "drop"}, TableError, "no column is left .* told to drop"),
    ],
)
def test_kind_that_cannot_be_is_refused(kinds, error, words):
    """Columns and kinds that there are not, and cells that are not of the kind, are named."""
    with pytest.raises(error, match=words):
        learned("text", kinds)
