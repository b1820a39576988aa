"""What was learned of a problem: the estimator, how well it does, and its file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lamina.cli.metrics import measure

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from lamina.cli.problem import Problem

    Array = npt.NDArray[Any]


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
        """Write the estimator to a file, with the name of its target, which `fit` never saw."""
        self.estimator.verbose = False  # of this terminal, not of the model
        self.estimator.target_name_ = self.problem.target
        self.estimator.save(path, overwrite=overwrite, training_state=False)


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
    X, y = problem.X.rows(training), problem.y[training]
    begun = time.perf_counter()
    estimator.fit(X, y)
    seconds = time.perf_counter() - begun
    if estimator.n_iter_ == 0:
        raise KeyboardInterrupt("interrupted before the first epoch ended; nothing was saved")
    metrics = {"training": measure(estimator, X, y)}
    if len(held_out):
        unseen = measure(estimator, problem.X.rows(held_out), problem.y[held_out])
        metrics = {"held_out": unseen, **metrics}
    estimator.certify(X, y)
    return Outcome(problem, estimator, training, held_out, metrics, seconds)
