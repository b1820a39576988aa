"""Cells become the features that their columns say, for any rows and precision."""

import numpy as np
import pytest

from lamina.data.expansion import HUGE, Expanded, Expansion
from lamina.data.scaling import Scaling
from lamina.exceptions import InvalidValueError

LEVELS = np.array([0, 3, 0, 1, 0])
FLAGS = np.array([False, False, True, False, True])
CENTER = np.array([2.0, 0, 0, 0, -1.0, 0, 0, 0.5, 0])
SCALE = np.array([4.0, 1, 1, 1, 0.5, 1, 1, 1.0, 1])


def expansion(clip=np.inf):
    """Return an expansion of five cells into nine features."""
    return Expansion(LEVELS, FLAGS, Scaling(CENTER, SCALE), clip)


def test_cells_become_features():
    """Numbers are scaled, codes one-hot, missing numbers 0 with a flag where there is one."""
    nan = np.nan
    cells = np.array([[2.0, 0, -1.0, 0, 1.5], [6.0, 2, nan, 1, nan], [nan, 1, 0.0, 0, 0.5]])
    expected = [
        [0, 1, 0, 0, 0, 0, 1, 1, 0],
        [1, 0, 0, 1, 0, 1, 0, 0, 1],
        [0, 0, 1, 0, 2, 0, 1, 0, 0],
    ]
    np.testing.assert_array_equal(expansion().expand(cells), expected)


@pytest.mark.parametrize("code", [-1, 3, 1.5, np.nan])
def test_unknown_codes_become_zeros(code):
    """What is no code of the column has a 0 in each of its features."""
    cells = np.array([[2.0, code, -1.0, 0, 0.5]])
    assert not expansion().expand(cells)[0, 1:4].any()


def test_numbers_are_softly_clipped():
    """Clipped numbers stay within ±clip, in order, and small ones as they are; flags do not."""
    cells = np.zeros((9, 5))
    cells[:, 0] = [-np.inf, -1e300, -50, 2, 2.004, 10, 1e3, HUGE * 1e9, np.inf]
    features = expansion(clip=3.0).expand(cells)
    x = features[:, 0]
    assert x[0] == x[1] == -3.0
    assert x[-1] == x[-2] == 3.0
    assert np.all(np.diff(x) >= 0)
    assert x[3] == 0.0
    assert x[4] == pytest.approx(0.001, rel=1e-6)
    assert x[5] == pytest.approx(2.0 / np.sqrt(1.0 + (2.0 / 3.0) ** 2))
    assert np.all(features[:, 1] == 1.0)


def test_places_of_features_are_told():
    """Width and begin of each column, and which features are numbers, are what `expand` makes."""
    found = expansion()
    assert found.n_features == 9
    assert found.widths.tolist() == [1, 3, 2, 1, 2]
    assert found.starts.tolist() == [0, 1, 4, 6, 7]
    assert np.flatnonzero(found.is_number).tolist() == [0, 4, 7]


@pytest.mark.parametrize("kind", ["float64", "float32", "int16", "uint8"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_source_takes_rows_of_any_type(kind, dtype):
    """A source takes chosen rows of a table of any type, in any order, as contiguous columns."""
    cells = np.random.default_rng(0).integers(0, 4, size=(20, 5)).astype(kind)
    points = np.array([3, 3, 19, 0])
    source = Expanded(np.asfortranarray(cells), expansion(), np.dtype(dtype))
    found = source.take(points)
    assert (len(source), found.shape, found.dtype) == (20, (9, 4), dtype)
    assert found.flags.f_contiguous
    np.testing.assert_array_equal(found, expansion().expand(cells[points], dtype).T)
    np.testing.assert_array_equal(source.take(slice(2, 5)), source.take(np.arange(2, 5)))


@pytest.mark.parametrize(
    ("levels", "flags", "size", "clip", "message"),
    [
        ([0.0], [False], 1, np.inf, "levels must be integers"),
        ([-1], [False], 1, np.inf, "levels must be integers"),
        ([2], [True], 2, np.inf, "only for numbers"),
        ([0], [False, True], 1, np.inf, "one indicator for each"),
        ([0], [False], 2, np.inf, "there are 1 features, and a scaling of 2"),
        ([0], [False], 1, 0.0, "clip must be > 0"),
        ([0], [False], 1, np.nan, "clip must be > 0"),
    ],
)
def test_parts_that_do_not_fit_are_refused(levels, flags, size, clip, message):
    """Levels, indicators, scaling and clip that do not fit each other are refused."""
    with pytest.raises(InvalidValueError, match=message):
        Expansion(np.array(levels), np.array(flags), Scaling.identity(size), clip)


def test_scaled_flags_are_refused():
    """A feature that is 0 or 1 may not be scaled."""
    with pytest.raises(InvalidValueError, match="center 0 and scale 1"):
        Expansion(np.array([2]), np.array([False]), Scaling(np.zeros(2), np.array([1.0, 2.0])))
