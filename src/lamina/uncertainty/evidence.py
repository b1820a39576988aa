"""The evidence: how probable the targets are under a network, whatever its θ.

With all parameters under normal priors of precision βN l2_j and the posterior of (u1),

    log p(T | X) = -βN J(θ̂) + ½ Σ_j log l2_j - ½ log |G| + c,                    (u7)

where β = 1 and c = 0 for an error that is -log p itself, and β = (N K - γ) / (2 N R) with
c = ½ N K log(β / 2π) for the squared error of K targets, R being its mean: the formula of
`bayesian_regularization`, here for any recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network import curvature
from lamina.network.errors import get_error
from lamina.training.solvers import bayesian_regularization
from lamina.uncertainty.posterior import LEAST_SHARE

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.recipe import Recipe

    Array = npt.NDArray[Any]

NORMALIZED = {
    get_error(name)
    for name in (
        "binary_cross_entropy",
        "cross_entropy",
        "gaussian_nll",
        "negative_log_likelihood",
    )
}
"""Errors that are the negative logarithm of a probability or density, constants included."""


def log_evidence(
    recipe: Recipe,
    losses: tuple[float, float],
    posterior: tuple[float, float],
    log_determinant: float,
    targets: int,
) -> float:
    """Return log p(T | X) in the network's units, (u7).

    Parameters
    ----------
    recipe : Recipe
    losses : two numbers
        J and R, with penalties and without.
    posterior : two numbers
        N and γ.
    log_determinant : float
        Of G.
    targets : int
        K.

    Raises
    ------
    InvalidValueError
        If the prior is improper, or the error no likelihood.
    """
    bends = curvature.penalty_diagonal(recipe)
    if not np.all(bends > 0.0) or any(layer.penalty.l1 for layer in recipe.layers):
        message = (
            "the evidence needs a normal prior of every parameter, biases too, and "
            f"{np.count_nonzero(bends == 0.0)} of {recipe.size} have no l2 penalty, or there is an "
            "l1; fit with solver='bayesian_regularization', which penalizes all"
        )
        raise InvalidValueError(message)
    (J, R), (N, gamma) = losses, posterior
    beta, numbers = 1.0, None
    if recipe.error == get_error("squared"):
        numbers = N * targets
        noise = 2.0 * N * R / max(numbers - gamma, LEAST_SHARE * numbers)
        beta = 1.0 / max(noise, np.finfo(float).eps ** 2)
    elif recipe.error not in NORMALIZED:
        message = (
            f"{recipe.error!r} is no likelihood, so there is no evidence; fit with loss='squared', "
            "'gaussian_nll' or a cross-entropy"
        )
        raise InvalidValueError(message)
    volume = float(np.log(bends).sum()) - log_determinant
    return bayesian_regularization.log_evidence(beta * N * J, volume, beta, numbers)
