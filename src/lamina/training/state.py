"""Where training stands: all that is needed to go on exactly, as arrays and numbers."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.training.history import COLUMNS, History

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

SCALARS = ("seed", "epoch", "step", "best_loss", "best_epoch", "watched_loss", "stale")


@dataclass
class TrainingState:
    """Where training stands.

    Attributes
    ----------
    theta : vector
        The current θ, which training goes on from; the network may hold the best one.
    seed : int
        Of shuffling, splitting and dropout.
    solver : str
        Whose memory it is; another solver begins with its own.
    memory : dict of arrays
        What the solver remembers.
    epoch, step : int
        Epochs and steps done.
    best_theta, best_loss, best_epoch
        Of the epoch with the lowest validation error, where that is watched.
    watched_loss, stale
        The loss that must be undercut, and for how many epochs it was not.
    history : History
        Every epoch so far.
    scratch : dict
        What a solver may keep within one call of `train` to save work; never stored.
    """

    theta: Array = field(repr=False)
    seed: int
    solver: str = ""
    memory: dict[str, Array] = field(default_factory=dict, repr=False)
    epoch: int = 0
    step: int = 0
    best_theta: Array | None = field(default=None, repr=False)
    best_loss: float = float("inf")
    best_epoch: int = 0
    watched_loss: float = float("inf")
    stale: int = 0
    history: History = field(default_factory=History)
    scratch: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def snapshot(self) -> tuple[Array, dict[str, Array], int, int]:
        """Return copies of what an epoch changes, to go back to."""
        return self.theta.copy(), copy.deepcopy(self.memory), self.epoch, self.step

    def restore(self, snapshot: tuple[Array, dict[str, Array], int, int]) -> None:
        """Go back to a snapshot; θ keeps its place in memory."""
        theta, self.memory, self.epoch, self.step = snapshot
        self.theta[:] = theta

    def to_arrays(self) -> dict[str, Array]:
        """Return the state, but the solver's name, as arrays; every number is kept exactly."""
        arrays = {"theta": self.theta}
        arrays |= {f"memory.{name}": array for name, array in self.memory.items()}
        arrays |= {f"history.{n}": np.asarray(c) for n, c in self.history.columns().items()}
        arrays |= {name: np.asarray(getattr(self, name)) for name in SCALARS}
        if self.best_theta is not None:
            arrays["best_theta"] = self.best_theta
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array], solver: str) -> TrainingState:
        """Return the state that `to_arrays` described.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        memory = {n[7:]: a for n, a in arrays.items() if n.startswith("memory.")}
        found = [n[8:] for n in arrays if n.startswith("history.")]
        names = [*COLUMNS, *(n for n in found if n not in COLUMNS)]
        columns = {n: arrays[f"history.{n}"].tolist() for n in names}
        scalars: dict[str, Any] = {name: arrays[name].item() for name in SCALARS}
        return cls(
            theta=arrays["theta"],
            solver=solver,
            memory=memory,
            best_theta=arrays.get("best_theta"),
            history=History(columns),
            **scalars,
        )
