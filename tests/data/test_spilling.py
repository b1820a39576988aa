"""Cells in a temporary file are the cells that were given, in half the room where that is exact."""

import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from lamina.data import spilling
from lamina.data.spilling import spill
from lamina.exceptions import TableError

N, C = 1000, 3


def parts(cells):
    """Return cells in parts of 70 rows."""
    return (cells[start : start + 70] for start in range(0, len(cells), 70))


def exact():
    """Return cells that float32 holds exactly, NaN, infinity and both zeros among them."""
    cells = np.random.default_rng(0).integers(-(2**24), 2**24, (N, C)).astype(float)
    cells[3] = [np.nan, -np.inf, -0.0]
    return cells


@pytest.mark.parametrize("order", ["C", "F"])
def test_exact_cells_are_single(order, tmp_path):
    """Cells that float32 holds exactly are stored so, signs of zeros too."""
    cells = np.asarray(exact(), order=order)
    found = spill(parts(cells), (N, C), str(tmp_path))
    assert found.dtype == np.float32
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    np.testing.assert_array_equal(found, cells)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(cells))


@pytest.mark.parametrize("row", [0, 69, 70, 500, N - 1])
@pytest.mark.parametrize("value", [0.1, 2.0**24 + 1, 1e300, 1e-60])
def test_other_cells_are_double(row, value, tmp_path, monkeypatch):
    """One cell that float32 would round, wherever it stands, and all are float64, bit for bit."""
    monkeypatch.setattr(spilling, "PIECE", 100)
    cells = exact()
    cells[row, 1] = value
    found = spill(parts(cells), (N, C), str(tmp_path))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, cells)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(cells))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows shows open files by name")
def test_file_has_no_name(tmp_path):
    """The folder is empty while the cells are there: nothing is left behind, come what may."""
    found = spill(parts(exact()), (N, C), str(tmp_path))
    assert not list(tmp_path.iterdir())
    assert found[5, 0] == exact()[5, 0]


def test_failure_leaves_nothing(tmp_path):
    """Where reading fails in the middle, the error is passed on and no file is left."""

    def failing():
        yield exact()[:10]
        raise TableError("the table ends here")

    with pytest.raises(TableError, match="the table ends here"):
        spill(failing(), (N, C), str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_changed_table_is_refused(tmp_path):
    """A table of another number of rows than before is refused."""
    with pytest.raises(TableError, match="had 999 rows and now 1000"):
        spill(parts(exact()), (N - 1, C), str(tmp_path))


def test_full_disk_is_told(tmp_path, monkeypatch):
    """Where the cells would not fit on the disk it is said before any is written."""
    monkeypatch.setattr(spilling.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    with pytest.raises(TableError, match=r"has 0\.0 GB left.*needs 0\.0 GB there; set TMPDIR"):
        spill(parts(exact()), (N, C), str(tmp_path))


@pytest.mark.parametrize("shape", [(0, 3), (5, 0)])
def test_no_cells_need_no_file(shape):
    """A table without rows or columns is an array."""
    assert spill(iter([np.zeros(shape)]), shape).shape == shape


def test_cells_are_not_kept_in_memory(tmp_path):
    """Writing 40 MB of cells, the widening too, takes a small part of that of memory."""
    count = 500

    def many():
        for number in range(count):
            yield np.full((1000, 10), 0.5 if number < count - 1 else 0.1)

    tracemalloc.start()
    try:
        found = spill(many(), (1000 * count, 10), str(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found[0, 0] == 0.5
    assert found[-1, 0] == 0.1
    assert peak < 3 * 8 * spilling.PIECE
