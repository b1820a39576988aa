"""What there is to say of a model, in JSON's terms: layers, scaling, training, certificate."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS
from lamina.training.stopping import REASONS

if TYPE_CHECKING:
    from lamina.data.scaling import Scaling
    from lamina.network.network import Network


def network_summary(network: Network) -> dict[str, Any]:
    """Return the layers with their sizes, activations, parameters and weight norms."""
    layers = [
        {
            "units": layer.units,
            "activation": ACTIVATIONS.text(layer.activation),
            "parameters": layer.size,
            "weight_norm": float(np.linalg.norm(W)),
            "bias_norm": float(np.linalg.norm(b)),
        }
        for layer, W, b in zip(network.recipe.layers, network.W[1:], network.b[1:], strict=True)
    ]
    return {
        "inputs": network.S[0],
        "layers": layers,
        "parameters": network.recipe.size,
        "error": ERRORS.text(network.recipe.error),
        "dtype": str(network.dtype),
    }


def estimator_summary(estimator: Any) -> dict[str, Any]:
    """Return what an estimator knows beside its network's certificate."""
    features = getattr(estimator, "feature_names_in_", None)
    classes = getattr(estimator, "classes_", None)
    return {
        "kind": type(estimator).__name__,
        "target": getattr(estimator, "target_name_", None),
        "classes": None if classes is None else classes.tolist(),
        "features": None if features is None else [str(name) for name in features],
        "columns": columns_summary(estimator),
        "network": network_summary(estimator.network_),
        "scaling": scaling_summary(estimator),
        "training": training_summary(estimator),
    }


def columns_summary(estimator: Any) -> list[dict[str, Any]] | None:
    """Return what each column is that the estimator learned from; None if it saw bare numbers."""
    columns = getattr(estimator, "columns_", None)
    if columns is None:
        return None
    names = ("name", "kind", "note", "missing", "levels", "parts")
    return [{name: getattr(column, name) for name in names} for column in columns]


def training_summary(estimator: Any) -> dict[str, Any]:
    """Return how training went, and why it stopped."""
    last, reason = estimator.history_.last(), estimator.stop_reason_
    return {
        "solver": estimator.solver_,
        "solver_choice": estimator.solver_choice_,
        "seed": estimator.state_.seed,
        "epochs": estimator.n_iter_,
        "seconds": last["seconds"],
        "loss": last["loss"],
        "validation_loss": last["validation_loss"],
        "best_epoch": estimator.state_.best_epoch if estimator.early_stopping else None,
        "stop_reason": reason,
        "stop_reason_text": REASONS.get(reason, reason),
    }


def scaling_summary(estimator: Any) -> dict[str, Any]:
    """Return the ranges of centers and scales, of inputs and of targets."""
    summary = {"inputs": _ranges(estimator.input_scaling_, estimator.scale_inputs)}
    if hasattr(estimator, "target_scaling_"):
        summary["targets"] = _ranges(estimator.target_scaling_, estimator.scale_targets)
    return summary


def _ranges(scaling: Scaling, method: str) -> dict[str, Any]:
    """Return least and greatest center and scale."""
    parts = {"center": scaling.center, "scale": scaling.scale}
    ranges = {n: {"min": float(p.min()), "max": float(p.max())} for n, p in parts.items()}
    return {"method": method, **ranges}


def certificate_summary(network: Network) -> dict[str, Any] | None:
    """Return the certificate, whether it passed, and what it says."""
    found = network.certificate
    if found is None:
        return None
    return {**asdict(found), "passed": found.passed, "text": str(found)}
