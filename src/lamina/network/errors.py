"""Error functions J(T, A_L): J = Σ_n ω_n J_n, each with its slope.

J_n is a sum over the outputs of one data point and ω_n = 1/N unless the data points
are weighted; (2.18) is `squared`.
Where an error meets its natural output activation, the pair is an error of Z_L in
its own right (`error.seen_from(activation)`), evaluated without passing through A_L.
Errors with parameters or with several outputs per target are in `error_families`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, UnknownNameError
from lamina.network import special
from lamina.network.activations import Activation, get_activation
from lamina.network.error_kinds import ColumnwiseError, ElementwiseError, Error
from lamina.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class ErrorFormula(ElementwiseError):
    """An element-wise error without parameters: its name, its two formulas, its partner."""

    name: str
    value: Callable[..., Any]
    derivative: Callable[..., Any]
    output_activation: str = "identity"
    targets: str = "real"
    pair: Error | None = None

    @property
    def parameters(self) -> tuple[Any, ...]:
        """None: whatever constants there are stand in the formulas."""
        return ()

    def seen_from(self, activation: Activation) -> Error | None:
        """Return the pair with the natural output activation, if there is one."""
        natural = self.pair is not None and activation == get_activation(self.output_activation)
        return self.pair if natural else None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a built-in by its name, a user's own by its formulas."""
        if ERRORS.is_builtin(self.name):
            return get_error, (self.name,)
        own = (self.name, self.value, self.derivative, self.output_activation, self.targets)
        return ErrorFormula, own

    def __repr__(self) -> str:
        """Show the name."""
        return self.name


@dataclass(frozen=True)
class SoftmaxCrossEntropy(ColumnwiseError):
    """Cross-entropy seen from the Z_L of a softmax: H_L = ω (A Σt - T)."""

    @staticmethod
    def value(t: Any, z: Any, top: Any, total: Any) -> Any:
        """Return -t log a, where log a = z - top - log Σ e^(z - top)."""
        return -t * ((z - top) - np.log(total))

    @staticmethod
    def derivative(t: Any, z: Any, top: Any, total: Any, weight: Any) -> Any:
        """Return a Σt - t."""
        return np.exp(z - top) / total * weight - t


@dataclass(frozen=True)
class SoftmaxDivergence(SoftmaxCrossEntropy):
    """Kullback and Leibler's divergence seen from the Z_L of a softmax: Σ t log t is added."""

    @staticmethod
    def value(t: Any, z: Any, top: Any, total: Any) -> Any:
        """Return t (log t - log a)."""
        return special.xlogy(t, t) - t * ((z - top) - np.log(total))


ERRORS: Registry[Error] = Registry("error")


def get_error(spec: str | Error) -> Error:
    """Return the error named (`"squared"`, `"huber(1.5)"`) or given.

    Raises
    ------
    UnknownNameError
        If the name is not registered.
    InvalidTypeError
        If `spec` is neither a name nor an `Error`.

    Examples
    --------
    >>> get_error("quantile(0.9)")
    Quantile(q=0.9)
    """
    if isinstance(spec, str):
        return ERRORS.parse(spec)
    if isinstance(spec, Error):
        return spec
    message = (
        f"an error is a name or an Error, got {spec!r}; give formulas of your own a name "
        "first: lamina.register_error('mine', value, derivative)"
    )
    raise InvalidTypeError(message)


class ComposedError(Error):
    """An error made of another, `error`: by its text where that has one, which a file can hold."""

    error: str | Error

    def _compose(self, **own: Any) -> None:
        """Take over what the other error is like, but for what is our own."""
        if isinstance(self.error, Error):
            with suppress(UnknownNameError):  # a pair has no name, and is never in a file
                own["error"] = ERRORS.spell(self.error) and ERRORS.text(self.error)
        like = ("output_activation", "targets", "outputs_per_target")
        for name, value in ({name: getattr(self.inner, name) for name in like} | own).items():
            object.__setattr__(self, name, value)

    @cached_property
    def inner(self) -> Any:
        """The other error."""
        return get_error(self.error)

    @property
    def value(self) -> Callable[..., Any]:
        """Its formula."""
        return self.inner.value  # type: ignore[no-any-return]  # a formula


def _builtin(name: str, value: Any, derivative: Any, *partner: Any) -> None:
    """Register one formula and its slope under the field's name."""
    ERRORS.builtin(name)(ErrorFormula(name, value, derivative, *partner))


_builtin("squared", lambda t, a: 0.5 * (a - t) ** 2, lambda t, a: a - t)  # (2.18), (2.23)
_builtin(
    "absolute",
    lambda t, a: np.maximum(a - t, t - a),
    lambda t, a: np.where(a > t, 1.0, np.where(a < t, -1.0, 0.0 * (a - t))),
)
_builtin(
    "log_cosh",
    lambda t, a: special.log_cosh(a - t),
    lambda t, a: np.tanh(a - t),
)
_builtin(
    "cross_entropy",
    lambda t, a: -special.xlogy(t, a),
    lambda t, a: -t / np.where(t == 0, 1.0, a),
    "softmax",
    "probability",
    SoftmaxCrossEntropy(),
)
_builtin(
    "kl_divergence",
    lambda t, a: special.xlogy(t, t) - special.xlogy(t, a),
    lambda t, a: -t / np.where(t == 0, 1.0, a),
    "softmax",
    "probability",
    SoftmaxDivergence(),
)
_builtin(  # for outputs that are log-probabilities
    "negative_log_likelihood",
    lambda t, a: -t * a,
    lambda t, a: -t,
    "log_softmax",
    "probability",
    SoftmaxCrossEntropy(),
)
_builtin(
    "binary_cross_entropy",
    lambda t, a: -special.xlogy(t, a) - special.xlogy(1.0 - t, 1.0 - a),
    lambda t, a: (1.0 - t) / np.where(t == 1, 1.0, 1.0 - a) - t / np.where(t == 0, 1.0, a),
    "logistic",
    "probability",
    ErrorFormula(
        "binary_cross_entropy of logistic",
        lambda t, z: np.maximum(z, 0.0) - t * z + np.log1p(np.exp(-np.maximum(z, -z))),
        lambda t, z: special.logistic(z) - t,
    ),
)
_builtin(  # half the deviance, 0 at a = t
    "poisson",
    lambda t, a: a - t + special.xlogy(t, t) - special.xlogy(t, a),
    lambda t, a: 1.0 - t / np.where(t == 0, 1.0, a),
    "exponential",
    "nonnegative",
    ErrorFormula(
        "poisson of exponential",
        lambda t, z: np.exp(special.bounded(z)) - t + special.xlogy(t, t) - t * special.bounded(z),
        lambda t, z: np.where(special.inside(z), np.exp(special.bounded(z)) - t, 0.0),
    ),
)
_builtin(  # half the deviance, 0 at a = t
    "gamma",
    lambda t, a: t / a - 1.0 + np.log(a / t),
    lambda t, a: (1.0 - t / a) / a,
    "exponential",
    "positive",
    ErrorFormula(
        "gamma of exponential",
        lambda t, z: t * np.exp(-special.bounded(z)) - 1.0 + special.bounded(z) - np.log(t),
        lambda t, z: np.where(special.inside(z), 1.0 - t * np.exp(-special.bounded(z)), 0.0),
    ),
)
_builtin(
    "hinge",
    lambda t, a: np.maximum(1.0 - t * a, 0.0),
    lambda t, a: np.where(t * a < 1, -t, 0.0),
    "identity",
    "sign",
)
_builtin(
    "squared_hinge",
    lambda t, a: np.maximum(1.0 - t * a, 0.0) ** 2,
    lambda t, a: -2.0 * t * np.maximum(1.0 - t * a, 0.0),
    "identity",
    "sign",
)
