"""`lamina train`: from a table to a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lamina.cli import options
from lamina.cli.console import INTERRUPTED, Screen, printable
from lamina.cli.outputs import refuse_output, size_of

if TYPE_CHECKING:
    from lamina.cli.problem import Outcome, Problem


def train(
    *,
    table: options.TableFile,
    target: options.Target,
    task: options.TaskOption = options.Task.auto,
    test: options.Test = 0.2,
    seed: options.Seed = 0,
    hidden: options.Hidden = "100",
    activation: options.Activation = "relu",
    dropout: options.Dropout = 0.0,
    dtype: options.Dtype = options.Precision.float64,
    loss: options.Loss = "auto",
    solver: options.Solver = "auto",
    max_iter: options.MaxIter = 200,
    learning_rate_init: options.LearningRate = "auto",
    alpha: options.Alpha = None,
    early_stopping: options.EarlyStopping = False,
    out: options.Out = Path("model.lamina"),
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a network on a table, measure it on rows held out, and save it."""
    screen = Screen(as_json, quiet)
    options.check_names(hidden, activation, loss, solver)
    refuse_output(out, [table], overwrite=overwrite)
    parameters: dict[str, Any] = {
        "hidden_layer_sizes": hidden,
        "activation": activation,
        "dropout": dropout,
        "dtype": dtype.value,
        "loss": loss,
        "solver": solver,
        "max_iter": max_iter,
        "learning_rate_init": learning_rate_init,
        "alpha": "auto" if alpha is None else alpha,
        "early_stopping": early_stopping,
        "verbose": screen.has_progress,
    }
    outcome = _learn(screen, table, (target.strip(), task.value), parameters, (test, seed))
    _finish(screen, outcome, table, out, overwrite=overwrite)


def _learn(
    screen: Screen,
    path: Path,
    task: tuple[str, str],
    parameters: dict[str, Any],
    draw: tuple[float, int],
) -> Outcome:
    """Read the table, say what it asks for, and train; `task` is target and kind."""
    from lamina.cli import show
    from lamina.cli.problem import learn, pose, split
    from lamina.data.readers import read_table

    target, kind = task
    if parameters["loss"] == "auto":
        del parameters["loss"]  # every kind of estimator has its own default
    problem = pose(read_table(path, text=[target]), target, kind)
    parts = split(problem, *draw)
    screen.show(f"{printable(str(path))}: {show.table_in_words(problem)}")
    screen.show(_task_in_words(problem))
    screen.show(f"{show.parts_in_words(parts)}\n")
    return learn(problem, parts, parameters, draw[1])


def _task_in_words(problem: Problem) -> str:
    """Return the task, and what the target holds."""
    other = "regression" if problem.task == "classification" else "classification"
    hint = f" (or pass --task {other})" if problem.both else ""
    return f"{problem.task.capitalize()}: {problem.target!r} holds {problem.holds}{hint}"


def _finish(screen: Screen, outcome: Outcome, path: Path, out: Path, *, overwrite: bool) -> None:
    """Save the model, say how it went, and leave with a code of its own if interrupted."""
    outcome.save(out, overwrite=overwrite)
    _report(screen, outcome, path, out)
    if outcome.estimator.stop_reason_ == "interrupted":
        raise typer.Exit(INTERRUPTED)


def _report(screen: Screen, outcome: Outcome, path: Path, out: Path) -> None:
    """Say how it went, on the screen or as JSON."""
    from lamina.cli import show, summary

    estimator, problem = outcome.estimator, outcome.problem
    certificate = estimator.network_.certificate
    network = summary.network_summary(estimator.network_)
    training = summary.training_summary(estimator)
    columns = {name.replace("_", " "): column for name, column in outcome.metrics.items()}
    screen.show(
        *([""] if screen.has_progress else []),  # below the bar
        show.network_in_words(network),
        show.training_in_words(training),
        f"Solver: {printable(training['solver_choice'])}.\n",
        show.metrics_grid(columns),
        f"\n{certificate}\n",
        f"Saved to {printable(str(out))} ({size_of(out)}).",
    )
    screen.document(
        {
            "command": "train",
            "table": str(path),
            "model": str(out),
            "task": problem.task,
            "target": problem.target,
            "target_holds": problem.holds,
            "features": problem.features,
            "classes": estimator.classes_.tolist() if problem.task == "classification" else None,
            "rows": {"training": len(outcome.training), "held_out": len(outcome.held_out)},
            "network": network,
            "training": training,
            "metrics": outcome.metrics,
            "certificate": summary.certificate_summary(estimator.network_),
        }
    )
