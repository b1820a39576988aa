"""What every engine answers, in arrays alone.

An engine is made of a recipe. It knows nothing of estimators, names or options: what it
is given are vectors, sources of columns, indices and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]


class Source(Protocol):
    """N data points, taken as columns by index; of which kinds, `engines.sources` says."""

    def __len__(self) -> int:
        """Return N."""

    def take(self, points: Array | slice) -> Array:
        """Return the chosen data points as an S × n matrix."""


@dataclass(frozen=True)
class Data:
    """Inputs, targets and weights of some data points of a table.

    Attributes
    ----------
    X, T : Source
        Inputs, S_0 × N, and targets, S_L × N, of the whole table.
    points : n integers
        Which of the N data points count.
    weights : N numbers, or None
        Weights of the whole table, not normalized; None for equal ones.
    """

    X: Source
    T: Source
    points: Array
    weights: Array | None = None

    def omega(self, chosen: Array, n_chosen: int | None = None) -> Array:
        """Return ω of some of our points, (w_n / Σw) · n / n_chosen: the mean over a sample.

        With all points chosen the ω sum to 1. With a batch they estimate that mean without
        bias, whatever weights happen to be in the batch.
        """
        size = len(chosen) if n_chosen is None else n_chosen
        if self.weights is None:
            return np.full(len(chosen), 1.0 / size)
        scale = len(self.points) / (size * self.total_weight)
        return np.asarray(self.weights[chosen] * scale, dtype=float)

    @cached_property
    def total_weight(self) -> float:
        """Σw over our points."""
        n = float(len(self.points))
        return n if self.weights is None else float(self.weights[self.points].sum())


class Move(Protocol):
    """One step of a first-order solver: a formula for each number by itself."""

    def __call__(self, theta: Any, gradient: Any, memory: Any, coefficients: Any) -> Any:
        """Return θ and memory after the step, the memory as a tuple of its rows."""


@dataclass(frozen=True)
class Epoch:
    """What one pass over the data points is made of.

    Attributes
    ----------
    order : n integers
        The data points in the order of this epoch.
    batch_size : int
        Data points in each step; the last step takes what is left.
    rates : numbers, one for each step
        Learning rates.
    coefficients : array, steps × k
        The numbers that the solver's formula takes in each step.
    dropout : tuple of float
        The rate for A_0, ..., A_{L-1}; 0 drops nothing.
    key : two integers
        Seed and number of the epoch, from which dropout is drawn.
    max_gradient_norm : float
        A longer gradient is shortened to this; infinity to leave all as they are.
    """

    order: Array
    batch_size: int
    rates: Array
    coefficients: Array
    dropout: tuple[float, ...]
    key: tuple[int, int]
    max_gradient_norm: float


@dataclass(frozen=True)
class EpochReport:
    """What came out: the mean objective met on the way, and the gradient's size.

    Attributes
    ----------
    loss : float
        Mean over data points of the objective at the θ of their step; not finite if
        training diverged, in which case the epoch ended there.
    gradient_norm : float
        Root of the mean square over steps of |gradient|, before clipping.
    """

    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class DampingRule:
    """How steps are damped and judged: formulas of single numbers, which an engine may compile.

    Attributes
    ----------
    scale : function of the largest g_ii so far and of the largest of all these
        Returns d_i: the step is -(G + λ D)⁻¹ dJ/dθ with the diagonal D.
    fall : function of p_i, ∂J/∂θ_i and λ d_i
        Returns what parameter i adds to the fall of J that is foretold.
    keep : function of J before, J after, and the fall foretold
        Returns whether the step is kept.
    trust : function of λ, J before, J after, and the fall foretold
        Returns the next λ behind a step that is kept; ν is then `growth`.
    distrust : function of λ and ν
        Returns the next λ and ν behind one that is not.
    growth : float
    """

    scale: Callable[..., Any]
    fall: Callable[..., Any]
    keep: Callable[..., Any]
    trust: Callable[..., Any]
    distrust: Callable[..., Any]
    growth: float


@dataclass(frozen=True)
class DampedSteps:
    """Damped steps that were taken, one a row: what a solver knows after each.

    Attributes
    ----------
    thetas, scales : arrays, m × P
        θ, and the largest g_ii so far.
    losses, gradient_norms, dampings : arrays, m
        J and |dJ/dθ| there, and the λ that led there.
    trusts : array, m × 2
        The next λ and ν.
    """

    thetas: Array
    scales: Array
    losses: Array
    gradient_norms: Array
    dampings: Array
    trusts: Array


class Engine(Protocol):
    """The evaluation of one recipe."""

    recipe: Recipe

    def outputs(self, theta: Array, X: Source, points: Array) -> Array:
        """Return A_L, S_L × n, for n of the data points of X."""

    def prepare_outputs(self, theta: Array, most: int) -> tuple[Callable[[int], Any], Array, Array]:
        """Return a function of a count n, and two tables of `most` rows.

        It brings the first n rows of the first table, n × S_0, to those of the second, n × S_L.
        θ is kept, not copied.
        """

    def error(self, theta: Array, data: Data) -> float:
        """Return Σ ω_n J_n over the data, without penalties."""

    def gradient(self, theta: Array, data: Data) -> tuple[float, Array]:
        """Return J with penalties over the data, and dJ/dθ."""

    def input_gradient(self, theta: Array, data: Data) -> Array:
        """Return Delta_0, S_0 × n: the slopes of Σ ω_n J_n in the inputs, without penalties."""

    def input_jacobian(self, theta: Array, X: Source, points: Array) -> Array:
        """Return dA_L/dX, S_L × S_0 × n: its row k is Delta_0 of J = Σ_n a_kn, the k-th output."""

    def epoch(
        self, theta: Array, memory: Array, move: Move, data: Data, epoch: Epoch
    ) -> EpochReport:
        """Take one step for each batch of the epoch, moving θ and memory (k × P) in place."""

    def gauss_newton(self, theta: Array, data: Data) -> tuple[float, Array, Array]:
        """Return J with penalties, dJ/dθ, and the Gauss-Newton matrix G, P × P, in float64."""

    def gauss_newton_product(self, theta: Array, data: Data, v: Array) -> Array:
        """Return G v, P numbers in float64, without G."""

    def hessian_product(self, theta: Array, data: Data, v: Array) -> Array:
        """Return the Hessian of J with penalties times v, P numbers in float64."""

    def jacobian_product(self, theta: Array, X: Source, points: Array, v: Array) -> Array:
        """Return 𝒥 v = dY/dθ v, S_L × n in float64; Y is what the error sees."""

    def jacobian_transposed_product(
        self, theta: Array, X: Source, points: Array, U: Array
    ) -> Array:
        """Return 𝒥ᵗ U, P numbers in float64, for U of S_L × n."""

    def damped_steps(
        self,
        theta: Array,
        data: Data,
        memory: Mapping[str, Array],
        rule: DampingRule,
        tries: int,
        most: int,
    ) -> DampedSteps | None:
        """Take up to `most` steps of Levenberg-Marquardt from θ in one go, where that saves time.

        `memory` has "damping", λ and ν, and "scale", the largest g_ii so far; neither changes, nor
        does θ. The steps end where none is kept in so many `tries`, or a number is not finite.
        None, or no step at all, leaves the next one to the solver.
        """

    def forget(self) -> None:
        """Let go of all tables and vectors that calls were given."""
