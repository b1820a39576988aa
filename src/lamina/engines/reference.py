"""The reference engine: the definition itself, evaluated by NumPy chunk by chunk."""

from __future__ import annotations

from math import hypot, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines import second_order
from lamina.engines.dropout import mask
from lamina.engines.protocol import EpochReport
from lamina.network import backpropagation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from lamina.engines.protocol import Data, Epoch, Move, Source
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

CHUNK, NUMBERS = 4096, 2**23
"""Data points evaluated together, and numbers of a layer, which bounds the memory of a pass."""


def together(recipe: Recipe) -> int:
    """Return how many data points are evaluated together: fewer where a layer is very wide."""
    return max(1, min(CHUNK, NUMBERS // max(recipe.S)))


_quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""Numbers may overflow; the caller sees it in what is returned."""


class ReferenceEngine:
    """`Engine` by the equations of `lamina.network.backpropagation`, nothing added."""

    def __init__(self, recipe: Recipe) -> None:
        """Keep the recipe; nothing is allocated ahead."""
        self.recipe = recipe

    @_quiet
    def gauss_newton(self, theta: Array, data: Data) -> tuple[float, Array, Array]:
        """Return J with penalties, dJ/dθ, and the Gauss-Newton matrix, P × P, in float64."""
        return second_order.gauss_newton(self.recipe, theta, data)

    @_quiet
    def gauss_newton_product(self, theta: Array, data: Data, v: Array) -> Array:
        """Return G v, P numbers in float64."""
        return second_order.gauss_newton_product(self.recipe, theta, data, v)

    @_quiet
    def hessian_product(self, theta: Array, data: Data, v: Array) -> Array:
        """Return the Hessian of J with penalties times v, P numbers in float64."""
        return second_order.hessian_product(self.recipe, theta, data, v)

    @_quiet
    def jacobian_product(self, theta: Array, X: Source, points: Array, v: Array) -> Array:
        """Return 𝒥 v, S_L × n in float64."""
        return second_order.jacobian_product(self.recipe, theta, X, points, v)

    @_quiet
    def jacobian_transposed_product(
        self, theta: Array, X: Source, points: Array, U: Array
    ) -> Array:
        """Return 𝒥ᵗ U, P numbers in float64, for U of S_L × n."""
        return second_order.jacobian_transposed_product(self.recipe, theta, X, points, U)

    def damped_steps(self, *_: Any) -> None:
        """Leave every step to the solver."""

    def forget(self) -> None:
        """Do nothing, for nothing is kept."""

    @_quiet
    def outputs(self, theta: Array, X: Source, points: Array) -> Array:
        """Return A_L, S_L × n, for n of the data points of X, (1.4)."""
        outputs = np.empty((self.recipe.S[-1], len(points)), dtype=theta.dtype, order="F")
        size = together(self.recipe)
        for start in range(0, len(points), size):
            part = slice(start, start + size)
            A = backpropagation.forward(self.recipe, theta, X.take(points[part]))[1]
            outputs[:, part] = A[-1]
        return outputs

    def prepare_outputs(self, theta: Array, most: int) -> tuple[Callable[[int], Any], Array, Array]:
        """Return a function of a count, and the rows that it reads and writes; θ is kept."""
        inputs, outputs = (
            np.empty((most, S), dtype=theta.dtype) for S in self.recipe.S[:: self.recipe.L]
        )

        def run(n: int) -> None:
            outputs[:n] = backpropagation.forward(self.recipe, theta, inputs[:n].T)[1][-1].T

        return run, inputs, outputs

    @_quiet
    def error(self, theta: Array, data: Data) -> float:
        """Return Σ ω_n J_n over the data, without penalties."""
        total = 0.0
        for X, T, omega in self._chunks(theta, data):
            Z, A = backpropagation.forward(self.recipe, theta, X)
            total += float(backpropagation.error(self.recipe, T, Z[-1], A[-1], omega))
        return total

    @_quiet
    def gradient(self, theta: Array, data: Data) -> tuple[float, Array]:
        """Return J with penalties over the data, and dJ/dθ, (4.1)."""
        J = float(backpropagation.penalty(self.recipe, theta))
        gradient = np.zeros_like(theta)
        backpropagation.add_penalty_gradient(self.recipe, theta, gradient)
        for X, T, omega in self._chunks(theta, data):
            part = self._backpropagate(theta, X, T, omega)
            J += float(part.J)
            gradient += part.gradient
        return J, gradient

    @_quiet
    def input_gradient(self, theta: Array, data: Data) -> Array:
        """Return Delta_0, S_0 × n: the slopes of Σ ω_n J_n in the inputs, (4.2)."""
        slopes = np.empty((self.recipe.S[0], len(data.points)), dtype=theta.dtype, order="F")
        size = together(self.recipe)
        for k, chunk in enumerate(self._chunks(theta, data)):
            result = backpropagation.backpropagate_error(self.recipe, theta, *chunk)
            slopes[:, k * size : (k + 1) * size] = result.Delta[0]
        return slopes

    @_quiet
    def input_jacobian(self, theta: Array, X: Source, points: Array) -> Array:
        """Return dA_L/dX, S_L × S_0 × n, for n of the data points of X, (4.2)."""
        S_0, S_L = self.recipe.S[0], self.recipe.S[-1]
        slopes = np.empty((S_L, len(points), S_0), dtype=theta.dtype).transpose(0, 2, 1)
        size = together(self.recipe)
        for start in range(0, len(points), size):
            part = slice(start, start + size)
            columns = X.take(points[part])
            slopes[..., part] = backpropagation.input_jacobian(self.recipe, theta, columns)
        return slopes

    @_quiet
    def epoch(
        self, theta: Array, memory: Array, move: Move, data: Data, epoch: Epoch
    ) -> EpochReport:
        """Take one step for each batch of the epoch, moving θ and memory in place."""
        loss = size = 0.0
        share = 1.0 / sqrt(len(epoch.rates))
        for step, coefficients in enumerate(epoch.coefficients):
            start = step * epoch.batch_size
            points = epoch.order[start : start + epoch.batch_size]
            X, T, omega = data.X.take(points), data.T.take(points), data.omega(points)
            M = self._masks(epoch, np.arange(start, start + len(points)), theta.dtype)
            omega = omega.astype(theta.dtype)
            result = self._backpropagate(theta, X, T, omega, M)
            gradient = result.gradient
            backpropagation.add_penalty_gradient(self.recipe, theta, gradient)
            J = float(result.J + backpropagation.penalty(self.recipe, theta))
            norm = _length(gradient)
            loss += J * len(points) / len(epoch.order)
            size = hypot(size, norm * share)
            if not np.isfinite(loss + norm):
                return EpochReport(float("nan"), norm)
            if norm > epoch.max_gradient_norm:
                gradient *= epoch.max_gradient_norm / norm
            theta[:], memory[:] = move(theta, gradient, memory, tuple(coefficients.tolist()))
        return EpochReport(loss, size)

    def _backpropagate(
        self, theta: Array, X: Array, T: Array, omega: Array, M: Any = None
    ) -> backpropagation.Backpropagation:
        """Return the error's derivatives in θ."""
        return backpropagation.backpropagate_error(
            self.recipe, theta, X, T, omega, M, to_inputs=False
        )

    def _chunks(self, theta: Array, data: Data) -> Iterator[tuple[Array, Array, Array]]:
        """Yield X, T and ω of all data points, some at a time."""
        size = together(self.recipe)
        for start in range(0, len(data.points), size):
            points = data.points[start : start + size]
            omega = data.omega(points, len(data.points)).astype(theta.dtype)
            yield data.X.take(points), data.T.take(points), omega

    def _masks(
        self, epoch: Epoch, positions: Array, dtype: npt.DTypeLike
    ) -> list[Array | None] | None:
        """Return the dropout masks of a batch, or None where nothing is dropped."""
        if not any(epoch.dropout):
            return None
        return [
            mask((*epoch.key, l), units, positions, rate).astype(dtype) if rate else None
            for l, (units, rate) in enumerate(zip(self.recipe.S, epoch.dropout, strict=False))
        ]


def _length(gradient: Array) -> float:
    """Return |gradient|, also where its square is beyond the precision."""
    length = float(np.linalg.norm(gradient))
    if length < float("inf"):
        return length
    largest = float(np.abs(gradient).max())
    return largest * float(np.linalg.norm(gradient / largest))
