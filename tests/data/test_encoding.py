"""Encodings: cells and features of columns, learned in parts, stored and read again."""

import copy
import json

import numpy as np
import pytest

from lamina.data.encoding import (
    Encoding,
    EncodingLearner,
    learn_columns,
    learn_encoding,
    scale_encoding,
)
from lamina.data.frames import to_table
from lamina.data.learning import LEVELS
from lamina.exceptions import ShapeError, TableError

N = 900
OLD = np.datetime64("2020-03-01T06:30", "us")


def draw(n=N, seed=0):
    """Return a table of every kind of column, with missing values in most."""
    random = np.random.default_rng(seed)
    number = random.normal(size=n)
    number[random.random(n) < 0.2] = np.nan
    words = np.array(["elm", "oak", "fir", None], dtype=object)
    times = OLD + random.integers(0, 9000, n) * np.timedelta64(1, "h")
    times[::50] = np.datetime64("NaT")
    return to_table(
        {
            "number": number,
            "count": random.integers(0, 9, n),
            "flag": random.random(n) < 0.3,
            "tree": words[random.integers(0, 4, n)],
            "many": [f"level {min(random.geometric(0.02), 400)}" for _ in range(n)],
            "time": times,
            "same": np.ones(n),
        }
    )


def features(encoding, table):
    """Return the features of a table."""
    return encoding.expansion().expand(encoding.cells(table))


def test_features_have_names_and_are_what_they_are_called():
    """Each feature is the scaled number, the level or the flag that its name says."""
    table = draw()
    encoding = learn_encoding(table)
    found = dict(zip(encoding.feature_names, features(encoding, table).T, strict=True))
    assert len(found) == encoding.expansion().n_features
    holes = np.isnan(table["number"])
    np.testing.assert_array_equal(found["number=(missing)"], holes)
    expected = (table["number"] - np.nanmean(table["number"])) / np.nanstd(table["number"])
    np.testing.assert_allclose(found["number"], np.where(holes, 0.0, expected), atol=1e-12)
    for tree in ("elm", "oak", "fir"):
        np.testing.assert_array_equal(found[f"tree={tree}"], table["tree"] == tree)
    np.testing.assert_array_equal(found["tree=(missing)"], np.equal(table["tree"], None))
    late = np.isnat(table["time"])
    np.testing.assert_array_equal(found["time=(missing)"], late)
    hours = (table["time"] - table["time"].astype("M8[D]")).astype("m8[h]").astype(int)
    np.testing.assert_array_equal(found["time.hour=7"], (hours == 7) & ~late)
    weekday = [moment.weekday() if moment else -1 for moment in table["time"].tolist()]
    np.testing.assert_array_equal(found["time.weekday=2"], np.equal(weekday, 2))
    assert "time.minute" not in found  # it never varies
    assert not any(name.startswith("same") for name in found)


def test_rare_levels_share_a_feature_and_new_ones_join_them():
    """A level of a single row, and one beyond the most frequent, is (other), as is a new one."""
    table = draw()
    encoding = learn_encoding(table)
    column = encoding.columns[4]
    levels, counts = np.unique(table["many"].astype(str), return_counts=True)
    assert set(column.levels) == set(levels[counts > 1])
    assert column.other
    assert str((counts == 1).sum()) in column.note
    new = to_table(
        {name: table[name][:1] for name in table.names if name != "many"} | {"many": ["?"]}
    )
    other = encoding.feature_names.index("many=(other)")
    assert features(encoding, new)[0, other] == 1.0
    crowded = to_table({"x": [f"{n % 600}" for n in range(3000)] + ["9"] * 5})
    kept = learn_columns(crowded).columns[0]
    assert len(kept.levels) == LEVELS
    assert "9" in kept.levels


def test_what_was_never_seen_in_training_is_neutral():
    """Missing and new values in columns that had none before are 0 in all features."""
    table = to_table({"x": [1.0, 2.0, 4.0], "c": ["a", "b", "a"], "b": [True, False, True]})
    encoding = learn_encoding(table)
    assert encoding.feature_names == ("x", "c=a", "c=b", "b")
    strange = to_table({"x": [None], "c": ["z"], "b": [None]})
    np.testing.assert_array_equal(features(encoding, strange), np.zeros((1, 4)))
    gone = to_table({"x": [None], "c": [None], "b": [None]})
    np.testing.assert_array_equal(features(encoding, gone), np.zeros((1, 4)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cuts", [[1, 2, 450], [899], list(range(100, 900, 100))])
def test_parts_in_any_order_teach_the_same(cuts, weighted):
    """However the rows are cut and ordered, the encoding is the same."""
    table = draw()
    weights = np.random.default_rng(1).integers(0, 3, N).astype(float) if weighted else None
    whole = learn_columns(table, weights=weights)
    learner = EncodingLearner()
    for rows in reversed(np.split(np.arange(N), cuts)):
        learner.add(table.rows(rows), None if weights is None else weights[rows])
    parts = learner.finish()
    assert parts.columns == whole.columns
    np.testing.assert_array_equal(parts.cells(table), whole.cells(table))


def test_rows_without_weight_are_not_there():
    """Learning with weights 0 is learning without these rows, whatever they hold."""
    table, weights = draw(), np.ones(N)
    weights[::3] = 0.0
    kept = learn_encoding(table.rows(np.flatnonzero(weights)))
    found = learn_encoding(table, weights=weights)
    assert found.columns == kept.columns
    np.testing.assert_allclose(found.scaling.center, kept.scaling.center, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.scaling.scale, kept.scaling.scale, rtol=1e-12)


def test_batches_that_say_nothing_change_nothing():
    """A part where a column is all missing does not decide what the column is."""
    learner = EncodingLearner()
    for cells in ([None, None], ["a", "b"], [None, "a"]):
        learner.add(to_table({"c": cells}))
    assert learner.finish().columns[0].levels == ("a", "b")
    learner.add(to_table({"c": [1.0, 2.0]}))
    with pytest.raises(TableError, match="number and text in different parts"):
        learner.finish()


def test_numeric_array_is_its_own_cells():
    """An array of numbers is not copied; a flag follows each column that has holes."""
    rows = np.random.default_rng(0).normal(size=(50, 3))
    rows[::7, 1] = np.nan
    encoding = learn_encoding(rows)
    assert encoding.cells(rows) is rows
    assert encoding.feature_names == ("x0", "x1", "x1=(missing)", "x2")
    frame = learn_encoding(to_table(rows))
    np.testing.assert_array_equal(frame.scaling.center, encoding.scaling.center)
    np.testing.assert_array_equal(features(frame, to_table(rows)), features(encoding, rows))


def test_robust_scaling_bounds_every_number():
    """A number far out is within 3 of the center; others barely move."""
    values = np.linspace(-1.0, 1.0, 101)
    values[-1] = 1e9
    table = to_table({"x": values})
    encoding = learn_encoding(table, scale="robust")
    found = features(encoding, table)[:, 0]
    assert 2.99 < found[-1] <= 3.0
    np.testing.assert_allclose(
        found[40:60], encoding.scaling.apply(values[:, None])[40:60, 0], rtol=0.01
    )


def test_columns_are_chosen_by_name_and_checked():
    """Order and further columns do not matter; one that lacks, or holds other cells, is named."""
    table = draw()
    encoding = learn_encoding(table)
    turned = table.choose(table.names[::-1])
    np.testing.assert_array_equal(encoding.cells(turned), encoding.cells(table))
    with pytest.raises(TableError, match="has no column 'number'"):
        encoding.cells(table.choose(table.names[1:]))
    with pytest.raises(ShapeError, match="expected 7 columns"):
        encoding.cells(np.ones((2, 3)))
    wrong = {name: table[name][:2] for name in table.names}
    for name, cells, words in [
        ("number", ["1", "two"], "'number', row 1: 'two' is no number"),
        ("number", [1.0, np.inf], "'number', row 1: 'inf' is infinite"),
        ("flag", ["yes", "maybe"], "'maybe' is no truth value"),
        ("time", [1.0, 2.0], "'time' holds numbers and not times"),
    ]:
        with pytest.raises(TableError, match=words):
            encoding.cells(to_table(wrong | {name: cells}))


@pytest.mark.parametrize("scale", ["standard", "robust"])
def test_document_holds_all_but_the_scaling(scale):
    """Through JSON the encoding comes back and makes the same features."""
    table = draw()
    encoding = learn_encoding(table, {"count": "categorical"}, scale=scale)
    text = json.dumps(encoding.to_document(), allow_nan=False)
    back = Encoding.from_document(json.loads(text), encoding.scaling)
    assert back.columns == encoding.columns
    assert repr(back.columns) == repr(encoding.columns)
    np.testing.assert_array_equal(features(back, table), features(encoding, table))


@pytest.mark.parametrize(
    "forge",
    [
        lambda columns: columns[0].update(kind="magic"),
        lambda columns: columns[3].update(levels=["oak", "elm", "fir"]),
        lambda columns: columns[3].update(levels=["elm", "elm", "fir"]),
        lambda columns: columns[5].update(parts=["epoch"]),
        lambda columns: columns[0].update(missing=1),
        lambda columns: columns[0].update(name=3),
        lambda columns: columns[0].update(missing=False),
        lambda columns: columns[0].pop("kind"),
        lambda columns: columns.pop(0),
    ],
)
def test_forged_document_is_refused(forge):
    """A document that contradicts itself, or the scaling, makes no encoding."""
    encoding = learn_encoding(draw())
    document = copy.deepcopy(encoding.to_document())
    forge(document["columns"])
    with pytest.raises((KeyError, TypeError, ValueError)):
        Encoding.from_document(document, encoding.scaling)


def test_scaling_of_cells_on_disk_is_the_same(tmp_path):
    """Cells in a memory map are scaled as the same cells in memory."""
    table = draw()
    encoding = learn_columns(table)
    np.save(tmp_path / "cells.npy", encoding.cells(table))
    mapped = np.load(tmp_path / "cells.npy", mmap_mode="r")
    found = scale_encoding(encoding, mapped, "standard")
    expected = learn_encoding(table)
    np.testing.assert_array_equal(found.scaling.center, expected.scaling.center)
    np.testing.assert_array_equal(found.scaling.scale, expected.scaling.scale)
