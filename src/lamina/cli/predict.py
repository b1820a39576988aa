"""`lamina predict`: what a model says of the rows of a table."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from lamina.cli import options
from lamina.cli.console import Screen
from lamina.cli.outputs import refuse_output

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.cli.models import Model
    from lamina.data.table import Table

    Array = npt.NDArray[Any]
    Columns = dict[str, list[Any]]


def predict(
    *,
    model: options.ModelFile,
    table: options.TableFile,
    out: Annotated[
        Path | None, Option("--out", "-o", metavar="FILE", help="A CSV file; stdout by default.")
    ] = None,
    encoding: options.Encoding = None,
    proba: Annotated[bool, Option("--proba", help="Add the probability of every class.")] = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Predict the target for each row of a table, as CSV."""
    from lamina.cli.models import open_model, read_rows
    from lamina.cli.show import plural
    from lamina.interchange import files

    screen = Screen(as_json, quiet)
    out = None if out == Path("-") else out
    if out is not None:
        refuse_output(out, [table, model], overwrite=overwrite)
    opened = open_model(model)
    rows = read_rows(opened, table, screen.note, encoding=encoding)
    columns = _predictions(opened, rows)
    if proba:
        columns |= _probabilities(opened, rows)
    if out is not None:
        files.save(out, [_csv(columns)], overwrite=overwrite)
        screen.note(f"{plural(len(rows), 'prediction')} written to {out}")
    elif not as_json:
        _write_bytes(_csv(columns))
    content = {"columns": columns} if out is None else {"out": str(out)}
    screen.document(
        {"command": "predict", "model": str(model), "table": str(table), "rows": len(rows)}
        | content
    )


def _predictions(model: Model, X: Table) -> Columns:
    """Return the prediction, or each of several, under the target's name."""
    name = model.target or "prediction"
    predicted = model.estimator.predict(X)
    if predicted.ndim == 1:
        return {name: _plain(predicted)}
    return {f"{name}_{k}": _plain(column) for k, column in enumerate(predicted.T)}


def _probabilities(model: Model, X: Table) -> Columns:
    """Return a column of probabilities for each class.

    Raises
    ------
    InvalidValueError
        If the model has none.
    """
    from lamina.exceptions import InvalidValueError

    if not hasattr(model.estimator, "predict_proba"):
        message = f"{str(model.path)!r} gives no probabilities; leave out --proba"
        raise InvalidValueError(message)
    kinds = model.estimator.classes_.tolist()
    columns = model.estimator.predict_proba(X).T
    return {f"proba_{kind}": _plain(p) for kind, p in zip(kinds, columns, strict=True)}


def _plain(column: Array) -> list[Any]:
    """Return Python's values; the fewest digits that give back the same number."""
    if column.dtype == "float32":
        return [float(text) for text in column.astype(str)]
    return list(column.tolist())


def _csv(columns: Columns) -> bytes:
    """Return columns as CSV in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _write_bytes(content: bytes) -> None:
    """Write UTF-8 to stdout, whatever its encoding is for a terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
