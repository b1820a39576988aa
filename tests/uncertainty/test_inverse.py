"""The inverse of G as RᵗR."""

import numpy as np
import pytest

from lamina.uncertainty.inverse import Inverse


def spread(*values, seed=0):
    """Return a symmetric matrix with these eigenvalues."""
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values),) * 2))[0]
    return (Q * np.array(values)) @ Q.T


def test_inverse_of_definite_matrix_is_exact():
    """RᵗR is the inverse, and the determinant is that of G."""
    G = spread(3.0, 2.0, 1e-3, 5.0)
    inverse = Inverse.of(G)
    np.testing.assert_allclose(inverse.root.T @ inverse.root @ G, np.eye(4), atol=1e-11)
    np.testing.assert_allclose(inverse.diagonal, np.diag(np.linalg.inv(G)), rtol=1e-11)
    assert inverse.rank == 4
    assert inverse.log_determinant == pytest.approx(np.log(3.0 * 2.0 * 1e-3 * 5.0), rel=1e-11)
    v = np.arange(4.0)
    np.testing.assert_allclose(inverse.times(v), np.linalg.solve(G, v), rtol=1e-10)


@pytest.mark.parametrize("small", [0.0, 1e-18, -1e-18])
def test_inverse_of_singular_matrix_is_the_pseudo_inverse(small):
    """Eigenvalues of rounding count as 0: the rest is the pseudo-inverse of Moore and Penrose."""
    G = spread(3.0, 2.0, small, 5.0)
    inverse = Inverse.of(G)
    expected = np.linalg.pinv(spread(3.0, 2.0, 0.0, 5.0), hermitian=True)
    np.testing.assert_allclose(inverse.root.T @ inverse.root, expected, atol=1e-12)
    assert inverse.rank == 3
    assert inverse.log_determinant == pytest.approx(np.log(30.0))


def test_inverse_of_nothing_knows_nothing():
    """G = 0 leaves no direction, and no number that is not finite."""
    inverse = Inverse.of(np.zeros((3, 3)))
    assert inverse.rank == 0
    assert np.array_equal(inverse.times(np.ones(3)), np.zeros(3))
    assert np.array_equal(inverse.diagonal, np.zeros(3))
