"""The Cholesky factor of small matrices, and what it solves, against NumPy."""

import numpy as np
import pytest
from numba import njit

from lamina.engines.compiled.cholesky import TOGETHER, factorize, solve
from lamina.engines.compiled.kernels import kernels
from lamina.engines.compiled.products import SCRATCH_BYTES, multiply

SIZES = [1, 2, 7, TOGETHER - 1, TOGETHER, TOGETHER + 1, 2 * TOGETHER + 5, 131]


@njit
def run(kernel, places, x, scratch, unit):
    """Factorize, and solve if that was possible."""
    if not factorize(kernel, places, x.size, scratch, unit):
        return False
    solve(places[0], x.size, x, unit)
    return True


def solved(A, b):
    """Return whether A was factorized, x, and U."""
    U, negative, x = A.copy(), np.zeros_like(A), b.copy()
    scratch = np.zeros(SCRATCH_BYTES + 4096, dtype=np.uint8)
    kernel = kernels(A.dtype).make(multiply).address
    places = U.ctypes.data, negative.ctypes.data
    done = run(kernel, places, x, scratch.ctypes.data, A.dtype.type(1))
    return done, x, np.triu(U)


def draw(n, extra=3):
    """Return a positive definite matrix and a vector."""
    random = np.random.default_rng(n)
    R = random.normal(size=(n + extra, n))
    return R.T @ R, random.normal(size=n)


@pytest.mark.parametrize("n", SIZES)
def test_factor_is_that_of_numpy(n):
    """U is the transposed lower factor, and x solves A x = b; what is below A does not count."""
    A, b = draw(n)
    below = np.where(np.tri(n, k=-1) > 0, np.nan, A)
    done, x, U = solved(below, b)
    expected = np.linalg.cholesky(A).T
    assert done
    np.testing.assert_allclose(U, expected, rtol=0, atol=1e-13 * n * np.abs(expected).max())
    residual = np.abs(A @ x - b).max()
    assert residual <= 1e-14 * n * (np.abs(A).max() * np.abs(x).max() + np.abs(b).max())


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_matrix_that_is_not_positive_definite_is_refused(n, bad):
    """A diagonal that is not positive, or no number, first or last, has no factor."""
    for place in {0, n - 1}:
        A, b = draw(n)
        A[place, place] = bad
        assert not solved(A, b)[0]


def test_singular_matrix_is_refused():
    """A row that is none beside the others leaves nothing for its diagonal."""
    A, b = draw(40)
    A[30] = A[:, 30] = 0.0
    assert not solved(A, b)[0]
