"""Too little or too much learned: divergence, unfinished training, under- and overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.reports.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.reports.doctor.case import Case

    Array = npt.NDArray[Any]

GAP = 0.35
"""What the skill on rows may be below that in training."""
LITTLE = 0.05
"""The skill below which nothing was learned."""
LINEAR_LEAD = 0.1
"""By how much of R² or accuracy a linear model must be better."""
FALLING = 0.01
"""The fall of the loss in the last tenth of the epochs, by its first value."""
RISE = 0.2
"""The rise of the validation loss after its lowest value, by its first value less its lowest."""
FEWEST_ROWS = 30


def check_training(case: Case) -> Iterator[Finding]:
    """Yield how training ended, where it ended badly or too early."""
    reason, loss = case.estimator.stop_reason_, case.history["loss"]
    if reason == "diverged":
        yield Finding(
            "diverged", "", f"J became infinite or NaN after epoch {len(loss)}",
            "Lower learning_rate_init, set max_gradient_norm=1.0, and scale inputs and targets",
        )  # fmt: skip
    tenth = len(loss) // 10
    if reason in {"max_iter", "max_time"} and tenth >= 1 and loss[0] > 0.0:
        before, last = (float(part.mean()) for part in (loss[-2 * tenth : -tenth], loss[-tenth:]))
        if before - last > FALLING * loss[0]:
            yield Finding(
                "stopped too early", "",
                f"in the last tenth of {len(loss)} epochs the loss still fell from {before:.3g} to "
                f"{last:.3g} (it began at {loss[0]:.3g})",
                "Raise max_iter or max_time, or learning_rate_init; solver='lbfgs' may end sooner",
            )  # fmt: skip


def check_validation(case: Case) -> Iterator[Finding]:
    """Yield a validation loss that rose after its lowest value, if the last network was kept."""
    values = case.history["validation_loss"]
    if not len(values) or not np.all(np.isfinite(values)) or case.kept_epoch != len(values):
        return
    best = int(np.argmin(values))
    won = float(values[0] - values[best])
    if values[-1] - values[best] > RISE * max(won, 0.1 * float(values[best])):
        yield Finding(
            "overfitting", "",
            f"the validation loss was lowest, {values[best]:.3g}, at epoch {best + 1} and rose to "
            f"{values[-1]:.3g} at epoch {len(values)}, whose network was kept",
            "Set early_stopping=True, raise alpha or dropout, or take fewer units",
        )  # fmt: skip


def check_fit(case: Case) -> Iterator[Finding]:
    """Yield rows on which the network does much worse than in training, or no good at all."""
    if case.y is None or len(case.y) < FEWEST_ROWS or not np.isfinite(case.skill_now):
        return
    now, then = case.skill_now, case.skill_in_training
    if then - now > GAP and then > LITTLE:
        yield Finding(
            "overfitting", "",
            f"of the loss of the best constant the network saves {_percent(then)} in training and "
            f"{_percent(now)} on these {len(case.y):,} rows",
            "Set early_stopping=True, raise alpha or dropout, take fewer units, or get more rows",
        )  # fmt: skip
        return
    score, rival = _linear_rival(case)
    if rival - score > LINEAR_LEAD:
        yield Finding(
            "underfitting", "",
            f"a linear model reaches {rival:.2f} in cross-validation, the network {score:.2f} "
            f"({'accuracy' if case.classifies else 'R²'})",
            "Train longer (max_iter), lower alpha and dropout, or try solver='lbfgs'",
        )  # fmt: skip
    elif now < LITTLE:
        yield Finding(
            "underfitting", "",
            f"of the loss of the best constant the network saves {_percent(now)}: it predicts "
            "little more than a constant",
            "Train longer, lower alpha, take more units; or these inputs say little of the target",
        )  # fmt: skip


def _percent(share: float) -> str:
    """Return a share in words; what is below zero is so in words too."""
    return f"{100 * share:.0f} %" if share >= 0.0 else "less than nothing"


def _linear_rival(case: Case) -> tuple[float, float]:
    """Return the network's score, and that of a linear model on the same inputs, by folds."""
    from sklearn.linear_model import Ridge, RidgeClassifier
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.model_selection import cross_val_predict

    y, predicted = np.asarray(case.y), np.asarray(case.estimator.predict(case.X))
    flat = y.reshape(len(y), -1).shape == predicted.reshape(len(y), -1).shape
    if not flat or (not case.classifies and not np.all(np.isfinite(y))):
        return float("nan"), float("nan")  # several quantiles, or targets that are missing
    model, measure = Ridge(), r2_score
    folds = 3
    if case.classifies:
        model, measure = RidgeClassifier(), accuracy_score
        folds = 3 if y.ndim > 1 else min(3, int(np.unique(y, return_counts=True)[1].min()))
        if folds < 2 or (y.ndim == 1 and len(np.unique(y)) < 2):
            return float("nan"), float("nan")
    rival = cross_val_predict(model, case.passes[1][0].T.astype(float), y, cv=folds)
    return float(measure(y, predicted)), float(measure(y, rival))
