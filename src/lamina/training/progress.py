"""A progress bar on the terminal: epoch, loss, validation loss, learning rate, time left."""

from __future__ import annotations

import time
from contextlib import contextmanager
from math import inf, isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lamina.training.loop import Observer
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

PAUSE = 0.05
"""Seconds from one drawing to the next: epochs may be much faster than a screen."""


@contextmanager
def progress_bar(settings: Settings, *, enabled: bool) -> Iterator[Sequence[Observer]]:
    """Yield the observers of training: one that moves a bar on stderr, or none.

    Of several trainings each has the bar for itself, with its number before it.
    """
    if not enabled:
        yield ()
        return
    from rich.console import Console

    with make_bar(Console(stderr=True)) as bar:
        moving = Moving(bar, settings)
        try:
            yield (moving,)
        finally:
            moving.draw()


def make_bar(console: Any) -> Any:
    """Return the bar on a console, without a task."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    return Progress(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[numbers]}"),
        TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=len("0:00:00"))),
        TextColumn("left"),
        console=console,
    )


class Moving:
    """An observer that moves a bar."""

    def __init__(self, bar: Any, settings: Settings) -> None:
        self._bar, self._settings = bar, settings
        self._task = bar.add_task("epoch", total=settings.max_iter, numbers="")
        self._number, self._first = 1.0, 0.0
        self._row: Mapping[str, float] = {}
        self._drawn = -inf

    def __call__(self, state: TrainingState, row: Mapping[str, float]) -> None:
        """Note the row, and draw it if the last drawing is not of this very moment."""
        del state
        if not self._row:
            self._first = row["epoch"] - 1.0  # of this call: there may have been others before
        number = row.get("restart", 1.0)
        if number != self._number:
            self.draw()
            self._bar.reset(self._task)
            self._number = number
        self._row = row
        if time.monotonic() - self._drawn >= PAUSE:
            self.draw()

    def draw(self) -> None:
        """Draw the last row."""
        if not self._row:
            return
        row, which = self._row, "epoch"
        if "restart" in row:
            which = f"training {self._number:.0f}/{self._settings.n_restarts}"
        done = row["epoch"] - self._first
        self._bar.update(self._task, completed=done, description=which, numbers=in_words(row))
        self._drawn = time.monotonic()


def in_words(row: Mapping[str, float]) -> str:
    """Return loss, validation loss and learning rate of a row of the history."""
    words = {"loss": "loss", "validation_loss": "validation", "learning_rate": "rate"}
    known = {word: row[name] for name, word in words.items() if not isnan(row[name])}
    return " ".join(f"{word} {number:.3g}" for word, number in known.items())
