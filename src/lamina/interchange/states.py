"""The state of training, and the stage of a call of `train`, in the terms of the model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.training.solvers import SOLVERS
from lamina.training.stage import Stage, Trained
from lamina.training.state import SCALARS, TrainingState
from lamina.training.stopping import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.network.network import Network

    Array = npt.NDArray[Any]

STATE, BEST, MERITS = "state.", "best.", "merits"
"""What the tensors' names begin with, or are: of the state, of that of the best training so far,
and what trainings are compared by."""


def make_state(
    network: Network, solver: Any, choice: Any, tensors: Mapping[str, Array], prefix: str = STATE
) -> TrainingState:
    """Return the state of training, or what is left of it; whatever does not fit θ raises."""
    arrays = {n[len(prefix) :]: array for n, array in tensors.items() if n.startswith(prefix)}
    best = arrays.setdefault("best_theta", network.theta) if "theta" not in arrays else None
    arrays.setdefault("theta", network.theta.copy())
    require_that(isinstance(choice, str), "a sentence on the solver")
    state = TrainingState.from_arrays(arrays, solver, choice)
    row = state.restarts.ndim == 1 and state.restarts.dtype == float
    require_that(row, "a row of restarts")
    if best is not None:  # the network has the best θ, where one was watched
        state.best_theta = best.copy() if state.best_epoch else None
    for name in ("theta", "best_theta"):
        theta = getattr(state, name)
        fits = theta is None or (theta.shape, theta.dtype) == (network.theta.shape, network.dtype)
        finite = theta is None or np.all(np.isfinite(theta))
        require_that(fits and finite, f"a {name} of this network")
    for name in SCALARS:
        value, kind = getattr(state, name), float if name.endswith("_loss") else int
        require_that(type(value) is kind and (kind is float or value >= 0), f"a number {name}")
    for column in map(np.asarray, state.history.columns().values()):
        good = column.shape == (len(state.history),) and column.dtype == float
        require_that(good, "a history of equal columns")
    _check_memory(network, state)
    return state


def _check_memory(network: Network, state: TrainingState) -> None:
    """Refuse what the solver could not remember."""
    solvers = {type(solver).__name__: solver for solver in map(SOLVERS.make, SOLVERS.names())}
    fresh: dict[str, Array] = {}
    if state.solver != "":
        solver = solvers[state.solver]
        fresh = solver.start(solver.working(network.recipe, state), network.dtype)
    require_that(fresh.keys() == state.memory.keys(), "the memory of the solver")
    for name, array in state.memory.items():
        like = fresh[name]
        rows = len(like) or len(next(iter(state.memory.values())))  # lbfgs: as many s as y
        same = (array.shape, array.dtype) == ((rows, *like.shape[1:]), like.dtype)
        fits = same and np.all(np.isfinite(array))
        require_that(fits, f"a memory {name!r} that fits the network")


def require_that(condition: object, what: str) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        message = f"expected {what}"
        raise ValueError(message)


def describe_stage(stage: Stage) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return a stage as JSON values and tensors, all of them copies."""
    described: dict[str, Any] = {
        "solver": stage.state.solver,
        "choice": stage.state.choice,
        "epochs": stage.epochs,
        "seconds": stage.seconds,
        "best": None,
    }
    tensors = {STATE + name: array for name, array in stage.state.to_arrays().items()}
    tensors[MERITS] = np.array(stage.merits, dtype=float)
    if stage.best is not None:
        best = stage.best
        words = {"solver": best.state.solver, "choice": best.state.choice, "reason": best.reason}
        described["best"] = {"number": best.number, **words}
        tensors |= {BEST + name: array for name, array in best.state.to_arrays().items()}
    return described, tensors


def make_stage(
    network: Network, described: Mapping[str, Any], tensors: Mapping[str, Array]
) -> Stage:
    """Return the stage that `describe_stage` described; whatever does not fit raises.

    Raises
    ------
    KeyError, TypeError, ValueError
        If something is missing, or is nothing that this network could have been trained to.
    """
    state = make_state(network, described["solver"], described["choice"], tensors)
    epochs, seconds, merits = described["epochs"], described["seconds"], tensors[MERITS]
    require_that(type(epochs) is int and 0 <= epochs <= state.epoch, "epochs done")
    require_that(type(seconds) is float and seconds >= 0.0, "seconds used")
    require_that(merits.ndim == 1 and merits.dtype == float, "a number for each training")
    best = None
    if described["best"] is not None:
        words = described["best"]
        number, reason = words["number"], words["reason"]
        known = type(number) is int and 0 <= number < len(merits) and reason in REASONS
        require_that(known, "the number of the best training")
        trained = make_state(network, words["solver"], words["choice"], tensors, BEST)
        best = Trained(number, float(merits[number]), trained, reason)
    return Stage(state, epochs, seconds, tuple(merits.tolist()), best)
