"""Bayesian regularization: Levenberg-Marquardt that also finds how much to penalize.

The data points are taken to have the likelihood exp(-β Σ_n w_n J_n) and θ a normal prior of
precision α, so that what is minimized is β N (J + l2 |θ|²/2) with l2 = α / (β N), w summing to N.
After each step α and β move to where the evidence is largest, MacKay 1992, eq. 4.11 to 4.12,
with the Hessian of Gauss and Newton, Foresee and Hagan 1997, section 4:

    γ = P - l2 tr (G + l2 I)⁻¹,    α = γ / |θ|²,    β = (N K - γ) / (2 N J),

γ being the number of parameters that the data determine. An error that is a likelihood already,
such as cross-entropy, has β = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.penalties import Penalty
from lamina.training.solvers.base import Advance
from lamina.training.solvers.levenberg_marquardt import LevenbergMarquardt

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class BayesianRegularization(LevenbergMarquardt):
    """Levenberg-Marquardt with the l2 that the evidence asks for; settings as there.

    The recipe must have no penalties of its own. What was found is in the memory of the state:
    `evidence` is l2, γ and β. A network with more weights than the data determine ends with
    γ < P, and larger networks hardly raise it.

    Parameters
    ----------
    damping, max_tries, max_memory, scaling : as for `LevenbergMarquardt`
    """

    default_tol: ClassVar[float] = 1e-9
    finds_penalty: ClassVar[bool] = True

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return the memory of `LevenbergMarquardt`, and l2 = 0, γ = P, β = 1.

        Raises
        ------
        InvalidValueError
            If a layer is penalized, or the matrices would not fit in `max_memory`.
        """
        if any(layer.penalty for layer in recipe.layers):
            message = (
                "bayesian_regularization finds the penalty itself: build the network without "
                "penalties (alpha=0 and l1=0 of an estimator)"
            )
            raise InvalidValueError(message)
        evidence = np.array([0.0, float(recipe.size), 1.0])
        return super().start(recipe, dtype) | {"evidence": evidence}

    def settled(self, recipe: Recipe, state: TrainingState) -> Recipe:
        """Return the recipe with the l2 that was found, on weights and biases."""
        return recipe.penalized(Penalty(l2=self.strength(state), biases=True))

    def strength(self, state: TrainingState) -> float:
        """Return l2."""
        return float(state.memory["evidence"][0])

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Take a step, and re-estimate l2 where it led."""
        advance = super().advance(engine, data, state, settings)
        if not np.isfinite(advance.loss):
            return advance
        J, _, G = state.scratch["gauss_newton"]
        before = state.memory["evidence"].copy()
        theta, N = state.theta.astype(float), counted(data)
        numbers = None if is_likelihood(engine.recipe) else N * engine.recipe.S[-1]
        l2 = self.strength(state)
        state.memory["evidence"][:] = re_estimated(l2, J, G, theta, N, numbers)
        settled = np.allclose(before, state.memory["evidence"], rtol=1e-6)
        J, gradient, _ = self.model(engine, data, state)
        norm = float(np.linalg.norm(gradient))
        return Advance(J, norm, advance.learning_rate, stalled=advance.stalled and settled)


def counted(data: Data) -> float:
    """Return N = (Σw)² / Σw², which is n for equal weights; Kish 1965, section 11.7."""
    if data.weights is None:
        return float(len(data.points))
    w = np.asarray(data.weights[data.points], dtype=float)
    w = w / w.max()
    return float(w.sum() ** 2 / (w @ w))


def is_likelihood(recipe: Recipe) -> bool:
    """Return whether J_n is -log p(t) itself, so that no β is to be estimated.

    So is every error but those of real numbers with one output for each, whose scale is open.
    """
    return recipe.error.targets != "real" or recipe.error.outputs_per_target > 1


def re_estimated(
    l2: float, J: float, G: Array, theta: Array, N: float, numbers: float | None
) -> tuple[float, float, float]:
    """Return l2, γ and β where the evidence is largest, for the G and J of this θ without l2.

    Parameters
    ----------
    l2 : float >= 0
        The strength so far.
    J : float
        The mean error, without l2.
    G : matrix, P × P
    theta : vector, P
    N : float
        Data points, as `counted`.
    numbers : float or None
        N K, the target numbers, or None where β is 1.
    """
    gamma = effective(l2, G)
    size = float(theta @ theta)
    if not (J > 0.0 and size > 0.0):  # a perfect fit, or nothing at all: as it is
        return l2, gamma, 1.0
    beta = 1.0
    if numbers is not None:
        # At first γ = P may be more than the data could pay for; a tenth is left to the noise.
        beta = max(numbers - gamma, 0.1 * numbers) / (2.0 * N * J)
    return gamma / size / (beta * N), gamma, beta


def effective(l2: float, G: Array) -> float:
    """Return γ = P - l2 tr (G + l2 I)⁻¹, the number of parameters that the data determine."""
    from scipy.linalg import eigvalsh

    if l2 == 0.0:
        return float(len(G))
    values = np.maximum(eigvalsh(G, check_finite=False), 0.0)
    return float(np.sum(values / (values + l2)))
