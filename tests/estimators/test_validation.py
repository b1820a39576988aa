"""`validation`: which rows are watched, and that nothing else depends on how they were chosen."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, KFold, ShuffleSplit, TimeSeriesSplit

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.estimators.validation import Validation, choose_points
from lamina.exceptions import InvalidTypeError, InvalidValueError

SMALL = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, "solver": "adam"}
GROUPS = np.repeat(np.arange(12), 5)
WAYS = {
    "fraction": 0.25,
    "block": "block",
    "interleave": "interleave",
    "indices": [3, 1, 59],
    "mask": np.arange(60) % 7 == 0,
    "groups": GroupShuffleSplit(),
    "time": TimeSeriesSplit(3, gap=2),
    "folds": KFold(4, shuffle=True),
}


def sides(how, *, y=None, groups=None, rows=None, early_stopping=True, **settings):
    """Return the rows of both sides of 60."""
    model = FeedForwardClassifier(validation=how, early_stopping=early_stopping, **settings)
    rows = np.arange(60) if rows is None else rows
    y = np.arange(60) % 3 if y is None else y
    return choose_points(model, rows, y, Validation(groups=groups), 1)


@pytest.mark.parametrize("way", WAYS)
def test_sides_share_no_row(way):
    """No row is on both sides, and without a gap each is on one; rows that do not count on none."""
    groups, rows = (GROUPS if way == "groups" else None), np.setdiff1d(np.arange(60), [7, 30])
    inside, outside = sides(WAYS[way], groups=groups, rows=rows)
    assert len(inside) > 0
    assert len(outside) > 0
    both = np.concatenate([inside, outside])
    assert len(np.unique(both)) == len(both)
    assert np.isin(both, rows).all()
    assert way == "time" or len(both) == len(rows)


def test_named_ways_watch_what_they_say():
    """The last rows, every k-th row, the rows of a list or mask, the first split of a splitter."""
    np.testing.assert_array_equal(sides("block")[1], np.arange(54, 60))
    np.testing.assert_array_equal(sides("block", validation_fraction=0.25)[1], np.arange(45, 60))
    np.testing.assert_array_equal(sides("interleave")[1], np.arange(9, 60, 10))
    np.testing.assert_array_equal(sides(WAYS["indices"])[1], [1, 3, 59])
    np.testing.assert_array_equal(sides(WAYS["mask"])[1], np.arange(0, 60, 7))
    train, test = next(iter(TimeSeriesSplit(3, gap=2).split(np.zeros((60, 1)))))
    inside, outside = sides(WAYS["time"])
    np.testing.assert_array_equal(inside, train)
    np.testing.assert_array_equal(outside, test)
    assert outside.min() - inside.max() == 3  # the gap


def test_groups_stay_together():
    """A splitter of groups leaves each group on one side."""
    inside, outside = sides(WAYS["groups"], groups=GROUPS)
    assert not set(GROUPS[inside]) & set(GROUPS[outside])


def test_fraction_is_auto_without_early_stopping():
    """The fraction chooses the rows that "auto" does, classes in proportion, and needs no stop."""
    expected = sides("auto", validation_fraction=0.25)
    for early_stopping in (False, True):
        found = sides(0.25, early_stopping=early_stopping)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert np.bincount(expected[1] % 3).tolist() == [5, 5, 5]
    assert sides("auto", early_stopping=False)[1] is None


def test_splitter_without_seed_has_ours():
    """The same split is found again, by a copy; another seed finds another."""
    splitter = ShuffleSplit()
    first, again = sides(splitter)[1], sides(splitter)[1]
    np.testing.assert_array_equal(first, again)
    assert splitter.random_state is None
    model = FeedForwardRegressor(validation=splitter)
    other = choose_points(model, np.arange(60), np.zeros(60), Validation(), 2)[1]
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "levenberg_marquardt", "rprop"])
def test_every_solver_watches_the_same_rows(solver, table):
    """The history has J without penalties on the watched rows, with a stop or without."""
    for early_stopping in (False, True):
        plan = SMALL | {"solver": solver, "early_stopping": early_stopping, "alpha": 0.0}
        model = FeedForwardRegressor(validation="block", **plan).fit(table.X, table.y)
        expected = model.objective(table.X[54:], table.y[54:])
        at = model.state_.best_epoch if early_stopping else 0
        assert model.validation_curve_[at - 1] == pytest.approx(expected, rel=1e-9)


def test_restarts_are_compared_on_the_watched_rows(table):
    """Without early stopping the training with the lowest last validation loss is kept."""
    model = FeedForwardRegressor(validation="interleave", n_restarts=3, **SMALL)
    model.fit(table.X, table.y)
    assert model.validation_curve_[-1] == pytest.approx(min(model.restarts_), rel=1e-12)


def test_tuple_is_data_given_to_fit(table):
    """A tuple of data is the same as X_val, y_val and sample_weight_val."""
    given = table.X[:9], table.y[:9], table.weights[:9]
    ours = FeedForwardRegressor(validation=given, early_stopping=True, **SMALL)
    ours.fit(table.X, table.y)
    theirs = FeedForwardRegressor(early_stopping=True, **SMALL)
    named = dict(zip(("X_val", "y_val", "sample_weight_val"), given, strict=True))
    theirs.fit(table.X, table.y, **named)
    assert ours.validation_curve_ == theirs.validation_curve_
    np.testing.assert_array_equal(ours.network_.theta, theirs.network_.theta)


@pytest.mark.parametrize("way", [*WAYS, "tuple"])
def test_file_says_what_it_does_not_hold(way, table, tmp_path):
    """Names, numbers and rows come back; a splitter or data must be given again to go on."""
    how = WAYS.get(way, (table.X[:9], table.y[:9]))
    groups = {"groups": GROUPS} if way == "groups" else {}
    model = FeedForwardRegressor(validation=how, warm_start=True, **SMALL)
    clone(model).fit(table.X, table.y, **groups)
    model.fit(table.X, table.y, **groups).save(tmp_path / "m.lamina")
    loaded = lamina.load(tmp_path / "m.lamina").set_params(max_iter=5)
    if isinstance(loaded.validation, str) and loaded.validation.startswith("not stored"):
        assert way in {"groups", "time", "folds", "tuple"}
        with pytest.raises(InvalidValueError, match="model file does not hold"):
            loaded.fit(table.X, table.y)
        loaded.set_params(validation=how)
    loaded.fit(table.X, table.y, **groups)
    model.set_params(max_iter=5).fit(table.X, table.y, **groups)
    np.testing.assert_array_equal(loaded.network_.theta, model.network_.theta)


BAD = {
    "another name": ({"validation": "blok"}, {}, InvalidValueError, "got 'blok'"),
    "None": ({"validation": None}, {}, InvalidTypeError, "got None"),
    "a number of folds": ({"validation": 5}, {}, InvalidValueError, "KFold"),
    "a negative fraction": ({"validation": -0.1}, {}, InvalidValueError, "validation"),
    "a tuple of indices": ({"validation": (0, 1)}, {}, InvalidValueError, "list or an array"),
    "a row that is not": (
        {"validation": [60]},
        {},
        InvalidValueError,
        "row 60; X has rows 0 to 59",
    ),
    "a negative row": ({"validation": [-1]}, {}, InvalidValueError, "count from 0"),
    "fractional rows": ({"validation": [0.5]}, {}, InvalidValueError, "indices or a mask"),
    "a short mask": ({"validation": np.ones(6, bool)}, {}, InvalidValueError, "mask of 60"),
    "all rows": ({"validation": np.ones(60, bool)}, {}, InvalidValueError, "rows to train on"),
    "two fractions": (
        {"validation": 0.3, "validation_fraction": 0.2},
        {},
        InvalidValueError,
        "leave that at 0.1",
    ),
    "groups for nobody": ({}, {"groups": GROUPS}, InvalidValueError, "splitter that heeds them"),
    "short groups": (
        {"validation": GroupShuffleSplit()},
        {"groups": GROUPS[:5]},
        InvalidValueError,
        "groups has 5 entries",
    ),
    "no groups": ({"validation": GroupShuffleSplit()}, {}, ValueError, "groups"),
    "X_val beside it": (
        {"validation": "block"},
        {"X_val": np.zeros((2, 3)), "y_val": np.zeros(2)},
        InvalidValueError,
        "two answers",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_contradictory_validation_is_refused(name, table):
    """What cannot be honored is an error that says what to do."""
    settings, given, error, message = BAD[name]
    with pytest.raises(error, match=message):
        FeedForwardRegressor(**SMALL | settings).fit(table.X, table.y, **given)


def test_parts_cannot_be_watched(table):
    """`partial_fit` refuses a validation of its own."""
    with pytest.raises(InvalidValueError, match="one part at a time"):
        FeedForwardRegressor(validation="block", **SMALL).partial_fit(table.X, table.y)
