"""What the parameters of an estimator ask for: sizes, activations, penalties, settings."""

from __future__ import annotations

import reprlib
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.activations import get_activation
from lamina.network.initialization import initialize
from lamina.network.network import Network
from lamina.network.penalties import Penalty
from lamina.network.recipe import make_recipe
from lamina.training.choice import Problem, asked_solver
from lamina.training.randomness import Purpose, Streams, draw_seed, generator
from lamina.training.schedules import get_schedule
from lamina.training.settings import Settings, require
from lamina.training.solvers import Adam, Solver

if TYPE_CHECKING:
    from lamina.network.activations import Activation
    from lamina.network.error_kinds import Error
    from lamina.network.recipe import Recipe

DEFAULT_HIDDEN = (100,)
ALPHA = 1e-4
"""The l2 of each layer where none is asked for, and the solver does not find it."""


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return S_1..S_{L-1}, from `hidden_layer_sizes` or from `n_layers` and `width`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a size is no positive integer, or both ways are used at once.
    """
    n_layers, width = estimator.n_layers, estimator.width
    given = estimator.hidden_layer_sizes
    if not isinstance(given, (Integral, list, tuple, range, np.ndarray)):
        message = f"hidden_layer_sizes must be an integer or a list of integers, got {given!r}"
        raise InvalidTypeError(message)
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
            message = f"{name} needs one entry for each of {n} {layers}, got {value!r}"
            raise InvalidValueError(message)
        return list(value)
    return [value] * n


def make_network(
    estimator: Any, n_inputs: int, n_outputs: int, error: Error, solver: Solver, seed: int
) -> Network:
    """Return the network that the parameters describe, with its first θ."""
    sizes, activations, penalties = _layers(estimator, n_inputs, n_outputs, solver)
    return Network(
        sizes,
        activations,
        error=error,
        penalties=penalties,
        random_state=generator(seed, Purpose.INITIALIZATION),
        dtype=np.dtype(estimator.dtype),
        initialization=_theta(estimator.initialization),
    )


def describe_recipe(
    estimator: Any, n_inputs: int, n_outputs: int, error: Error, solver: Solver | None = None
) -> Recipe:
    """Return the recipe of the network that the parameters describe, to be trained by `solver`."""
    sizes, activations, penalties = _layers(estimator, n_inputs, n_outputs, solver)
    return make_recipe(sizes, activations, error, penalties)


def describe_problem(
    estimator: Any, recipe: Recipe, points: int, settings: Settings, *, in_parts: bool
) -> Problem:
    """Return what the choice of a solver depends on."""
    is_open = _auto("alpha", estimator.alpha) is None and not np.any(np.asarray(estimator.l1) != 0)
    dtype = np.dtype(estimator.dtype)
    return Problem(recipe, points, dtype, settings, open_penalty=is_open, in_parts=in_parts)


def draw_theta(estimator: Any, network: Network, seed: int, number: int) -> Any:
    """Return the first θ of the training of a number, from 1; that of 0 is in the network.

    Raises
    ------
    InvalidValueError
        If the first θ is given, so that there is no other.
    """
    initialization = _theta(estimator.initialization)
    if not isinstance(initialization, str):
        message = (
            f"n_restarts={estimator.n_restarts} begins with different θ, and initialization is "
            "one θ; give the name of an initializer, or n_restarts=1"
        )
        raise InvalidValueError(message)
    random = Streams(seed, Purpose.INITIALIZATION).at(number)
    return initialize(network.recipe, initialization, random, network.dtype)


def _layers(
    estimator: Any, n_inputs: int, n_outputs: int, solver: Solver | None
) -> tuple[list[int], list[str | Activation], list[Penalty]]:
    """Return S_0..S_L, and the activation and penalty of each layer as they are asked for."""
    hidden = hidden_sizes(estimator)
    activations: list[str | Activation] = per_layer(
        "activation", estimator.activation, len(hidden), "hidden layers"
    )
    output = estimator.output_activation
    if not isinstance(output, str) or output != "auto":
        activations = [*activations, output]
    L = len(hidden) + 1
    alpha, finds = _auto("alpha", estimator.alpha), solver is not None and solver.finds_penalty
    if alpha is None:
        alpha = 0.0 if finds else ALPHA
    alphas = per_layer("alpha", alpha, L, "layers")
    l1s = per_layer("l1", estimator.l1, L, "layers")
    for name, strengths in (("alpha", alphas), ("l1", l1s)):
        for strength in strengths:
            require(name, strength, least=0.0)
    if finds and any([*alphas, *l1s]):
        message = (
            f"{solver!r} finds the penalty itself and takes none beside it, got alpha={alpha!r} "
            f"and l1={estimator.l1!r}: leave alpha='auto' or alpha=0, and l1=0, or choose another "
            "solver"
        )
        raise InvalidValueError(message)
    penalties = [Penalty(float(l1), float(l2)) for l1, l2 in zip(l1s, alphas, strict=True)]
    return [n_inputs, *hidden, n_outputs], activations, penalties


def make_settings(estimator: Any, max_iter: int | None = None) -> Settings:
    """Return the settings that the parameters describe; `max_iter` overrules theirs.

    With solver="auto" the solver in there is one that honors all options; the choice comes later.
    """
    check_parameters(estimator)
    n_hidden = len(hidden_sizes(estimator))
    dropout = per_layer("dropout", estimator.dropout, n_hidden, "hidden layers")
    return Settings(
        solver=asked_solver(estimator.solver) or Adam(),
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
        n_restarts=estimator.n_restarts,
    )


def refuse_parts(settings: Settings) -> None:
    """Refuse what needs all data at once, for `partial_fit`.

    Raises
    ------
    InvalidValueError
        If data are to be watched, or training is to begin several times.
    """
    if settings.early_stopping:
        message = "partial_fit sees one part at a time and cannot watch any: early_stopping=False"
        raise InvalidValueError(message)
    if settings.n_restarts > 1:
        message = "partial_fit sees one part at a time and cannot begin anew: n_restarts=1"
        raise InvalidValueError(message)


def check_parameters(estimator: Any) -> None:
    """Refuse parameters that would otherwise be taken for something else, or not be looked at.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a flag is no flag, a name no text, or a fraction out of range; or if something is
        asked of hidden layers and there are none.
    """
    for name in ("shuffle", "early_stopping", "warm_start", "verbose"):
        value = getattr(estimator, name)
        number = name == "verbose" and isinstance(value, Integral)
        if not isinstance(value, (bool, np.bool_)) and not number:
            message = f"{name} must be True or False, got {value!r}"
            raise InvalidTypeError(message)
    require("validation_fraction", estimator.validation_fraction, above=0.0, below=1.0)
    for name in ("scale_inputs", "scale_targets"):
        if not isinstance(getattr(estimator, name, ""), str):
            message = f"{name} must be a name such as 'standard', got {getattr(estimator, name)!r}"
            raise InvalidTypeError(message)
    _check_dtype(estimator.dtype)
    if estimator.n_threads is not None:
        require("n_threads", estimator.n_threads, whole=True, least=1)
    if not hidden_sizes(estimator):
        if not isinstance(estimator.activation, (list, tuple, np.ndarray)):
            get_activation(estimator.activation)
        if np.ndim(estimator.dropout) == 0 and estimator.dropout != 0:
            message = f"dropout={estimator.dropout!r} drops hidden units, and there are none"
            raise InvalidValueError(message)


def make_seed(random_state: Any) -> int:
    """Return a seed from None, an integer, or a random generator.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is none of them.
    """
    message = (
        "random_state must be None, an integer of 0 or more, or a NumPy RandomState or "
        f"Generator, got {random_state!r}"
    )
    try:
        return draw_seed(random_state)
    except TypeError as problem:
        raise InvalidTypeError(message) from problem
    except ValueError as problem:
        raise InvalidValueError(message) from problem


def _check_dtype(dtype: Any) -> None:
    """Refuse all precisions but two."""
    message = f"dtype must be 'float64' or 'float32', got {dtype!r}"
    try:
        known = dtype is not None and np.dtype(dtype) in (np.float64, np.float32)
    except TypeError as problem:
        raise InvalidTypeError(message) from problem
    if not known:
        raise InvalidValueError(message)


def _theta(initialization: Any) -> Any:
    """Return the name of an initializer, or a first θ if it is finite."""
    if isinstance(initialization, str):
        return initialization
    theta = np.asarray(initialization)
    if theta.dtype.kind not in "fiu" or theta.ndim != 1 or not np.all(np.isfinite(theta)):
        message = (
            "initialization must be a name or a vector of finite numbers, "
            f"got {reprlib.repr(initialization)}"
        )
        raise InvalidValueError(message)
    return theta


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
