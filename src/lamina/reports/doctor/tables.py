"""What is wrong with the table: scales, leaks from the target into an input, rare classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.reports.finding import Finding
from lamina.reports.rows import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.reports.doctor.case import Case

    Array = npt.NDArray[Any]

UNEVEN = 100.0
"""The largest spread of the network's inputs by the smallest."""
SHIFTED, STRETCHED = 3.0, 10.0
"""How far rows may lie from the rows of the fit: the mean, in standard deviations; the spread."""
EXTREME = 100.0
"""How far a value may be from the median, by the standard deviation of the middle half."""
MIDDLE_HALF = 1.349
"""The width of the middle half of a normal distribution, in standard deviations."""
VALUES = 20
"""Different values that a column has which is no count of rare things."""
LEAK = 0.99
"""R², or balanced accuracy, that one input may not reach alone."""
RARE, MISSED = 0.2, 0.3
"""A class by the largest one; by how much its recall is below accuracy."""
FEWEST_ROWS = 50
FEWEST_OF_A_CLASS = 5
LISTED = 5


def check_scales(case: Case) -> Iterator[Finding]:
    """Yield inputs of the network of very different spread, or far from those of the fit."""
    if case.X is None:
        return
    A = case.passes[1][0].astype(float)
    mean, spread = A.mean(axis=1), A.std(axis=1)
    varying = spread[spread > 0]
    if case.estimator.scale_inputs == "none" and len(varying) > 1:
        ratio = float(varying.max() / varying.min())
        if ratio > UNEVEN:
            yield Finding(
                "inputs of different scales", "",
                f"their standard deviations run from {varying.min():.2g} to {varying.max():.2g}, "
                f"and scale_inputs is 'none'",
                "Leave scale_inputs at 'standard'",
            )  # fmt: skip
    if case.estimator.scale_inputs == "standard" and len(A.T) >= FEWEST_ROWS:
        away = (np.abs(mean) > SHIFTED) | (spread > STRETCHED)
        if np.any(away):
            k = int(np.argmax(np.abs(mean) + spread))
            yield Finding(
                "rows unlike those of the fit", _listed(case, away),
                f"in standard deviations of the fit, their mean is {mean[k]:.3g} and their spread "
                f"{spread[k]:.3g}",
                "See whether units or the meaning of columns changed; else train on such rows too",
            )  # fmt: skip


def check_extremes(case: Case) -> Iterator[Finding]:
    """Yield inputs with single values far from all others."""
    if case.X is None:
        return
    A = case.passes[1][0].astype(float)
    low, middle, high = np.percentile(A, [25, 50, 75], axis=1, keepdims=True)
    spread = (high - low) / MIDDLE_HALF
    far = np.abs(A - middle) / np.where(spread > 0, spread, np.inf)
    wild = (far.max(axis=1, initial=0.0) > EXTREME) & np.array(
        [len(np.unique(a)) > VALUES for a in A]
    )
    if np.any(wild):
        yield Finding(
            "extreme values", _listed(case, wild),
            f"a value lies {far[wild].max():,.0f} standard deviations of the middle half of the "
            "rows from their median",
            "Correct it if it is an error; else take the logarithm of such columns, or "
            "scale_inputs='robust', which bounds them",
        )  # fmt: skip


def check_target(case: Case) -> Iterator[Finding]:
    """Yield targets that are not scaled, and far from the numbers that a network gives."""
    scaling = getattr(case.estimator, "target_scaling_", None)
    domain = case.network.recipe.error.targets
    if case.y is None or scaling is None or not scaling.is_identity or domain != "real":
        return
    y = np.asarray(case.y, dtype=float)
    y = y[np.isfinite(y)]
    size, spread = (float(np.abs(y).max()), float(y.std())) if y.size else (0.0, 1.0)
    if spread > UNEVEN or (0.0 < size < 1.0 / UNEVEN) or abs(float(y.mean())) > UNEVEN * spread > 0:
        yield Finding(
            "target of another scale", "",
            f"y has mean {y.mean():.3g} and standard deviation {spread:.3g}, and is not scaled",
            "Leave scale_targets at 'auto'",
        )  # fmt: skip


def check_leaks(case: Case) -> Iterator[Finding]:
    """Yield inputs that alone nearly give the target."""
    y = None if case.y is None else np.asarray(case.y)
    if y is None or y.ndim > 1 or len(y) < FEWEST_ROWS or len(case.names) < 2:
        return
    if not case.classifies and not np.all(np.isfinite(y)):
        return
    scores = np.array(
        [_alone(column(case.X, k), y, case.classifies) for k in range(len(case.names))]
    )
    if np.nanmax(scores, initial=0.0) > LEAK and not np.all(scores > LEAK):
        measure = "balanced accuracy" if case.classifies else "R²"
        k = int(np.nanargmax(scores))
        names = ", ".join(f"{case.names[j]!r}" for j in np.flatnonzero(scores > LEAK)[:LISTED])
        yield Finding(
            "leakage suspected", f"input {names}",
            f"a small tree on {case.names[k]!r} alone reaches {scores[k]:.3f} ({measure}) on rows "
            "that it has not seen",
            "See whether this column is known before the target; if it is made from it, drop it",
        )  # fmt: skip


def _alone(values: Array, y: Array, classes: bool) -> float:  # noqa: FBT001 - one of two tasks
    """Return how well a tree on one column predicts the other half of the rows."""
    from sklearn.metrics import balanced_accuracy_score, r2_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if values.dtype.kind != "f":
        values = np.unique(values, return_inverse=True)[1].astype(float)
    table = values[:, np.newaxis]
    options = {"max_leaf_nodes": 64, "min_samples_leaf": 3, "random_state": 0}
    model = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(**options)
    half = np.random.default_rng(0).permutation(len(y)) < len(y) // 2
    if len(np.unique(y[half])) < 2 or len(np.unique(y[~half])) < 2:
        return float("nan")
    guessed = model.fit(table[half], y[half]).predict(table[~half])
    if not classes:
        return float(r2_score(y[~half], guessed))
    known = np.isin(y[~half], y[half])
    return float(balanced_accuracy_score(y[~half][known], guessed[known]))


def check_classes(case: Case) -> Iterator[Finding]:
    """Yield rare classes that are hardly ever recognized."""
    if case.y is None or not case.classifies or np.ndim(case.y) > 1:
        return
    kinds, sizes = np.unique(case.y, return_counts=True)
    right = np.asarray(case.estimator.predict(case.X)) == case.y
    accuracy = float(right.mean())
    for kind, size in zip(kinds.tolist(), sizes.tolist(), strict=True):
        recall = float(right[case.y == kind].mean())
        rare = size <= RARE * sizes.max() and size >= FEWEST_OF_A_CLASS
        if rare and recall < accuracy - MISSED:
            yield Finding(
                "class imbalance", f"class {kind!r}",
                f"{size:,} rows of {len(case.y):,}, and {100 * recall:.0f} % of them are "
                f"recognized, against {100 * accuracy:.0f} % of all",
                "Set class_weight='balanced', lower its threshold, or get more of its rows",
            )  # fmt: skip


def _listed(case: Case, chosen: Array) -> str:
    """Return the names of some of the network's inputs."""
    from lamina.reports.layers import input_names

    names = input_names(case.estimator, case.names)
    found = [f"{names[k]!r}" for k in np.flatnonzero(chosen)]
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return f"input {', '.join(found[:LISTED])}{more}"
