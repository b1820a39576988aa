"""Sparse tables hand out the columns that the same numbers as an array would."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from lamina.data.columns import Columns
from lamina.data.scaling import METHODS, Scaling, fit_scaling
from lamina.data.sparse import SparseRows, fit_sparse_scaling, to_rows
from lamina.exceptions import InvalidTypeError

POINTS = np.array([3, 0, 39, 3, 17])
AFFINE = Scaling(np.linspace(-1, 1, 7), np.linspace(0.5, 2, 7))
FORMATS = ["csr", "csc", "coo", "lil"]


def matrix(kind="float64", **options):
    """Return 40 sparse rows of 7 numbers; row 0 has none."""
    random = np.random.default_rng(0)
    dense = np.where(random.random((40, 7)) < 0.3, random.integers(0, 9, (40, 7)), 0)
    dense[0] = 0
    return sparse.csr_array(dense.astype(kind), **options)


@pytest.mark.parametrize("affine", [None, Scaling.identity(7), AFFINE], ids=str)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_those_of_the_array(form, affine, dtype):
    """Rows of a sparse matrix in any format are bit for bit those of the array, scaled or not."""
    source = SparseRows.of(matrix().asformat(form), affine, np.dtype(dtype))
    expected = Columns(matrix().toarray(), affine, np.dtype(dtype))
    for points in (POINTS, slice(0, 9), np.array([], dtype=int)):
        found = source.take(points)
        assert found.dtype == dtype
        assert found.flags.f_contiguous
        np.testing.assert_array_equal(found, expected.take(points))
    assert len(source) == 40


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_numbers_of_any_type_are_taken(kind):
    """Stored numbers may be of any real type; matrices of SciPy do as arrays do."""
    rows = matrix(kind)
    expected = rows.toarray()[POINTS].T
    for given in (rows, sparse.csr_matrix(rows)):
        np.testing.assert_array_equal(SparseRows.of(given, None, float).take(POINTS), expected)


def test_rows_are_not_copied():
    """A matrix by rows is neither copied nor changed; one with a column twice is added up aside."""
    rows = matrix()
    assert to_rows(rows) is rows
    twice = sparse.csr_array((np.ones(3), np.array([2, 2, 0]), np.array([0, 3])), shape=(1, 4))
    found = SparseRows.of(twice, None, float)
    assert found.take(slice(0, 1))[:, 0].tolist() == [1.0, 0.0, 2.0, 0.0]
    assert twice.data.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_scaling_is_that_of_the_array(method, weighted):
    """A scaling learned from sparse rows is bit for bit the one learned from the array."""
    weights = np.random.default_rng(1).random(40) if weighted else None
    found = fit_sparse_scaling(method, matrix(), weights)
    expected = fit_scaling(method, matrix().toarray(), weights)
    np.testing.assert_array_equal(found.center, expected.center)
    np.testing.assert_array_equal(found.scale, expected.scale)


def test_complex_numbers_are_refused():
    """A matrix of other than real numbers is refused."""
    with pytest.raises(InvalidTypeError, match="real numbers"):
        to_rows(matrix("complex128"))


def test_wide_matrix_is_not_filled_in():
    """Scaling and batches of a matrix that would be 8 GB as an array need a few MB."""
    n, width = 20_000, 50_000
    random = np.random.default_rng(0)
    stored = random.integers(n, size=n), random.integers(width, size=n)
    rows = sparse.coo_array((random.random(n), stored), shape=(n, width)).tocsr()[:2000]
    tracemalloc.start()
    try:
        source = SparseRows.of(rows, fit_sparse_scaling("standard", rows[:200]), np.float32)
        source.take(np.arange(0, 2000, 100))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 80_000_000
