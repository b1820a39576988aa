"""What a person looks at: reports on trained networks, each with `.frame()` and `.plot()`.

They follow scikit-learn's displays: `TrainingCurves.from_estimator(model).plot()`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "ActivationHistograms": "lamina.reports.histograms",
    "ClassificationReport": "lamina.reports.classification",
    "Diagnosis": "lamina.reports.diagnosis",
    "Finding": "lamina.reports.finding",
    "Importance": "lamina.reports.influence",
    "NetworkDiagram": "lamina.reports.diagram",
    "PartialDependence": "lamina.reports.dependence",
    "RegressionReport": "lamina.reports.regression",
    "Sensitivity": "lamina.reports.influence",
    "TrainingCurves": "lamina.reports.curves",
    "WeightHistograms": "lamina.reports.histograms",
}
"""Where each report lives; it is imported when it is first used."""

__all__ = [*_HOMES]  # noqa: PLE0604 - every entry is a string


def __getattr__(name: str) -> Any:
    """Import a report from its home."""
    if name not in _HOMES:
        message = f"module 'lamina.reports' has no attribute {name!r}; it has: {', '.join(_HOMES)}"
        raise AttributeError(message)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the reports."""
    return sorted(__all__)
