"""Models from files, and tables as they need them: columns by name, targets as they know them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.cli.show import shortened
from lamina.cli.targets import present_values, refuse_row
from lamina.data.cells import quote
from lamina.data.inference import CLASSES
from lamina.data.readers import missing_column, read_table
from lamina.exceptions import InvalidValueError, TableError
from lamina.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from lamina.data.table import Table

    Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Model:
    """An estimator from a file, and the names it was saved with.

    Attributes
    ----------
    estimator : FeedForwardClassifier or FeedForwardRegressor
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
    features = getattr(estimator, "feature_names_in_", None)
    names = None if features is None else tuple(map(str, features))
    return Model(path, estimator, names, getattr(estimator, "target_name_", None))


def name_target(model: Model, told: str | None) -> str:
    """Return the name of the column with the true values: as told, or as trained.

    Raises
    ------
    InvalidValueError
        If nobody knows.
    """
    name = told or model.target
    if name is None:
        message = (
            f"{str(model.path)!r} was saved without the name of its target; pass --target NAME"
        )
        raise InvalidValueError(message)
    return name


def known_kinds(estimator: Any) -> dict[str, str]:
    """Return how columns are read, so that they are again what the model learned from."""
    columns = estimator.columns_ if hasattr(estimator, "feature_names_in_") else ()
    return {c.name: "categorical" if c.kind == "drop" else c.kind for c in columns}


def read_rows(
    model: Model,
    path: Path,
    note: Callable[[str], None],
    *,
    target: str | None = None,
    encoding: str | None = None,
) -> Table:
    """Return the columns of a table that a model needs, in its order; then `target`, if given.

    Columns are read as what they were when the model was trained. Those that the model does not
    know are noted.

    Raises
    ------
    TableError
        If a column is missing, or cannot be read.
    """
    choose = partial(_choose, model, str(path), target, note)
    kinds = known_kinds(model.estimator)
    if target:
        kinds |= {target: CLASSES if hasattr(model.estimator, "classes_") else "numeric"}
    return read_table(path, choose=choose, kinds=kinds, encoding=encoding)


def _choose(
    model: Model,
    path: str,
    target: str | None,
    note: Callable[[str], None],
    names: tuple[str, ...],
) -> list[str]:
    """Return which columns of a table to read, from the names of all."""
    wanted = [name for name in model.features or names if name != target]
    expected = model.estimator.n_features_in_
    if model.features is None and len(wanted) != expected:
        message = (
            f"{path} has {len(wanted)} columns of inputs, and the model takes {expected}; "
            "it does not know their names, so give just these, in their order"
        )
        raise TableError(message)
    if len(wanted) != expected:
        raise TableError(f"{quote(str(target))} is an input of the model; name another target")
    for name in (*wanted, *([target] if target else [])):
        if name not in names:
            raise missing_column(path, name, names)
    unknown = [quote(name) for name in names if name not in {*wanted, target, model.target}]
    if unknown:
        note(f"not used by the model: {shortened(unknown)}")
    return [*wanted, target] if target else wanted


def true_values(
    model: Model, table: Table, target: str, note: Callable[[str], None]
) -> tuple[Array, Array]:
    """Return the target's column as the model's classes or numbers, and the rows that have one.

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
    y, rows = present_values(table, target, note)
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        if y.dtype.kind == "U":
            problem = f"{quote(str(y[0]))} is text, and the model predicts numbers"
            refuse_row(table, target, rows[0], problem)
        return y.astype(np.float64), rows
    numeric = classes.dtype.kind in "iuf" and y.dtype.kind != "U"
    cells: list[Any] = y.astype(float).tolist() if numeric else y.tolist()
    known: dict[Any, Any] = {float(kind) if numeric else str(kind): kind for kind in classes}
    for row, cell in zip(rows, cells, strict=True):
        if cell not in known:
            listed = shortened(classes.tolist(), limit=10)
            shown = f"{cell:.15g}" if isinstance(cell, float) else str(cell)
            problem = f"{quote(shown)} is none of the model's classes: {listed}"
            refuse_row(table, target, row, problem)
    return np.array([known[cell] for cell in cells], dtype=classes.dtype), rows
