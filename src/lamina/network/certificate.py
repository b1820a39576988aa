"""The certificate: backpropagation against measured derivatives, layer by layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.backpropagation import backpropagate, objective
from lamina.network.differences import (
    CENTRAL_STEP,
    COMPLEX_STEP,
    central_difference,
    complex_step,
)
from lamina.network.parameters import blocks
from lamina.network.trials import is_analytic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

TOLERANCES = {"complex step": 1e-11, "central differences": 1e-6}
DIRECTIONS = 64
"""How many derivatives are measured in each layer: all, or a random choice and a random mix."""


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
    """

    method: str
    differences: tuple[float, ...]
    tolerance: float
    n_derivatives: int
    n_points: int

    @property
    def passed(self) -> bool:
        """Whether every layer is within the tolerance."""
        return all(difference <= self.tolerance for difference in self.differences)

    def __str__(self) -> str:
        """Say it in plain words."""
        verdict = "The gradient is exact" if self.passed else "THE GRADIENT IS WRONG"
        layers = ", ".join(
            f"{'inputs' if l == 0 else f'layer {l}'} {difference:.1e}"
            for l, difference in enumerate(self.differences)
        )
        return (
            f"{verdict}: {self.n_derivatives} derivatives on {self.n_points} data points, measured "
            f"by {self.method}, differ from backpropagation by at most "
            f"{max(self.differences):.1e} (allowed {self.tolerance:.0e}): {layers}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Certificate:
        """Return the certificate that `to_dict` described."""
        return cls(**{**fields, "differences": tuple(fields["differences"])})


def certify(
    recipe: Recipe, theta: Matrix, X: Matrix, T: Matrix, omega: Matrix, *, seed: int = 0
) -> Certificate:
    """Measure derivatives of J in the inputs and in every layer, and compare.

    All arrays are float64: X is S_0 × N, T targets, ω N weights. At a kink (relu at 0) any
    number between the slopes on both sides counts as right.
    """
    random = np.random.default_rng(seed)
    result = backpropagate(recipe, theta, X, T, omega)

    def of_inputs(x: Matrix) -> Any:
        return objective(recipe, theta, x.reshape(X.shape), T, omega)

    def of_theta(parameters: Matrix) -> Any:
        return objective(recipe, parameters, X, T, omega)

    analytic = is_analytic(recipe)
    method = "complex step" if analytic else "central differences"
    inputs = (of_inputs, X.ravel(), result.Delta[0].ravel(), slice(0, X.size))
    layers = [
        (of_theta, theta, result.gradient, slice(weights.start, biases.stop))
        for weights, biases in blocks(recipe)
    ]
    tolerance = TOLERANCES[method]
    differences, count = [], 0
    for f, point, gradient, block in [inputs, *layers]:
        directions = list(_directions(random, point.size, block))
        gaps = [_gap(f, point, gradient, v, analytic=analytic) for v in directions]
        noise = 0.0 if analytic else abs(result.J) * np.finfo(float).eps / CENTRAL_STEP / tolerance
        scale = max(*(size for _, size in gaps), noise, float(np.finfo(float).tiny))
        differences.append(float(max(gap for gap, _ in gaps) / scale))
        count += len(directions)
    return Certificate(method, tuple(differences), tolerance, count, X.shape[1])


def _directions(random: np.random.Generator, size: int, block: slice) -> Iterator[Matrix]:
    """Yield unit directions in a block of a vector, and a mix of all when not all fit."""
    length = block.stop - block.start
    few = length <= DIRECTIONS
    for k in range(length) if few else random.choice(length, DIRECTIONS - 1, replace=False):
        v = np.zeros(size)
        v[block.start + k] = 1.0
        yield v
    if not few:
        v = np.zeros(size)
        v[block] = random.normal(size=length) / np.sqrt(length)
        yield v


def _gap(
    f: Callable[[Matrix], Any], point: Matrix, gradient: Matrix, v: Matrix, *, analytic: bool
) -> tuple[float, float]:
    """Return how far gradient · v is from the measured slope along v, and that slope's size."""
    claimed = float(gradient @ v)
    if not analytic:
        measured = float(central_difference(f, point, v))
        return abs(claimed - measured), abs(measured)
    right = float(complex_step(f, point, v, COMPLEX_STEP))
    left = float(complex_step(f, point, v, -COMPLEX_STEP))
    low, high = min(left, right), max(left, right)
    return max(low - claimed, claimed - high, 0.0), max(abs(low), abs(high))
