"""What a table asks: classes or numbers, of which inputs, and which rows are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.cli.targets import learn_target
from lamina.data.cells import quote
from lamina.data.inference import CLASSES, LABEL
from lamina.data.readers import missing_column, read_table
from lamina.data.streaming import ParquetRows, is_large
from lamina.data.table import Table
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.cli.records import TaskOptions

    Array = npt.NDArray[Any]

TARGET_KINDS = {"auto": LABEL, "classification": CLASSES, "regression": "numeric"}
"""How a target is read, by the task asked for."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A table as inputs and target.

    Attributes
    ----------
    X : Table of N rows, or the columns of Parquet files
        The inputs.
    y : N classes (text or int64) or N numbers (float64)
    target : str
        The name of the column that y was.
    task : {"classification", "regression"}
    holds : str
        What is in y, in words.
    both : bool
        Whether the task was chosen here, and the other one could have been.
    """

    X: Table | ParquetRows
    y: Array
    target: str
    task: str
    holds: str
    both: bool


def read_problem(asked: TaskOptions, note: Callable[[str], None]) -> Problem:
    """Return a table as inputs and target.

    Raises
    ------
    TableError
        If the table cannot be read, lacks a column that is named, or has nothing to learn.
    """
    path, target, dropped = str(asked.table), asked.target, asked.drop or []
    kinds = dict(asked.kind or ())

    def choose(names: tuple[str, ...]) -> list[str]:
        for name in (target, *dropped, *kinds):
            if name not in names:
                raise missing_column(path, name, names)
        for name in dropped:
            if name == target or name in kinds:
                what = "the target" if name == target else "given a kind"
                raise TableError(f"{path}: column {quote(name)} is dropped and {what}; choose one")
        if target in kinds:
            raise TableError(
                f"the kind of the target {quote(target)} follows from --task; use that"
            )
        return [name for name in names if name not in dropped]

    if is_large(path):
        rows = ParquetRows.open(path)
        return pose(rows.choose(choose(rows.names)), target, asked.task.value, note)
    told = {**kinds, target: TARGET_KINDS[asked.task.value]}
    table = read_table(path, choose=choose, kinds=told, encoding=asked.encoding, note=note)
    return pose(table, target, asked.task.value, note)


def pose(
    table: Table | ParquetRows, target: str, task: str, note: Callable[[str], None]
) -> Problem:
    """Decide what is to be learned from a table.

    Parameters
    ----------
    table : Table, or the columns of Parquet files
        With `target` among its columns.
    task : {"auto", "classification", "regression"}
    note : function
        Called with what a person might want to know.

    Raises
    ------
    TableError
        If the target does not fit the task, or there is nothing to learn.
    """
    inputs = table.choose(tuple(name for name in table.names if name != target))
    if not inputs.names:
        raise TableError(f"{table.path} has no column but the target; give it inputs")
    only = (
        table if isinstance(table, Table) else Table((target,), (table.column(target),), table.path)
    )
    found = learn_target(only, target, task, note)
    X = inputs if len(found.rows) == len(table) else inputs.rows(found.rows)
    return Problem(X, found.y, target, found.task, found.holds, found.both)


def split(problem: Problem, fraction: float, seed: int) -> tuple[Array, Array]:
    """Return the rows to train on and the rows held out, both ascending.

    Each class has its share of the held-out rows, and at least one row to train on.
    """
    y = problem.y
    random = np.random.default_rng(seed)
    order = random.permutation(len(y))
    count = min(round(fraction * len(y)), len(y) - 1)
    if fraction > 0.0:
        count = max(count, 1)
    if problem.task == "regression":
        return np.sort(order[count:]), np.sort(order[:count])
    _, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
    room = sizes - 1
    shares = np.minimum(count * sizes / len(y), room)
    quotas = np.floor(shares).astype(int)
    for code in np.argsort(quotas - shares, kind="stable"):  # the largest remainders first
        quotas[code] += int(quotas.sum() < count and quotas[code] < room[code])
    held_out = np.concatenate(
        [order[codes[order] == code][:quota] for code, quota in enumerate(quotas)]
    )
    return np.setdiff1d(order, held_out), np.sort(held_out)
