"""Gauss-Newton by conjugate gradients: what Levenberg-Marquardt does, without the matrix.

The direction p solves (G + λ γ I) p = -g, with the Gauss-Newton matrix G and the gradient g, so
far that the residual is at most min(1/2, √|g|) |g|, which suffices for faster than linear
convergence (Nocedal and Wright 2006, algorithm 7.1). Conjugate gradients need G only as products
G v, each about two passes over the data. Where they meet negative curvature, which G has where the
error is not convex in what it sees, they stop with what they have (Steihaug 1983). γ, the largest
gᵗGg / gᵗg so far, makes λ a number without a unit; `trust` sets the next one from how much of the
fall -(gᵗp + pᵗGp/2) came true. Source of the whole: Martens 2010, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network.formulas import require_number
from lamina.training.solvers.base import Advance, Solver
from lamina.training.solvers.evaluation import Evaluation
from lamina.training.solvers.trust import fresh, take_step

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lamina.engines.protocol import Data, Engine
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class GaussNewtonCg(Solver):
    """Damped Gauss-Newton steps on all data, without the matrix; one epoch lowers J once.

    Parameters
    ----------
    damping : float > 0, default 1e-3
        The first λ, relative to the curvature along the gradient.
    max_products : int >= 1, default 100
        Products G v at most in one direction.
    max_tries : int >= 1, default 40
        Dampings tried in one epoch until J falls.
    """

    damping: float = 1e-3
    max_products: int = 100
    max_tries: int = 40

    minibatch: ClassVar[bool] = False
    default_tol: ClassVar[float] = 1e-10

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        require_number("damping", self.damping)
        counts = (self.max_products, self.max_tries)
        if not (self.damping > 0 and all(isinstance(n, Integral) and n >= 1 for n in counts)):
            message = (
                "gauss_newton_cg needs damping > 0 and whole max_products and max_tries >= 1, "
                f"got {self!r}"
            )
            raise InvalidValueError(message)

    def start(self, recipe: Recipe, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return λ and ν, and γ."""
        del recipe, dtype  # float64 for any precision of θ
        return {"damping": fresh(self.damping), "scale": np.zeros(1)}

    def advance(
        self, engine: Engine, data: Data, state: TrainingState, settings: Settings
    ) -> Advance:
        """Damp until a step lowers J, and take it."""
        del settings  # no option of its own: `Settings` refuses those that would be ignored
        evaluate = Evaluation.of(engine, data, state)
        here = state.theta.copy()
        J, gradient = evaluate.both(here)
        norm = float(np.linalg.norm(gradient))
        if not np.isfinite(J + norm) or norm == 0.0:
            return Advance(J, norm, 0.0, stalled=norm == 0.0)
        known = engine.gauss_newton_product(here, data, gradient)
        scale = _scale(state.memory["scale"], gradient / norm, known / norm)

        def propose(damping: float) -> tuple[Array, float] | None:
            def product(v: Array) -> Array:
                return engine.gauss_newton_product(here, data, v) + damping * scale * v

            first = known + damping * scale * gradient
            found = conjugate_gradients(product, gradient, first, self.max_products)
            if found is None:
                return None
            p, residual = found
            return p, 0.5 * float(p @ (residual + damping * scale * p - gradient))

        found = take_step(state, J, evaluate.trial, propose, self.damping, self.max_tries)
        if found is None:
            return Advance(J, norm, 0.0, stalled=True)
        after = float(np.linalg.norm(evaluate.slope(state.theta)))
        return Advance(found[0], after, found[1])


def conjugate_gradients(
    product: Callable[[Array], Array], gradient: Array, first: Array, most: int
) -> tuple[Array, Array] | None:
    """Solve H p = -g until the residual is small enough.

    Parameters
    ----------
    product : function
        Returns H v, P numbers, for v.
    gradient, first : vectors, P
        g, not zero, and H g, which is known.
    most : int
        Products at most, that one included.

    Returns
    -------
    (vector, vector) or None
        p and the residual -g - H p; None if H is not positive along g, so that there is no p.
    """
    p, residual, direction = np.zeros_like(gradient), -gradient, -gradient
    square = float(residual @ residual)
    enough = min(0.5, square**0.25) * np.sqrt(square)
    for k in range(most):
        image = product(direction) if k else -first
        curvature = float(direction @ image)
        if not 0.0 < curvature < float("inf"):  # nor is a number that overflowed
            return (p, residual) if k else None
        rate = square / curvature
        p = p + rate * direction
        residual = residual - rate * image
        before, square = square, float(residual @ residual)
        if np.sqrt(square) <= enough:
            break
        direction = residual + (square / before) * direction
    return p, residual


def _scale(memory: Array, direction: Array, image: Array) -> float:
    """Return γ for G u, u = g/|g|, and remember it; 1 as long as no curvature was met."""
    curvature = float(direction @ image)
    if np.isfinite(curvature):
        np.maximum(memory, curvature, out=memory)
    return float(memory[0]) or 1.0
