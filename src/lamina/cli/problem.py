"""What a table asks: classes or numbers, which rows are held out, what was learned."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.cli.metrics import measure
from lamina.data.cells import complaint, quote, refuse
from lamina.exceptions import TableError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from lamina.data.readers import Table

    Array = npt.NDArray[Any]

FEW = 20
"""Up to so many different integers are taken for classes, if each occurs twice on average."""
EXACT = 2.0**53
"""From here on, neighboring integers may be the same float64."""
_REPEATS = 2


@dataclass(frozen=True, eq=False)
class Problem:
    """A table as inputs and target.

    Attributes
    ----------
    X : float64 array, N × S_0
    y : N classes (text or int64) or N numbers (float64)
    features, target : names of the columns
    task : {"classification", "regression"}
    holds : str
        What is in y, in words.
    both : bool
        Whether the task was chosen here, and the other one could have been.
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    target: str
    task: str
    holds: str
    both: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was learned.

    Attributes
    ----------
    problem : Problem
    estimator : FeedForwardClassifier or FeedForwardRegressor
    training, held_out : rows that it saw, and did not see
    metrics : dict
        Measures on both; none of "held_out" if there are no such rows.
    seconds : float
        How long `fit` took.
    """

    problem: Problem
    estimator: Any
    training: Array
    held_out: Array
    metrics: dict[str, dict[str, float]]
    seconds: float

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the estimator to a file, with the names of its columns, which `fit` never saw."""
        self.estimator.verbose = False  # of this terminal, not of the model
        self.estimator.target_name_ = self.problem.target
        self.estimator.feature_names_in_ = np.asarray(self.problem.features, dtype=object)
        try:
            self.estimator.save(path, overwrite=overwrite, training_state=False)
        finally:
            del self.estimator.feature_names_in_  # or it would want data frames


def pose(table: Table, target: str, task: str) -> Problem:
    """Decide what is to be learned from a table.

    Parameters
    ----------
    table : Table
        With `target` among the columns that may hold text.
    task : {"auto", "classification", "regression"}

    Raises
    ------
    TableError
        If the target does not fit the task, or there is nothing to learn.
    """
    if not table.names:
        raise TableError(f"{table.path} has no column but the target; give it inputs")
    y = _target(table, target, task)
    kinds, is_text = np.unique(y), y.dtype.kind == "U"
    if len(kinds) == 1:
        what = f"holds {quote(table.texts[target][0])} in every row: there is nothing to learn"
        raise TableError(f"{table.path}, column {quote(target)} {what}")
    whole = is_text or bool(np.all(y == np.rint(y)))
    few = len(kinds) <= FEW and _REPEATS * len(kinds) <= len(y)
    holds = f"{len(kinds):,} different {'integers' if whole else 'numbers'}"
    if is_text:
        holds = _words_in_words(kinds)
    both = task == "auto" and whole and not is_text
    if task == "auto":
        task = "classification" if is_text or (whole and few) else "regression"
    if task == "classification":
        y = _classes(table, target, y)
    return Problem(table.values, y, table.names, target, task, holds, both)


def _words_in_words(kinds: Array) -> str:
    """Return what a target holds that is no numbers."""
    if [kind.lower() for kind in kinds] == ["false", "true"]:
        return f"{kinds[1]} and {kinds[0]}"
    return f"text, {len(kinds):,} classes"


def _target(table: Table, target: str, task: str) -> Array:
    """Return the target as numbers if it holds nothing else, else as text if that is allowed."""
    cells = table.texts[target]
    words = [place for place, cell in enumerate(cells) if complaint(cell)]
    if not words or task == "regression":
        return table.numbers(target)
    if task == "auto" and len(words) < len(cells):
        advice = "correct it or, if these are names of classes, pass --task classification"
        problem = f"{quote(cells[words[0]])} is no number, others are: {advice}"
        refuse(table.path, table.lines[words[0]], target, problem)
    y = np.array(cells)
    if task == "auto" and len(np.unique(y)) > max(FEW, len(y) / _REPEATS):
        problem = "almost every row holds another text; name the column that is to be predicted"
        raise TableError(f"{table.path}, column {quote(target)}: {problem}")
    return y


def _classes(table: Table, target: str, y: Array) -> Array:
    """Return y as classes: text, or integers."""
    if y.dtype.kind == "U":
        return y
    for strange, why in ((y != np.rint(y), "has decimals"), (np.abs(y) >= EXACT, "is too large")):
        if np.any(strange):
            place = int(np.argmax(strange))
            advice = "pass --task regression, or give the classes names"
            problem = f"{quote(table.texts[target][place])} {why}, which no class may: {advice}"
            refuse(table.path, table.lines[place], target, problem)
    return y.astype(np.int64)


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


def learn(
    problem: Problem, parts: tuple[Array, Array], parameters: dict[str, Any], seed: int
) -> Outcome:
    """Train on the first part of the rows, and measure on both; with a certificate.

    Raises
    ------
    KeyboardInterrupt
        If training was interrupted before its first epoch ended.
    LaminaError
        If a parameter or the data cannot be used.
    """
    from lamina.estimators.classifier import FeedForwardClassifier
    from lamina.estimators.regressor import FeedForwardRegressor

    classes = problem.task == "classification"
    estimator = (FeedForwardClassifier if classes else FeedForwardRegressor)(
        **parameters, random_state=seed
    )
    training, held_out = parts
    X, y = problem.X[training], problem.y[training]
    begun = time.perf_counter()
    estimator.fit(X, y)
    seconds = time.perf_counter() - begun
    if estimator.n_iter_ == 0:
        raise KeyboardInterrupt("interrupted before the first epoch ended; nothing was saved")
    metrics = {"training": measure(estimator, X, y)}
    if len(held_out):
        unseen = measure(estimator, problem.X[held_out], problem.y[held_out])
        metrics = {"held_out": unseen, **metrics}
    estimator.certify(X, y)
    return Outcome(problem, estimator, training, held_out, metrics, seconds)
