"""Estimators as documents of the model file, and `load` for everything that was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.data.scaling import Scaling, fit_scaling
from lamina.estimators.base import FeedForward
from lamina.estimators.classifier import FeedForwardClassifier
from lamina.estimators.multioutput import choose_choices
from lamina.estimators.options import describe_recipe, make_seed, make_settings
from lamina.estimators.regressor import FeedForwardRegressor
from lamina.estimators.stored import decode, decode_classes, encode, encode_classes
from lamina.estimators.stored_bars import decode_bars, encode_bars
from lamina.estimators.stored_tables import decode_table, encode_table
from lamina.estimators.tables import check_input_scaling
from lamina.estimators.transforms import check_name, decode_transform, encode_transform
from lamina.estimators.validation import check_validation, storable
from lamina.exceptions import InvalidTypeError, ModelFileError
from lamina.interchange.container import Document, read, write
from lamina.interchange.native import describe_network, make_network, understand
from lamina.interchange.states import make_state, require_that
from lamina.network.errors import get_error
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
    "_has_gaps": bool,
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
    document = describe_estimator(estimator, training_state=training_state)
    write(path, document, overwrite=overwrite)


def describe_estimator(estimator: FeedForward, *, training_state: bool = True) -> Document:
    """Return what a model file holds of a fitted estimator; its arrays are not copied.

    Raises
    ------
    LaminaError
        If a parameter is wrong or cannot be stored.
    """
    if type(estimator) not in KINDS.values():
        message = f"only {', '.join(KINDS)} can be saved, got a {type(estimator).__name__}"
        raise InvalidTypeError(message)
    _check_parameters(estimator, estimator.network_)
    tensors = {"theta": estimator.network_.theta}
    metadata: dict[str, Any] = {
        "lamina": lamina.__version__,
        "network": describe_network(estimator.network_),
        "solver": estimator.state_.solver if training_state else "",
        "choice": estimator.state_.choice if training_state else "",
        "flags": {name: getattr(estimator, name) for name in FLAGS if hasattr(estimator, name)},
    }
    for name in SCALINGS:
        if hasattr(estimator, name):
            tensors[f"{name}.center"] = getattr(estimator, name).center
            tensors[f"{name}.scale"] = getattr(estimator, name).scale
    metadata["table"] = encode_table(estimator, tensors)
    if hasattr(estimator, "classes_"):
        metadata["classes_"] = encode_classes(estimator.classes_, tensors)
    seed, parameters = estimator.state_.seed, estimator.get_params(deep=False)
    parameters["validation"] = storable(parameters["validation"])
    del parameters["checkpoints"]  # where a process writes is no part of the model
    metadata["parameters"] = {n: encode(n, v, tensors, seed) for n, v in parameters.items()}
    metadata["error_bars"] = encode_bars(estimator.error_bars_, tensors)
    metadata["target_transform_"] = encode_transform(
        getattr(estimator, "target_transform_", None), tensors
    )
    kept = _kept(estimator.state_.to_arrays(), everything=training_state)
    tensors |= {f"state.{name}": array for name, array in kept.items()}
    return Document(type(estimator).__name__, metadata, tensors)


def _check_parameters(estimator: FeedForward, network: Network) -> None:
    """Refuse parameters that no fit could use, such as a forger's or those of `set_params`.

    Raises
    ------
    LaminaError
        If a parameter has a wrong type or value.
    """
    make_settings(estimator)
    get_error_bars(estimator.error_bars)
    check_validation(estimator.validation)
    check_name(getattr(estimator, "target_transform", None))
    make_seed(estimator.random_state)
    describe_recipe(estimator, network.S[0], network.S[-1], network.recipe.error)
    if not isinstance(estimator.loss, str) or estimator.loss != "auto":
        get_error(estimator.loss)
    check_input_scaling(estimator.scale_inputs)
    if getattr(estimator, "scale_targets", "auto") != "auto":
        fit_scaling(estimator.scale_targets, np.empty((0, 1)))


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
    for name, kind in FLAGS.items():
        if name in metadata["flags"]:
            setattr(estimator, name, metadata["flags"][name])
            require_that(
                isinstance(getattr(estimator, name), kind), f"{name} of type {kind.__name__}"
            )
    numbers = estimator._found.values()  # noqa: SLF001 - what is loaded is our own
    require_that(all(type(number) is float for number in numbers), "numbers that were found")
    require_that(
        metadata["flags"]["_scaled_by"] and estimator.stop_reason_ in REASONS, "known flags"
    )
    estimator.input_scaling_ = _scaling("input_scaling_", network.S[0], tensors)
    decode_table(estimator, metadata["table"], tensors)
    _learn_target(estimator, metadata, tensors)
    estimator.state_ = make_state(network, metadata["solver"], metadata["choice"], tensors)
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
        require_that(size == 1 or not flags["_flat"], "one target if y was flat")
        stored = metadata["target_transform_"]
        estimator.target_transform_ = decode_transform(stored, tensors, size)
    if isinstance(estimator, FeedForwardClassifier):
        classes = estimator.classes_ = decode_classes(metadata["classes_"], tensors)
        if isinstance(classes, list):
            made = choose_choices(classes, loss=estimator.loss, output="auto").error
            require_that(made == error, "a block of outputs for the classes of each target")
            return
        K, several = len(classes), flags["_is_multilabel"]
        ordered = np.arange(K) if several else np.unique(classes)
        fits = S_L == K or (S_L == 1 and K == 2 and not several)
        require_that(fits and error.outputs_per_target == 1, "classes that fit the outputs")
        require_that(np.array_equal(classes, ordered), "classes in order")


def _scaling(name: str, size: int, tensors: Mapping[str, Array]) -> Scaling:
    """Return a scaling of so many features; whatever is wrong raises."""
    scaling = Scaling(tensors[f"{name}.center"], tensors[f"{name}.scale"])
    for part in (scaling.center, scaling.scale):
        good = part.shape == (size,) and part.dtype == float and np.all(np.isfinite(part))
        require_that(bool(good), f"{size} finite numbers in {name}")
    require_that(bool(np.all(scaling.scale > 0)), f"positive scales in {name}")
    return scaling
