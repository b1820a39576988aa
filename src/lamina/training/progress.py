"""A progress bar on the terminal: epoch, loss, time left."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lamina.training.loop import Observer


@contextmanager
def progress_bar(max_iter: int, *, enabled: bool) -> Iterator[Sequence[Observer]]:
    """Yield the observers of a training run: one that moves a bar on stderr, or none."""
    if not enabled:
        yield ()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=max_iter, loss="")

        def show(row: Mapping[str, float]) -> None:
            validation = row["validation_loss"]
            beside = f"  validation {validation:.4g}" if validation == validation else ""  # noqa: PLR0124 - NaN
            bar.update(task, advance=1, loss=f"loss {row['loss']:.4g}{beside}")

        yield (show,)
