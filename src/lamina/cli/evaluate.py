"""`lamina evaluate`: how well a model predicts the target of a table."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from lamina.cli import options
from lamina.cli.console import Screen, printable


def evaluate(
    *,
    model: options.ModelFile,
    table: options.TableFile,
    target: Annotated[
        str | None,
        Option(metavar="NAME", help="The column with the true values, if not named as trained."),
    ] = None,
    encoding: options.Encoding = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare a model's predictions with the target in a table."""
    from lamina.cli.metrics import measure
    from lamina.cli.models import name_target, open_model, read_rows, true_values
    from lamina.cli.show import metrics_grid, plural

    screen = Screen(as_json, quiet)
    opened = open_model(model)
    target = name_target(opened, target)
    whole = read_rows(opened, table, screen.note, target=target, encoding=encoding)
    y, rows = true_values(opened, whole, target, screen.note)
    metrics = measure(opened.estimator, whole.choose(whole.names[:-1]).rows(rows), y)
    screen.show(
        f"{printable(str(model))} on {printable(str(table))}: {plural(len(rows), 'row')}, "
        f"target {target!r}\n",
        metrics_grid({"value": metrics}),
    )
    screen.document(
        {
            "command": "evaluate",
            "model": str(model),
            "table": str(table),
            "target": target,
            "rows": len(rows),
            "metrics": metrics,
        }
    )
