"""What the doctor looks at: an estimator, some rows, and what follows from both, made once."""

from __future__ import annotations

from copy import copy, deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.reports.rows import as_rows, count, names_of, sample, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lamina.network.backpropagation import Backpropagation
    from lamina.network.network import Network

    Array = npt.NDArray[Any]

MOST_ROWS = 2_000
"""Rows looked at: enough to see any share of some percent."""


class Case:
    """An estimator and rows of X and y, or None.

    Attributes
    ----------
    estimator : fitted estimator
    X, y : at most `MOST_ROWS` rows, or None
    names : names of the columns of X
    """

    def __init__(
        self, estimator: Any, X: Any = None, y: Any = None, names: Sequence[str] | None = None
    ) -> None:
        """Draw the rows.

        Raises
        ------
        InvalidValueError
            If y comes without X, or they have different numbers of rows.
        """
        X = None if X is None else as_rows(X)
        self.estimator, self.X, self.y = estimator, X, y
        self.names = names_of(estimator, X, names)
        if X is None:
            if y is not None:
                raise InvalidValueError("y was given without X; give both, or X alone")
            return
        n = count(X)
        if y is not None and len(y) != n:
            raise InvalidValueError(f"X has {n} rows and y has {len(y)}; they must agree")
        chosen = sample(n, MOST_ROWS)
        self.X = take(X, chosen)
        self.y = None if y is None else np.asarray(y)[chosen]

    @property
    def network(self) -> Network:
        """The network."""
        network: Network = self.estimator.network_
        return network

    @property
    def classifies(self) -> bool:
        """Whether y are classes."""
        return hasattr(self.estimator, "classes_")

    @cached_property
    def passes(self) -> tuple[list[Array], list[Array]]:
        """Z and A of every layer on the rows, `forward`'s; of backpropagation if there is y."""
        if self.y is not None:
            return self.backward.Z, self.backward.A
        A = np.asarray(self.estimator.transform(self.X, layer=0)).T
        return self.network.forward(A)

    @cached_property
    def backward(self) -> Backpropagation:
        """All derivatives on the rows."""
        result: Backpropagation = self.estimator.backpropagate(self.X, self.y)
        return result

    @cached_property
    def history(self) -> dict[str, Array]:
        """The columns of the history."""
        columns = self.estimator.history_.columns()
        return {name: np.asarray(column, dtype=float) for name, column in columns.items()}

    @cached_property
    def kept_epoch(self) -> int:
        """The number of the epoch whose network was kept."""
        state = self.estimator.state_
        return int(state.best_epoch or len(state.history))

    @cached_property
    def constant_objective(self) -> float:
        """J on the rows of the best network whose outputs are constant: all weights 0."""
        from scipy.optimize import minimize

        blind = copy(self.estimator)
        network = blind.network_ = deepcopy(self.network)
        network.theta = np.zeros_like(network.theta)
        bias, place = network.b[-1], network.recipe.size - network.S[-1]

        def evaluate(b: Array) -> tuple[float, Array]:
            bias[:, 0] = b
            value = blind.objective(self.X, self.y)
            return float(value), np.asarray(blind.gradient(self.X, self.y)[place:], dtype=float)

        with np.errstate(all="ignore"):
            found = minimize(evaluate, np.zeros(len(bias)), jac=True, method="L-BFGS-B")
        return float(found.fun)

    def skill(self, objective: float) -> float:
        """Return how much of the constant network's J an objective leaves away: 1 is all."""
        return 1.0 - objective / self.constant_objective

    @cached_property
    def skill_now(self) -> float:
        """The skill on the rows; NaN where a constant is right or J may be below zero."""
        J = float(self.backward.J)
        return self.skill(J) if self.constant_objective > 1e-12 and J >= 0 else float("nan")

    @cached_property
    def skill_in_training(self) -> float:
        """The skill that the loss of the kept epoch would be on these rows."""
        loss = self.history["loss"]
        known = np.isfinite(self.skill_now) and len(loss) >= self.kept_epoch > 0
        return self.skill(float(loss[self.kept_epoch - 1])) if known else float("nan")
