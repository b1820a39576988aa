import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.cli.problem import Problem, pose, split
from lamina.data.readers import Table
from lamina.exceptions import TableError


def table_of(cells):
    """Return a table of one input and a target with these cells."""
    n = len(cells)
    return Table("t.csv", ("x",), np.zeros((n, 1)), {"y": tuple(cells)}, tuple(range(2, n + 2)), ())


def problem_of(y, task):
    """Return a problem with this target."""
    return Problem(np.zeros((len(y), 1)), np.asarray(y), ("x",), "y", task, "", both=False)


DISTINCT = [str(k) for k in range(50)]


@pytest.mark.parametrize(
    ("cells", "task", "chosen", "kind"),
    [
        (["oak", "elm"] * 3, "auto", "classification", "U"),
        (["0", "1"] * 3, "auto", "classification", "i"),
        (["1.0", "2.0", "-3"] * 3, "auto", "classification", "i"),
        (["0.5", "1"] * 3, "auto", "regression", "f"),
        (DISTINCT * 3, "auto", "regression", "f"),
        (["1", "2", "3"], "auto", "regression", "f"),
        (["0", "1"] * 3, "regression", "regression", "f"),
        (DISTINCT * 3, "classification", "classification", "i"),
        (["3", "4", "5+"], "classification", "classification", "U"),
        (["none", "NA", "mild"] * 2, "auto", "classification", "U"),
    ],
)
def test_task_follows_from_the_target(cells, task, chosen, kind):
    """Text and few repeated integers are classes, other numbers are not, unless one says so."""
    problem = pose(table_of(cells), "y", task)
    assert (problem.task, problem.y.dtype.kind) == (chosen, kind)


@pytest.mark.parametrize(
    ("cells", "holds"),
    [
        (["True", "False"] * 3, "True and False"),
        (["false", "true", "true"], "true and false"),
        (["True", "False", "TRUE"] * 2, "text, 3 classes"),
        (["oak", "elm"] * 3, "text, 2 classes"),
        (["0", "1"] * 3, "2 different integers"),
    ],
)
def test_target_is_said_to_hold_what_it_holds(cells, holds):
    """Truth values are called by their names, other words text."""
    assert pose(table_of(cells), "y", "auto").holds == holds


@pytest.mark.parametrize(
    ("cells", "task", "words"),
    [
        (["1"] * 9, "auto", "'1' in every row"),
        (["oak"] * 9, "classification", "nothing to learn"),
        (["1", "2", "1O5", "3"], "auto", "line 4, column 'y': '1O5' is no number, others are"),
        (["1", "2", "NA", "3"], "auto", "pass --task classification"),
        (["oak", "elm"], "regression", "line 2, column 'y': 'oak' is text"),
        (["1", "2.5"] * 9, "classification", "line 3, column 'y': '2.5' has decimals"),
        (["1", "9007199254740993"], "classification", "is too large"),
        ([f"name {k}" for k in range(30)], "auto", "almost every row"),
    ],
)
def test_unfit_target_is_refused(cells, task, words):
    """A target that does not fit the task is refused, with the line where that is one cell."""
    with pytest.raises(TableError, match=words):
        pose(table_of(cells), "y", task)


def test_table_without_inputs_is_refused():
    """A table must have a column beside the target."""
    with pytest.raises(TableError, match="no column but the target"):
        pose(Table("t.csv", (), np.zeros((2, 0)), {"y": ("1", "2")}, (2, 3), ()), "y", "auto")


@given(
    y=st.lists(st.integers(0, 5), min_size=2, max_size=80),
    fraction=st.floats(0.0, 0.99),
    task=st.sampled_from(["classification", "regression"]),
)
def test_split_parts_the_rows(y, fraction, task):
    """Both parts together are all rows once; every class and some row are trained on."""
    training, held_out = split(problem_of(y, task), fraction, 0)
    assert sorted([*training, *held_out]) == list(range(len(y)))
    assert len(training) > 0
    if fraction == 0.0:
        assert len(held_out) == 0
    if task == "classification":
        assert set(np.asarray(y)[training]) == set(y)


@given(sizes=st.lists(st.integers(10, 60), min_size=2, max_size=5), seed=st.integers(0, 9))
def test_split_gives_each_class_its_share(sizes, seed):
    """Of every class the held-out share is that of all rows, to one row."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    _, held_out = split(problem_of(y, "classification"), 0.25, seed)
    assert len(held_out) == round(0.25 * len(y))
    assert np.all(
        np.abs(np.bincount(y[held_out], minlength=len(sizes)) - 0.25 * np.array(sizes)) < 1
    )


def test_split_depends_on_the_seed_alone():
    """The same seed gives the same rows, another one others."""
    problem = problem_of([0, 1] * 50, "classification")
    first, again, other = (split(problem, 0.2, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other
