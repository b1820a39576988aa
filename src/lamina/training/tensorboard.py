"""`TensorBoard`: every row of the history as an event that TensorBoard draws.

The events are written by tensorboardX. TensorBoard's own package has no writer of its own that is
settled, and comes with a server; tensorboardX needs NumPy and protobuf.
"""

from __future__ import annotations

import time
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.exceptions import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Self

    from lamina.training.state import TrainingState


class TensorBoard:
    """Writes each epoch's numbers to a folder, for `tensorboard --logdir FOLDER`.

    A callback for `set_callbacks` of estimators, and an observer for `lamina.train`. Each fit has
    a folder of its own in `folder`, named by when it began.

    Parameters
    ----------
    folder : path
        It is made when training begins.

    Raises
    ------
    MissingDependencyError
        If tensorboardX is not installed, when training begins.

    Examples
    --------
    >>> import lamina
    >>> model = lamina.FeedForwardRegressor().set_callbacks(TensorBoard("runs"))
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        """Keep the folder."""
        self.folder = folder
        self._writers: dict[Any, Any] = {}

    def __call__(self, state: TrainingState, row: Mapping[str, float]) -> None:
        """Write a row, as an observer; the events reach the disk with `close`."""
        del state
        self._write(None, row)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Write what is left to the disk; the next row begins another folder."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    # The hooks of scikit-learn's callbacks ----------------------------------------------

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin a folder, when `fit` begins."""
        del estimator
        self._open(context.root_uuid)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Write the last row of the history, when an epoch ends."""
        if context.task_name != "epoch" or not len(estimator.history_):
            return
        row = estimator.history_.last()
        if context.parent.task_name == "training":
            row["restart"] = context.parent.task_id + 1.0
        self._write(context.root_uuid, row)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Close, when `fit` ends."""
        del estimator
        writer = self._writers.pop(context.root_uuid, None)
        if writer is not None:
            writer.close()

    # Writing ----------------------------------------------------------------------------

    def _write(self, key: Any, row: Mapping[str, float]) -> None:
        """Write a row of the history under the number of its epoch."""
        writer = self._writers.get(key) or self._open(key)
        prefix = f"training_{row['restart']:.0f}/" if "restart" in row else ""
        for name, number in row.items():
            if name not in {"epoch", "restart"} and isfinite(number):
                writer.add_scalar(prefix + name, number, int(row["epoch"]))

    def _open(self, key: Any) -> Any:
        """Return a writer to a new folder."""
        try:
            from tensorboardX import SummaryWriter
        except ImportError as problem:
            message = "TensorBoard needs tensorboardX: pip install 'lamina[tensorboard]'"
            raise MissingDependencyError(message) from problem
        name = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
        folder = _unused(Path(self.folder), name)
        self._writers[key] = SummaryWriter(str(folder), write_to_disk=True)
        return self._writers[key]

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes to another process: not the open files."""
        return {**self.__dict__, "_writers": {}}


def _unused(parent: Path, name: str) -> Path:
    """Make and return a folder of this name, or with the first number behind it that is free."""
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder
