"""What the parameters of an estimator ask for: sizes, activations, penalties, settings."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.network import Network
from lamina.network.penalties import Penalty
from lamina.training.randomness import Purpose, generator
from lamina.training.schedules import get_schedule
from lamina.training.settings import Settings, require
from lamina.training.solvers import get_solver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.network.activations import Activation
    from lamina.network.errors import Error

DEFAULT_HIDDEN = (100,)


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return S_1..S_{L-1}, from `hidden_layer_sizes` or from `n_layers` and `width`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a size is no positive integer, or both ways are used at once.
    """
    n_layers, width = estimator.n_layers, estimator.width
    given = estimator.hidden_layer_sizes
    sizes = (given,) if isinstance(given, Integral) else tuple(given)
    for size in sizes:
        require("hidden_layer_sizes", size, whole=True, least=1)
    if n_layers is None and width is None:
        return tuple(int(size) for size in sizes)
    if sizes != DEFAULT_HIDDEN:
        message = (
            f"give either hidden_layer_sizes or n_layers and width, not both; got {sizes}, "
            f"n_layers={n_layers}, width={width}"
        )
        raise InvalidValueError(message)
    n_layers = 1 if n_layers is None else n_layers
    width = DEFAULT_HIDDEN[0] if width is None else width
    require("n_layers", n_layers, whole=True, least=0)
    require("width", width, whole=True, least=1)
    return (int(width),) * int(n_layers)


def per_layer(name: str, value: Any, n: int, layers: str) -> list[Any]:
    """Return one value for each of n layers, from one for all or a list of n.

    Raises
    ------
    InvalidValueError
        If a list has another length.
    """
    if isinstance(value, (list, tuple, np.ndarray)):
        if len(value) != n:
            message = f"{name} has {len(value)} entries for {n} {layers}: {value!r}"
            raise InvalidValueError(message)
        return list(value)
    return [value] * n


def make_network(estimator: Any, n_inputs: int, n_outputs: int, error: Error, seed: int) -> Network:
    """Return the network that the parameters describe, with its first θ."""
    hidden = hidden_sizes(estimator)
    activations: Sequence[str | Activation] = per_layer(
        "activation", estimator.activation, len(hidden), "hidden layers"
    )
    output = estimator.output_activation
    if not isinstance(output, str) or output != "auto":
        activations = [*activations, output]
    L = len(hidden) + 1
    alphas = per_layer("alpha", estimator.alpha, L, "layers")
    l1s = per_layer("l1", estimator.l1, L, "layers")
    for name, strengths in (("alpha", alphas), ("l1", l1s)):
        for strength in strengths:
            require(name, strength, least=0.0)
    return Network(
        [n_inputs, *hidden, n_outputs],
        activations,
        error=error,
        penalties=[Penalty(float(l1), float(l2)) for l1, l2 in zip(l1s, alphas, strict=True)],
        random_state=generator(seed, Purpose.INITIALIZATION),
        dtype=_dtype(estimator.dtype),
        initialization=estimator.initialization,
    )


def make_settings(estimator: Any, max_iter: int | None = None) -> Settings:
    """Return the settings that the parameters describe; `max_iter` overrules theirs."""
    n_hidden = len(hidden_sizes(estimator))
    dropout = per_layer("dropout", estimator.dropout, n_hidden, "hidden layers")
    return Settings(
        solver=get_solver(estimator.solver),
        learning_rate_init=_auto("learning_rate_init", estimator.learning_rate_init),
        schedule=get_schedule(estimator.learning_rate),
        batch_size=_auto("batch_size", estimator.batch_size),
        shuffle=estimator.shuffle,
        dropout=(0.0, *dropout),
        max_gradient_norm=_unless_none(estimator.max_gradient_norm, float("inf")),
        max_iter=estimator.max_iter if max_iter is None else max_iter,
        tol=_auto("tol", estimator.tol),
        n_iter_no_change=estimator.n_iter_no_change,
        early_stopping=estimator.early_stopping,
        gradient_tol=estimator.gradient_tol,
        goal=_unless_none(estimator.goal, -float("inf")),
        max_time=_unless_none(estimator.max_time, float("inf")),
    )


def _dtype(dtype: Any) -> Any:
    """Return dtype, refused unless NumPy knows it."""
    try:
        return np.dtype(dtype)
    except TypeError as problem:
        message = f"dtype must be 'float64' or 'float32', got {dtype!r}"
        raise InvalidTypeError(message) from problem


def _auto(name: str, value: Any) -> Any:
    """Return None for "auto", or the value; another string is a mistake."""
    if isinstance(value, str):
        if value == "auto":
            return None
        message = f"{name} must be 'auto' or a number, got {value!r}"
        raise InvalidValueError(message)
    if value is None:
        message = f"{name} must be 'auto' or a number, got None"
        raise InvalidTypeError(message)
    return value


def _unless_none(value: Any, default: float) -> Any:
    """Return the value, or the default for None."""
    return default if value is None else value
