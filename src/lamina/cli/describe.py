"""`lamina describe`: what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.cli import options
from lamina.cli.console import Screen, printable
from lamina.cli.outputs import size_of


def describe(
    *, model: options.ModelFile, quiet: options.Quiet = False, as_json: options.AsJson = False
) -> None:
    """Show a model's layers, scaling, training and certificate."""
    content = _content(model)
    screen = Screen(as_json, quiet)
    _show(screen, model, content)
    screen.document({"command": "describe", "model": str(model), **content})


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
    )
