"""`certify`: everything that is claimed of a network's derivatives, against measured ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lamina.certification.first_order import certify_gradient
from lamina.certification.second_order import compare_curvature

if TYPE_CHECKING:
    from lamina.certification.certificate import Certificate
    from lamina.certification.second_order import Answer, Data
    from lamina.network.formulas import Matrix
    from lamina.network.recipe import Recipe


def certify(recipe: Recipe, theta: Matrix, data: Data, answer: Answer | None = None) -> Certificate:
    """Return the certificate of a network on some data points.

    Parameters
    ----------
    recipe, theta : Recipe, vector
    data : X, T, omega
        Inputs, S_0 × N, targets, and N weights; in float64, as is θ.
    answer : function, optional
        What an engine says, as `compare_curvature` takes it.
    """
    certificate = certify_gradient(recipe, theta, *data)
    second, n_smooth = compare_curvature(recipe, theta, data, answer)
    return replace(certificate, second=second, n_smooth=n_smooth)
