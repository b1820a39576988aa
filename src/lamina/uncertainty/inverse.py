"""The inverse of G, or what stands for it where G has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.linear_algebra import serial

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

ROUNDING = np.finfo(float).eps


@dataclass(frozen=True)
class Inverse:
    """G⁻¹ = RᵗR of a symmetric G, P × P, that is not indefinite.

    R is the inverse of the Cholesky factor. Where G is singular to rounding, RᵗR is its
    pseudo-inverse: eigenvalues up to P eps times the largest count as 0, and their directions as
    known exactly, so that what is computed from it is finite. `rank` says how many are left.

    Attributes
    ----------
    root : matrix R, rank × P
    log_determinant : float
        Of G, in the directions that are left.
    """

    root: Array
    log_determinant: float

    @classmethod
    def of(cls, G: Array) -> Inverse:
        """Return the inverse of G, which is not changed."""
        with serial(len(G)):
            return cls._by_factor(G) or cls._pseudo(G)

    @classmethod
    def _by_factor(cls, G: Array) -> Inverse | None:
        """Return the inverse by the Cholesky factor, or None if G is singular to rounding."""
        from scipy.linalg import lapack

        factor, failed = lapack.dpotrf(G, lower=1, clean=1)
        if failed:
            return None
        norm = float(np.abs(G).sum(axis=0).max(initial=0.0))
        conditioned, _ = lapack.dpocon(factor, norm, uplo="L")
        if conditioned <= len(G) * ROUNDING:
            return None
        root, _ = lapack.dtrtri(factor, lower=1)
        return cls(root, 2.0 * float(np.log(np.diag(factor)).sum()))

    @classmethod
    def _pseudo(cls, G: Array) -> Inverse:
        """Return the pseudo-inverse, by eigenvalues."""
        values, vectors = np.linalg.eigh(G)
        kept = values > len(G) * ROUNDING * max(values[-1], 0.0)
        values, vectors = values[kept], vectors[:, kept]
        return cls((vectors / np.sqrt(values)).T, float(np.log(values).sum()))

    @property
    def rank(self) -> int:
        """The number of directions that G determines."""
        return len(self.root)

    @property
    def diagonal(self) -> Array:
        """The diagonal of G⁻¹, P numbers."""
        return np.asarray(np.einsum("rp,rp->p", self.root, self.root))

    def times(self, v: Array) -> Array:
        """Return G⁻¹ v, P numbers."""
        return np.asarray((self.root @ v) @ self.root)
