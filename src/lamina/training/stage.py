"""How far a call of `train` is: all that is needed to go on exactly, in another process too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lamina.network.network import Network
    from lamina.training.state import TrainingState

    Keep = Callable[["Stage"], None]


@dataclass(frozen=True)
class Trained:
    """A training that ended: its number, what it is compared by, its state, why it stopped."""

    number: int
    merit: float
    state: TrainingState
    reason: str


@dataclass(frozen=True)
class Stage:
    """How far a call of `train` is.

    Attributes
    ----------
    state : TrainingState
        Of the training that runs; it is not copied.
    epochs : int
        Epochs that this training has done in this call.
    seconds : float
        Time used in this call, by all trainings.
    merits : tuple of float
        What the trainings before this one are compared by: there are `len(merits)` of them.
    best : Trained, optional
        The best of them.
    """

    state: TrainingState
    epochs: int = 0
    seconds: float = 0.0
    merits: tuple[float, ...] = ()
    best: Trained | None = None


class Keeping(Protocol):
    """What keeps stages of a training, such as `lamina.Checkpoints`."""

    def seed(self) -> int | None:
        """Return the seed of the training whose stages are kept, or None if there are none."""

    def begin(
        self, first: Stage, network: Network, course: Mapping[str, Any]
    ) -> tuple[Stage, Keep]:
        """Return the stage to begin with, and the function that is told every stage.

        Parameters
        ----------
        first : Stage
            Where training begins if nothing was kept.
        network : Network
            What is trained.
        course : mapping
            What decides, beside the network, how training goes, as `describe_course` has it.
        """
