"""Which data points are trained on, and which are watched."""

from __future__ import annotations

import copy
import reprlib
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.training.randomness import Purpose, generator
from lamina.training.settings import require

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

FRACTION = 0.1
"""The default of `validation_fraction`."""
NAMES = ("auto", "block", "interleave")
NOT_STORED = "not stored: "
"""How `validation` begins in a loaded estimator where a model file does not hold it."""
EXPECTED = (
    "validation must be 'auto', 'block', 'interleave', a fraction, indices or a mask of rows, a "
    "splitter of scikit-learn, or a tuple (X_val, y_val[, sample_weight_val])"
)


@dataclass(frozen=True)
class Validation:
    """What `fit` was given to watch, and groups for a splitter; all None if nothing."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None
    groups: Any = None

    def __post_init__(self) -> None:
        """Refuse halves."""
        if (self.X is None) != (self.y is None):
            message = "X_val and y_val belong together; give both or neither"
            raise InvalidValueError(message)
        if self.sample_weight is not None and self.X is None:
            message = "sample_weight_val belongs to X_val and y_val; give all three"
            raise InvalidValueError(message)


def settle(estimator: Any, given: Validation, *, partial: bool) -> Validation:
    """Return the data to watch, given to `fit` or by the parameter; refuse contradictions.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `validation` is nothing that is known, or contradicts another argument.
    """
    how = estimator.validation
    check_validation(how)
    if isinstance(how, str) and how.startswith(NOT_STORED):
        message = (
            f"the estimator was fitted with validation that a model file does not hold "
            f"({how.removeprefix(NOT_STORED)}): give it again, set_params(validation=...)"
        )
        raise InvalidValueError(message)
    named = isinstance(how, str)
    if partial and how_is_not(how, "auto"):
        message = "partial_fit sees one part at a time and cannot watch any: validation='auto'"
        raise InvalidValueError(message)
    if not named and estimator.validation_fraction != FRACTION:
        message = (
            f"validation={reprlib.repr(how)} says which rows to watch, and so does "
            f"validation_fraction={estimator.validation_fraction}; leave that at {FRACTION}"
        )
        raise InvalidValueError(message)
    if given.X is not None and how_is_not(how, "auto"):
        message = (
            f"X_val and validation={reprlib.repr(how)} are two answers to what is watched; give "
            "one: leave out X_val and y_val, or set validation='auto'"
        )
        raise InvalidValueError(message)
    if given.groups is not None and not is_splitter(how):
        message = (
            "groups are for a splitter that heeds them; give one, such as "
            "validation=GroupShuffleSplit(), or leave out groups"
        )
        raise InvalidValueError(message)
    return Validation(*how) if isinstance(how, tuple) else given


def how_is_not(how: Any, name: str) -> bool:
    """Return whether `validation` is anything but this name; arrays compare entry by entry."""
    return not (isinstance(how, str) and how == name)


def is_splitter(how: Any) -> bool:
    """Return whether `validation` is a splitter; text can be split too, in another sense."""
    return hasattr(how, "split") and not isinstance(how, str)


def check_validation(how: Any) -> None:
    """Refuse a parameter `validation` that is none of the ways.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is another name, no fraction, or a tuple that is no data.
    """
    if isinstance(how, str):
        if how not in NAMES and not how.startswith(NOT_STORED):
            message = f"{EXPECTED}; got {how!r}"
            raise InvalidValueError(message)
    elif isinstance(how, tuple):
        if len(how) not in (2, 3) or any(isinstance(part, Real) for part in how):
            message = (
                "a tuple validation is (X_val, y_val) or (X_val, y_val, sample_weight_val); got "
                f"{reprlib.repr(how)}. Indices of rows are a list or an array"
            )
            raise InvalidValueError(message)
    elif isinstance(how, Real) and not isinstance(how, bool):
        if float(how) >= 1.0:
            message = (
                f"a number validation is a fraction between 0 and 1, got {how!r}; for the first "
                f"of {float(how):g} folds give a splitter, such as KFold(5, shuffle=True)"
            )
            raise InvalidValueError(message)
        require("validation", how, above=0.0, below=1.0)
    elif not is_splitter(how) and not hasattr(how, "__len__"):
        message = f"{EXPECTED}; got {how!r}"
        raise InvalidTypeError(message)


def choose_points(
    estimator: Any, rows: Array, y: Array, validation: Validation, seed: int
) -> tuple[Array, Array | None]:
    """Return which of the rows to train on, and which to watch or None; both in order.

    `rows` are those that count, `y` the targets of all rows. Unless indices are given the choice
    depends on the number of rows, y, the groups and the seed alone, so that a warm start makes it
    again.

    Raises
    ------
    LaminaError, ValueError
        If a row is left on no side, or a splitter finds no split.
    """
    how = estimator.validation
    automatic = not how_is_not(how, "auto")
    if validation.X is not None or (automatic and not estimator.early_stopping):
        return rows, None
    random = np.random.RandomState(generator(seed, Purpose.SPLIT).integers(2**31 - 1))
    if is_splitter(how):
        inside, outside = _first_split(how, rows, y, validation.groups, random)
    elif not isinstance(how, (str, Real)):
        watched = _indices(how, len(y))
        inside, outside = np.setdiff1d(rows, watched), np.intersect1d(rows, watched)
    elif how == "interleave":
        every = max(2, round(1.0 / estimator.validation_fraction))
        chosen = np.arange(len(rows)) % every == every - 1
        inside, outside = rows[~chosen], rows[chosen]
    else:
        fraction = how if isinstance(how, Real) else estimator.validation_fraction
        n_watched = max(1, round(float(fraction) * len(rows)))
        inside, outside = rows[:-n_watched], rows[len(rows) - n_watched :]
        if how != "block" and len(inside):
            inside, outside = _at_random(rows, n_watched, estimator._strata(y), random)  # noqa: SLF001 - the machinery's own question
    _check_sides(how, rows, inside, outside)
    return np.sort(inside), np.sort(outside)


def _at_random(
    rows: Array, n_watched: int, strata: Array | None, random: np.random.RandomState
) -> tuple[Array, Array]:
    """Return the two sides at random, classes in proportion where each can be on both."""
    if strata is not None:
        strata = strata[rows]
        counts = np.unique(strata, return_counts=True)[1]
        if counts.min() < 2 or min(n_watched, len(rows) - n_watched) < len(counts):
            strata = None
    sides = train_test_split(rows, test_size=n_watched, stratify=strata, random_state=random)
    return sides[0], sides[1]


def _check_sides(how: Any, rows: Array, inside: Array, outside: Array) -> None:
    """Refuse a split with nothing on one side."""
    if len(inside) and len(outside):
        return
    what = "early_stopping" if isinstance(how, str) and how == "auto" else "validation"
    message = (
        f"{what} needs rows to train on and rows to watch; of n_samples={len(rows)} of positive "
        f"weight {len(outside)} were set apart by validation={reprlib.repr(how)}. Give more rows, "
        "another validation, or X_val"
    )
    raise InvalidValueError(message)


def _indices(how: Any, n: int) -> Array:
    """Return the indices of the rows to watch, from indices or a mask of n rows."""
    chosen = np.asarray(how)
    if chosen.dtype == bool and chosen.shape == (n,):
        return np.flatnonzero(chosen)
    if chosen.dtype == bool or chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        message = (
            f"validation by rows is a list of indices or a mask of {n} bool, got an array of "
            f"{chosen.dtype} of shape {chosen.shape}"
        )
        raise InvalidValueError(message)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= n):
        message = f"validation names row {chosen.max()}; X has rows 0 to {n - 1}"
        if chosen.min() < 0:
            message = f"validation names row {chosen.min()}; count from 0, also to {n - 1}"
        raise InvalidValueError(message)
    return np.unique(chosen)


def _first_split(
    splitter: Any, rows: Array, y: Array, groups: Any, random: np.random.RandomState
) -> tuple[Array, Array]:
    """Return the first split of a splitter, which sees y, groups and a placeholder for X.

    One that draws without a seed of its own is given ours; a copy of it is used, so that the
    same split is found again.
    """
    splitter = copy.deepcopy(splitter)
    if getattr(splitter, "random_state", 0) is None:
        splitter.random_state = int(random.randint(2**31 - 1))
    if groups is not None:
        groups = np.asarray(groups)
        if len(groups) != len(y):
            message = f"groups has {len(groups)} entries and y {len(y)} rows; they must agree"
            raise InvalidValueError(message)
        groups = groups[rows]
    try:
        train, test = next(iter(splitter.split(np.zeros((len(rows), 1)), y[rows], groups)))
    except StopIteration:
        message = f"validation={splitter!r} makes no split of {len(rows)} rows; choose another"
        raise InvalidValueError(message) from None
    except (TypeError, ValueError) as problem:
        hint = " It may need fit(..., groups=...)." if groups is None else ""
        problem.add_note(f"This is about validation={splitter!r}.{hint}")
        raise
    train, test = rows[train], rows[test]
    both = np.intersect1d(train, test)
    if both.size:
        message = f"validation={splitter!r} has row {both[0]} on both sides; choose another"
        raise InvalidValueError(message)
    return train, test


def counted_weights(weights: Array | None, inside: Array, n: int) -> Array | None:
    """Return weights of all n rows that are 0 outside of training, or None for all equal."""
    if weights is None and len(inside) == n:
        return None
    counted = np.zeros(n)
    counted[inside] = 1.0 if weights is None else weights[inside]
    return counted


def storable(how: Any) -> Any:
    """Return what a model file holds of the parameter `validation`.

    Names, fractions, indices and masks as they are. Data of its own, and a splitter, whose class
    a file cannot name, are left out: a text says what it was.
    """
    if isinstance(how, (str, Real)):
        return how
    if isinstance(how, tuple):
        return f"{NOT_STORED}a tuple of validation data"
    if is_splitter(how):
        return f"{NOT_STORED}{reprlib.repr(how)}"
    return np.asarray(how)
