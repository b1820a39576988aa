"""Points to try a formula at: away from its kinks, inside its domain, always the same."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lamina.network.activations import Activation, Elementwise
from lamina.network.differences import allows_complex

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.network.error_kinds import Error
    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

    Columns = Callable[[Matrix], Matrix]


def activation_trial(activation: Activation) -> tuple[Matrix, Matrix, Columns]:
    """Return Z, Delta, and Z → Σ Delta ⊙ sigma(Z) column by column, whose slope is the pullback.

    Delta is 1 for element-wise activations, so that the pullback is the formula's own slope.
    """
    random = np.random.default_rng(0)
    Z = random.normal(size=(activation.units or 3, 60)) * np.repeat([1.0, 4.0], [40, 20])
    Delta = np.ones(Z.shape) if isinstance(activation, Elementwise) else random.normal(size=Z.shape)
    return Z, Delta, lambda P: np.asarray((Delta * activation(P)).sum(axis=0))


def error_trial(error: Error, n_targets: int | None = None) -> tuple[Matrix, Matrix, Columns]:
    """Return outputs A, targets T of the error's domain, and A → J_n column by column."""
    random = np.random.default_rng(0)
    K = n_targets or error.n_targets or 3
    T, A = (random.uniform(0.1, 0.9, size=(K * k, 60)) for k in (1, error.outputs_per_target))
    if error.targets in {"real", "sign"}:
        T, A = random.normal(size=T.shape), random.normal(scale=2.0, size=A.shape)
    if error.targets == "sign":
        T = np.sign(T)
    return A, T, lambda P: np.asarray(error.values(T, P))


@lru_cache(maxsize=256)
def has_complex_slopes(formula: Activation | Error) -> bool:
    """Return whether the slopes of a formula keep the imaginary part of a complex step.

    A central difference may cross a kink, so that a few places may differ.
    """
    if isinstance(formula, Activation):
        Z, Delta, _ = activation_trial(formula)

        def slopes(P: Matrix) -> Matrix:
            A = formula(P)
            return np.concatenate([A, formula.pullback(P, A, Delta)])
    else:
        Z, T, _ = error_trial(formula)

        def slopes(P: Matrix) -> Matrix:
            return formula.slopes(T, P)

    v = np.random.default_rng(1).normal(size=Z.shape)
    return allows_complex(slopes, Z, v, share=0.8)


def is_analytic(recipe: Recipe) -> bool:
    """Return whether every formula of the recipe keeps the imaginary part of a complex step."""
    trials = [activation_trial(activation) for activation in recipe.activations]
    random = np.random.default_rng(1)
    return all(
        allows_complex(f, P, random.normal(size=P.shape))  # along ones a softmax does not move
        for P, _, f in [*trials, error_trial(recipe.error)]
    )
