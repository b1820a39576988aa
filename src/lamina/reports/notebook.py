"""An estimator in a notebook: scikit-learn's diagram, and below it the layers and the loss."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import estimator_html_repr

from lamina.reports.layers import layer_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 220, 44
"""Of the sparkline, in pixels."""
POINTS = 110
"""Of the curve, at most."""


def estimator_html(estimator: Any) -> str:
    """Return the estimator as HTML; of one that is not fitted scikit-learn's diagram alone."""
    diagram = str(estimator_html_repr(estimator))
    if not hasattr(estimator, "network_"):
        return diagram
    cell = "style='padding:2px 10px;text-align:right'"
    heads = ("layer", "units", "activation", "parameters", "|W|")
    columns = layer_columns(estimator.network_)
    columns["weight_norm"] = [f"{norm:.3g}" for norm in columns["weight_norm"]]
    del columns["bias_norm"]
    rows = [("inputs", estimator.network_.S[0], "", "", ""), *zip(*columns.values(), strict=True)]
    head = "".join(f"<th {cell}>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr>{''.join(f'<td {cell}>{escape(str(value))}</td>' for value in row)}</tr>"
        for row in rows
    )
    table = f"<table style='border-collapse:collapse;font:inherit'><tr>{head}</tr>{body}</table>"
    return (
        f"{diagram}<div style='display:flex;flex-wrap:wrap;gap:24px;align-items:center;"
        f"font:12px sans-serif;margin-top:6px'>{table}{_loss(estimator)}</div>"
    )


def _loss(estimator: Any) -> str:
    """Return the curve of the loss, and in words where it began and ended."""
    losses = [value for value in estimator.loss_curve_ if np.isfinite(value)]
    if not losses:
        return ""
    words = (
        f"J {losses[0]:.3g} → {losses[-1]:.3g} in {estimator.n_iter_:,} epochs of "
        f"{estimator.solver_}"
    )
    return f"<div>{sparkline(losses)}<br>{escape(words)}</div>"


def sparkline(values: Sequence[float]) -> str:
    """Return a small curve of finite numbers as SVG, in the color of the text.

    Examples
    --------
    >>> sparkline([2.0, 1.0])[:4]
    '<svg'
    """
    chosen = np.linspace(0, len(values) - 1, min(len(values), POINTS)).round().astype(int)
    y = np.asarray(values, dtype=float)[chosen]
    low, high = float(y.min()), float(y.max())
    if low > 0.0 and high > 10.0 * low:
        y, low, high = np.log(y), np.log(low), np.log(high)
    up = (y - low) / ((high - low) or 1.0)
    x = np.linspace(2, WIDTH - 2, len(y)) if len(y) > 1 else np.array([2.0])
    places = " ".join(
        f"{a:.1f},{HEIGHT - 3 - b * (HEIGHT - 6):.1f}" for a, b in zip(x, up, strict=True)
    )
    return (
        f"<svg role='img' aria-label='loss by epoch' width='{WIDTH}' height='{HEIGHT}' "
        f"viewBox='0 0 {WIDTH} {HEIGHT}'><polyline points='{places}' fill='none' "
        "stroke='currentColor' stroke-width='1.5'/></svg>"
    )
