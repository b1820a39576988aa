"""Which solver `solver="auto"` is: a function of the problem alone, with its reason in words.

A step of the solvers with the Gauss-Newton matrix makes it, N K P² operations with N data points,
K outputs and P parameters, and factors and inverts it, P³; so long as that fits a budget of some
seconds they end lower than all others (docs/how-to/solvers.md has the measures). The rate is a
constant and not measured on the spot: the same problem has the same solver on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError
from lamina.network import curvature
from lamina.network.trials import error_trial
from lamina.training.solvers import SOLVERS, LevenbergMarquardt, Solver, get_solver
from lamina.training.solvers.levenberg_marquardt import MATRICES

if TYPE_CHECKING:
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.state import TrainingState

AUTO = "auto"
STEPS = 100
"""Steps that a solver with the matrix takes about, if `max_iter` allows."""
OVERHEAD = 5e-4
"""Seconds of a step beside its arithmetic."""
RATE = 3e10
"""Operations of a product of matrices in a second, on two cores with AVX2."""
BUDGET = 5.0
"""Seconds that training may take for the solvers with the matrix; less where `max_time` is less."""
ENOUGH = 2.0
"""Target numbers for each parameter that the matrix needs to tell more than it costs."""
PLENTY = 10.0
"""Target numbers for each parameter from where on a penalty that is given is enough."""


@dataclass(frozen=True)
class Problem:
    """What the choice depends on.

    Attributes
    ----------
    recipe : Recipe
    points : int
        N.
    dtype : dtype
        Of θ.
    settings : Settings
        The solver in there is not looked at.
    open_penalty : bool
        Whether the solver may find the penalty: no strength was asked for.
    in_parts : bool
        Whether the data come in parts, as in `partial_fit`.
    """

    recipe: Recipe
    points: int
    dtype: np.dtype[Any]
    settings: Settings
    open_penalty: bool
    in_parts: bool = False

    @property
    def parameters(self) -> int:
        """P."""
        return self.recipe.size

    @property
    def numbers(self) -> int:
        """The target numbers, N K with K = S_L."""
        return self.points * self.recipe.S[-1]

    @property
    def seconds(self) -> float:
        """How long training with the matrix takes about: all of its trainings."""
        P, settings = self.parameters, self.settings
        operations = float(self.numbers) * P**2 + float(P) ** 3
        steps = min(settings.max_iter, STEPS) * settings.n_restarts
        return steps * (OVERHEAD + operations / RATE)


@dataclass(frozen=True)
class Choice:
    """A solver, its name, a sentence on why it is that, and whether `auto` chose it."""

    solver: Solver
    name: str
    sentence: str
    automatic: bool

    @classmethod
    def because(cls, name: str, reason: str) -> Choice:
        """Return the choice of a solver with its own settings, for a reason."""
        return cls(get_solver(name), name, f"{name} was chosen: {reason}", automatic=True)


def asked_solver(spec: Any) -> Solver | None:
    """Return the solver that was asked for, or None for "auto"."""
    return None if isinstance(spec, str) and spec == AUTO else get_solver(spec)


def resolve(spec: Any, state: TrainingState | None, problem: Problem) -> Choice:
    """Return the solver to train with: the one asked for, the one of `state`, or the choice.

    Raises
    ------
    InvalidValueError
        If it is to be chosen amid a training whose solver was asked for.
    """
    solver = asked_solver(spec)
    if solver is not None:
        name = spec if isinstance(spec, str) else SOLVERS.text(solver)
        return Choice(solver, name, f"{name} was asked for", automatic=False)
    if state is not None and state.solver and not state.choice:
        message = (
            f"training goes on with the solver that it began with, and that was asked for: give "
            f"{state.solver} again instead of solver='auto', or begin anew"
        )
        raise InvalidValueError(message)
    if state is not None and state.solver:
        makes = {type(SOLVERS.make(name)).__name__: name for name in SOLVERS.names()}
        name = makes[state.solver]
        return Choice(get_solver(name), name, state.choice, automatic=True)
    return choose_solver(problem)


def choose_solver(problem: Problem) -> Choice:
    """Return the solver for a problem.

    The first rule that holds decides:

    1. data in parts, or options that only minibatch solvers honor: `adam`;
    2. float32, in which steps this exact are lost to rounding: `adam`;
    3. fewer than `ENOUGH` target numbers a parameter: the matrix costs more than it knows: `adam`;
    4. matrices that do not fit in memory, or more than `BUDGET` seconds: `adam`;
    5. an error without second derivatives, or with negative ones: `adam`;
    6. a penalty that may be found: `bayesian_regularization`;
    7. data enough for J with the penalty that is given: `levenberg_marquardt`;
    8. else `adam`, which ends before it has fitted the noise.
    """
    if against := _against_the_matrix(problem):
        return Choice.because("adam", against)
    size = (
        f"{problem.parameters:,} parameters and {problem.points:,} data points take about "
        f"{problem.seconds:.1g} s"
    )
    if problem.open_penalty:
        return Choice.because("bayesian_regularization", f"it finds the penalty itself, and {size}")
    if problem.numbers >= PLENTY * problem.parameters:
        return Choice.because("levenberg_marquardt", f"the penalty is given, and {size}")
    why = (
        f"with the penalty that is given, {problem.parameters:,} parameters would fit the noise "
        f"of {problem.numbers:,} target numbers if J were minimized to the end"
    )
    return Choice.because("adam", why)


def _against_the_matrix(problem: Problem) -> str:
    """Return what speaks against solvers with the Gauss-Newton matrix, or nothing."""
    P, settings, dtype = problem.parameters, problem.settings, problem.dtype
    needed, most = 8.0 * MATRICES * P**2, LevenbergMarquardt().max_memory
    many = f"{P:,} parameters are many for {problem.numbers:,} target numbers"
    slow = (
        f"solvers with a matrix of {P:,} parameters would take about {problem.seconds:,.0f} s "
        f"for {problem.points:,} data points"
    )
    rules = (
        (problem.in_parts, "the data come in parts"),
        (settings.of_minibatches, f"{', '.join(settings.of_minibatches)} asks for minibatches"),
        (dtype != np.float64, f"in {dtype} the steps of exacter solvers are lost to rounding"),
        (problem.numbers < ENOUGH * P, many),
        (needed > most, f"the matrices of {P:,} parameters would take {needed / 1e9:.1f} GB"),
        (problem.seconds > min(BUDGET, settings.max_time), slow),
    )
    cheap = next((why for holds, why in rules if holds), "")
    if cheap or is_convex(problem.recipe):
        return cheap
    return "the error has no second derivative, or a negative one"


def is_convex(recipe: Recipe) -> bool:
    """Return whether the error bends upwards somewhere and downwards nowhere, on trial points.

    Where it is straight nearly everywhere, as `absolute` is, a kink between two of the points that
    a slope is measured at is no curvature.
    """
    error = curvature.seen(recipe)
    Y, T = error_trial(error)[0], error_trial(recipe.error, error.n_targets)[1]
    with np.errstate(all="ignore"):
        C = curvature.error_hessians(recipe, T, Y)
    values = np.linalg.eigvalsh(0.5 * (C + C.transpose(0, 2, 1)))
    bends = np.mean(values[:, -1] > 0.0)
    return bool(bends > 0.2 and np.all(values[:, 0] > -1e-9 * np.abs(values).max()))
