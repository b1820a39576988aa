"""Lamina: general feed-forward neural networks with exact gradients.

A network is a vector θ and a recipe; an engine evaluates the recipe and its gradient;
training chooses θ.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Adam": "lamina.training.solvers",
    "AdamW": "lamina.training.solvers",
    "Activation": "lamina.network.activations",
    "BayesianRegularization": "lamina.training.solvers",
    "Certificate": "lamina.certification.certificate",
    "Error": "lamina.network.error_kinds",
    "ErrorBars": "lamina.uncertainty.options",
    "FeedForwardClassifier": "lamina.estimators.classifier",
    "FeedForwardRegressor": "lamina.estimators.regressor",
    "GaussNewtonCg": "lamina.training.solvers",
    "Lbfgs": "lamina.training.solvers",
    "LevenbergMarquardt": "lamina.training.solvers",
    "Network": "lamina.network.network",
    "Penalty": "lamina.network.penalties",
    "Rprop": "lamina.training.solvers",
    "ScaledConjugateGradient": "lamina.training.solvers",
    "Sgd": "lamina.training.solvers",
    "load": "lamina.estimators.persistence",
    "register_activation": "lamina.registration",
    "register_error": "lamina.registration",
    "train": "lamina.training.train",
}
"""Where each public name lives; it is imported when it is first used."""

__version__ = "0.1.0.dev0"
__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 - every entry is a string


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name not in _HOMES:
        message = f"module 'lamina' has no attribute {name!r}; public names: {', '.join(_HOMES)}"
        raise AttributeError(message)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
