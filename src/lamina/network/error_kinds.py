"""The kinds of errors: what an error answers, and how its formulas are summed.

J = Σ_n ω_n J_n, where J_n is a sum over the outputs of one data point. Value and slope are
reduced here and nowhere else.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network import special
from lamina.network.formulas import Matrix, as_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lamina.network.activations import Activation

DOMAINS: Mapping[str, tuple[str, Callable[[Matrix], Matrix]]] = {
    "real": ("finite numbers", np.isfinite),
    "nonnegative": ("finite numbers, zero or more", lambda T: np.isfinite(T) & (T >= 0)),
    "positive": ("finite numbers above zero", lambda T: np.isfinite(T) & (T > 0)),
    "probability": ("numbers from 0 to 1", lambda T: (T >= 0) & (T <= 1)),
    "sign": ("-1 or 1", lambda T: np.abs(T) == 1),
}
"""What targets an error accepts: the words for them, and the test."""


class Error:
    """An error of any kind. Columns of T and A are data points."""

    output_activation: str = "identity"
    """The natural activation of the output layer, used unless another is asked for."""
    targets: str = "real"
    """Which targets make sense, a key of `DOMAINS`."""
    outputs_per_target: int = 1
    """Rows of A_L for each row of T; the outputs come in blocks of the rows of T."""
    n_targets: int | None = None
    """Rows that T must have; None for any number."""

    @property
    def inner(self) -> Any:
        """The error of a single target; itself unless it is made of another."""
        return self

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n for every data point: N numbers, summed over outputs."""
        raise NotImplementedError

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dA, S_L × N; (2.23) without its 1/N."""
        raise NotImplementedError

    def seen_from(self, activation: Activation) -> Error | None:
        """Return the pair of this error and `activation` as an error of Z_L, if we know it."""
        return None

    def point(self, A: Matrix) -> Matrix:
        """Return the rows of A_L that predict T itself, such as the mean of a mean and variance."""
        return A

    def check_targets(self, T: Matrix) -> None:
        """Refuse targets outside the domain, naming the first bad entry.

        Raises
        ------
        InvalidValueError
            If an entry of T makes no sense for this error.
        """
        words, test = DOMAINS[self.targets]
        bad = np.argwhere(~test(T))
        if bad.size:
            row, column = bad[0]
            message = (
                f"this error needs targets that are {words}; "
                f"T[{row}, {column}] is {T[row, column]:g}"
            )
            raise InvalidValueError(message)


class ElementwiseError(Error):
    """An error that is a sum over single outputs: two plain formulas and their parameters."""

    value: Callable[..., Any]
    """`value(t, a, *parameters)`: what one output adds to J_n."""
    derivative: Callable[..., Any]
    """`derivative(t, a, *parameters)`: its slope in a."""

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The numbers that both formulas take after their arguments."""
        return astuple(self)  # type: ignore[call-overload,no-any-return]  # a dataclass

    @property
    def blocks(self) -> tuple[tuple[Any, ...], ...]:
        """The parameters for each block of outputs; one block unless targets have several."""
        return (self.parameters,)

    def terms(self, T: Matrix, A: Matrix) -> Matrix:
        """Return what each target adds to J_n, K × N: the formula summed over its outputs."""
        parts = zip(np.split(A, len(self.blocks)), self.blocks, strict=True)
        return np.asarray(sum(as_matrix(self.value(T, a, *p), a) for a, p in parts))

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n, N numbers: the formula summed over the outputs of each data point."""
        return np.asarray(self.terms(T, A).sum(axis=0))

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dA, S_L × N."""
        parts = zip(np.split(A, len(self.blocks)), self.blocks, strict=True)
        return np.concatenate([as_matrix(self.derivative(T, a, *p), a) for a, p in parts])


class JointError(Error):
    """An error whose several outputs per target are taken together, with two formulas."""

    value: Callable[..., Any]
    """`value(t, outputs)`: what one target adds to J_n; `outputs` has one entry for each block."""
    derivative: Callable[..., Any]
    """`derivative(t, outputs)`: its slopes, a tuple of one for each output."""

    def terms(self, T: Matrix, A: Matrix) -> Matrix:
        """Return what each target adds to J_n, K × N."""
        return as_matrix(self.value(T, np.split(A, self.outputs_per_target)), A)

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n, N numbers."""
        return np.asarray(self.terms(T, A).sum(axis=0))

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dA, S_L × N."""
        blocks = np.split(A, self.outputs_per_target)
        return as_matrix(np.concatenate(self.derivative(T, blocks)), A)


class ColumnwiseError(Error):
    """An error of Z_L that mixes a column through max z_j and Σ e^(z_j - max)."""

    value: Callable[..., Any]
    """`value(t, z, top, total)`: what one output adds to J_n."""
    derivative: Callable[..., Any]
    """`derivative(t, z, top, total, weight)`: its slope in z; `weight` is Σ t of the column."""

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n for Z_L = A, N numbers."""
        return np.asarray(self.value(T, A, *special.top_and_total(A)).sum(axis=0))

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dZ_L, S_L × N."""
        return np.asarray(self.derivative(T, A, *special.top_and_total(A), T.sum(axis=0)))
