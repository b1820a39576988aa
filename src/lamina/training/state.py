"""Where training stands: all that is needed to go on exactly, as arrays and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.training.history import COLUMNS, History

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Snapshot = tuple[Array, dict[str, Array], dict[str, Any], int]

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
    choice : str
        Why it was chosen, if `solver="auto"` chose it; empty if it was asked for.
    memory : dict of arrays
        What the solver remembers.
    epoch, step : int
        Epochs done, and steps that this solver has done since it began with fresh memory.
    best_theta, best_loss, best_epoch
        Of the epoch with the lowest validation error, where that is watched.
    watched_loss, stale
        The loss that must be undercut, and for how many epochs it was not.
    history : History
        Every epoch so far.
    restarts : vector
        What the trainings were compared by of which this is the best, lower is better; empty if
        it was the only one.
    scratch : dict
        What a solver may keep within one call of `train` to save work; never stored.
    """

    theta: Array = field(repr=False)
    seed: int
    solver: str = ""
    choice: str = ""
    memory: dict[str, Array] = field(default_factory=dict, repr=False)
    epoch: int = 0
    step: int = 0
    best_theta: Array | None = field(default=None, repr=False)
    best_loss: float = float("inf")
    best_epoch: int = 0
    watched_loss: float = float("inf")
    stale: int = 0
    history: History = field(default_factory=History)
    restarts: Array = field(default_factory=lambda: np.empty(0), repr=False)
    scratch: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def snapshot(self) -> Snapshot:
        """Return copies of what an epoch changes, to go back to; of the history its length."""
        numbers = {name: getattr(self, name) for name in (*SCALARS, "best_theta")}
        memory = {name: array.copy() for name, array in self.memory.items()}
        return self.theta.copy(), memory, numbers, len(self.history)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; θ keeps its place in memory."""
        self.theta[:], self.memory, numbers, epochs = snapshot
        for name, number in numbers.items():
            setattr(self, name, number)
        self.history.cut(epochs)

    def to_arrays(self) -> dict[str, Array]:
        """Return copies of all but what is text, as arrays; every number is kept exactly."""
        arrays = {"theta": self.theta.copy()}
        arrays |= {f"memory.{name}": array.copy() for name, array in self.memory.items()}
        arrays |= {f"history.{n}": np.asarray(c) for n, c in self.history.columns().items()}
        arrays |= {name: np.asarray(getattr(self, name)) for name in SCALARS}
        arrays["restarts"] = self.restarts.copy()
        if self.best_theta is not None:
            arrays["best_theta"] = self.best_theta.copy()
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array], solver: str, choice: str = "") -> TrainingState:
        """Return the state that `to_arrays` described; it owns its arrays.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        memory = {n[7:]: a.copy() for n, a in arrays.items() if n.startswith("memory.")}
        found = [n[8:] for n in arrays if n.startswith("history.")]
        names = [*COLUMNS, *(n for n in found if n not in COLUMNS)]
        columns = {n: arrays[f"history.{n}"].tolist() for n in names}
        scalars: dict[str, Any] = {name: arrays[name].item() for name in SCALARS}
        best = arrays.get("best_theta")
        return cls(
            theta=arrays["theta"].copy(),
            solver=solver,
            choice=choice,
            memory=memory,
            best_theta=None if best is None else best.copy(),
            history=History(columns),
            restarts=arrays["restarts"].copy(),
            **scalars,
        )
