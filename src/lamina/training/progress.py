"""A progress bar on the terminal: epoch, loss, time left."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lamina.training.loop import Observer
    from lamina.training.settings import Settings


@contextmanager
def progress_bar(settings: Settings, *, enabled: bool) -> Iterator[Sequence[Observer]]:
    """Yield the observers of training: one that moves a bar on stderr, or none.

    Of several trainings each has the bar for itself, with its number before it.
    """
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
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("epoch", total=settings.max_iter, loss="")
        numbers = {1.0}  # of trainings so far

        def show(row: Mapping[str, float]) -> None:
            if (number := row.get("restart", 1.0)) not in numbers:
                numbers.add(number)
                bar.reset(task)
            if "restart" in row:
                which = f"training {number:.0f} of {settings.n_restarts}, epoch"
                bar.update(task, description=which)
            validation = row["validation_loss"]
            beside = f"  validation {validation:.4g}" if validation == validation else ""  # noqa: PLR0124 - NaN
            bar.update(task, advance=1, loss=f"loss {row['loss']:.4g}{beside}")

        yield (show,)
