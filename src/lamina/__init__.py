"""Lamina: general feed-forward neural networks with exact gradients.

A network is a vector θ and a recipe; an engine evaluates the recipe and its gradient;
training chooses θ.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PACKAGES = ("reports",)
"""Packages that are public as such, imported when they are first used."""
_HOMES = {
    "Adam": "lamina.training.solvers",
    "AdamW": "lamina.training.solvers",
    "Activation": "lamina.network.activations",
    "BayesianRegularization": "lamina.training.solvers",
    "Certificate": "lamina.certification.certificate",
    "Checkpoints": "lamina.interchange.checkpoints",
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
    "TensorBoard": "lamina.training.tensorboard",
    "export": "lamina.estimators.exporting",
    "from_keras": "lamina.interchange.keras_files",
    "from_sklearn": "lamina.estimators.from_scikit_learn",
    "from_torch": "lamina.interchange.torch_states",
    "load": "lamina.estimators.persistence",
    "register_activation": "lamina.registration",
    "register_error": "lamina.registration",
    "register_onnx_converters": "lamina.estimators.onnx_converters",
    "to_torch": "lamina.estimators.exporting",
    "train": "lamina.training.train",
}
"""Where each public name lives; it is imported when it is first used."""

__version__ = "0.1.0.dev0"
__all__ = [*_HOMES, *_PACKAGES, "__version__"]  # noqa: PLE0604 - every entry is a string


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name in _PACKAGES:
        return import_module(f"lamina.{name}")
    if name not in _HOMES:
        message = f"module 'lamina' has no attribute {name!r}; public names: {', '.join(_HOMES)}"
        raise AttributeError(message)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
