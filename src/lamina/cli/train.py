"""`lamina train`: from a table to a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lamina.cli import parsers, records
from lamina.cli.console import INTERRUPTED, Screen, printable
from lamina.cli.grouped import grouped
from lamina.cli.outputs import refuse_output, size_of

if TYPE_CHECKING:
    from lamina.cli.outcome import Outcome
    from lamina.cli.problem import Problem


@grouped
def train(
    *,
    asked: records.TaskOptions,
    network: records.NetworkOptions,
    training: records.TrainingOptions,
    kept: records.CheckpointOptions,
    output: records.OutputOptions,
) -> None:
    """Train a network on a table, measure it on rows held out, and save it."""
    screen = Screen(output.as_json, output.quiet)
    parsers.check_names(network.hidden, network.activation, training.loss, training.solver)
    refuse_output(output.out, [asked.table], overwrite=output.overwrite)
    parameters = {
        **network.parameters(),
        **training.parameters(),
        **kept.parameters(),
        "column_kinds": dict(asked.kind) if asked.kind else None,
        "verbose": screen.has_progress,
    }
    outcome = _learn(screen, asked, parameters)
    _finish(screen, outcome, asked.table, output.out, overwrite=output.overwrite)


def _learn(screen: Screen, asked: records.TaskOptions, parameters: dict[str, Any]) -> Outcome:
    """Read the table, say what it asks for, and train."""
    from lamina.cli import show
    from lamina.cli.outcome import learn
    from lamina.cli.problem import read_problem, split

    problem = read_problem(asked, screen.note)
    parts = split(problem, asked.test, asked.seed)
    screen.show(f"{printable(str(asked.table))}: {show.table_in_words(problem)}")
    screen.show(_task_in_words(problem))
    screen.show(f"{show.parts_in_words(parts)}\n")
    return learn(problem, parts, parameters, asked.seed)


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
    idle = [f"{c.name} ({c.note})" for c in estimator.columns_ if c.kind == "drop"]
    if idle:
        screen.note(f"columns without anything to learn from: {show.shortened(idle)}")
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
            "features": problem.X.names,
            "columns": summary.columns_summary(estimator),
            "classes": estimator.classes_.tolist() if problem.task == "classification" else None,
            "rows": {"training": len(outcome.training), "held_out": len(outcome.held_out)},
            "network": network,
            "training": training,
            "metrics": outcome.metrics,
            "certificate": summary.certificate_summary(estimator.network_),
        }
    )
