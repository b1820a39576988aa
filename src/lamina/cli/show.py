"""Parts of reports: tables that fit narrow terminals, numbers and sentences for people."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from lamina.cli.console import printable
from lamina.cli.metrics import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Sized

    from lamina.cli.problem import Problem

_SMALL, _LARGE = 1e-4, 1e7


def number(value: float) -> str:
    """Return a number with four significant digits.

    Examples
    --------
    >>> number(0.98765), number(12345.6), number(1e-9), number(0.0)
    ('0.9877', '12,346', '1e-09', '0')
    """
    if value == 0.0 or not isfinite(value):
        return f"{value:g}"
    if not _SMALL <= abs(value) < _LARGE:
        return f"{value:.4g}"
    return f"{value:,.{max(0, 3 - floor(log10(abs(value))))}f}"


def shortened(names: Sequence[Any], limit: int = 8) -> str:
    """Return names in a row, only the first ones of many; none brings control characters.

    Examples
    --------
    >>> shortened(range(100), limit=4)
    '0, 1, 2, ... (100 in all)'
    """
    if len(names) <= limit:
        return ", ".join(printable(str(name)) for name in names)
    return f"{shortened(names[: limit - 1], limit)}, ... ({len(names):,} in all)"


def plural(count: int, noun: str) -> str:
    """Return a count and its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def table_in_words(problem: Problem) -> str:
    """Return how large a table is."""
    return f"{plural(len(problem.y), 'row')}, {plural(len(problem.X.names), 'input')}"


def parts_in_words(parts: tuple[Sized, Sized]) -> str:
    """Return how many rows are for training, and how many are held out."""
    return f"{plural(len(parts[0]), 'row')} to train on, {len(parts[1]):,} held out"


def grid(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, text: Sequence[int] = (0,)
) -> Table:
    """Return a table; columns of text wrap on narrow terminals, those of numbers never."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(head):
        if place in text:
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*map(printable, row))
    return table


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Return names and what is to be said of them, side by side."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(printable(words, keep="\n") for words in row))
    return table


def metrics_grid(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """Return measures, a row each, of several models or parts of the data, a column each."""
    names = [name for name in LABELS if any(name in column for column in columns.values())]
    rows = [
        [LABELS[name], *(number(c[name]) if name in c else "" for c in columns.values())]
        for name in names
    ]
    return grid(["", *columns], rows)


def layers_grid(network: Mapping[str, Any]) -> Table:
    """Return the layers of a network summary, a row each."""
    rows = [["inputs", f"{network['inputs']:,}", "", "", ""]]
    rows += [
        [
            str(place),
            f"{layer['units']:,}",
            layer["activation"],
            f"{layer['parameters']:,}",
            number(layer["weight_norm"]),
        ]
        for place, layer in enumerate(network["layers"], 1)
    ]
    rows += [["all", "", "", f"{network['parameters']:,}", ""]]
    return grid(["layer", "units", "activation", "size", "|W|"], rows, text=(2,))


def network_in_words(network: Mapping[str, Any]) -> str:
    """Return the layers of a network summary in one line."""
    layers = network["layers"]
    sizes = "-".join(str(n) for n in [network["inputs"], *(layer["units"] for layer in layers)])
    activations = shortened([layer["activation"] for layer in layers], limit=4)
    size = plural(network["parameters"], "parameter")
    return f"Network {sizes} ({activations}), {size}, {network['dtype']}."


def training_in_words(training: Mapping[str, Any]) -> str:
    """Return a training summary in one or two sentences."""
    epochs = plural(training["epochs"], "epoch")
    words = f"{epochs} of {printable(training['solver'])} in {training['seconds']:.2f} s"
    words += f", last loss {number(training['loss'])}"
    if training["best_epoch"]:
        words += f", best epoch {training['best_epoch']}"
    return f"{words}. Ended: {training['stop_reason_text']}."


def scaling_in_words(scaling: Mapping[str, Any]) -> str:
    """Return a scaling summary, a line for inputs and one for targets."""
    lines = []
    for what, part in scaling.items():
        ranges = [
            _range_in_words(name, part[name]["min"], part[name]["max"])
            for name in ("center", "scale")
        ]
        method = part["method"]
        lines.append(f"{what} {method}" + ("" if method == "none" else f": {', '.join(ranges)}"))
    return "\n".join(lines)


def _range_in_words(name: str, low: float, high: float) -> str:
    """Return the range of a number that features have."""
    if low == high:
        return f"{name} {number(low)}"
    return f"{name}s {number(low)} to {number(high)}"


def heading(title: str) -> Text:
    """Return a title that stands out."""
    return Text(title, style="bold cyan")
