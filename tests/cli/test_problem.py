import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.cli.problem import TARGET_KINDS, Problem, pose, split
from lamina.data.readers import read_table
from lamina.data.table import Table
from lamina.exceptions import TableError


@pytest.fixture
def posed(tmp_path):
    """Return a function that writes a target of these cells, and poses its problem."""

    def pose_cells(cells, task="auto", notes=None):
        path = tmp_path / "t.csv"
        path.write_text("x,y\n" + "".join(f"0,{cell}\n" for cell in cells), encoding="utf-8")
        table = read_table(path, kinds={"y": TARGET_KINDS[task]})
        return pose(table, "y", task, ([] if notes is None else notes).append)

    return pose_cells


def table_of(*columns, names="xyz"):
    """Return a table of these columns that came from no text."""
    arrays = tuple(np.asarray(column) for column in columns)
    return Table(tuple(names[: len(arrays)]), arrays, "t.npz")


def problem_of(y, task):
    """Return a problem with this target."""
    return Problem(table_of(np.zeros(len(y))), np.asarray(y), "y", task, "", both=False)


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
        (["none", "NA", "mild", "?"] * 2, "auto", "classification", "U"),
        (["1", "2", "NA"] * 3, "auto", "classification", "i"),
        ([*DISTINCT, "1O5"], "classification", "classification", "U"),
        (["yes", "no", ""] * 3, "auto", "classification", "U"),
        (["9007199254740993", "1"], "classification", "classification", "U"),
    ],
)
def test_task_follows_from_the_target(posed, cells, task, chosen, kind):
    """Text and few repeated integers are classes, other numbers are not, unless one says so."""
    problem = posed(cells, task)
    assert (problem.task, problem.y.dtype.kind) == (chosen, kind)


@pytest.mark.parametrize(
    ("cells", "holds"),
    [
        (["True", "False"] * 3, "True and False"),
        (["false", "true", "true"], "true and false"),
        (["True", "False", "TRUE"] * 2, "true and false"),
        (["yes", "No", "YES"] * 2, "text, 2 classes"),
        (["oak", "elm"] * 3, "text, 2 classes"),
        (["0", "1"] * 3, "2 different integers"),
    ],
)
def test_target_is_said_to_hold_what_it_holds(posed, cells, holds):
    """Truth values are called by their names, however they are spelled, other words text."""
    assert posed(cells).holds == holds


def test_rows_without_target_are_left_out(posed):
    """Rows in which the target is missing are no data points, and this is said."""
    notes = []
    problem = posed(["oak", "", "elm", "NA", "oak"], notes=notes)
    assert problem.y.tolist() == ["oak", "elm", "oak"]
    assert len(problem.X) == 3
    assert notes == ["2 rows are left out, where 'y' is missing"]
    assert posed(["1.5", "NA", "2.5"], notes=notes).y.tolist() == [1.5, 2.5]
    assert notes[1] == "1 row is left out, where 'y' is missing"


@pytest.mark.parametrize(
    ("y", "found"),
    [
        ([True, False], ["True", "False"]),
        (np.array([3, 4] * 2, np.int8), [3, 4, 3, 4]),
        ([0.5, np.nan, 1.5], [0.5, 1.5]),
        (np.array(["a", None, "b", "a"], object), ["a", "b", "a"]),
    ],
)
def test_target_of_any_type_is_learned(y, found):
    """A target from a file of arrays has its type already."""
    assert pose(table_of(np.zeros(len(y)), y), "y", "auto", [].append).y.tolist() == found


@pytest.mark.parametrize(
    ("cells", "task", "words"),
    [
        (["1"] * 9, "auto", "'1' in every row"),
        (["oak"] * 9, "classification", "nothing to learn"),
        ([*DISTINCT, "1O5"], "auto", "line 52, column 'y': '1O5' is no number, others are"),
        ([*DISTINCT, "1O5"], "auto", "pass --task classification"),
        (["2024-05-31"] * 9, "auto", "dates are no target"),
        (["NA", "", "?"], "auto", "is empty in every row"),
        (["NA", "", "?"], "regression", "is empty in every row"),
        (["oak", "elm"], "regression", "line 2, column 'y': 'oak' is text"),
        (["1", "2.5"] * 9, "classification", "line 3, column 'y': '2.5' has decimals"),
        (["1", "9007199254740992.0"], "classification", "is too large"),
        ([f"name {k}" for k in range(30)], "auto", "almost every row"),
    ],
)
def test_unfit_target_is_refused(posed, cells, task, words):
    """A target that does not fit the task is refused, with the line where that is one cell."""
    with pytest.raises(TableError, match=words):
        posed(cells, task)


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        (["a", "b"], "regression", "row 1, column 'y': 'a' is text, and numbers"),
        ([1.0, 2.5], "classification", "row 2, column 'y': '2.5' has decimals"),
    ],
)
def test_unfit_array_is_refused(y, task, words):
    """Where there are no lines, messages name the row."""
    y = np.array(y, dtype=object if isinstance(y[0], str) else float)
    with pytest.raises(TableError, match=words):
        pose(table_of(np.zeros(len(y)), y), "y", task, [].append)


def test_table_without_inputs_is_refused():
    """A table must have a column beside the target."""
    with pytest.raises(TableError, match="no column but the target"):
        pose(table_of([1.0, 2.0], names="y"), "y", "auto", [].append)


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
