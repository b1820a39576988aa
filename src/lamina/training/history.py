"""What happened in every epoch: one format for all solvers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.data.framing import make_frame

COLUMNS = ("epoch", "loss", "validation_loss", "gradient_norm", "learning_rate", "seconds")
"""The columns of every history; metrics on the validation data follow under their names."""


class History:
    """A table with a row for each epoch.

    Columns
    -------
    epoch : from 1
    loss : the objective J; for minibatch solvers the mean over the epoch's batches
    validation_loss : the error on the validation data, without penalties; NaN without such data
    gradient_norm : |dJ/dθ|; for minibatch solvers the root mean square over batches
    learning_rate : of the last step; for lbfgs the step length
    seconds : since training began, without pauses between fits
    """

    def __init__(self, columns: dict[str, list[float]] | None = None) -> None:
        """Start empty, or from columns of equal length."""
        self._columns = columns if columns is not None else {name: [] for name in COLUMNS}

    def append(self, row: dict[str, float]) -> None:
        """Add one epoch; a metric that is new gets NaN in the rows before."""
        n = len(self)
        for name in row:
            if name not in self._columns:
                self._columns[name] = [float("nan")] * n
        for name, column in self._columns.items():
            column.append(float(row.get(name, float("nan"))))

    def cut(self, epochs: int) -> None:
        """Forget all but the first epochs."""
        for column in self._columns.values():
            del column[epochs:]

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self._columns["epoch"])

    def __getitem__(self, name: str) -> list[float]:
        """Return a column as a list of numbers."""
        return self._columns[name]

    def columns(self) -> dict[str, list[float]]:
        """Return all columns."""
        return dict(self._columns)

    def last(self) -> dict[str, float]:
        """Return the last row."""
        return {name: column[-1] for name, column in self._columns.items()}

    def frame(self, backend: str | None = None) -> Any:
        """Return the history as a data frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}, optional
            The library of the frame; the first of these that is installed by default.

        Raises
        ------
        InvalidValueError
            If `backend` is another word.
        MissingDependencyError
            If that library is not installed, or none is.
        """
        columns: dict[str, Any] = {name: np.asarray(c) for name, c in self._columns.items()}
        columns["epoch"] = columns["epoch"].astype(int)
        return make_frame(columns, backend)

    def __repr__(self) -> str:
        """Show the length and the last row."""
        if not len(self):
            return "History(no epochs)"
        last = ", ".join(f"{k}={v:.4g}" for k, v in self.last().items() if v == v)  # noqa: PLR0124 - NaN
        return f"History({len(self)} epochs; last: {last})"
