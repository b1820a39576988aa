"""The certificate: how far what was claimed is from what was measured, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """How far claims of one kind are from what was measured.

    Attributes
    ----------
    name : str
        What was claimed.
    difference : float
        The largest difference relative to the largest number measured.
    tolerance : float
        The difference that still passes.
    """

    name: str
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance; NaN is not."""
        return self.difference <= self.tolerance


@dataclass(frozen=True)
class Certificate:
    """How far backpropagation is from measured derivatives.

    Attributes
    ----------
    method : {"complex step", "central differences"}
        How derivatives were measured, in float64 whatever the network's precision.
    differences : tuple of float
        For the inputs (entry 0, Delta_0) and each layer 1..L: the largest difference
        relative to the layer's largest measured derivative.
    tolerance : float
        The difference that still passes: 1e-11 for the complex step, 1e-6 otherwise.
    n_derivatives, n_points : int
        How many derivatives were measured, at how many data points.
    n_kinks : int
        How many of them sit on a kink (relu at 0): both sides differ, nothing to compare.
    second : tuple of Comparison
        Jacobian, Hessian and Gauss-Newton products, the Gauss-Newton matrix unless it is large,
        and the engine's gradient where an estimator is certified; each has a name, the largest
        difference and its tolerance.
    n_smooth : int
        On how many of the data points: the others sit on a kink.
    """

    method: str
    differences: tuple[float, ...]
    tolerance: float
    n_derivatives: int
    n_points: int
    n_kinks: int = 0
    second: tuple[Comparison, ...] = ()
    n_smooth: int = 0

    @property
    def passed(self) -> bool:
        """Whether every layer and every comparison is within its tolerance."""
        return self.gradient_passed and all(comparison.passed for comparison in self.second)

    @property
    def gradient_passed(self) -> bool:
        """Whether the gradient is within the tolerance, in every layer."""
        return all(difference <= self.tolerance for difference in self.differences)

    def __str__(self) -> str:
        """Say it in plain words."""
        verdict = "The gradient is exact" if self.gradient_passed else "THE GRADIENT IS WRONG"
        layers = ", ".join(
            f"{'inputs' if l == 0 else f'layer {l}'} {difference:.1e}"
            for l, difference in enumerate(self.differences)
        )
        kinks = f" {self.n_kinks} of them sit on a kink and have no one slope." * (self.n_kinks > 0)
        return (
            f"{verdict}: {self.n_derivatives} derivatives on {self.n_points} data points, measured "
            f"by {self.method}, differ from backpropagation by at most "
            f"{np.max(self.differences):.1e} (allowed {self.tolerance:.0e}): {layers}.{kinks}"
            f"{self._second_in_words()}"
        )

    def _second_in_words(self) -> str:
        """Say what became of the other comparisons, if there are any."""
        if not self.second:
            return ""
        wrong = [comparison.name for comparison in self.second if not comparison.passed]
        verdict = f"WRONG ARE: {', '.join(wrong)}" if wrong else "Second derivatives are exact too"
        figures = ", ".join(
            f"{each.name} {each.difference:.1e}"
            + f" (allowed {each.tolerance:.0e})" * (each.tolerance != self.tolerance)
            for each in self.second
        )
        return f" {verdict}, measured on {self.n_smooth} points without kinks: {figures}."
