"""scikit-learn's callbacks, told of every epoch; and the estimator as it stands after one.

The tasks of a fit are its epochs or, where training begins several times, its trainings, each with
its epochs. Source of the protocol: `sklearn.callback` of scikit-learn 1.9.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.callback import with_callbacks

from lamina.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from lamina.training.loop import Observer
    from lamina.training.settings import Settings

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Given:
    """What `fit` was given, as it was given, and how it trains, how many times."""

    X: Any
    y: Any
    sample_weight: Any
    settings: Settings
    runs: int

    @property
    def told(self) -> dict[str, Any]:
        """What every hook may ask for."""
        weights = self.sample_weight
        metadata = {} if weights is None else {"sample_weight": weights}
        return {"X": self.X, "y": self.y, "metadata": metadata}


def fit_told(estimator: Any, fit: Callable[[Sequence[Observer]], None], given: Given) -> None:
    """Call `fit` with the observers that tell the estimator's callbacks, where it has any."""
    if not getattr(estimator, "_skl_callbacks", None):
        fit(())
        return
    with_callbacks(_fit_told)(estimator, fit, given)


def _fit_told(estimator: Any, fit: Callable[[Sequence[Observer]], None], given: Given) -> None:
    """Call `fit` between the first and the last task; scikit-learn tears down, come what may."""
    told = _Told(estimator, given)
    fit((told,))
    told.end()


class _Told:
    """An observer that begins and ends the tasks of callbacks.

    The task of the next epoch begins when that of the last one ends; the one that is left over at
    the end ends as an empty task, as in scikit-learn's own estimators.
    """

    def __init__(self, estimator: Any, given: Given) -> None:
        self._estimator, self._given = estimator, given
        runs, epochs = given.runs, given.settings.max_iter
        self._root = estimator._init_callback_context(max_subtasks=epochs if runs == 1 else runs)  # noqa: SLF001 - scikit-learn's protocol
        self._begin(self._root)
        self._training, self._number = self._root, 1.0
        if runs > 1:
            self._training = self._begin(self._task(self._root, "training", epochs))
        self._epoch: Any = self._next_epoch()

    def __call__(self, state: TrainingState, row: Mapping[str, float]) -> bool:
        """End the task of an epoch, and begin the next; return whether a callback says stop."""
        number = row.get("restart", 1.0)
        while self._number < number:  # a training that diverged in its first epoch has no rows
            self._end_epoch()
            self._training.call_on_fit_task_end(estimator=self._estimator)
            epochs = self._given.settings.max_iter
            self._training = self._begin(self._task(self._root, "training", epochs))
            self._number += 1.0
            self._epoch = self._next_epoch()
        estimator, settings = self._estimator, self._given.settings
        estimator.state_ = state  # whose history callbacks may read
        stop = self._epoch.call_on_fit_task_end(
            estimator=estimator,
            **self._given.told,
            reconstruction_attributes=lambda: standing(estimator, state, settings, state.theta),
        )
        self._epoch = self._next_epoch()
        return bool(stop)

    def end(self) -> None:
        """End the tasks that are left, with the fitted estimator."""
        self._end_epoch()
        if self._training is not self._root:
            self._training.call_on_fit_task_end(estimator=self._estimator)
        self._root.call_on_fit_task_end(
            estimator=self._estimator, **self._given.told, reconstruction_attributes={}
        )

    def _begin(self, context: Any) -> Any:
        """Tell callbacks that a task begins."""
        return context.call_on_fit_task_begin(estimator=self._estimator, **self._given.told)

    @staticmethod
    def _task(parent: Any, name: str, parts: int) -> Any:
        """Return the context of the next task of a parent."""
        return parent.subcontext(task_name=name, max_subtasks=parts)

    def _next_epoch(self) -> Any:
        """Begin the task of the next epoch, unless all are done."""
        if len(self._training._children_map) >= self._training.max_subtasks:  # noqa: SLF001 - it has no other count
            return None
        return self._begin(self._task(self._training, "epoch", 0))

    def _end_epoch(self) -> None:
        """End the task of an epoch that was not done."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
            self._epoch = None


def standing(estimator: Any, state: TrainingState, settings: Settings, theta: Array) -> Any:
    """Return the attributes of an estimator that had stopped here with this θ; all are copies."""
    solver, network = settings.solver, copy.copy(estimator.network_)
    network._theta = theta.copy()  # noqa: SLF001 - the setter would change the other network too
    found = {}
    if state.solver == type(solver).__name__:  # else it has not begun
        network.recipe = solver.settled(solver.working(network.recipe, state), state)
        found = solver.found(state)
    stands = TrainingState.from_arrays(state.to_arrays(), state.solver, state.choice)
    return {
        "network_": network,
        "state_": stands,
        "stop_reason_": "unfinished",
        "error_bars_": None,
        "_found": found,
    }
