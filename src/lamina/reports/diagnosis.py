"""The doctor: what often goes wrong with networks, looked for one by one."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lamina.exceptions import InvalidValueError
from lamina.reports.base import Panel, Report
from lamina.reports.doctor import fit, signals, tables, units
from lamina.reports.doctor.case import Case
from lamina.reports.palette import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lamina.reports.finding import Finding

CHECKS = (
    fit.check_training,
    fit.check_validation,
    fit.check_fit,
    units.check_units,
    signals.check_signals,
    signals.check_updates,
    tables.check_scales,
    tables.check_extremes,
    tables.check_target,
    tables.check_leaks,
    tables.check_classes,
)
"""Each takes a case and yields findings."""

OVERRULED = {"stopped too early": "overfitting"}
"""What is not said where something else was found: more epochs would make that worse."""


class Diagnosis(Report):
    """What was found, and what was measured of each layer.

    Parameters
    ----------
    findings : list of Finding
    layers : dict of columns
        layer, units, idle (units that are dead or saturated), delta, gradient (the sizes of Δ_l
        and of dJ/dZ_l) and update (the size of a step by that of the weights); NaN where unknown.
    """

    def __init__(self, findings: Sequence[Finding], layers: Mapping[str, Sequence[Any]]) -> None:
        """Keep both."""
        self.findings, self.layers = list(findings), dict(layers)

    def __len__(self) -> int:
        """Return the number of findings."""
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        """Iterate over the findings."""
        return iter(self.findings)

    def __str__(self) -> str:
        """Return the findings, a paragraph each."""
        return "\n".join(map(str, self.findings)) or "Nothing found."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the findings for a notebook."""
        if not self.findings:
            return "<p>Nothing found.</p>"
        items = (
            f"<dt><b>{escape(f.name)}</b> {escape(f.where)}</dt>"
            f"<dd>{escape(f.evidence)}.<br>{escape(f.remedy)}.</dd>"
            for f in self.findings
        )
        return f"<dl>{''.join(items)}</dl>"

    def columns(self) -> dict[str, Any]:
        """Return finding, where, evidence and remedy."""
        names = ("name", "where", "evidence", "remedy")
        columns = {name: [getattr(f, name) for f in self.findings] for name in names}
        return {"finding": columns.pop("name"), **columns}

    def panels(self) -> list[Panel]:
        """Return what was measured of each layer, as far as it is known.

        Raises
        ------
        InvalidValueError
            If nothing is, since the diagnosis was made without X and y.
        """
        shown = [
            ("idle", "Dead or saturated units", "share of units", GREEN),
            ("gradient", "dJ/dZ on its way back", "root mean square", BLUE),
            ("update", "Step by weights", "ratio of sizes", ORANGE),
        ]
        known = [row for row in shown if np.any(np.isfinite(self.layers[row[0]]))]
        if not known:
            message = "nothing is known of the layers; call diagnose with X and y to draw them"
            raise InvalidValueError(message)
        if len(known) > 1 and not np.any(self.layers["idle"]):
            known = known[1:]
        return [
            Panel(title, partial(self._draw, name=name, word=word, color=color), 3.4, 2.5)
            for name, title, word, color in known
        ]

    def _draw(self, ax: Any, name: str, word: str, color: str) -> None:
        """Draw a mark for each layer."""
        layers, values = self.layers["layer"], np.asarray(self.layers[name], dtype=float)
        if name == "idle":
            ax.bar(layers, values / self.layers["units"], 0.6, color=color, alpha=0.85)
            ax.set_ylim(0, 1)
        else:
            ax.plot(layers, np.where(values > 0, values, np.nan), "o-", color=color)
            if np.any(values > 0):
                ax.set_yscale("log")
        ax.set(xlabel="layer", ylabel=word, xticks=layers[:: max(1, len(layers) // 8)])
        ax.set_xlim(0.4, len(layers) + 0.6)


def diagnose(
    estimator: Any, X: Any = None, y: Any = None, *, feature_names: Sequence[str] | None = None
) -> Diagnosis:
    """Return what is found in a fitted estimator; see its method `diagnose`.

    Parameters
    ----------
    feature_names : list of str, optional
        Names of the columns of X, where neither the estimator nor X has any.
    """
    check_is_fitted(estimator, "network_")
    case = Case(estimator, X, y, feature_names)
    findings = [finding for check in CHECKS for finding in check(case)]
    names = {finding.name for finding in findings}
    findings = [f for f in findings if OVERRULED.get(f.name) not in names]
    return Diagnosis(findings, _layers(case))


def _layers(case: Case) -> dict[str, list[Any]]:
    """Return what is measured of each layer."""
    L, unknown = case.network.L, [float("nan")] * case.network.L
    idle = unknown if case.X is None else [int(u.sum()) for _, u in units.idle_units(case)]
    delta, gradient = (unknown, unknown) if case.y is None else signals.signal_sizes(case)
    return {
        "layer": list(range(1, L + 1)),
        "units": case.network.S[1:],
        "idle": idle,
        "delta": delta,
        "gradient": gradient,
        "update": unknown if case.y is None else signals.update_ratios(case),
    }
