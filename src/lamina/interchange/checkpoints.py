"""`Checkpoints`: what a training needs to go on exactly, kept in files while it runs.

A checkpoint is a model file, as `lamina.load` reads, with the stage of the training and a
description of its course beside. A stage is written once the epoch behind it is done: then it is
sure that training went on from it, neither stopped nor diverged, so that going on from the file is
what happened before. What a kill costs is therefore the time between two checkpoints and an epoch.
"""

from __future__ import annotations

import copy
import re
import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lamina.exceptions import CheckpointError, CheckpointWarning, ModelFileError
from lamina.interchange import files
from lamina.interchange.container import Document, read, write
from lamina.interchange.native import describe_network, exact, network_document, understand
from lamina.interchange.states import describe_stage, make_stage
from lamina.training.settings import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike
    from pathlib import Path

    from lamina.network.network import Network
    from lamina.training.stage import Keep, Stage

    Describe = Callable[[Stage], Document]

KEY = "checkpoint"
"""The name in a document's metadata under which stage and course stand."""
_NAME = re.compile(r"checkpoint-(\d{8})\.lamina")


@dataclass(frozen=True)
class Checkpoints:
    """Where and how often a training writes down how far it is.

    Parameters
    ----------
    folder : path
        A folder for one training alone; it is made if there is none.
    every_epochs : int >= 1, optional
        Epochs from one checkpoint to the next.
    every_seconds : float >= 0, optional, default 60
        Seconds from one checkpoint to the next; with both, whatever comes first.
    keep : int >= 1, default 3
        How many of the last checkpoints stay.
    resume : bool, default False
        Whether to go on from the newest checkpoint of the folder, if there is one. The result is
        that of a training without a break, bit for bit; whatever would make it another one, such
        as other data or another learning rate, is refused. If false, a folder that holds
        checkpoints is refused.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If a number is out of range, or neither epochs nor seconds are given.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import lamina
    >>> X = np.linspace(-1, 1, 50)[np.newaxis]
    >>> net = lamina.Network([1, 8, 1], ["tanh", "identity"], random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = Checkpoints(f"{folder}/run", every_epochs=10)
    ...     training = lamina.train(net, X, X**2, solver="adam", max_iter=50, checkpoints=kept)
    ...     lamina.load(kept.paths()[-1]).S
    [1, 8, 1]
    """

    folder: str | PathLike[str]
    every_epochs: int | None = None
    every_seconds: float | None = 60.0
    keep: int = 3
    resume: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        files.as_path(self.folder)
        if self.every_epochs is not None:
            require("every_epochs", self.every_epochs, whole=True, least=1)
        if self.every_seconds is not None or self.every_epochs is None:
            require("every_seconds", self.every_seconds, least=0.0)
        require("keep", self.keep, whole=True, least=1)

    def paths(self) -> list[Path]:
        """Return the checkpoints in the folder, the newest last; empty if there is none."""
        folder = files.as_path(self.folder)
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(path for path in found if _NAME.fullmatch(path.name))

    def newest(self) -> Document | None:
        """Return the newest checkpoint that is sound, or None if there is no checkpoint.

        Raises
        ------
        CheckpointError
            If there are some, and all are damaged; or if `resume` is false.

        Warns
        -----
        CheckpointWarning
            For each that is damaged.
        """
        document, problems = self._newest()
        for problem in problems:
            message = f"{problem}. The checkpoint before it is taken"
            warnings.warn(message, CheckpointWarning, stacklevel=3)
        return document

    def seed(self) -> int | None:
        """Return the seed of the training that the folder holds, or None if there is none."""
        document = self._newest()[0]
        if document is None:
            return None
        return understand("its seed", lambda: int(document.metadata[KEY]["course"]["seed"]))  # type: ignore[no-any-return]  # an int

    def _newest(self) -> tuple[Document | None, list[ModelFileError]]:
        """Return the newest checkpoint that is sound, if any, and what is wrong with newer ones."""
        paths = self.paths()
        if paths and not self.resume:
            raise CheckpointError(
                f"{str(self.folder)!r} holds checkpoints of an earlier training: go on with it "
                "(resume=True, or --resume), choose another folder, or delete them"
            )
        problems: list[ModelFileError] = []
        for path in reversed(paths):
            try:
                return read(path), problems
            except ModelFileError as problem:
                problems.append(problem)
        if paths:
            raise CheckpointError(
                f"every checkpoint in {str(self.folder)!r} is damaged: delete them and begin anew"
            ) from problems[0]
        return None, problems

    def begin(
        self,
        first: Stage,
        network: Network,
        course: Mapping[str, Any],
        model: Describe | None = None,
    ) -> tuple[Stage, Keep]:
        """Return the stage to begin with, and the function that is told every stage.

        Parameters
        ----------
        first : Stage
            Where training begins if the folder holds no checkpoint; it becomes the first one.
        network : Network
            What is trained.
        course : mapping
            What decides, beside the network, how training goes.
        model : function, optional
            Returns a stage as a model file; by default that of the network.

        Raises
        ------
        CheckpointError
            If the folder holds checkpoints and `resume` is false, or they are of another course.
        UnknownNameError, InvalidTypeError
            If the model cannot be stored, for example because of an unregistered activation.
        OSError
            If the folder cannot be made or written to.
        """
        described = describe_network(network)
        recipe = {"the network": [described[name] for name in ("inputs", "layers", "error")]}
        whole = exact(recipe | dict(course))
        model = model or partial(_as_network, network, best=bool(course["early_stopping"]))
        found = self.newest()
        writer = _Writer(self, whole, model)
        if found is None:
            writer.write(writer.document(first))
            return first, writer
        return _resumed(found, network, whole), writer


def _resumed(found: Document, network: Network, course: Mapping[str, Any]) -> Stage:
    """Return the stage of a checkpoint, if it is of this course."""
    kept = understand("its stage", lambda: dict(found.metadata[KEY]))
    was = understand("its course", lambda: dict(kept["course"]))
    different = [n for n in {**was, **course} if was.get(n, KEY) != course.get(n, KEY)]
    if different:
        raise CheckpointError(
            f"the checkpoint is of another training; different are: {', '.join(different)}. Give "
            "data and parameters as they were, or begin anew in another folder"
        )
    stage: Stage = understand("its stage", lambda: make_stage(network, kept, found.tensors))
    return stage


def _as_network(network: Network, stage: Stage, *, best: bool) -> Document:
    """Return the network of a stage as a model file: of the moment, or of the best epoch."""
    state, shown = stage.state, copy.copy(network)
    theta = state.best_theta if best and state.best_theta is not None else state.theta
    shown._theta = theta.copy()  # noqa: SLF001 - the setter would change the network itself
    return network_document(shown)


class _Writer:
    """Writes a stage now and then: the function that is told every stage."""

    def __init__(self, options: Checkpoints, course: dict[str, Any], model: Describe) -> None:
        self._options, self._course, self._model = options, course, model
        self._folder = files.as_path(options.folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        for rest in self._folder.glob(".lamina-*.tmp"):  # of a process that was killed
            rest.unlink(missing_ok=True)
        names = [path.name for path in options.paths()]
        self._number = max((int(_NAME.fullmatch(n)[1]) for n in names), default=0)  # type: ignore[index]  # they match
        self._written, self._epochs = time.monotonic(), 0
        self._waiting: tuple[int, Document] | None = None

    def __call__(self, stage: Stage) -> None:
        """Write the stage that waits, if this one is behind it; let this one wait if it is due."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting[0] == len(stage.merits):
            self._try(waiting[1])
        self._epochs += 1
        if self._is_due():
            self._waiting = len(stage.merits), self.document(stage)
            self._written, self._epochs = time.monotonic(), 0

    def _is_due(self) -> bool:
        """Return whether it is time for a checkpoint."""
        epochs, seconds = self._options.every_epochs, self._options.every_seconds
        if epochs is not None and self._epochs >= epochs:
            return True
        return seconds is not None and time.monotonic() - self._written >= seconds

    def document(self, stage: Stage) -> Document:
        """Return a stage as a model file with all that is needed to go on; all of it copies."""
        described, tensors = describe_stage(stage)
        model = self._model(stage)
        kept = described | {"course": self._course}
        metadata = model.metadata | {KEY: kept}
        return replace(model, metadata=metadata, tensors=model.tensors | tensors)

    def _try(self, document: Document) -> None:
        """Write a checkpoint; a full disk is no reason to lose a training."""
        try:
            self.write(document)
        except OSError as problem:
            message = f"no checkpoint was written, and training goes on: {problem}"
            warnings.warn(message, CheckpointWarning, stacklevel=7)

    def write(self, document: Document) -> None:
        """Write a checkpoint, and delete those that are too old."""
        self._number += 1
        write(self._folder / f"checkpoint-{self._number:08}.lamina", document)
        for path in self._options.paths()[: -self._options.keep]:
            path.unlink(missing_ok=True)
