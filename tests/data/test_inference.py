import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.data.cells import complaint, is_huge, is_number, to_numbers
from lamina.data.inference import CLASSES, LABEL, Column, infer


class RefusedError(Exception):
    """What the column of these tests raises."""


def column_of(cells, *, comma=False, notes=None):
    """Return a column of these cells, each of which occurs once."""

    def refuse(place, problem):
        raise RefusedError(f"{place}: {problem}")

    said = [] if notes is None else notes
    return Column(cells, [1] * len(cells), comma, "WAY OUT", refuse, said.append)


def times(*texts):
    """Return times of microseconds; "" is none."""
    return [np.datetime64(text or "NaT", "us") for text in texts]


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", " 2.5", "-3e2", ".5", "6."], "f", [1.0, 2.5, -300.0, 0.5, 6.0]),
        (["1", "", "NA", "n/a", "NaN", "null", "None", "?", "#N/A", "-"], "f", [1.0] + [None] * 9),
        (["", "NA", "-"], "f", [None] * 3),
        (["true", "FALSE", "True"], "b", [True, False, True]),
        (["yes", "No"], "b", [True, False]),
        (["yes", "no", "?"], "O", ["True", "False", None]),
        (["true", "no"], "O", ["true", "no"]),
        (["y", "n"], "O", ["y", "n"]),
        (["2024-05-31", "1999-01-01"], "M", times("2024-05-31", "1999-01-01")),
        (["2024-05-31", "NA"], "M", times("2024-05-31", "")),
        (
            ["2024-05-31 14:00", "2024-05-31T14:00:01.5", "2024-05-31"],
            "M",
            times("2024-05-31T14:00", "2024-05-31T14:00:01.5", "2024-05-31"),
        ),
        (
            ["2024-05-31T14:00Z", "2024-05-31T14:00+02:00"],
            "M",
            times("2024-05-31T14:00", "2024-05-31T12:00"),
        ),
        (["14:30", "15:00"], "O", ["14:30", "15:00"]),
        (["oak", "elm", "", "NA"], "O", ["oak", "elm", None, None]),
        (["none", "mild", "-"], "O", ["none", "mild", "-"]),
        (["1", "2", "5+"], "O", ["1", "2", "5+"]),
        (["12%", "15%"], "O", ["12%", "15%"]),
        (["1.2.3", "1.2.4"], "O", ["1.2.3", "1.2.4"]),
        (["١٢", "٣"], "O", ["١٢", "٣"]),
        (["9007199254740992", "1"], "f", [2.0**53, 1.0]),
        (["9007199254740993", "1"], "O", ["9007199254740993", "1"]),
        (["9007199254740993", "1.5"], "f", [2.0**53, 1.5]),
        (["1e300", "12345678901234567890.0"], "f", [1e300, 12345678901234567890.0]),
    ],
)
def test_column_is_what_all_its_cells_are(cells, kind, values):
    """A column has the first kind that all cells have which are not missing, else it is text."""
    found = infer(column_of(cells))
    assert found.dtype.kind == kind
    if kind == "f":
        np.testing.assert_array_equal(found, np.array(values, dtype=float))
    elif kind == "M":
        np.testing.assert_array_equal(found, np.array(values))
    else:
        assert found.tolist() == values


@pytest.mark.parametrize(
    ("cells", "comma", "values"),
    [
        (["1,5", "-,25", "3"], True, [1.5, -0.25, 3.0]),
        (["1,5e3", "NA"], True, [1500.0, None]),
        (["1", "2"], True, [1.0, 2.0]),
        (["1.5", "2"], True, [1.5, 2.0]),
    ],
)
def test_decimal_comma_is_read_where_all_cells_agree(cells, comma, values):
    """Where it may be, a comma stands before decimals if no cell of the column has a point."""
    found = infer(column_of(cells, comma=comma))
    np.testing.assert_array_equal(found, np.array(values, dtype=float))


@pytest.mark.parametrize(
    ("cells", "comma", "words"),
    [
        (["1,5", "2,5"], False, "0: '1,5' is no number here; write 1234.5"),
        (["1,5", "2.5"], True, "0: '1,5' is no number here"),
        (["1", "1,234.5"], False, "1: '1,234.5' is no number here"),
        (["1.234,5", "2.345,6"], True, "0: '1.234,5' is no number here"),
        (["1 234", "2"], False, "0: '1 234' is no number here"),
        (["1_000"], False, "0: '1_000' is no number here"),
        (["1", "inf", "2"], False, "1: 'inf' is not finite; put a finite number"),
        (["1", "1e999"], False, "1: '1e999' is too large"),
        ([*"12345678", "1O", "9"], False, "8: '1O' is no number, others are: .* pass WAY OUT"),
        (["31/05/2024", "01/06/2024"], False, "0: '31/05/2024' is a date that cannot be read"),
        (["31.05.2024", "2.6.24"], False, "write every date as 2024-05-31"),
        (["May 31, 2024", "1 Jun 2024"], False, "0: 'May 31, 2024' is a date"),
        (["2024-05-31", "31/05/2024"], False, "1: '31/05/2024' is a date that cannot be read"),
        (["2024-05-31", "2024-13-01"], False, "1: '2024-13-01' is no date"),
        (["2024-05-31 10:00", "2024-05-31 10:00Z"], False, "1: .* has an offset from UTC"),
    ],
)
def test_mistakes_are_named_with_a_way_out(cells, comma, words):
    """A column that is nearly of a kind is refused at its first cell that is not."""
    with pytest.raises(RefusedError, match=words):
        infer(column_of(cells, comma=comma))


@pytest.mark.parametrize(
    ("kind", "cells", "found"),
    [
        ("categorical", ["1", "NA", "true"], ["1", None, "true"]),
        ("numeric", ["1", "9007199254740993"], [1.0, 2.0**53]),
        ("boolean", ["Yes", "false", "1", "0"], [True, False, True, False]),
        ("boolean", ["Yes", "NA"], ["True", None]),
        ("datetime", ["2024-05-31"], [dt.datetime(2024, 5, 31)]),  # noqa: DTZ001 - no zone
        (LABEL, ["true", "false", "NA"], ["true", "false", None]),
        (LABEL, ["1", "2"], [1.0, 2.0]),
        (CLASSES, [*"123456789", "1O"], [*"123456789", "1O"]),
    ],
)
def test_told_kind_decides(kind, cells, found):
    """A column is of the kind that it is told to be."""
    assert infer(column_of(cells), kind).tolist() == found


@pytest.mark.parametrize(
    ("kind", "cells", "words"),
    [
        ("numeric", ["1", "oak"], "1: 'oak' is text; write it as a number"),
        ("numeric", ["1,5"], "0: '1,5' is no number here"),
        ("boolean", ["yes", "maybe"], "1: 'maybe' is no truth value; write yes or no"),
        ("datetime", ["2024-05-31", "20240531"], "1: '20240531' is no date"),
    ],
)
def test_told_kind_refuses_other_cells(kind, cells, words):
    """The first cell that is not of the kind told is refused."""
    with pytest.raises(RefusedError, match=words):
        infer(column_of(cells), kind)


def test_rounding_integers_are_noted():
    """Integers that numbers would round become text, and this is said."""
    notes = []
    infer(column_of(["12345678901234567890", "1"], notes=notes))
    assert len(notes) == 1
    assert "'12345678901234567890', which numbers would round" in notes[0]


@given(cell=st.text(max_size=12))
def test_complaint_agrees_with_python_on_finite_numbers(cell):
    """A cell without complaint is a finite number to Python; Python takes a few more."""
    if complaint(cell) is None:
        assert np.isfinite(float(cell))


@given(cells=st.lists(st.text("0123456789.,eE+-_ naifNA\u0661", max_size=8), max_size=6))
def test_quick_conversion_agrees_with_the_slow_one(cells):
    """What is converted at once is what each cell says: a number, or missing."""
    found = to_numbers(cells)
    if found is not None:
        stripped = [cell.strip() for cell in cells]
        expected = [float(cell) if is_number(cell) else np.nan for cell in stripped]
        np.testing.assert_array_equal(found, np.array(expected, dtype=float))
        missing = {"", "na", "nan", "+nan", "-nan", "-"}
        assert all(is_number(cell) or cell.lower() in missing for cell in stripped)
        assert not any(is_huge(cell) for cell in stripped)


@given(value=st.integers())
def test_huge_integers_are_those_that_may_be_rounded(value):
    """An integer is huge if it lies beyond 2^53, however long it is."""
    assert is_huge(str(value)) == (abs(value) > 2**53)
    assert is_huge("9" * 5000)
