"""Networks that have not seen a part of the data, from the one that saw all.

For a part F of the data points, of total weight ω_F, J of the others is

    J_F = (R - Σ_F ω_n J_n) / (1 - ω_F) + Σ_l R_l,                             (u6)

R being the error of all. Its minimum is looked for by a step of Gauss and Newton from θ̂, which
finds it where the network is linear in θ and the error squared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.training import loop
from lamina.training.settings import Settings
from lamina.training.solvers.levenberg_marquardt import LevenbergMarquardt
from lamina.training.solvers.trust import objective
from lamina.training.state import TrainingState
from lamina.uncertainty.inverse import Inverse

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine

    Array = npt.NDArray[Any]

STEPS = 5
"""Damped steps in the place of one that fails."""


def cut(points: Array, F: int, random: np.random.Generator) -> list[Array]:
    """Return F parts of the data points, drawn at random, of equal size but for one."""
    shuffled = random.permutation(points)
    return [np.sort(shuffled[k::F]) for k in range(F)]


def stepped(
    engine: Engine, theta: Array, data: Data, gradient: Array, G: Array, parts: list[Array]
) -> Array:
    """Return θ after a Gauss-Newton step for each part's J_F, (u6), F × P.

    A step that lowers J_F by less than half of what it foretold is not taken: some damped ones, by
    Levenberg-Marquardt, are.

    Parameters
    ----------
    theta : vector, P
        θ̂, near the minimum of J.
    gradient, G : vector, P, and matrix, P × P
        Of J at θ̂, as `Engine.gauss_newton` has them.
    parts : F vectors of integers
        The data points that are left out.
    """
    networks = np.empty((len(parts), len(theta)), dtype=theta.dtype)
    for network, part in zip(networks, parts, strict=True):
        _, gradient_F, G_F = engine.gauss_newton(theta, replace(data, points=part))
        share = float(data.omega(part, len(data.points)).sum())
        left = (G - share * G_F) / (1.0 - share)  # the penalties stand in both: as they were
        slope = (gradient - share * gradient_F) / (1.0 - share)
        step = -Inverse.of(left).times(slope)
        others = replace(data, points=np.setdiff1d(data.points, part))
        network[:] = theta + step
        fall = objective(engine, others, theta) - objective(engine, others, network)
        if not fall >= -0.25 * float(slope @ step):  # NaN counts as no fall
            network[:] = _damped(engine, theta, others)
    return networks


def _damped(engine: Engine, theta: Array, data: Data) -> Array:
    """Return θ after some steps of Levenberg-Marquardt."""
    state = TrainingState(theta.copy(), seed=0)
    loop.train(engine, data, state, Settings(solver=LevenbergMarquardt(), max_iter=STEPS))
    return state.theta
