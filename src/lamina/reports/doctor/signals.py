"""Derivatives on their way back, and the size of steps: vanishing and exploding ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.parameters import views
from lamina.reports.finding import Finding
from lamina.training.choice import asked_solver
from lamina.training.solvers.base import FirstOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.reports.doctor.case import Case

    Array = npt.NDArray[Any]

VANISHED, EXPLODED = 1e-4, 1e3
"""The size of H_1 by that of H_L from which it is said: trained networks have 0.01 to 10."""
HASTY, IDLE = 0.1, 1e-7
"""The size of a step by that of the weights: usual are 1e-4 to 1e-2 while training."""


def rms(values: Array) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=float)))) if values.size else 0.0


def signal_sizes(case: Case) -> tuple[list[float], list[float]]:
    """Return the sizes of Δ_l and H_l, the root mean square over units and rows, of l = 1..L."""
    back = case.backward
    with np.errstate(all="ignore"):
        return [rms(D) for D in back.Delta[1:]], [rms(H) for H in back.H[1:]]


def update_ratios(case: Case) -> list[float]:
    """Return the size of the next step by that of the weights, for each layer 1..L.

    The step is the solver's own, on the gradient of the rows. NaN for solvers on all data, which
    choose their steps by trial, and for models that were stored without the state of training.
    """
    estimator, state, network = case.estimator, case.estimator.state_, case.network
    asked = asked_solver(estimator.solver)
    solver = asked_solver(estimator.solver_) if asked is None else asked
    slots, rates = state.memory.get("slots"), case.history["learning_rate"]
    if not isinstance(solver, FirstOrder) or slots is None or not len(rates):
        return [float("nan")] * network.L
    numbers = solver.coefficients(rates[-1:], np.array([state.step + 1.0]))
    coefficients = tuple(float(np.ravel(number)[0]) for number in numbers)
    gradient = np.asarray(case.backward.gradient, dtype=float)
    theta = network.theta.astype(float)
    after = solver.move(theta, gradient, tuple(slots.astype(float)), coefficients)[0]
    before_W, _ = views(network.recipe, theta)
    steps, _ = views(network.recipe, after - theta)
    with np.errstate(all="ignore"):
        pairs = zip(steps[1:], before_W[1:], strict=True)
        return [rms(step) / (rms(W) or float("nan")) for step, W in pairs]


def check_signals(case: Case) -> Iterator[Finding]:
    """Yield what is said of Δ on its way back from the last layer to the first."""
    if case.y is None or case.network.L < 2:
        return
    sizes = signal_sizes(case)[1]
    if not sizes[-1] > 0.0 or not np.all(np.isfinite(sizes)):
        return
    ratio = sizes[0] / sizes[-1]
    listed = ", ".join(f"{size:.1e}" for size in sizes)
    if ratio < VANISHED:
        yield Finding(
            "vanishing derivatives", "layer 1",
            f"from the last to the first layer they shrink by {ratio:.1e} (dJ/dZ of the layers: "
            f"{listed}), so the first layers hardly learn",
            "Take fewer layers or activation='relu', 'silu' or 'selu', and scale the inputs",
        )  # fmt: skip
    elif ratio > EXPLODED:
        yield Finding(
            "exploding derivatives", "layer 1",
            f"from the last to the first layer they grow by {ratio:.1e} (dJ/dZ of the layers: "
            f"{listed})",
            "Lower learning_rate_init, set max_gradient_norm=1.0, or take fewer layers",
        )  # fmt: skip


def check_updates(case: Case) -> Iterator[Finding]:
    """Yield steps that are too large, or too small to matter while the loss could still fall."""
    if case.y is None:
        return
    ratios = np.array(update_ratios(case))
    if not np.any(np.isfinite(ratios)):
        return
    l = int(np.nanargmax(ratios)) + 1
    largest, rate = float(np.nanmax(ratios)), float(case.history["learning_rate"][-1])
    if largest > HASTY:
        yield Finding(
            "steps too large", f"layer {l}",
            f"a step changes the weights by {100 * largest:.0f} % of their size (usual: 0.01 to "
            f"1 %), with learning rate {rate:g}",
            "Lower learning_rate_init by a factor of 10, or take learning_rate='cosine'",
        )  # fmt: skip
    elif largest < IDLE and case.skill_now < 0.9:
        yield Finding(
            "steps too small", "all layers",
            f"a step changes the weights by at most {largest:.1e} of their size (usual: 1e-4 to "
            f"1e-2), with learning rate {rate:g}",
            "Raise learning_rate_init by factors of 10, or leave it at 'auto'",
        )  # fmt: skip
