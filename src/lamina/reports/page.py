"""The report as one page: everything that a person looks at, in a file that needs no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

import lamina
from lamina.reports.classification import ClassificationReport
from lamina.reports.curves import TrainingCurves
from lamina.reports.dependence import PartialDependence
from lamina.reports.diagram import NetworkDiagram
from lamina.reports.histograms import ActivationHistograms, WeightHistograms
from lamina.reports.influence import Importance, Sensitivity
from lamina.reports.layers import layer_columns
from lamina.reports.pictures import to_svg
from lamina.reports.regression import RegressionReport
from lamina.reports.rows import as_rows, count, names_of, sample, take
from lamina.reports.style import STYLESHEET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from lamina.reports.base import Panel
    from lamina.reports.diagnosis import Diagnosis

    Array = npt.NDArray[Any]

MOST_ROWS = 2_000
"""Rows that inputs are shuffled and varied on; predictions are compared on all."""
DEPENDENCES = 6
"""Inputs whose partial dependence is drawn, the most important ones."""
MANY_INPUTS = 60
"""From so many on they are shuffled twice instead of five times."""
OUTPUTS = 3
"""Outputs of a regressor that are drawn."""
LISTED = 60
"""Rows of a table in the page."""


@dataclass
class Page:
    """A page in the making.

    Attributes
    ----------
    parts : list of HTML
    pictures : int
        How many there are so far.
    """

    parts: list[str] = field(default_factory=list)
    pictures: int = 0

    def add(self, *parts: str) -> None:
        """Add HTML."""
        self.parts.extend(parts)

    def show(self, panels: Iterable[Panel], *, wide: bool = False) -> None:
        """Add pictures beside each other, or wide ones that scroll where there is no room."""
        figures = []
        for panel in panels:
            self.pictures += 1
            svg = to_svg(panel, self.pictures)
            title = escape(panel.title.replace(r"\$", "$"))
            figures.append(f"<figure><figcaption>{title}</figcaption>{svg}</figure>")
        self.add(f'<div class="{"wide" if wide else "pictures"}">{"".join(figures)}</div>')

    def text(self, title: str) -> str:
        """Return the whole page."""
        policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{escape(title)}</title><style>{STYLESHEET}</style></head>"
            f"<body><main>{''.join(self.parts)}</main></body></html>\n"
        )


def make_page(
    estimator: Any,
    X: Any,
    y: Array,
    *,
    title: str,
    facts: Mapping[str, str],
    metrics: Mapping[str, str],
    diagnosis: Diagnosis,
    target: str = "y",
    feature_names: Sequence[str] | None = None,
) -> str:
    """Return a page about a fitted estimator and rows of a table, as HTML.

    It needs no other file and no network, and follows the reader's choice of light or dark.

    Parameters
    ----------
    X, y : rows that the estimator predicts, and the truth
    title : str
    facts, metrics : dict of text
        What stands at the top: of model and table, and how good the predictions are.
    diagnosis : Diagnosis
        Of the same rows.
    target : str
        The name of y.
    feature_names : list of str, optional
        Names of the columns of X, where neither the estimator nor X has any.

    Raises
    ------
    MissingDependencyError
        If Matplotlib is not installed.
    """
    X = as_rows(X)
    page, names = Page(), names_of(estimator, X, feature_names)
    page.add(f"<header><h1>{escape(title)}</h1>{_facts(facts)}</header>", _cards(metrics))
    _add_findings(page, diagnosis)
    _add_quality(page, estimator, X, y, target, names)
    _add_inputs(page, estimator, X, y, names)
    page.add("<h2>How training went</h2>")
    page.show(TrainingCurves.from_estimator(estimator).panels())
    _add_network(page, estimator, X, names, diagnosis)
    page.add(f"<footer>Made by lamina {escape(lamina.__version__)}.</footer>")
    return page.text(title)


def _facts(facts: Mapping[str, str]) -> str:
    """Return names and what is to be said of them."""
    items = (f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return f'<dl class="facts">{"".join(items)}</dl>'


def _cards(metrics: Mapping[str, str]) -> str:
    """Return measures as large numbers."""
    cards = (f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for k, v in metrics.items())
    return f'<div class="cards">{"".join(cards)}</div>'


def table(columns: Mapping[str, Sequence[Any]]) -> str:
    """Return columns as a table; of many rows the first ones, and a dash for NaN."""
    kept = {name: list(values)[:LISTED] for name, values in columns.items()}
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in kept)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in zip(*kept.values(), strict=True)
    )
    n = max((len(values) for values in columns.values()), default=0)
    more = f"<p>The first {LISTED} of {n:,}.</p>" if n > LISTED else ""
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>{more}'


def _cell(value: Any) -> str:
    """Return a cell as text."""
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if not np.isfinite(value):
            return "–"
        return f"{value:.3f}" if 0.01 <= abs(value) < 100.0 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)


def _add_findings(page: Page, diagnosis: Diagnosis) -> None:
    """Add what the doctor says."""
    page.add("<h2>Diagnosis</h2>")
    if not len(diagnosis):
        page.add('<p class="well">Nothing found.</p>')
    for finding in diagnosis:
        where = f" <span>{escape(finding.where)}</span>" if finding.where else ""
        page.add(
            f'<div class="finding"><h3>{escape(finding.name.capitalize())}{where}</h3>'
            f"<p>{escape(_sentence(finding.evidence))}</p>"
            f"<p><b>What may help:</b> {escape(_sentence(finding.remedy))}</p></div>"
        )


def _sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def _add_quality(
    page: Page, estimator: Any, X: Any, y: Array, target: str, names: Sequence[str]
) -> None:
    """Add how good the predictions are."""
    page.add("<h2>How good the predictions are</h2>")
    if hasattr(estimator, "classes_"):
        quality = ClassificationReport.from_estimator(estimator, X, y)
        page.show(quality.panels())
        page.add(table(quality.columns()))
        return
    outputs = np.asarray(estimator.predict(take(X, np.arange(1)))).size
    for output in range(min(outputs, OUTPUTS)):
        name = target if outputs == 1 else f"{target}{output}"
        report = RegressionReport.from_estimator(
            estimator, X, y, output=output, feature_names=names, name=name
        )
        page.show(report.panels())
    if outputs > OUTPUTS:
        page.add(f"<p>The first {OUTPUTS} of {outputs} outputs.</p>")


def _add_inputs(page: Page, estimator: Any, X: Any, y: Array, names: Sequence[str]) -> None:
    """Add which inputs matter, and how."""
    page.add("<h2>Which inputs matter</h2>")
    chosen = sample(count(X), MOST_ROWS)
    X, y = take(X, chosen), np.asarray(y)[chosen]
    sensitivity = Sensitivity.from_estimator(estimator, X, feature_names=names)
    if not _can_be_scored(estimator, X, y):
        page.show(sensitivity.panels())
        return
    importance = Importance.from_estimator(
        estimator, X, y, n_repeats=2 if len(names) > MANY_INPUTS else 5, feature_names=names
    )
    page.show([*importance.panels(), *sensitivity.panels()])
    strongest = list(importance.columns()["feature"])[:DEPENDENCES]
    places = [list(names).index(name) for name in strongest]
    dependence = PartialDependence.from_estimator(
        estimator, X, features=places, feature_names=names
    )
    page.add("<h3>Mean prediction over the most important inputs, the others as they are</h3>")
    page.show(dependence.panels())


def _can_be_scored(estimator: Any, X: Any, y: Array) -> bool:
    """Return whether predictions are of the shape of y: several quantiles are none of it."""
    return bool(np.shape(estimator.predict(take(X, np.arange(1))))[1:] == np.shape(y)[1:])


def _add_network(
    page: Page, estimator: Any, X: Any, names: Sequence[str], diagnosis: Diagnosis
) -> None:
    """Add the diagram, the layers and what is in them."""
    page.add("<h2>The network</h2>")
    page.show(NetworkDiagram.from_estimator(estimator, X, feature_names=names).panels(), wide=True)
    columns = layer_columns(estimator.network_)
    measured = {n: diagnosis.layers[n] for n in ("idle", "delta", "gradient", "update")}
    heads = dict(
        zip(measured, ("idle units", "size of Δ", "size of dJ/dZ", "step by weights"), strict=True)
    )
    page.add(table(columns | {heads[n]: column for n, column in measured.items()}))
    page.show(
        [
            *diagnosis.panels(),
            *WeightHistograms.from_estimator(estimator).panels(),
            *ActivationHistograms.from_estimator(estimator, X).panels(),
        ]
    )
