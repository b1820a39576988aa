"""Sources: rows of a table, codes of classes and matrices, taken as the columns they stand for."""

import numpy as np
import pytest

from lamina.data.columns import Columns, Matrix, OneHot
from lamina.data.scaling import Scaling, fit_scaling

N, S = 30, 3
POINTS = {
    "some": np.array([4, 29, 0, 4]),
    "negative": np.array([-1, 2]),
    "none": np.array([], dtype=int),
    "slice": slice(3, 11),
    "all": slice(None),
}


def mapped(table, folder):
    """Return the table as a read-only memory map."""
    np.save(folder / "table.npy", table)
    return np.load(folder / "table.npy", mmap_mode="r")


TABLES = {  # the same whole numbers as arrays of every kind
    "float64": lambda table, _: table,
    "float32": lambda table, _: table.astype(np.float32),
    "int16": lambda table, _: table.astype(np.int16),
    "uint8": lambda table, _: table.astype(np.uint8),
    "bool": lambda table, _: table > 100,
    "Fortran": lambda table, _: np.asfortranarray(table),
    "negative strides": lambda table, _: np.ascontiguousarray(table[::-1, ::-1])[::-1, ::-1],
    "broadcast": lambda table, _: np.broadcast_to(table[:1], table.shape),
    "memory map": mapped,
}


def draw_table():
    """Return whole numbers from 0 to 200."""
    return np.random.default_rng(0).integers(0, 201, size=(N, S)).astype(float)


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS.keys())
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", TABLES)
def test_rows_are_taken_as_scaled_columns(kind, dtype, points, tmp_path):
    """Chosen rows come as columns, scaled, in the precision asked for; the table is read only."""
    rows = TABLES[kind](draw_table(), tmp_path)
    rows.flags.writeable = False
    affine = fit_scaling("standard", draw_table())
    plain = np.asarray(rows[points], dtype=float)
    for given, expected in ((None, plain), (affine, (plain - affine.center) / affine.scale)):
        taken = Columns(rows, given, dtype).take(points)
        assert taken.dtype == dtype
        np.testing.assert_allclose(taken, expected.T, rtol=1e-6 if dtype == "float32" else 1e-14)
    assert len(Columns(rows, None, dtype)) == N


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("kind", TABLES)
def test_columns_are_contiguous(kind, scaled, tmp_path):
    """Each data point that is taken is contiguous in memory, whatever the table's order."""
    rows = TABLES[kind](draw_table(), tmp_path)
    affine = fit_scaling("minmax", draw_table()) if scaled else None
    source = Columns(rows, affine, np.float64)
    for points in (POINTS["some"], POINTS["slice"]):
        assert source.take(points).flags.f_contiguous
    assert OneHot(np.arange(N) % 3, 3, float).take(POINTS["some"]).flags.f_contiguous


def test_scaling_that_changes_nothing_is_none():
    """An engine that asks what a table is scaled by hears center and scale, or None."""
    rows, affine = draw_table(), Scaling(np.arange(3.0), np.full(3, 2.0))
    assert Columns(rows, None, float).scaling is None
    assert Columns(rows, Scaling.identity(3), float).scaling is None
    center, scale = Columns(rows, affine, float).scaling
    np.testing.assert_array_equal(center, [0, 1, 2])
    np.testing.assert_array_equal(scale, 2.0)
    assert Columns(rows, affine, float).rows is rows


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS.keys())
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("codes_type", ["int64", "uint8", "int32"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_codes_are_indicators(low, high, codes_type, dtype, points):
    """The row of a point's class holds `high`, every other row `low`; absent classes have rows."""
    codes = np.random.default_rng(0).integers(0, 4, size=N).astype(codes_type)
    taken = OneHot(codes, 5, dtype, low, high).take(points)
    expected = [[high if code == k else low for code in codes[points]] for k in range(5)]
    np.testing.assert_array_equal(taken, np.reshape(expected, (5, -1)))
    assert taken.dtype == dtype
    assert len(OneHot(codes, 5, dtype)) == N


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS.keys())
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_two_classes_are_one_row(low, high, points):
    """With one output the codes 0 and 1 themselves are the row, as `low` and `high`."""
    codes = np.random.default_rng(0).integers(0, 2, size=N)
    taken = OneHot(codes, 1, float, low, high).take(points)
    np.testing.assert_array_equal(taken, np.where(codes[points] == 1, high, low)[np.newaxis])


def test_codes_say_what_they_are_made_of():
    """An engine that encodes by itself finds the codes, the number of classes, and both numbers."""
    codes = np.arange(N) % 3
    source = OneHot(codes, 3, float, -1.0, 1.0)
    assert source.rows is codes
    assert (source.classes, source.scaling) == ((3, -1.0, 1.0), None)


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS.keys())
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", TABLES)
def test_matrix_gives_its_columns(kind, dtype, points, tmp_path):
    """A matrix that has data points as columns gives those chosen, in the precision asked for."""
    columns = TABLES[kind](draw_table(), tmp_path).T
    columns.flags.writeable = False
    source = Matrix(columns, np.dtype(dtype))
    np.testing.assert_array_equal(source.take(points), np.asarray(columns)[:, points].astype(dtype))
    assert source.take(points).dtype == dtype
    assert (len(source), source.scaling, source.classes) == (N, None, None)
    assert np.shares_memory(source.rows, columns)
    np.testing.assert_array_equal(source.rows, columns.T)


@pytest.mark.parametrize(
    "make", [lambda rows: Columns(rows, None, float), lambda rows: Matrix(rows.T, float)]
)
def test_point_that_is_not_there_is_an_error(make):
    """A point beyond the table is an error of NumPy's, never another point."""
    with pytest.raises(IndexError):
        make(draw_table()).take(np.array([0, N]))
