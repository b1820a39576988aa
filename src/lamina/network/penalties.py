"""Penalties on the weights, added to the error function: J = Σ ω_n J_n + Σ_l R_l."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.network.formulas import Matrix


def size_formula(w: Any, l1: Any, l2: Any) -> Any:
    """Return what one weight adds to R."""
    return l1 * np.maximum(w, -w) + 0.5 * l2 * w * w


def slope_formula(w: Any, l1: Any, l2: Any) -> Any:
    """Return its slope in w."""
    return l1 * np.sign(w) + l2 * w


@dataclass(frozen=True)
class Penalty:
    """R(w) = l1 Σ|w| + (l2/2) Σ w² of one layer; not divided by the number of data points.

    Parameters
    ----------
    l1, l2 : float, default 0
        Strengths, zero or more.
    biases : bool, default False
        Whether the layer's biases are penalized like its weights.

    Raises
    ------
    InvalidValueError
        If a strength is negative or not finite.
    """

    l1: float = 0.0
    l2: float = 0.0
    biases: bool = False

    def __post_init__(self) -> None:
        """Refuse strengths that are no penalties."""
        for name, strength in (("l1", self.l1), ("l2", self.l2)):
            if not (isinstance(strength, Real) and 0 <= strength < float("inf")):
                message = f"penalty {name} must be a finite number, zero or more, got {strength!r}"
                raise InvalidValueError(message)

    def value(self, w: Matrix) -> Any:
        """Return R(w), a scalar."""
        return size_formula(w, self.l1, self.l2).sum()

    def derivative(self, w: Matrix) -> Matrix:
        """Return dR/dw, shaped as w; the slope of |w| at 0 is 0."""
        return np.asarray(slope_formula(w, self.l1, self.l2))

    def __bool__(self) -> bool:
        """Return whether there is anything to add."""
        return self.l1 > 0 or self.l2 > 0


def per_layer(penalties: Penalty | Sequence[Penalty | None] | None, L: int) -> list[Penalty]:
    """Return one penalty for each layer 1..L from one for all, one for each, or none.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an entry is no `Penalty`, or there are not L of them.
    """
    shared = penalties is None or isinstance(penalties, Penalty)
    if not shared and not isinstance(penalties, (list, tuple)):
        message = (
            f"expected a Penalty such as Penalty(l2=1e-3) or a list of them, got {penalties!r}"
        )
        raise InvalidTypeError(message)
    given: list[Any] = [penalties] * L if shared else list(penalties)  # type: ignore[arg-type]  # a list, see above
    entries = [Penalty() if entry is None else entry for entry in given]
    for entry in entries:
        if not isinstance(entry, Penalty):
            message = f"expected a Penalty such as Penalty(l2=1e-3), or None, got {entry!r}"
            raise InvalidTypeError(message)
    if len(entries) != L:
        message = f"expected one penalty for each of the {L} layers 1..{L}, got {len(entries)}"
        raise InvalidValueError(message)
    return entries
