"""What a solver found beside θ: the penalty, and how good each of several trainings was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from lamina.estimators.error_bars import WithErrorBars

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class WithFindings(WithErrorBars):
    """What a trained estimator can be asked of its training.

    Attributes
    ----------
    solver_, solver_choice_ : str
        Which solver it was, and why, in a sentence.
    """

    solver_: str
    solver_choice_: str
    _found: dict[str, float]

    @property
    def alpha_(self) -> float:
        """The L2 penalty of all parameters, biases too, that the solver found."""
        return self._of_solver("alpha")

    @property
    def beta_(self) -> float:
        """β, the precision of the noise in scaled units, that the solver found."""
        return self._of_solver("beta")

    @property
    def effective_parameters_(self) -> float:
        """γ, the number of parameters that the data determine; from 0 to P.

        That of the error bars if there are any, else the one that the solver found.
        """
        if self.error_bars_ is not None:
            return super().effective_parameters_
        return self._of_solver("effective_parameters")

    @property
    def restarts_(self) -> Array:
        """What the trainings were compared by, lower is better; empty if there was one."""
        return self.state_.restarts

    def _of_solver(self, name: str) -> float:
        """Return a number that the solver found beside θ.

        Raises
        ------
        NotFittedError, AttributeError
            If the estimator is not fitted, or its solver finds no such number.
        """
        check_is_fitted(self, "network_")
        if name not in self._found:
            message = f"{name}_ is found by bayesian_regularization only, and {self.solver_choice_}"
            raise AttributeError(message)
        return self._found[name]
