"""The options of `lamina train` in records, and what they mean to an estimator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from typer import BadParameter

from lamina.cli import options


@dataclass(frozen=True)
class TaskOptions:
    """The table, and what is asked of it."""

    table: options.TableFile
    target: options.Target
    task: options.TaskOption = options.Task.auto
    drop: options.Drop = None
    kind: options.Kind = None
    encoding: options.Encoding = None
    test: options.Test = 0.2
    seed: options.Seed = 0


@dataclass(frozen=True)
class NetworkOptions:
    """The network."""

    hidden: options.Hidden = "100"
    activation: options.Activation = "relu"
    dropout: options.Dropout = 0.0
    scale_inputs: options.ScaleInputs = options.InputScaling.standard
    dtype: options.Dtype = options.Precision.float64

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of an estimator."""
        return {
            "hidden_layer_sizes": self.hidden,
            "activation": self.activation,
            "dropout": self.dropout,
            "scale_inputs": self.scale_inputs.value,
            "dtype": self.dtype.value,
        }


@dataclass(frozen=True)
class TrainingOptions:
    """How it is trained."""

    loss: options.Loss = "auto"
    solver: options.Solver = "auto"
    max_iter: options.MaxIter = 200
    learning_rate_init: options.LearningRate = "auto"
    alpha: options.Alpha = None
    early_stopping: options.EarlyStopping = False
    validation: options.ValidationRows = "auto"
    restarts: options.Restarts = 1

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of an estimator; each kind has its own default loss."""
        return {
            **({} if self.loss == "auto" else {"loss": self.loss}),
            "solver": self.solver,
            "max_iter": self.max_iter,
            "learning_rate_init": self.learning_rate_init,
            "alpha": "auto" if self.alpha is None else self.alpha,
            "early_stopping": self.early_stopping,
            "validation": self.validation,
            "n_restarts": self.restarts,
        }


@dataclass(frozen=True)
class CheckpointOptions:
    """What is written down while it trains."""

    checkpoints: options.CheckpointFolder = None
    every: options.Every = None
    resume: options.Resume = False

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of an estimator.

        Raises
        ------
        BadParameter
            If there is no folder, and it is said how to use it.
        """
        if self.checkpoints is None:
            if self.resume or self.every is not None:
                option = "--resume" if self.resume else "--every"
                message = "is about checkpoints: give their folder by --checkpoints FOLDER"
                raise BadParameter(message, param_hint=option)
            return {"checkpoints": None}
        from lamina.interchange.checkpoints import Checkpoints

        kept = Checkpoints(self.checkpoints, resume=self.resume)
        if self.every is not None:
            kept = replace(kept, every_seconds=self.every)
        return {"checkpoints": kept}


@dataclass(frozen=True)
class OutputOptions:
    """What is written and said."""

    out: options.Out = Path("model.lamina")
    overwrite: options.Overwrite = False
    quiet: options.Quiet = False
    as_json: options.AsJson = False
