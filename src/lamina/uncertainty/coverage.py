"""Where the networks and residuals of intervals come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.activations import get_activation
from lamina.network.error_families import GaussianNll
from lamina.network.errors import get_error
from lamina.uncertainty.bars import Intervals
from lamina.uncertainty.folds import cut, stepped

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.error_kinds import Error
    from lamina.network.recipe import Recipe
    from lamina.uncertainty.options import ErrorBars

    Array = npt.NDArray[Any]

CONFORMAL = (
    "split conformal with {n} held-out rows: a new row is covered with a probability of the "
    "coverage or more"
)
CHOSEN = ", but for early stopping, which chose the epoch by the same rows"
CV = (
    "CV+ with {F} networks, each {made}: a new row is covered with about the probability c that is "
    "asked for, {sure}"
)
SURE = {
    True: "and at least 2c - 1 - √(2/N)",
    False: "or some percent less, as the minimum was found with all rows; refits are sure",
}
STEPPED = "a Gauss-Newton step from this one that takes back a part of the rows"
REFITTED = "trained anew without a part of the rows"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    options : ErrorBars
    random : Generator
        Draws the parts.
    held_out : Data or None
        Validation data.
    chosen : bool
        Whether they decided which θ was kept.
    refit : function or None
        Trains anew without each of F parts of the data points, and returns F × P; None where
        training cannot be repeated.
    covers : bool
        Whether intervals are wanted, as of numbers.
    """

    options: ErrorBars
    random: np.random.Generator
    held_out: Data | None
    chosen: bool
    refit: Callable[[list[Array]], Array] | None
    covers: bool


def learn_intervals(
    engine: Engine,
    theta: Array,
    data: Data,
    model: tuple[float, Array, Array],
    request: Request,
    *,
    near: bool,
) -> tuple[Intervals | None, str]:
    """Return what intervals are made of, if anything, and how in words, or why not.

    Raises
    ------
    InvalidValueError
        If the way that is asked for cannot be gone.
    """
    if not request.covers:
        return None, "intervals are of numbers, and this estimator predicts classes"
    if not has_location(engine.recipe.error):
        return None, (
            f"{engine.recipe.error!r} predicts several numbers for each target, and no interval "
            "around them is known; fit with one quantile, or loss='squared'"
        )
    exact = near and _is_least_squares(engine.recipe)
    way = _way(request, exact=exact)
    if way == "conformal" and request.held_out is not None:
        rows = request.held_out
        text = CONFORMAL.format(n=len(rows.points)) + (CHOSEN if request.chosen else "")
        return _residuals(engine, theta[np.newaxis], rows, [rows.points]), text
    if len(data.points) < 2:
        return None, "there is only one row; fit with more"
    parts = cut(data.points, min(request.options.folds, len(data.points)), request.random)
    if way == "newton":
        networks = stepped(engine, theta, data, *model[1:], parts)
        text = CV.format(F=len(parts), made=STEPPED, sure=SURE[exact])
    elif request.refit is None:
        return None, (
            "θ is not at a minimum, and partial_fit cannot train anew; use fit, or hold out rows"
        )
    else:
        networks = request.refit(parts)
        text = CV.format(F=len(parts), made=REFITTED, sure=SURE[True])
    return _residuals(engine, networks, data, parts), text


def _is_least_squares(recipe: Recipe) -> bool:
    """Return whether J is a square in θ, so that a Gauss-Newton step finds its minimum."""
    natural = get_activation("identity"), get_error("squared")
    lasso = any(layer.penalty.l1 for layer in recipe.layers)
    return recipe.L == 1 and (recipe.activation(1), recipe.error) == natural and not lasso


def _way(request: Request, *, exact: bool) -> str:
    """Return the way to go; "auto" decides."""
    way = request.options.intervals
    if way == "auto" and request.held_out is not None:
        return "conformal"
    if way == "auto":
        return "newton" if exact else "refits"
    if way == "conformal" and request.held_out is None:
        message = (
            "intervals='conformal' needs rows that are held out: fit with X_val and y_val, or with "
            "early_stopping=True, or use intervals='auto'"
        )
        raise InvalidValueError(message)
    return way


def has_location(error: Error) -> bool:
    """Return whether an interval has something to be around."""
    return error.outputs_per_target == 1 or isinstance(error.inner, GaussianNll)


def location_and_spread(error: Error, A: Array) -> tuple[Array, Array]:
    """Return f and s of (u5), K × n, from outputs, S_L × n."""
    location = error.point(A).astype(float)
    if not isinstance(error.inner, GaussianNll):
        return location, np.ones_like(location)
    spread = np.exp(0.5 * np.split(A.astype(float), 2)[1])
    return location, np.maximum(spread, np.finfo(float).tiny)


def _residuals(engine: Engine, networks: Array, data: Data, parts: list[Array]) -> Intervals:
    """Return the residuals of each network for its part of the data."""
    sizes = []
    for theta, part in zip(networks, parts, strict=True):
        A = engine.outputs(theta, data.X, part)
        location, spread = location_and_spread(engine.recipe.error, A)
        sizes.append(np.abs(data.T.take(part) - location).T / spread.T)
    points = np.concatenate(parts)
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    weights = np.ones(len(points)) if data.weights is None else data.weights[points]
    return Intervals(networks, np.concatenate(sizes), owners, weights)
