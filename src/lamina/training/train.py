"""`train`: choose θ of a network for matrices X and T, without any estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.columns import Matrix
from lamina.engines.protocol import Data
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidValueError
from lamina.training import loop
from lamina.training.progress import progress_bar
from lamina.training.randomness import draw_seed
from lamina.training.schedules import get_schedule
from lamina.training.settings import Settings
from lamina.training.solvers import get_solver
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.network.network import Network
    from lamina.training.history import History


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
    """

    history: History
    stop_reason: str
    state: TrainingState


def train(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    omega: npt.ArrayLike | None = None,
    validation: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    solver: Any = "adam",
    learning_rate: Any = "constant",
    state: TrainingState | None = None,
    random_state: Any = None,
    verbose: bool = False,
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
    solver : {"adam", "adamw", "sgd", "lbfgs"} or Solver
    learning_rate : schedule name, Schedule, or function of the epoch
        Factor of `learning_rate_init`.
    state : TrainingState, optional
        Of an earlier call, to go on as if there had been no pause.
    random_state : int or Generator, optional
        Seed of shuffling and dropout.
    verbose : bool
        Whether to show a progress bar on stderr.
    **settings
        The other fields of `lamina.training.settings.Settings`, such as `max_iter`,
        `batch_size`, `early_stopping`, `max_time` (seconds).

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
    recipe = network.recipe
    plan = Settings(solver=get_solver(solver), schedule=get_schedule(learning_rate), **settings)
    if plan.early_stopping and validation is None:
        message = "early_stopping=True needs validation=(X, T) to watch"
        raise InvalidValueError(message)
    if state is None:
        state = TrainingState(network.theta.copy(), draw_seed(random_state))
    data = _data(network, X, T, omega)
    watched = None if validation is None else _data(network, *validation, None)
    with progress_bar(plan.max_iter, enabled=verbose) as observers:
        reason = loop.train(
            ReferenceEngine(recipe), data, state, plan, validation=watched, observers=observers
        )
    network.theta = loop.chosen(state, plan)
    return Training(state.history, reason, state)


def _data(network: Network, X: npt.ArrayLike, T: npt.ArrayLike, omega: Any) -> Data:
    """Return checked matrices as data."""
    X, T, weights = network.check(X, T, omega)
    points = np.arange(X.shape[1])
    return Data(
        Matrix(X, network.dtype),
        Matrix(T, network.dtype),
        points,
        None if omega is None else weights.astype(float),
    )
