"""`lamina report`: a page to look at, of a model and a table with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lamina.cli import options
from lamina.cli.console import Screen, printable
from lamina.cli.outputs import refuse_output, size_of

if TYPE_CHECKING:
    from lamina.cli.models import Model
    from lamina.reports.diagnosis import Diagnosis


def report(
    *,
    model: options.ModelFile,
    table: options.TableFile,
    target: Annotated[
        str | None,
        Option(metavar="NAME", help="The column with the true values, if not named as trained."),
    ] = None,
    out: options.Out = Path("report.html"),
    encoding: options.Encoding = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Write one HTML page: how good a model is on a table, why, and what is wrong with it."""
    from lamina.cli.models import name_target, open_model
    from lamina.cli.show import plural
    from lamina.interchange import files
    from lamina.reports.base import require_matplotlib

    screen = Screen(as_json, quiet)
    require_matplotlib()
    refuse_output(out, [table, model], overwrite=overwrite)
    opened = open_model(model)
    target = name_target(opened, target)
    page, found, content = _look(opened, table, target, encoding, screen)
    files.save(out, [page.encode()], overwrite=overwrite)
    screen.show(
        f"{printable(str(model))} on {printable(str(table))}: {plural(content['rows'], 'row')}, "
        f"{plural(len(found), 'finding')}",
        *(f"- {printable(str(finding))}" for finding in found),
        f"Written to {printable(str(out))} ({size_of(out)}).",
    )
    paths = {"model": str(model), "table": str(table), "out": str(out)}
    screen.document({"command": "report", **paths, **content})


def _look(
    model: Model, table: Path, target: str, encoding: str | None, screen: Screen
) -> tuple[str, Diagnosis, dict[str, Any]]:
    """Return the page, what the doctor found, and what there is to say in JSON's terms."""
    from lamina.cli.metrics import measure
    from lamina.cli.models import read_rows, true_values

    whole = read_rows(model, table, screen.note, target=target, encoding=encoding)
    y, rows = true_values(model, whole, target, screen.note)
    inputs = whole.choose(whole.names[:-1]).rows(rows)
    metrics = measure(model.estimator, inputs, y)
    page, found = _page(model, inputs, y, (table, target), metrics)
    content = {
        "target": target,
        "rows": len(y),
        "metrics": metrics,
        "findings": [vars(finding) for finding in found],
    }
    return page, found, content


def _page(
    model: Model, inputs: Any, y: Any, source: tuple[Path, str], metrics: dict[str, float]
) -> tuple[str, Diagnosis]:
    """Return the page, and what the doctor found; `source` is the table and its target."""
    from lamina.cli import show, summary
    from lamina.cli.metrics import LABELS
    from lamina.reports.diagnosis import diagnose
    from lamina.reports.page import make_page

    estimator, (table, target) = model.estimator, source
    training = summary.training_summary(estimator)
    certificate = str(estimator.network_.certificate or "none was made").partition(":")[0]
    facts = {
        "Model": printable(str(model.path)),
        "Table": f"{printable(str(table))}, {show.plural(len(y), 'row')}",
        "Target": printable(target),
        "Network": show.network_in_words(summary.network_summary(estimator.network_)),
        "Training": show.training_in_words(training),
        "Solver": printable(training["solver_choice"]),
        "Certificate": printable(certificate),
    }
    names = None if model.features is None else list(model.features)
    diagnosis = diagnose(estimator, inputs, y, feature_names=names)
    page = make_page(
        estimator,
        inputs,
        y,
        title=f"{model.path.name} on {table.name}",
        facts=facts,
        metrics={LABELS[name]: show.number(value) for name, value in metrics.items()},
        diagnosis=diagnosis,
        target=target,
        feature_names=names,
    )
    return page, diagnosis
