"""Bayesian regularization: Levenberg-Marquardt that also finds how much to penalize.

The data points are taken to have the likelihood exp(-β Σ_n w_n J_n) and θ a normal prior of
precision α, so that what is minimized is β N (J + l2 |θ|²/2) with l2 = α / (β N), w summing to N.
After each step α and β move to where the evidence is largest, MacKay 1992, eq. 4.11 to 4.12,
with the Hessian of Gauss and Newton, Foresee and Hagan 1997, section 4:

    γ = P - l2 tr (G + l2 I)⁻¹,    α = γ / |θ|²,    β = (N K - γ) / (2 N J),

γ being the number of parameters that the data determine. An error that is a likelihood already,
such as cross-entropy, has β = 1. With A = G + l2 I the evidence itself is, eq. 4.9 there,

    log p(T | X) = -βN (J + l2 |θ|²/2) + (P log l2 - log |A| + N K log (β / 2π)) / 2,

the last term for β that is estimated. It tells restarts apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.engines.linear_algebra import serial
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

LARGEST = float(np.finfo(float).max)
"""What stands for an infinite evidence: memory is finite."""


@dataclass(frozen=True)
class BayesianRegularization(LevenbergMarquardt):
    """Levenberg-Marquardt with the l2 that the evidence asks for; settings as there.

    The recipe must have no penalties of its own. What was found is in the memory of the state:
    `evidence` is l2, γ and β, and `log_evidence` what the last re-estimate of β made of it. A
    network with more weights than the data determine ends with γ < P, and larger networks hardly
    raise it.

    Parameters
    ----------
    damping, max_tries, max_memory, scaling : as for `LevenbergMarquardt`
    """

    default_tol: ClassVar[float] = 1e-9
    finds_penalty: ClassVar[bool] = True

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return the memory of `LevenbergMarquardt`, and l2 = 0, γ = P, β = 1 and no evidence.

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
        evidence, none = np.array([0.0, float(recipe.size), 1.0]), np.array([-LARGEST])
        return super().start(recipe, dtype) | {"evidence": evidence, "log_evidence": none}

    def settled(self, recipe: Recipe, state: TrainingState) -> Recipe:
        """Return the recipe with the l2 that was found, on weights and biases."""
        return recipe.penalized(Penalty(l2=self.strength(state), biases=True))

    def strength(self, state: TrainingState) -> float:
        """Return l2."""
        return float(state.memory["evidence"][0])

    def found(self, state: TrainingState) -> dict[str, float]:
        """Return l2 as `alpha`, γ as `effective_parameters`, and β as `beta`."""
        names = ("alpha", "effective_parameters", "beta")
        return dict(zip(names, state.memory["evidence"].tolist(), strict=True))

    def merit(self, state: TrainingState) -> float:
        """Return minus the logarithm of the evidence, which J with another l2 is not."""
        return -float(state.memory["log_evidence"][0])

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Take a step, and re-estimate l2 where it led; the first one with l2 = 1/N."""
        evidence, N = state.memory["evidence"], counted(data)
        if evidence[0] == 0.0:
            evidence[0] = 1.0 / N  # α = β = 1, normal in standardized units; 0 would fit the noise
        before = evidence.copy()
        advance = super().advance(engine, data, state, settings)
        if not np.isfinite(advance.loss):
            return advance
        J, _, G = state.scratch["gauss_newton"]
        theta = state.theta.astype(float)
        numbers = None if is_likelihood(engine.recipe) else N * engine.recipe.S[-1]
        *found, logarithm = re_estimated(self.strength(state), J, G, theta, N, numbers)
        evidence[:] = found
        state.memory["log_evidence"][:] = np.clip(logarithm, -LARGEST, LARGEST)
        settled = np.allclose(before, evidence, rtol=1e-6)
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
) -> tuple[float, float, float, float]:
    """Return l2, γ and β where the evidence is largest, for the G and J of this θ without l2.

    Parameters
    ----------
    l2 : float > 0
        The strength so far.
    J : float
        The mean error, without l2.
    G : matrix, P × P
    theta : vector, P
    N : float
        Data points, as `counted`.
    numbers : float or None
        N K, the target numbers, or None where β is 1.

    Returns
    -------
    l2, γ, β, and the logarithm of the evidence with the l2 so far; ∞ for a perfect fit.
    """
    gamma, determinant = effective(l2, G)
    size = float(theta @ theta)
    if not (J > 0.0 and size > 0.0):  # a perfect fit, or nothing at all: as it is
        return l2, gamma, 1.0, float("inf") if J == 0.0 else float("-inf")
    beta = 1.0
    if numbers is not None:
        # At first γ = P may be more than the data could pay for; a tenth is left to the noise.
        beta = max(numbers - gamma, 0.1 * numbers) / (2.0 * N * J)
    volume = len(G) * float(np.log(l2)) - determinant
    evidence = log_evidence(beta * N * (J + 0.5 * l2 * size), volume, beta, numbers)
    return gamma / size / (beta * N), gamma, beta, evidence


def log_evidence(misfit: float, volume: float, beta: float, numbers: float | None) -> float:
    """Return log p(T | X) = -misfit + volume / 2 + N K log (β / 2π) / 2, the last if β is open.

    Source: Bishop 2006, eq. 5.175, with α = βN l2: its powers of β and 2π cancel.

    Parameters
    ----------
    misfit : float
        βN J with penalties.
    volume : float
        Σ_j log l2_j - log |G|, with penalties in G.
    beta : float
    numbers : float or None
        N K, or None where β is 1 for the error is -log p itself.
    """
    constant = 0.0 if numbers is None else numbers * float(np.log(beta / (2.0 * np.pi)))
    return -misfit + 0.5 * (volume + constant)


def effective(l2: float, G: Array) -> tuple[float, float]:
    """Return γ = tr A⁻¹G, the number of parameters that the data determine, and log |A|.

    A = G + l2 I is factored and inverted, which takes a fraction of the time of eigenvalues; these
    answer where A is singular to rounding. tr A⁻¹G is P - l2 tr A⁻¹ without its cancellation.
    """
    from scipy.linalg import eigvalsh
    from scipy.linalg.lapack import dpotrf, dpotri

    P, A = len(G), G.copy(order="F")
    A[np.diag_indices(P)] += l2
    with serial(P):
        U, failed = dpotrf(A, overwrite_a=True)
        if failed:
            values = np.maximum(eigvalsh(G, check_finite=False), 0.0)
            return float(np.sum(values / (values + l2))), float(np.log(values + l2).sum())
        determinant = 2.0 * float(np.log(np.diag(U)).sum())
        inverse = dpotri(U, overwrite_c=True)[0]  # its upper triangle; the lower one is 0
    twice = 2.0 * np.einsum("ij,ij->", inverse, G) - np.diag(inverse) @ np.diag(G)
    return float(np.clip(twice, 0.0, P)), determinant
