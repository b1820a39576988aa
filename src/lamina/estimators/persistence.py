"""Estimators as documents of the model file, and `load` for everything that was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.data.scaling import Scaling, fit_scaling
from lamina.estimators.base import FeedForward
from lamina.estimators.classifier import FeedForwardClassifier
from lamina.estimators.options import describe_recipe, make_seed, make_settings
from lamina.estimators.regressor import FeedForwardRegressor
from lamina.estimators.stored import decode, decode_labels, encode, encode_labels
from lamina.estimators.stored_bars import decode_bars, encode_bars
from lamina.exceptions import InvalidTypeError, ModelFileError
from lamina.interchange.container import Document, read, write
from lamina.interchange.native import describe_network, make_network, understand
from lamina.network.errors import get_error
from lamina.training.solvers import SOLVERS
from lamina.training.state import SCALARS, TrainingState
from lamina.training.stopping import REASONS
from lamina.uncertainty.options import get_error_bars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import numpy.typing as npt

    from lamina.network.network import Network

    Array = npt.NDArray[Any]

KINDS: dict[str, type[FeedForward]] = {
    "FeedForwardClassifier": FeedForwardClassifier,
    "FeedForwardRegressor": FeedForwardRegressor,
}
FLAGS = {
    "stop_reason_": str,
    "solver_": str,
    "solver_choice_": str,
    "target_name_": str,
    "_scaled_by": str,
    "_flat": bool,
    "_is_multilabel": bool,
    "_found": dict,
}
"""Learned attributes that are text, yes and no, or numbers by name."""
SCALINGS = ("input_scaling_", "target_scaling_")


def load(path: str | PathLike[str]) -> Network | FeedForward:
    """Return what a model file holds: a network or a fitted estimator.

    Nothing in the file is executed and no other file is opened. Activations and errors of
    your own must be registered under their names before.

    Raises
    ------
    ModelFileError
        If the file is damaged, forged, of a newer format, or names what is not registered.
    FileNotFoundError, PermissionError
        If it cannot be opened.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.lamina")
    ...     lamina.Network([2, 3, 1], ["tanh", "identity"]).save(path)
    ...     load(path).S
    [2, 3, 1]
    """
    document = read(path)
    if document.kind == "network":
        theta = understand("θ", lambda: document.tensors["theta"])
        described = understand("its network", lambda: document.metadata["network"])
        return make_network(described, theta)
    if document.kind not in KINDS:
        known = ", ".join(["network", *KINDS])
        message = f"the model file holds a {document.kind!r}; this version knows: {known}"
        raise ModelFileError(message)
    estimator = understand("the estimator", lambda: _make_estimator(document))
    assert isinstance(estimator, FeedForward)  # noqa: S101 - the table KINDS says so
    return estimator


def save_estimator(
    estimator: FeedForward, path: str | PathLike[str], *, overwrite: bool, training_state: bool
) -> None:
    """Write a fitted estimator to a model file; arguments as for `FeedForward.save`.

    Raises
    ------
    LaminaError
        If a parameter is wrong or cannot be stored, or the path cannot be used.
    """
    if type(estimator) not in KINDS.values():
        message = f"only {', '.join(KINDS)} can be saved, got a {type(estimator).__name__}"
        raise InvalidTypeError(message)
    _check_parameters(estimator, estimator.network_)
    tensors = {"theta": estimator.network_.theta}
    metadata: dict[str, Any] = {
        "lamina": lamina.__version__,
        "network": describe_network(estimator.network_),
        "n_features_in": estimator.n_features_in_,
        "solver": estimator.state_.solver if training_state else "",
        "choice": estimator.state_.choice if training_state else "",
        "flags": {name: getattr(estimator, name) for name in FLAGS if hasattr(estimator, name)},
    }
    for name in SCALINGS:
        if hasattr(estimator, name):
            tensors[f"{name}.center"] = getattr(estimator, name).center
            tensors[f"{name}.scale"] = getattr(estimator, name).scale
    for name in ("classes_", "feature_names_in_"):
        if hasattr(estimator, name):
            metadata[name] = encode_labels(name, getattr(estimator, name), tensors)
    seed, parameters = estimator.state_.seed, estimator.get_params(deep=False)
    metadata["parameters"] = {n: encode(n, v, tensors, seed) for n, v in parameters.items()}
    metadata["error_bars"] = encode_bars(estimator.error_bars_, tensors)
    kept = _kept(estimator.state_.to_arrays(), everything=training_state)
    tensors |= {f"state.{name}": array for name, array in kept.items()}
    document = Document(type(estimator).__name__, metadata, tensors)
    write(path, document, overwrite=overwrite)


def _check_parameters(estimator: FeedForward, network: Network) -> None:
    """Refuse parameters that no fit could use, such as a forger's or those of `set_params`.

    Raises
    ------
    LaminaError
        If a parameter has a wrong type or value.
    """
    make_settings(estimator)
    get_error_bars(estimator.error_bars)
    make_seed(estimator.random_state)
    describe_recipe(estimator, network.S[0], network.S[-1], network.recipe.error)
    if not isinstance(estimator.loss, str) or estimator.loss != "auto":
        get_error(estimator.loss)
    for name in ("scale_inputs", "scale_targets"):
        if getattr(estimator, name, "auto") != "auto":
            fit_scaling(getattr(estimator, name), np.empty((0, 1)))


def _kept(arrays: Mapping[str, Array], *, everything: bool) -> dict[str, Array]:
    """Return the arrays of the training state to store: all, or all but the large ones."""
    large = ("theta", "best_theta", "memory.")
    return {n: a for n, a in arrays.items() if everything or not n.startswith(large)}


def _make_estimator(document: Document) -> FeedForward:
    """Return the estimator of a document; whatever is wrong raises."""
    metadata, tensors = document.metadata, document.tensors
    parameters = {n: decode(v, tensors) for n, v in metadata["parameters"].items()}
    estimator = KINDS[document.kind](**parameters)
    network = estimator.network_ = make_network(metadata["network"], tensors["theta"])
    _check_parameters(estimator, network)
    estimator.n_features_in_ = network.S[0]
    _require(metadata["n_features_in"] == network.S[0], "as many features as inputs")
    for name, kind in FLAGS.items():
        if name in metadata["flags"]:
            setattr(estimator, name, metadata["flags"][name])
            _require(isinstance(getattr(estimator, name), kind), f"{name} of type {kind.__name__}")
    numbers = estimator._found.values()  # noqa: SLF001 - what is loaded is our own
    _require(all(type(number) is float for number in numbers), "numbers that were found")
    _require(metadata["flags"]["_scaled_by"] and estimator.stop_reason_ in REASONS, "known flags")
    estimator.input_scaling_ = _scaling("input_scaling_", network.S[0], tensors)
    if "feature_names_in_" in metadata:
        estimator.feature_names_in_ = decode_labels(metadata["feature_names_in_"], tensors)
        _require(len(estimator.feature_names_in_) == network.S[0], "a name for each feature")
    _learn_target(estimator, metadata, tensors)
    estimator.state_ = _make_state(network, metadata["solver"], metadata["choice"], tensors)
    estimator.error_bars_ = decode_bars(metadata["error_bars"], tensors, network)
    return estimator


def _learn_target(
    estimator: FeedForward, metadata: Mapping[str, Any], tensors: Mapping[str, Array]
) -> None:
    """Give the estimator what it knows of y; whatever does not fit its outputs raises."""
    flags = metadata["flags"]
    S_L, error = estimator.network_.S[-1], estimator.network_.recipe.error
    if isinstance(estimator, FeedForwardRegressor):
        size = S_L // error.outputs_per_target
        estimator.target_scaling_ = _scaling("target_scaling_", size, tensors)
        _require(size == 1 or not flags["_flat"], "one target if y was flat")
    if isinstance(estimator, FeedForwardClassifier):
        classes = estimator.classes_ = decode_labels(metadata["classes_"], tensors)
        K, several = len(classes), flags["_is_multilabel"]
        ordered = np.arange(K) if several else np.unique(classes)
        fits = S_L == K or (S_L == 1 and K == 2 and not several)
        _require(fits and error.outputs_per_target == 1, "classes that fit the outputs")
        _require(np.array_equal(classes, ordered), "classes in order")


def _scaling(name: str, size: int, tensors: Mapping[str, Array]) -> Scaling:
    """Return a scaling of so many features; whatever is wrong raises."""
    scaling = Scaling(tensors[f"{name}.center"], tensors[f"{name}.scale"])
    for part in (scaling.center, scaling.scale):
        good = part.shape == (size,) and part.dtype == float and np.all(np.isfinite(part))
        _require(bool(good), f"{size} finite numbers in {name}")
    _require(bool(np.all(scaling.scale > 0)), f"positive scales in {name}")
    return scaling


def _make_state(
    network: Network, solver: Any, choice: Any, tensors: Mapping[str, Array]
) -> TrainingState:
    """Return the state of training, or what is left of it; whatever does not fit θ raises."""
    arrays = {n[6:]: array for n, array in tensors.items() if n.startswith("state.")}
    best = arrays.setdefault("best_theta", network.theta) if "theta" not in arrays else None
    arrays.setdefault("theta", network.theta.copy())
    _require(isinstance(choice, str), "a sentence on the solver")
    state = TrainingState.from_arrays(arrays, solver, choice)
    _require(state.restarts.ndim == 1 and state.restarts.dtype == float, "a row of restarts")
    if best is not None:  # the network has the best θ, where one was watched
        state.best_theta = best.copy() if state.best_epoch else None
    for name in ("theta", "best_theta"):
        theta = getattr(state, name)
        fits = theta is None or (theta.shape, theta.dtype) == (network.theta.shape, network.dtype)
        finite = theta is None or np.all(np.isfinite(theta))
        _require(fits and finite, f"a {name} of this network")
    for name in SCALARS:
        value, kind = getattr(state, name), float if name.endswith("_loss") else int
        _require(type(value) is kind and (kind is float or value >= 0), f"a number {name}")
    for column in map(np.asarray, state.history.columns().values()):
        good = column.shape == (len(state.history),) and column.dtype == float
        _require(good, "a history of equal columns")
    _check_memory(network, state)
    return state


def _check_memory(network: Network, state: TrainingState) -> None:
    """Refuse what the solver could not remember."""
    solvers = {type(solver).__name__: solver for solver in map(SOLVERS.make, SOLVERS.names())}
    fresh: dict[str, Array] = {}
    if state.solver != "":
        solver = solvers[state.solver]
        fresh = solver.start(solver.working(network.recipe, state), network.dtype)
    _require(fresh.keys() == state.memory.keys(), "the memory of the solver")
    for name, array in state.memory.items():
        like = fresh[name]
        rows = len(like) or len(next(iter(state.memory.values())))  # lbfgs: as many s as y
        same = (array.shape, array.dtype) == ((rows, *like.shape[1:]), like.dtype)
        _require(same and np.all(np.isfinite(array)), f"a memory {name!r} that fits the network")


def _require(condition: object, what: str) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        message = f"expected {what}"
        raise ValueError(message)
