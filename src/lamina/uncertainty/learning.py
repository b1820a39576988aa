"""How error bars are learned, after θ̂ was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network import backpropagation
from lamina.network.activations import get_activation
from lamina.network.curvature import penalty_diagonal
from lamina.training.solvers.bayesian_regularization import counted
from lamina.uncertainty.bars import Bars
from lamina.uncertainty.coverage import Request, learn_intervals
from lamina.uncertainty.evidence import log_evidence
from lamina.uncertainty.influence import Influence, influence
from lamina.uncertainty.inverse import Inverse
from lamina.uncertainty.posterior import Posterior, dispersions, has_curvature, is_dispersed

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]
    Model = tuple[float, Array, Array]

NEAR = 0.1
"""θ̂ is at a minimum where it is closer to it than this many error bars."""


@dataclass(frozen=True)
class Laplace:
    """The posterior, and what it was made from.

    Attributes
    ----------
    posterior, inverse, influence
    distance : float
        Of θ̂ from the minimum, in error bars: the root of N/φ ∂Jᵗ G⁻¹ ∂J / γ.
    """

    posterior: Posterior
    inverse: Inverse
    influence: Influence
    distance: float

    @property
    def words(self) -> str:
        """How it was made."""
        text = "Laplace's approximation with the Gauss-Newton matrix"
        if (lost := self.inverse.root.shape[1] - self.inverse.rank) > 0:
            text += (
                f"; {lost} of {self.inverse.root.shape[1]} directions of θ are determined by "
                "neither data nor penalties and count as known (pseudo-inverse)"
            )
        if self.distance > NEAR:
            text += (
                f"; training stopped {self.distance:.2g} error bars from the minimum, so that they "
                "say how well the minimum is known rather than this θ: train longer"
            )
        return text


def learn(engine: Engine, theta: Array, data: Data, request: Request) -> Bars:
    """Return the error bars of θ̂, which was trained on `data`.

    Raises
    ------
    InvalidValueError
        If the matrices would not fit, or the intervals that are asked for cannot be made.
    """
    recipe = engine.recipe
    request.options.check_size(recipe.size)
    model = engine.gauss_newton(theta, data)
    laplace = _laplace(engine, theta, data, model) if has_curvature(recipe, theta, data) else None
    near = laplace is not None and laplace.distance <= NEAR
    intervals, said = learn_intervals(engine, theta, data, model, request, near=near)
    words = {"intervals": said, "evidence": "", "posterior": ""}
    if laplace is None:
        words["posterior"] = words["evidence"] = (
            f"{recipe.error!r} has no second derivative, so there is no posterior; fit with "
            "another loss, such as 'squared' or 'huber'"
        )
        nothing = np.empty(0)
        return Bars(data.points, None, nothing, nothing, nothing, float("nan"), intervals, words)
    words["posterior"] = laplace.words
    try:
        evidence = _evidence(recipe, theta, model[0], laplace)
    except InvalidValueError as problem:
        evidence, words["evidence"] = float("nan"), str(problem)
    return Bars(
        data.points,
        laplace.posterior,
        laplace.influence.leverage.sum(axis=1),
        (data.T.take(data.points) - _predicted(recipe, laplace.influence.without)).T,
        laplace.posterior.standard_errors(recipe),
        evidence,
        intervals,
        words,
    )


def _laplace(engine: Engine, theta: Array, data: Data, model: Model) -> Laplace:
    """Return posterior and influence."""
    recipe, (_, gradient, G) = engine.recipe, model
    error, inverse, N = recipe.error, Inverse.of(G), counted(data)
    gamma = inverse.rank - float(inverse.diagonal @ penalty_diagonal(recipe))
    K = recipe.S[-1] // error.outputs_per_target
    phi = np.ones(K)
    T, omega = data.T.take(data.points), data.omega(data.points)
    if is_dispersed(error):
        A = engine.outputs(theta, data.X, data.points).astype(float)
        phi = dispersions(error, A, T, omega, N, np.full(K, gamma / K))
    away = inverse.root @ gradient
    distance = float(np.sqrt(N / phi.mean() * (away @ away) / max(gamma, 1.0)))
    slope = gradient if distance <= NEAR else np.zeros_like(gradient)
    found = influence(recipe, theta, data, G, inverse, slope)
    if is_dispersed(error):
        phi = dispersions(error, found.outputs, T, omega, N, found.leverage.sum(axis=0))
    return Laplace(Posterior(inverse.root, phi, N, gamma), inverse, found, distance)


def _evidence(recipe: Recipe, theta: Array, J: float, laplace: Laplace) -> float:
    """Return log p(T | X) in the network's units."""
    posterior = laplace.posterior
    R = J - float(backpropagation.penalty(recipe, theta.astype(float)))
    known = posterior.N, posterior.gamma
    determinant = laplace.inverse.log_determinant
    return log_evidence(recipe, (J, R), known, determinant, len(posterior.dispersion))


def _predicted(recipe: Recipe, A: Array) -> Array:
    """Return what outputs predict of T, K × n."""
    logarithms = recipe.activation(recipe.L) == get_activation("log_softmax")
    return recipe.error.point(np.exp(A) if logarithms else A)
