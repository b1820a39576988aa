"""Models from files, and tables as they need them: columns by name, targets as they know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.cli.show import shortened
from lamina.data.cells import quote, refuse
from lamina.data.readers import Table, read_table
from lamina.exceptions import InvalidValueError, TableError
from lamina.network.network import Network

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from lamina.cli.console import Screen

    Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Model:
    """An estimator from a file, and the names it was saved with.

    Attributes
    ----------
    estimator : FeedForwardClassifier or FeedForwardRegressor
        Without its names of features: columns are matched here.
    features, target : names of columns, None if the model was saved without
    """

    path: Path
    estimator: Any
    features: tuple[str, ...] | None
    target: str | None


def open_model(path: Path) -> Model:
    """Return the estimator of a model file.

    Raises
    ------
    InvalidValueError
        If the file holds a bare network, which knows neither scaling nor names.
    ModelFileError, OSError
        If the file cannot be read.
    """
    estimator = lamina.load(path)
    if isinstance(estimator, Network):
        message = (
            f"{str(path)!r} holds a bare network, which knows no scaling, classes or names; save "
            "an estimator, or use lamina.load in Python"
        )
        raise InvalidValueError(message)
    features = vars(estimator).pop("feature_names_in_", None)
    names = None if features is None else tuple(map(str, features))
    return Model(path, estimator, names, getattr(estimator, "target_name_", None))


def read_rows(model: Model, path: Path, screen: Screen, *, target: str | None = None) -> Table:
    """Return the columns of a table that a model needs, in its order; `target` too if given.

    Columns that the model does not know are noted on the screen.

    Raises
    ------
    TableError
        If a column is missing, or cannot be read.
    """
    text = () if target is None else (target,)
    table = read_table(path, columns=model.features, text=text)
    expected = model.estimator.n_features_in_
    if len(table.names) != expected:
        message = (
            f"{table.path} has {len(table.names)} columns of inputs, and the model takes "
            f"{expected}; it does not know their names, so give just these, in their order"
        )
        raise TableError(message)
    unknown = [quote(name) for name in table.unused if name != model.target]
    if unknown:
        screen.note(f"not used by the model: {shortened(unknown)}")
    return table


def true_values(model: Model, table: Table, target: str) -> Array:
    """Return the target's column as the model's classes or numbers.

    Raises
    ------
    TableError
        If a cell is no number, or none of the classes; its line is named.
    InvalidValueError
        If the model has several targets.
    """
    estimator = model.estimator
    if getattr(estimator, "_is_multilabel", False) or not getattr(estimator, "_flat", True):
        message = f"{str(model.path)!r} has several targets; evaluate it in Python"
        raise InvalidValueError(message)
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return table.numbers(target)
    numeric = classes.dtype.kind in "iuf"
    cells: list[Any] = table.numbers(target).tolist() if numeric else list(table.texts[target])
    known: dict[Any, Any] = {float(kind) if numeric else str(kind): kind for kind in classes}
    for line, cell in zip(table.lines, cells, strict=True):
        if cell not in known:
            listed = shortened(classes.tolist(), limit=10)
            problem = f"{quote(str(cell))} is none of the model's classes: {listed}"
            refuse(table.path, line, target, problem)
    return np.array([known[cell] for cell in cells], dtype=classes.dtype)
