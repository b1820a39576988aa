"""Estimators as files for other programs: ONNX, C, Python, MATLAB and LaTeX."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from lamina.estimators.labels import PROBABILISTIC
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.interchange.exports import portable
from lamina.interchange.exports.files import write_export
from lamina.interchange.exports.folding import folded
from lamina.interchange.torch_states import state_of
from lamina.network.network import Network

if TYPE_CHECKING:
    from os import PathLike

    import numpy.typing as npt
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from lamina.data.expansion import Expansion
    from lamina.interchange.exports.portable import Head, Portable

    Array = npt.NDArray[Any]


class WithExports:
    """What a fitted estimator can be written as."""

    def export(
        self,
        path: str | PathLike[str],
        to: str | None = None,
        *,
        dtype: npt.DTypeLike | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write what `predict` and `predict_proba` compute to a file for another program.

        Scaling, categories, missing values and labels are part of it.

        Parameters
        ----------
        path : path
        to : {"onnx", "c", "python", "matlab", "latex"}, optional
            By default what the name of the file ends with says: .onnx, .c, .py, .m or .tex.
        dtype : {"float64", "float32"}, optional
            What it computes in; by default as the estimator.
        overwrite : bool, default False
            Whether an existing file may be replaced.

        Raises
        ------
        LaminaError
            If it is not fitted, the language lacks a formula, or the file exists.
        """
        export(self, path, to, dtype=dtype, overwrite=overwrite)

    def to_sklearn(self) -> MLPClassifier | MLPRegressor:
        """Return a fitted MLP of scikit-learn that predicts the same, scalings folded in.

        Raises
        ------
        InvalidValueError
            If an MLP cannot have such layers or inputs: it has one activation in all hidden
            layers, of "identity", "logistic", "tanh" and "relu", and takes numbers only.
        """
        from lamina.estimators.from_scikit_learn import to_sklearn

        return to_sklearn(self)


def export(
    model: Any,
    path: str | PathLike[str],
    to: str | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    overwrite: bool = False,
) -> None:
    """Write a fitted estimator, or a network, to a file for another program.

    Parameters
    ----------
    model : FeedForwardClassifier, FeedForwardRegressor or Network
        A network answers with A_L for features.
    path, to, dtype, overwrite
        As for the method `export` of estimators.

    Raises
    ------
    InvalidTypeError
        If `model` is none of these.
    LaminaError
        As for the method `export` of estimators.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.c")
    ...     export(Network([2, 3, 1], ["tanh", "identity"], random_state=0), path)
    ...     "void net_predict(const double *x, double *y)" in path.read_text()
    True
    """
    described = describe_model(model)
    if dtype is not None:
        described = described.of_type(dtype)
    write_export(described, path, to, overwrite=overwrite)


def to_torch(model: Any) -> dict[str, Array]:
    """Return a fitted estimator, or a network, as the state of a PyTorch `nn.Sequential`.

    Scalings are folded into the weights. The state has the names of
    `Sequential(Linear, activation, Linear, activation, ...)`, "0.weight", "0.bias", "2.weight" ...,
    and arrays in the model's precision: `module.load_state_dict({name: torch.from_numpy(array) for
    name, array in state.items()})`. PyTorch is not needed here.

    Parameters
    ----------
    model : FeedForwardClassifier, FeedForwardRegressor or Network

    Raises
    ------
    InvalidTypeError
        If `model` is none of these.
    InvalidValueError
        If there is more to inputs or predictions than moving and stretching, such as categories.

    Examples
    --------
    >>> sorted(to_torch(Network([2, 3, 1], ["tanh", "identity"], random_state=0)))
    ['0.bias', '0.weight', '2.bias', '2.weight']
    """
    described = describe_model(model)
    return state_of(folded(described), described.dtype)


def describe_model(model: Any) -> Portable:
    """Return a fitted estimator or a network in the plain terms that exports are written from.

    Raises
    ------
    InvalidTypeError
        If it is neither.
    """
    if isinstance(model, Network):
        return portable.describe_network(model)
    if not isinstance(model, WithExports):
        message = f"expected an estimator of Lamina or a Network, got a {type(model).__name__}"
        raise InvalidTypeError(message)
    check_is_fitted(model, "network_")
    return _describe(model)


def _describe(estimator: Any) -> Portable:
    """Return a fitted estimator in plain terms."""
    network, expansion = estimator.network_, estimator._expansion()  # noqa: SLF001 - one of our own
    head = _classes_head(estimator) if is_classifier(estimator) else _numbers_head(estimator)
    described = portable.Portable(
        columns=tuple(estimator.columns_),
        expansion=expansion,
        fills=True,
        layers=portable.layers_of(network),
        head=head,
        dtype=network.dtype,
    )
    cells = _sample(expansion).astype(network.dtype)
    outputs = network(expansion.expand(cells, network.dtype).T).T
    return replace(described, samples=(cells, _answers(estimator, head, outputs)))


def _numbers_head(estimator: Any) -> Head:
    """Return what a regressor makes of A_L.

    Raises
    ------
    InvalidValueError
        If its error predicts by a formula of its own.
    """
    network, scaling = estimator.network_, estimator.target_scaling_
    places = np.arange(float(network.S[-1]))[:, np.newaxis]
    point = network.recipe.error.point(places)[:, 0]
    if not np.array_equal(point, places[: len(point), 0]):
        message = (
            f"{network.recipe.error!r} predicts by a formula of its own, which exports do not "
            "have; export estimator.network_ and apply the formula there"
        )
        raise InvalidValueError(message)
    blocks = len(point) // len(scaling.center)
    center, scale = (np.tile(part, blocks) for part in (scaling.center, scaling.scale))
    transform = getattr(estimator, "target_transform_", None)
    if transform is None:
        return portable.Head("variable", "affine", len(point), center, scale)
    known = np.tile(transform.numbers, blocks)
    return portable.Head("variable", transform.name, len(point), center, scale, known)


def _classes_head(estimator: Any) -> Head:
    """Return what a classifier makes of A_L."""
    if isinstance(estimator.classes_, list):
        classes = tuple(estimator.classes_)
        logarithms = "log_softmax" in estimator.network_.recipe.error.output_activation
        form, K = "exp" if logarithms else "same", sum(map(len, classes))
        return portable.Head("probabilities", form, K, decision="largest", classes=classes)
    labels, activation = estimator._labels(), estimator.out_activation_  # noqa: SLF001 - one of our own
    single = labels.n_outputs == 1 and not labels.multilabel
    ways = {
        "decision": "above" if single or labels.multilabel else "largest",
        "middle": labels.middle,
        "classes": (labels.classes,),
        "several": labels.multilabel,
    }
    if activation not in PROBABILISTIC:
        form = "shifted" if labels.n_outputs == 1 else "same"
        return portable.Head("scores", form, labels.n_outputs, **ways)
    form = {"log_softmax": "exp", "softmax": "same", "logistic": "shares"}[activation]
    if labels.multilabel:
        form = "same"
    elif single:
        form = "pair" if len(labels.classes) == 2 else "certain"
    return portable.Head("probabilities", form, len(labels.classes), **ways)


def _answers(estimator: Any, head: Head, outputs: Array) -> Array:
    """Return what the estimator itself makes of A_L, n × n_outputs."""
    if head.output == "variable":
        rows = estimator._in_units(outputs[:, : head.n_outputs])  # noqa: SLF001 - one of our own
    elif head.output == "probabilities":
        labels = estimator._labels()  # noqa: SLF001 - one of our own
        rows = labels.probabilities(outputs, estimator.out_activation_)
        rows = np.concatenate(rows, axis=1) if isinstance(rows, list) else rows
    else:
        rows = outputs - (head.middle if head.form == "shifted" else 0.0)
    return np.asarray(rows).reshape(len(outputs), -1)


def _sample(expansion: Expansion) -> Array:
    """Return cells of some rows such as the network has seen: numbers, codes and missing ones."""
    random = np.random.default_rng(0)
    rows = np.empty((portable.N_SAMPLES, len(expansion.levels)))
    for column, (K, start) in enumerate(zip(expansion.levels, expansion.starts, strict=True)):
        if K > 0:
            rows[:, column] = random.integers(K, size=len(rows))
            continue
        center, scale = (
            part[start] for part in (expansion.scaling.center, expansion.scaling.scale)
        )
        rows[:, column] = center + scale * random.normal(size=len(rows))
        if expansion.indicator[column]:
            rows[random.integers(len(rows)), column] = np.nan
    return rows
