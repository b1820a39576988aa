"""`train`: choose θ of a network for matrices X and T, without any estimator."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.columns import Matrix
from lamina.engines.choice import engine_for
from lamina.engines.protocol import Data
from lamina.exceptions import InvalidTypeError, InvalidValueError, ShapeError
from lamina.network.formulas import real_array
from lamina.network.initialization import initialize
from lamina.network.network import Network
from lamina.training import loop, restarts
from lamina.training.choice import Problem, asked_solver, resolve
from lamina.training.course import describe_course
from lamina.training.progress import progress_bar
from lamina.training.randomness import Purpose, Streams, draw_seed
from lamina.training.schedules import get_schedule, refuse_endless
from lamina.training.settings import Settings
from lamina.training.solvers import Adam
from lamina.training.stage import Stage
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lamina.training.history import History
    from lamina.training.loop import Observer
    from lamina.training.stage import Keeping


@dataclass(frozen=True)
class Training:
    """What `train` did.

    Attributes
    ----------
    history : History
        Every epoch.
    stop_reason : str
        A key of `lamina.training.stopping.REASONS`.
    state : TrainingState
        Where training stands; pass it to `train` to go on exactly.
    solver_choice : str
        Which solver it was and why, in a sentence.
    """

    history: History
    stop_reason: str
    state: TrainingState
    solver_choice: str


def train(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    omega: npt.ArrayLike | None = None,
    validation: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    solver: Any = "auto",
    learning_rate: Any = "constant",
    state: TrainingState | None = None,
    random_state: Any = None,
    n_threads: int | None = None,
    verbose: bool = False,
    observers: Sequence[Observer] = (),
    checkpoints: Keeping | None = None,
    **settings: Any,
) -> Training:
    """Train a network on matrices whose columns are data points; its θ is changed in place.

    Parameters
    ----------
    network : Network
    X, T : matrices, S_0 × N and S_L × N
        Inputs and targets, used as they are: scale them first.
    omega : N numbers >= 0, optional
        Weights of the data points; J is the weighted mean.
    validation : (X, T), optional
        Data whose error is followed, and watched with `early_stopping=True`.
    solver : name or Solver
        "auto" chooses "levenberg_marquardt" or "adam" by size, error, precision and options, and
        says why (`lamina.training.choice`); with `state` it keeps what it chose. Or "adam",
        "adamw", "sgd", or on all data "lbfgs", "levenberg_marquardt", "bayesian_regularization",
        "gauss_newton_cg", "scaled_conjugate_gradient", "rprop".
    learning_rate : schedule name, Schedule, or function of the epoch
        Factor of `learning_rate_init`.
    state : TrainingState, optional
        Of an earlier call, to go on as if there had been no pause.
    random_state : int or Generator, optional
        Seed of shuffling and dropout.
    n_threads : int >= 1, optional
        Threads; as many as pay by default. The result does not depend on it.
    verbose : bool
        Whether to show a progress bar on stderr.
    observers : functions, optional
        Each is called after every epoch with the `TrainingState`, to look at, and the new row of
        the history, a mapping from name to number. If one returns something true, training stops.
    checkpoints : lamina.Checkpoints, optional
        Where to write down how far training is, and whether to go on from there.
    **settings
        The other fields of `lamina.training.settings.Settings`, such as `max_iter`,
        `batch_size`, `early_stopping`, `max_time` (seconds). With `n_restarts` above 1 the network
        is trained so many times, and the best is kept: first from its own θ, then from θ drawn
        anew by each activation's rule. A training that goes on from `state` is not restarted.

    Returns
    -------
    Training

    Raises
    ------
    LaminaError
        If something does not fit, or J is not finite in the first epoch.

    Examples
    --------
    >>> from lamina import Network
    >>> X = np.linspace(-1, 1, 50)[np.newaxis]
    >>> net = Network([1, 8, 1], ["tanh", "identity"], random_state=0)
    >>> training = train(net, X, X**2, solver="lbfgs")
    >>> net.error(X, X**2) < 1e-4
    True
    """
    plan = _plan(network, solver, learning_rate, settings)
    _check_validation(validation, plan)
    goes_on, state = state is not None, _state(network, state, random_state, checkpoints)
    if state.epoch >= plan.max_iter:
        refuse_endless(plan.schedule)
    data, watched = _data(network, X, T, omega), _watched(network, validation)
    size = len(data.points)
    problem = Problem(network.recipe, size, network.dtype, plan, open_penalty=False)
    choice = resolve(solver, state, problem)
    state.choice = choice.sentence if choice.automatic else ""
    plan = replace(plan, solver=choice.solver, n_restarts=1 if goes_on else plan.n_restarts)
    recipe = plan.solver.working(network.recipe, state)
    stage, keep = Stage(state), None
    if checkpoints is not None:
        stage, keep = checkpoints.begin(stage, network, describe_course(plan, state, data, watched))
    lent = engine_for(recipe, network.dtype, n_threads)
    draw = partial(_drawn, network, state)
    with progress_bar(plan, enabled=verbose) as bar, lent as engine:
        told: Any = {"observers": [*bar, *observers], "stage": stage, "keep": keep}
        state, reason = restarts.train(engine, data, draw, plan, validation=watched, **told)
    network.theta, network.recipe = loop.chosen(state, plan), plan.solver.settled(recipe, state)
    return Training(state.history, reason, state, choice.sentence)


def _drawn(network: Network, first: TrainingState, number: int) -> TrainingState:
    """Return the state to begin the training of a number with: the first one, or one drawn anew."""
    if number == 0:
        return first
    random = Streams(first.seed, Purpose.INITIALIZATION).at(number)
    theta = initialize(network.recipe, "auto", random, network.dtype)
    return TrainingState(theta, first.seed, choice=first.choice)


def _check_validation(validation: Any, plan: Settings) -> None:
    """Refuse what is no pair, and nothing to watch where it is needed."""
    if plan.early_stopping and validation is None:
        message = "early_stopping=True needs validation=(X, T) to watch"
        raise InvalidValueError(message)
    if validation is not None and not (
        isinstance(validation, (tuple, list)) and len(validation) == 2
    ):
        message = f"validation is a pair (X, T), got {type(validation).__name__}"
        raise InvalidTypeError(message)


def _plan(network: Network, solver: Any, schedule: Any, settings: dict[str, Any]) -> Settings:
    """Return the settings, after checks that need the network or all names."""
    if not isinstance(network, Network):
        message = f"network must be a lamina.Network, got {type(network).__name__}"
        raise InvalidTypeError(message)
    known = [field.name for field in fields(Settings) if field.name not in {"solver", "schedule"}]
    unknown = [name for name in settings if name not in known]
    if unknown:
        message = f"train has no setting {', '.join(unknown)}; settings are: {', '.join(known)}"
        raise InvalidTypeError(message)
    asked = asked_solver(solver) or Adam()  # which honors all options; the choice comes later
    plan = Settings(solver=asked, schedule=get_schedule(schedule), **settings)
    if len(plan.dropout) not in (0, network.L):
        message = (
            f"dropout needs a rate for each of A_0, ..., A_{network.L - 1}, {network.L} in all; "
            f"got {plan.dropout!r}"
        )
        raise InvalidValueError(message)
    return plan


def _state(
    network: Network, state: TrainingState | None, random_state: Any, checkpoints: Keeping | None
) -> TrainingState:
    """Return the state to go on from, or a new one: with the seed of what is kept, if any."""
    if state is None:
        if random_state is None and checkpoints is not None:
            random_state = checkpoints.seed()
        return TrainingState(network.theta.copy(), draw_seed(random_state))
    if random_state is not None:
        message = "state brings its own seed; leave out random_state"
        raise InvalidValueError(message)
    if not isinstance(state, TrainingState):
        message = f"state is that of an earlier call, train(...).state; got {state!r}"
        raise InvalidTypeError(message)
    was, now = state.theta, network.theta
    if was.shape != now.shape or was.dtype != now.dtype:
        message = (
            f"state is of a network with {was.size} parameters in {was.dtype}; "
            f"this one has {now.size} in {now.dtype}"
        )
        raise ShapeError(message)
    return state


def _data(network: Network, X: npt.ArrayLike, T: npt.ArrayLike, omega: Any) -> Data:
    """Return checked matrices as data; X is not copied, whatever its type."""
    X = real_array("X", X)
    alike = np.broadcast_to(network.dtype.type(0), X.shape)  # only the shape of X is looked at
    _, T, _ = network.check(alike, T, None)
    weights = None if omega is None else _weights(omega, X.shape[1])
    points = np.arange(X.shape[1])
    return Data(Matrix(X, network.dtype), Matrix(T, network.dtype), points, weights)


def _watched(network: Network, validation: Any) -> Data | None:
    """Return the checked validation data, if there are any."""
    if validation is None:
        return None
    X, T = validation
    return _data(network, X, T, None)


def _weights(omega: npt.ArrayLike, N: int) -> npt.NDArray[Any]:
    """Return checked weights of N data points, in float64; the largest is from 1/2 to 1.

    Only their ratios count, so they are divided by a power of 2, which is exact.
    """
    weights = real_array("omega", omega)
    if weights.shape != (N,):
        message = f"expected one weight for each of the {N} data points, got {weights.shape}"
        raise ShapeError(message)
    if not np.all(np.isfinite(weights)) or np.any(weights < 0) or not np.any(weights > 0):
        message = "omega must be finite, zero or more, and not zero everywhere"
        raise InvalidValueError(message)
    weights = weights.astype(float)
    return np.asarray(np.ldexp(weights, -np.frexp(weights.max())[1]))
