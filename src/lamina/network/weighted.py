"""Errors whose targets count differently, and of whose targets some entries are missing.

    J_n = Σ_k c_kn v(t_kn, a_kn),    c_kn = w_k, or 0 where t_kn is NaN

with the value v of any error that is a sum over targets, and a weight w_k of each. What is missing
adds nothing to J and has no slope; ω_n stays what it is, so a data point counts by what is known of
it. Second derivatives follow: C_n has c_kn in front of each target's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.error_kinds import ElementwiseError, Error, JointError
from lamina.network.errors import ERRORS, ComposedError
from lamina.network.formulas import Matrix, as_matrix, require_number

if TYPE_CHECKING:
    from lamina.network.activations import Activation


@ERRORS.builtin("weighted")
@dataclass(frozen=True)
class WeightedError(ComposedError):
    """An error with a weight for each target, which leaves out targets that are NaN.

    Without weights all targets count alike, however many there are.

    Examples
    --------
    >>> error = ERRORS.parse("weighted('squared', (1.0, 3.0))")
    >>> error.values(np.array([[1.0, 1.0], [np.nan, 1.0]]), np.zeros((2, 2))).tolist()
    [0.5, 2.0]
    """

    error: str | Error = "squared"
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))
        for weight in self.weights:
            require_number("a weight of a target", weight)
        if self.weights and (not any(self.weights) or min(self.weights) < 0):
            message = f"weights of targets are zero or more and not all zero, got {self.weights!r}"
            raise InvalidValueError(message)
        if not isinstance(self.inner, (ElementwiseError, JointError)):
            message = f"{self.inner!r} is no sum over targets, so they cannot be weighted"
            raise InvalidTypeError(message)
        self._compose(n_targets=len(self.weights) or None)

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n, N numbers."""
        T, c = self._counted(T)
        terms = np.where(c > 0, self.inner.terms(T, A), 0.0) * c
        return as_matrix(terms.sum(axis=0), A)

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dA, S_L × N."""
        T, c = self._counted(T)
        c = np.tile(c, (self.outputs_per_target, 1))
        return as_matrix(np.where(c > 0, self.inner.slopes(T, A), 0.0) * c, A)

    def seen_from(self, activation: Activation) -> Error | None:
        """Return the pair with the natural output activation, with the same weights."""
        pair = self.inner.seen_from(activation)
        summed = isinstance(pair, (ElementwiseError, JointError))
        return WeightedError(pair, self.weights) if summed else None

    def point(self, A: Matrix) -> Matrix:
        """Return the rows of A_L that predict T itself."""
        return np.asarray(self.inner.point(A))

    def check_targets(self, T: Matrix) -> None:
        """Refuse targets outside the domain; NaN is missing.

        Raises
        ------
        InvalidValueError
            If an entry of T makes no sense.
        """
        self.inner.check_targets(np.where(np.isnan(T), 1.0, T))

    def _counted(self, T: Matrix) -> tuple[Matrix, Matrix]:
        """Return T with something harmless where it is missing, and c, K × N."""
        missing = np.isnan(T)
        weights = np.array(self.weights or (1.0,))[:, np.newaxis]
        return np.where(missing, 1.0, T).astype(T.dtype), np.where(missing, 0.0, weights)
