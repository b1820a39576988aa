"""`lamina describe`: what is in a model file, or in a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, BadParameter

from lamina.cli import options
from lamina.cli.console import Screen, printable
from lamina.cli.outputs import size_of

_SHOWN = 40
"""Columns of a model that are shown."""


def describe(
    *,
    path: Annotated[Path, Argument(metavar="MODEL|TABLE", help="A model file, or a table.")],
    kind: options.Kind = None,
    encoding: options.Encoding = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Show a model's layers, columns, training and certificate; or the columns of a table."""
    screen = Screen(as_json, quiet)
    if not _is_model(path):
        _describe_table(screen, path, dict(kind or ()), encoding)
        return
    if kind or encoding:
        raise BadParameter("--kind and --encoding are of tables, and this is a model file")
    content = _content(path)
    _show(screen, path, content)
    screen.document({"command": "describe", "model": str(path), **content})


def _is_model(path: Path) -> bool:
    """Return whether a file is called a model, or begins as one: a length, then JSON."""
    if path.suffix == ".lamina" or not path.is_file():
        return path.suffix == ".lamina"
    with path.open("rb") as file:
        start = file.read(9)
    return start[8:] == b"{" and start[6:8] == b"\0\0"


def _describe_table(
    screen: Screen, path: Path, kinds: dict[str, str], encoding: str | None
) -> None:
    """Show what the columns of a table are, and what would be learned of them."""
    from lamina.cli.described_table import columns_grid, find_columns
    from lamina.cli.show import plural

    table, findings = find_columns(path, kinds, encoding, screen.note)
    features = sum(len(finding.column.features) for finding in findings if finding.column)
    screen.show(
        f"{printable(str(path))}: {plural(len(table), 'row')}, {plural(len(findings), 'column')}\n",
        columns_grid(findings),
        f"\nAll columns as inputs: {plural(features, 'feature')}. Change what a column is with "
        "--kind NAME=KIND, and leave it out of training with --drop NAME.",
    )
    columns = [finding.document() for finding in findings]
    content = {"command": "describe", "table": str(path), "rows": len(table), "columns": columns}
    screen.document(content)


def _content(path: Path) -> dict[str, Any]:
    """Return all there is to say of a model file."""
    import numpy as np
    import sklearn

    import lamina
    from lamina.cli import summary
    from lamina.interchange.container import read
    from lamina.network.network import Network

    loaded = lamina.load(path)
    if isinstance(loaded, Network):
        network = loaded
        content: dict[str, Any] = {"kind": "Network", "network": summary.network_summary(network)}
    else:
        network, content = loaded.network_, summary.estimator_summary(loaded)
    versions = {
        "written_by": str(read(path).metadata.get("lamina", "unknown")),
        "lamina": lamina.__version__,
        "numpy": np.__version__,
        "scikit_learn": sklearn.__version__,
    }
    return {**content, "certificate": summary.certificate_summary(network), "versions": versions}


def _show(screen: Screen, path: Path, content: dict[str, Any]) -> None:
    """Print the description."""
    from lamina.cli import show

    network, versions, certificate = (
        content[name] for name in ("network", "versions", "certificate")
    )
    written_by = printable(versions["written_by"])
    rows = []
    if "training" in content:
        inputs = network["inputs"]
        rows = [
            ("Target", show.shortened([content["target"] or "(unnamed)"])),
            ("Classes", show.shortened(content["classes"] or ())),
            ("Inputs", show.shortened(content["features"] or [f"{inputs:,} (unnamed)"])),
            ("Scaling", show.scaling_in_words(content["scaling"])),
            ("Training", show.training_in_words(content["training"])),
            ("Solver", printable(content["training"]["solver_choice"])),
        ]
    rows += [
        ("Error", f"{network['error']}, in {network['dtype']}"),
        ("Certificate", printable(certificate["text"]) if certificate else "none was made"),
        ("Versions", f"written by lamina {written_by}, read by {versions['lamina']}"),
    ]
    screen.show(
        f"{printable(str(path))}: {content['kind']}, {size_of(path)}\n",
        show.layers_grid(network),
        "",
        show.facts(row for row in rows if row[1]),
        *_columns(content),
    )


def _columns(content: dict[str, Any]) -> list[Any]:
    """Return a table of the columns that a model learned from; those of plain numbers counted."""
    from lamina.cli import show

    columns = content.get("columns") or []
    others = [c for c in columns if c["kind"] != "numeric" or c["note"] or c["missing"]]
    rows = [
        [
            column["name"],
            column["kind"],
            show.shortened(column["levels"] or column["parts"], limit=5),
            "; ".join(
                ["some missing"] * column["missing"] + [column["note"]] * bool(column["note"])
            ),
        ]
        for column in others[:_SHOWN]
    ]
    if not rows:
        return []
    rest = [f"{show.plural(len(others) - len(rows), 'column')} more"] * (len(others) > len(rows))
    numbers = len(columns) - len(others)
    rest += [f"{show.plural(numbers, 'column')} of numbers"] * bool(numbers)
    ends = [f"and {', '.join(rest)}; --json has all"] if rest else []
    head = ["column", "kind", "levels or parts", "note"]
    return ["", show.grid(head, rows, text=(0, 1, 2, 3)), *ends]
