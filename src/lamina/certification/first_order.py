"""First derivatives: backpropagation against measured slopes of J, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.certification.certificate import Certificate
from lamina.network.backpropagation import backpropagate, objective
from lamina.network.differences import (
    AGREEMENT,
    CENTRAL_STEP,
    COMPLEX_STEP,
    complex_step,
    rounding,
)
from lamina.network.parameters import blocks, views
from lamina.network.trials import is_analytic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lamina.network.backpropagation import Backpropagation
    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe

TOLERANCES = {"complex step": 1e-11, "central differences": 1e-6}
ONE_SIDED = 0.01
"""How far one-sided differences may be apart, relatively, where there is no kink."""
DIRECTIONS = 64
"""How many derivatives are measured in each layer: all, or a random choice and a random mix."""


def certify_gradient(
    recipe: Recipe, theta: Matrix, X: Matrix, T: Matrix, omega: Matrix, *, seed: int = 0
) -> Certificate:
    """Measure derivatives of J in the inputs and in every layer, and compare.

    All arrays are float64: X is S_0 × N, T targets, ω N weights. A derivative on a kink
    (relu at 0) has no one value; it is counted, not compared.
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
    differences, count, kinks = [], 0, 0
    for (f, point, gradient, block), noise in zip(
        [inputs, *layers], _noise(recipe, theta, result, omega), strict=True
    ):
        directions = list(_directions(random, point.size, block))
        gaps = [_gap(f, point, gradient, v, analytic=analytic) for v in directions]
        smooth = np.array([gap for gap in gaps if gap is not None] or [(0.0, 0.0)])
        blur = 16.0 * noise if analytic else float(rounding(result.J))
        scale = np.max([*smooth[:, 1], blur / tolerance, np.finfo(float).tiny])
        differences.append(float(np.max(smooth[:, 0]) / scale))
        count, kinks = count + len(gaps), kinks + sum(gap is None for gap in gaps)
    return Certificate(method, tuple(differences), tolerance, count, X.shape[1], kinks)


def _noise(recipe: Recipe, theta: Matrix, result: Backpropagation, omega: Matrix) -> list[float]:
    """Return how far rounding can move the derivatives in the inputs and in each layer.

    A slope such as 1 - a² is rounded at the size of 1 even where it is next to nothing, so
    the bound carries sizes back as if no slope were below 1.
    """
    W, _ = views(recipe, theta)
    eps = np.finfo(float).eps
    size = np.broadcast_to(omega, result.H[-1].shape) if recipe.pair else np.abs(result.Delta[-1])
    noise: list[float] = []
    for l in range(recipe.L, 0, -1):
        size = np.maximum(size, np.abs(result.H[l]))
        received = np.maximum(np.abs(result.A[l - 1]), 1.0)
        noise.insert(0, float(eps * np.max(size @ received.T)))
        size = np.abs(W[l]).T @ size
    return [float(eps * np.max(size)), *noise]


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
) -> tuple[float, float] | None:
    """Return how far gradient · v is from the measured slope along v, and that slope's size.

    None if the slopes on both sides differ: a kink.
    """
    claimed = float(gradient @ v)
    if analytic:
        right = float(complex_step(f, point, v, COMPLEX_STEP))
        left = float(complex_step(f, point, v, -COMPLEX_STEP))
        measured, alike = right, AGREEMENT
    else:
        middle = f(point)
        right = float((f(point + CENTRAL_STEP * v) - middle) / CENTRAL_STEP)
        left = float((middle - f(point - CENTRAL_STEP * v)) / CENTRAL_STEP)
        measured, alike = 0.5 * (right + left), ONE_SIDED
    if abs(right - left) > alike * max(abs(right), abs(left)) + float(rounding(f(point))):
        return None
    return abs(claimed - measured), abs(measured)
