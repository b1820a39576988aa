"""The solvers, one file each, and their names."""

from __future__ import annotations

from typing import Any

from lamina.exceptions import InvalidTypeError
from lamina.registry import Registry
from lamina.training.solvers.adam import Adam, AdamW
from lamina.training.solvers.base import Advance, FirstOrder, Solver
from lamina.training.solvers.bayesian_regularization import BayesianRegularization
from lamina.training.solvers.gauss_newton_cg import GaussNewtonCg
from lamina.training.solvers.lbfgs import Lbfgs
from lamina.training.solvers.levenberg_marquardt import LevenbergMarquardt
from lamina.training.solvers.rprop import Rprop
from lamina.training.solvers.scaled_conjugate_gradient import ScaledConjugateGradient
from lamina.training.solvers.sgd import Sgd

__all__ = [
    "Adam",
    "AdamW",
    "Advance",
    "BayesianRegularization",
    "FirstOrder",
    "GaussNewtonCg",
    "Lbfgs",
    "LevenbergMarquardt",
    "Rprop",
    "ScaledConjugateGradient",
    "Sgd",
    "Solver",
    "get_solver",
]

SOLVERS: Registry[Solver] = Registry("solver")
_BUILTIN = {
    "sgd": Sgd,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": Lbfgs,
    "levenberg_marquardt": LevenbergMarquardt,
    "bayesian_regularization": BayesianRegularization,
    "gauss_newton_cg": GaussNewtonCg,
    "scaled_conjugate_gradient": ScaledConjugateGradient,
    "rprop": Rprop,
}
for _name, _solver in _BUILTIN.items():
    SOLVERS.builtin(_name)(_solver)


def get_solver(spec: Any) -> Solver:
    """Return the solver named (`"adam"`, `"sgd(momentum=0.8)"`) or given.

    Raises
    ------
    UnknownNameError, InvalidTypeError
        If there is no such solver, or `spec` is nothing that could be one.
    """
    if isinstance(spec, str):
        return SOLVERS.parse(spec)
    if isinstance(spec, Solver):
        return spec
    message = f"a solver is a name or a Solver such as lamina.Adam(beta_1=0.95), got {spec!r}"
    raise InvalidTypeError(message)
