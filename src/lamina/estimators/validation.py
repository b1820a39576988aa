"""Which data points are trained on, and which are watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

from lamina.exceptions import InvalidValueError
from lamina.training.randomness import Purpose, generator

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Validation:
    """Validation data given to `fit`; all None if there are none."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None

    def __post_init__(self) -> None:
        """Refuse halves."""
        if (self.X is None) != (self.y is None):
            message = "X_val and y_val belong together; give both or neither"
            raise InvalidValueError(message)
        if self.sample_weight is not None and self.X is None:
            message = "sample_weight_val belongs to X_val and y_val; give all three"
            raise InvalidValueError(message)


def choose_points(
    estimator: Any, rows: Array, strata: Array | None, validation: Validation, seed: int
) -> tuple[Array, Array | None]:
    """Return which of the rows to train on, and which to watch or None.

    `rows` are those of positive weight, `strata` the labels of all rows, if there are any.
    With `early_stopping` and no validation data given, `validation_fraction` of the rows is
    set apart: with the classes in proportion where each can be on both sides, else at random.
    The choice depends on the seed alone.

    Raises
    ------
    InvalidValueError
        If the fraction leaves no row on one side.
    """
    if not estimator.early_stopping or validation.X is not None:
        return rows, None
    fraction, n = estimator.validation_fraction, len(rows)
    n_watched = max(1, round(fraction * n))
    if n - n_watched < 1:
        message = (
            f"early_stopping needs rows to train on and rows to watch; n_samples={n} and "
            f"validation_fraction={fraction} sets {n_watched} apart. Give more rows, or X_val"
        )
        raise InvalidValueError(message)
    if strata is not None:
        strata = strata[rows]
        counts = np.unique(strata, return_counts=True)[1]
        if counts.min() < 2 or min(n_watched, n - n_watched) < len(counts):
            strata = None
    random = np.random.RandomState(generator(seed, Purpose.SPLIT).integers(2**31 - 1))
    inside, outside = train_test_split(
        rows, test_size=n_watched, stratify=strata, random_state=random
    )
    return np.sort(inside), np.sort(outside)


def counted_weights(weights: Array | None, inside: Array, n: int) -> Array | None:
    """Return weights of all n rows that are 0 outside of training, or None for all equal."""
    if weights is None and len(inside) == n:
        return None
    counted = np.zeros(n)
    counted[inside] = 1.0 if weights is None else weights[inside]
    return counted
