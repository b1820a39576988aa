"""Units that do nothing: dead ones, whose slope is 0 on every row, and saturated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.activations import Elementwise
from lamina.reports.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.network.activations import Activation
    from lamina.reports.doctor.case import Case

    Array = npt.NDArray[Any]

FLAT = 1e-6
"""Of the steepest slope: what passes no gradient."""
NEARLY_FLAT = 0.02
"""Of the steepest slope: where tanh is at 0.99."""
MOSTLY = 0.95
"""The share of rows on which a saturated unit is nearly flat."""
MANY = 0.2
"""The share of a layer's units from which it is said: some are lost in every training."""
MINDED = 4
"""Units that a layer must have: in fewer, one is much."""
FEWEST_ROWS = 20


def idle_units(case: Case) -> list[tuple[str, Array]]:
    """Return for each layer 1..L "dead" or "saturated", and which units are; none of outputs.

    Bounded activations saturate, others die: a unit is dead if its slope is 0 on every row, and
    saturated if it is nearly 0 on 95 % of them.
    """
    Z, A = case.passes
    found: list[tuple[str, Array]] = []
    for l, layer in enumerate(case.network.recipe.layers, start=1):
        activation, none = layer.activation, np.zeros(layer.units, dtype=bool)
        if l == case.network.L or not isinstance(activation, Elementwise):
            found.append(("dead", none))
            continue
        with np.errstate(all="ignore"):
            slopes = np.abs(activation.pullback(Z[l], A[l], np.ones_like(A[l])))
        steepest = _steepest(activation)
        if _saturates(activation):
            idle = np.mean(slopes <= NEARLY_FLAT * steepest, axis=1) >= MOSTLY
            found.append(("saturated", idle))
        else:
            found.append(("dead", np.max(slopes, axis=1) <= FLAT * steepest))
    return found


def check_units(case: Case) -> Iterator[Finding]:
    """Yield a finding for each layer of which a fifth of the units is dead or saturated."""
    if case.X is None or len(case.passes[1][0].T) < FEWEST_ROWS:
        return
    for l, (how, idle) in enumerate(idle_units(case), start=1):
        n, size = int(idle.sum()), len(idle)
        if size < MINDED or n < MANY * size:
            continue
        what = "have slope 0 on every row" if how == "dead" else "are flat on 95 % of the rows"
        remedy = (
            "Lower learning_rate_init or scale the inputs, take activation='leaky_relu' or 'silu', "
            "or fewer units"
            if how == "dead"
            else "Scale the inputs (scale_inputs='standard'), lower learning_rate_init, raise "
            "alpha, or take activation='relu' or 'silu'"
        )
        yield Finding(f"{how} units", f"layer {l}", f"{n} of {size} units {what}", remedy)


def _steepest(activation: Activation) -> float:
    """Return the largest slope at usual arguments."""
    return float(np.abs(_slope(activation, np.linspace(-4.0, 4.0, 81))).max())


def _saturates(activation: Activation) -> bool:
    """Return whether an activation is bounded on both sides, and not plainly 0 on one."""
    with np.errstate(all="ignore"):
        far = np.abs(activation(np.array([[-1e3, 1e3]])))
    rests = _slope(activation, np.array([-1.0]))[0] == 0.0 and float(far[0, 0]) == 0.0
    return bool(np.all(far < 100.0)) and not rests


def _slope(activation: Activation, z: Array) -> Array:
    """Return σ′ at some numbers."""
    Z = z[np.newaxis]
    with np.errstate(all="ignore"):
        return np.asarray(activation.pullback(Z, activation(Z), np.ones_like(Z))[0])
