"""Activations sigma_l of (1.1)-(1.4), each with its pullback.

An activation answers two questions: `activation(Z)` is A, and
`activation.pullback(Z, A, Delta)` is H = dJ/dZ for Delta = dJ/dA. Where sigma acts on
every number by itself the pullback is the Hadamard product of (2.15) and (4.2); where
it mixes a column, as softmax does, it is the product with that column's Jacobian.
Activations with parameters are in `activation_families`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError
from lamina.network import special
from lamina.network.formulas import Matrix, as_matrix
from lamina.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable


class Activation:
    """An activation of any kind: A = sigma(Z), and Delta pulled back to H."""

    initialization: str = "glorot_uniform"
    """The initializer that keeps this activation's signals at unit scale."""
    units: int | None = None
    """Units that its layer must have; None for any number."""

    def __call__(self, Z: Matrix) -> Matrix:
        """Return A = sigma(Z), (1.4): S × N in, S × N out, never in place."""
        raise NotImplementedError

    def pullback(self, Z: Matrix, A: Matrix, Delta: Matrix) -> Matrix:
        """Return H = dJ/dZ, S × N, from Delta = dJ/dA, S × N, at Z and A = sigma(Z)."""
        raise NotImplementedError


class Elementwise(Activation):
    """An activation of each number by itself: two plain formulas and their parameters.

    A subclass is a frozen dataclass; its fields are handed to both formulas in order.
    """

    value: Callable[..., Any]
    """`value(z, *parameters)` → a."""
    derivative: Callable[..., Any]
    """`derivative(z, a, *parameters)` → da/dz."""

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The numbers that both formulas take after their arguments."""
        return astuple(self)  # type: ignore[call-overload,no-any-return]  # a dataclass

    def __call__(self, Z: Matrix) -> Matrix:
        """Return A = sigma(Z) element by element."""
        return as_matrix(self.value(Z, *self.parameters), Z)

    def pullback(self, Z: Matrix, A: Matrix, Delta: Matrix) -> Matrix:
        """Return H = Delta ⊙ sigma'(Z), (2.15)."""
        return np.multiply(Delta, as_matrix(self.derivative(Z, A, *self.parameters), Z))


class Columnwise(Activation):
    """An activation that mixes a column: through max z_j, Σ e^(z_j - max), and a sum backward."""

    value: Callable[..., Any]
    """`value(z, top, total)` → a."""
    pulled: Callable[..., Any]
    """`pulled(a, delta)`: what is summed down the column on the way back."""
    pull: Callable[..., Any]
    """`pull(a, delta, sum)` → h."""

    def __call__(self, Z: Matrix) -> Matrix:
        """Return A = sigma(Z) column by column."""
        return np.asarray(self.value(Z, *special.top_and_total(Z)))

    def pullback(self, Z: Matrix, A: Matrix, Delta: Matrix) -> Matrix:
        """Return H, the Jacobian of each column of Z, transposed, times that of Delta."""
        return np.asarray(self.pull(A, Delta, np.sum(self.pulled(A, Delta), axis=0)))


@dataclass(frozen=True)
class FormulaActivation(Elementwise):
    """An element-wise activation without parameters: its name and its two formulas."""

    name: str
    value: Callable[..., Any]
    derivative: Callable[..., Any]
    initialization: str = "glorot_uniform"

    @property
    def parameters(self) -> tuple[Any, ...]:
        """None: whatever constants there are stand in the formulas."""
        return ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a built-in by its name, a user's own by its formulas."""
        if ACTIVATIONS.is_builtin(self.name):
            return get_activation, (self.name,)
        return FormulaActivation, (self.name, self.value, self.derivative, self.initialization)

    def __repr__(self) -> str:
        """Show the name."""
        return self.name


ACTIVATIONS: Registry[Activation] = Registry("activation")
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
GELU_RATE = 2.0 * sqrt(2.0 / pi)


def get_activation(spec: str | Activation) -> Activation:
    """Return the activation named (`"tanh"`, `"leaky_relu(0.2)"`) or given.

    Raises
    ------
    UnknownNameError
        If the name is not registered.
    InvalidTypeError
        If `spec` is neither a name nor an `Activation`.

    Examples
    --------
    >>> get_activation("leaky_relu(0.2)")
    LeakyRelu(slope=0.2)
    """
    if isinstance(spec, str):
        return ACTIVATIONS.parse(spec)
    if isinstance(spec, Activation):
        return spec
    message = (
        f"an activation is a name or an Activation, got {spec!r}; give formulas of your own "
        "a name first: lamina.register_activation('mine', value, derivative)"
    )
    raise InvalidTypeError(message)


def _builtin(
    name: str, value: Any, derivative: Any, initialization: str = "glorot_uniform"
) -> None:
    """Register one formula and its slope under the field's name."""
    ACTIVATIONS.builtin(name)(FormulaActivation(name, value, derivative, initialization))


_builtin("identity", lambda z: z, lambda z, a: 1.0, "lecun_uniform")
_builtin("logistic", special.logistic, lambda z, a: a * (1.0 - a))
_builtin("tanh", np.tanh, lambda z, a: 1.0 - a * a)
_builtin(  # LeCun, Bottou, Orr and Müller 1998, Efficient BackProp, section 4.4
    "tanh_scaled",
    lambda z: 1.7159 * np.tanh(z * (2.0 / 3.0)),
    lambda z, a: (2.0 / 3.0) * (1.7159 - a * a / 1.7159),
    "lecun_uniform",
)
_builtin("relu", lambda z: np.maximum(z, 0.0), lambda z, a: np.where(a > 0, 1.0, 0.0), "he_uniform")
_builtin(
    "relu6",
    lambda z: np.minimum(np.maximum(z, 0.0), 6.0),
    lambda z, a: np.where((z > 0) & (z < 6), 1.0, 0.0),
    "he_uniform",
)
_builtin(  # Klambauer, Unterthiner, Mayr and Hochreiter 2017
    "selu",
    lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0.0))),
    lambda z, a: np.where(z > 0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA),
    "lecun_normal",
)
_builtin(  # z Φ(z): Hendrycks and Gimpel 2016, section 2
    "gelu",
    lambda z: z * special.normal_distribution(z),
    lambda z, a: special.gate(z, a, 0.5) + z * special.normal_density(z),
    "he_uniform",
)
_builtin(  # its approximation there, z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2
    "gelu_tanh",
    lambda z: z * special.logistic(GELU_RATE * (z + 0.044715 * z * z * z)),
    lambda z, a: special.product_slope(
        z,
        special.logistic(GELU_RATE * (z + 0.044715 * z * z * z)),
        GELU_RATE * (1.0 + 0.134145 * z * z),
    ),
    "he_uniform",
)
_builtin(
    "silu",
    lambda z: z * special.logistic(z),
    lambda z, a: special.product_slope(z, special.gate(z, a, 0.5), 1.0),
    "he_uniform",
)
_builtin(  # z tanh(log(1 + e^z)): Misra 2019
    "mish",
    lambda z: z * special.tanh_softplus(z),
    lambda z, a: (
        special.tanh_softplus(z) + z * (1.0 - special.tanh_softplus(z) ** 2) * special.logistic(z)
    ),
    "he_uniform",
)
_builtin("softplus", special.softplus, lambda z, a: special.logistic(z), "he_uniform")
_builtin(
    "softsign",
    lambda z: z / (1.0 + np.maximum(z, -z)),
    lambda z, a: 1.0 / (1.0 + np.maximum(z, -z)) ** 2,
)
_builtin(
    "hard_tanh",
    lambda z: np.minimum(np.maximum(z, -1.0), 1.0),
    lambda z, a: np.where((z > -1) & (z < 1), 1.0, 0.0),
)
_builtin(
    "hard_sigmoid",
    lambda z: np.minimum(np.maximum(z / 6.0 + 0.5, 0.0), 1.0),
    lambda z, a: np.where((z > -3) & (z < 3), 1.0 / 6.0, 0.0),
)
_builtin("gaussian", lambda z: np.exp(-z * z), lambda z, a: -2.0 * z * a)
_builtin(  # constant beyond |z| = 80, so that it stays finite and positive in float32 too
    "exponential",
    lambda z: np.exp(special.bounded(z)),
    lambda z, a: np.where(special.inside(z), a, 0.0),
)


@ACTIVATIONS.builtin("softmax")
@dataclass(frozen=True)
class Softmax(Columnwise):
    """a_i = e^(z_i) / Σ_j e^(z_j) down each column; the Jacobian of a column is diag(a) - a aᵗ."""

    @staticmethod
    def value(z: Any, top: Any, total: Any) -> Any:
        return np.exp(z - top) / total

    @staticmethod
    def pulled(a: Any, delta: Any) -> Any:
        return a * delta

    @staticmethod
    def pull(a: Any, delta: Any, mean: Any) -> Any:
        return a * (delta - mean)


@ACTIVATIONS.builtin("log_softmax")
@dataclass(frozen=True)
class LogSoftmax(Columnwise):
    """a_i = z_i - log Σ_j e^(z_j) down each column; the Jacobian of a column is I - (e^a) 1ᵗ."""

    @staticmethod
    def value(z: Any, top: Any, total: Any) -> Any:
        return (z - top) - np.log(total)

    @staticmethod
    def pulled(a: Any, delta: Any) -> Any:
        return delta

    @staticmethod
    def pull(a: Any, delta: Any, mean: Any) -> Any:
        return delta - np.exp(a) * mean
