"""`lamina demo`: the whole job on two real tables, beside scikit-learn."""

from __future__ import annotations

import csv
import os
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer

from lamina.cli import options
from lamina.cli.console import ERROR, Screen
from lamina.cli.outputs import size_of

if TYPE_CHECKING:
    from lamina.cli.outcome import Outcome

TABLES = ("breast_cancer", "diabetes")
"""Of scikit-learn's tables: one with two classes, one with numbers to predict."""
HELD_OUT = 0.25
LAMINA, PEER, SCALED_PEER = "Lamina", "MLP", "scaled MLP"


def demo(
    *, seed: options.Seed = 0, quiet: options.Quiet = False, as_json: options.AsJson = False
) -> None:
    """Do the whole job on two real tables, beside scikit-learn's networks."""
    import sklearn

    import lamina

    screen = Screen(as_json, quiet)
    with TemporaryDirectory(prefix="lamina-demo-") as folder:
        results = [_job(name, Path(folder), seed, screen) for name in TABLES]
    cores = os.cpu_count() or 1
    screen.show(
        f"Lamina {lamina.__version__}, scikit-learn {sklearn.__version__}, {cores} cores, seed "
        f"{seed}: one split of each table, a demonstration and no benchmark.\n"
        "MLP: scikit-learn's network with its defaults; scaled MLP: the same on standardized "
        "inputs. Lamina standardizes inputs and targets by itself."
    )
    screen.document(
        {
            "command": "demo",
            "seed": seed,
            "cores": cores,
            "versions": {"lamina": lamina.__version__, "scikit_learn": sklearn.__version__},
            "tables": results,
        }
    )
    if not all(result["reloaded_equal"] and result["certificate"]["passed"] for result in results):
        raise typer.Exit(ERROR)


def _job(name: str, folder: Path, seed: int, screen: Screen) -> dict[str, Any]:
    """Train on a table and everything that follows; return it in JSON's terms."""
    from lamina.cli import show, summary
    from lamina.cli.outcome import learn
    from lamina.cli.problem import pose, split
    from lamina.data.inference import LABEL
    from lamina.data.readers import read_table

    table, model = folder / f"{name}.csv", folder / f"{name}.lamina"
    target = _write_table(name, table)
    problem = pose(read_table(table, kinds={target: LABEL}), target, "auto", screen.note)
    parts = split(problem, HELD_OUT, seed)
    title = f"{name.replace('_', ' ').capitalize()}: {problem.task}"
    screen.show(
        show.heading(title),
        f"{show.table_in_words(problem)}, target {target!r} holds {problem.holds}; "
        f"{show.parts_in_words(parts)}\n",
    )
    outcome = learn(problem, parts, {}, seed)
    columns = {LAMINA: {**outcome.metrics["held_out"], "seconds": outcome.seconds}}
    for peer, scaled in ((PEER, False), (SCALED_PEER, True)):
        columns[peer] = _peer(outcome, seed, scaled=scaled)
    outcome.save(model)
    result = {
        "table": name,
        "task": problem.task,
        "rows": {"training": len(parts[0]), "held_out": len(parts[1])},
        "held_out": columns,
        "network": summary.network_summary(outcome.estimator.network_),
        "training": summary.training_summary(outcome.estimator),
        "certificate": summary.certificate_summary(outcome.estimator.network_),
        "reloaded_equal": _predicts_the_same(outcome, model, table, screen),
    }
    _show(screen, result, size_of(model))
    return result


def _show(screen: Screen, result: dict[str, Any], size: str) -> None:
    """Print what came of a table."""
    from lamina.cli import show

    same = "the same to the last bit" if result["reloaded_equal"] else "NOT THE SAME"
    screen.show(
        show.network_in_words(result["network"]),
        show.training_in_words(result["training"]),
        f"Solver: {result['training']['solver_choice']}.\n",
        show.metrics_grid(result["held_out"]),
        _unconverged(result["held_out"]),
        result["certificate"]["text"] + "\n",
        f"Saved ({size}), reloaded, and predicted all rows of the table: {same}.\n",
    )


def _write_table(name: str, path: Path) -> str:
    """Write one of scikit-learn's tables as CSV; return the name of its target."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    classes = getattr(bunch, "target_names", None)
    target = "progression" if classes is None else "diagnosis"
    y = bunch.target if classes is None else classes[bunch.target]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*bunch.feature_names, target])
        writer.writerows([*x, t] for x, t in zip(bunch.data.tolist(), y.tolist(), strict=True))
    return target


def _peer(outcome: Outcome, seed: int, *, scaled: bool) -> dict[str, float]:
    """Return how scikit-learn's network does on the same rows; unconverged is 1 if it says so."""
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from lamina.cli.metrics import measure

    problem = outcome.problem
    matrix = np.column_stack(problem.X.columns)  # type: ignore[union-attr]  # numbers in memory
    kind = MLPClassifier if problem.task == "classification" else MLPRegressor
    network = kind(random_state=seed)
    model = make_pipeline(StandardScaler(), network) if scaled else network
    X, y = matrix[outcome.training], problem.y[outcome.training]
    begun = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    seconds = time.perf_counter() - begun
    unconverged = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    metrics = measure(model, matrix[outcome.held_out], problem.y[outcome.held_out])
    return {**metrics, "seconds": seconds, "unconverged": float(unconverged)}


def _unconverged(columns: dict[str, dict[str, float]]) -> str:
    """Return what scikit-learn said about its networks' convergence."""
    names = [name for name, column in columns.items() if column.get("unconverged")]
    if not names:
        return ""
    return f"\nscikit-learn warned that it had not converged: {' and '.join(names)}.\n"


def _predicts_the_same(outcome: Outcome, model: Path, table: Path, screen: Screen) -> bool:
    """Return whether the model from the file predicts every row of the table to the bit."""
    from lamina.cli.models import open_model, read_rows

    reloaded = open_model(model)
    X = read_rows(reloaded, table, screen.note)
    methods = (
        ("predict", "predict_proba") if outcome.problem.task == "classification" else ("predict",)
    )
    pairs = [
        (getattr(reloaded.estimator, name)(X), getattr(outcome.estimator, name)(outcome.problem.X))
        for name in methods
    ]
    return all(new.tobytes() == old.tobytes() for new, old in pairs)
