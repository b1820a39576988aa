"""Activations and errors of your own, measured before they are believed."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from lamina.exceptions import FormulaError, InvalidTypeError, UnknownNameError
from lamina.network.activations import ACTIVATIONS, Activation, FormulaActivation, get_activation
from lamina.network.differences import check_slope
from lamina.network.error_kinds import DOMAINS, Error
from lamina.network.errors import ERRORS, ErrorFormula
from lamina.network.formulas import Matrix, as_matrix
from lamina.network.initialization import INITIALIZERS
from lamina.network.trials import activation_trial, error_trial

if TYPE_CHECKING:
    from collections.abc import Callable


def register_activation(
    name: str,
    value: Callable[..., Any] | Activation | type[Activation],
    derivative: Callable[..., Any] | None = None,
    *,
    initialization: str = "glorot_uniform",
) -> Activation:
    """Register an activation of your own under a name, after measuring its slope.

    Parameters
    ----------
    name : str
        An identifier that is no built-in; the model file stores it. Your own names can
        be registered again, which replaces them.
    value : callable, or Activation, or a frozen dataclass that is an Activation
        The formula `value(z)`, on NumPy arrays; or an object with `__call__(Z)` and
        `pullback(Z, A, Delta)`; or its class, whose fields are its parameters.
    derivative : callable, optional
        The slope `derivative(z, a)` at z, where a = value(z). With a formula only.
    initialization : str, default "glorot_uniform"
        The initializer of layers with this activation. With a formula only.

    Returns
    -------
    Activation
        The registered object.

    Raises
    ------
    FormulaError
        If the slope differs from the measured one; the message gives the figure and place.
        Also if a formula writes into its arguments.
    InvalidTypeError, InvalidValueError
        If the arguments are no formulas, or the name belongs to a built-in.

    Examples
    --------
    >>> cube = register_activation("cube", lambda z: z**3, lambda z, a: 3 * z**2)
    >>> float(cube(np.array([[2.0]]))[0, 0])
    8.0
    """
    if initialization not in INITIALIZERS:
        message = f"initialization must be one of {', '.join(INITIALIZERS)}; got {initialization!r}"
        raise UnknownNameError(message)
    formula = FormulaActivation(name, cast("Any", value), cast("Any", derivative), initialization)
    maker = _maker("activation", Activation, value, derivative, formula)
    activation: Activation = maker() if isinstance(maker, type) else maker
    Z, Delta, pulled = activation_trial(activation)
    Z, Delta = _sealed(Z), _sealed(Delta)
    H = _evaluate(
        f"activation {name!r}",
        lambda: activation(Z),
        lambda: activation.pullback(Z, _sealed(activation(Z)), Delta),
    )
    check_slope(f"activation {name!r}", pulled, H, Z)
    ACTIVATIONS.add(name, maker)
    return activation


def register_error(
    name: str,
    value: Callable[..., Any] | Error | type[Error],
    derivative: Callable[..., Any] | None = None,
    *,
    output_activation: str = "identity",
    targets: str = "real",
) -> Error:
    """Register an error function of your own under a name, after measuring its slope.

    Parameters
    ----------
    name : str
        An identifier that is no built-in; the model file stores it.
    value : callable, or Error, or a frozen dataclass that is an Error
        The formula `value(t, a)` of what one output adds to J_n, on NumPy arrays; or an
        object with `values(T, A)`, N numbers, and `slopes(T, A)`, S_L × N; or its class.
    derivative : callable, optional
        The slope `derivative(t, a)` in a. With a formula only.
    output_activation : str, default "identity"
        The natural activation of the output layer. With a formula only.
    targets : {"real", "nonnegative", "positive", "probability", "sign"}, default "real"
        Which targets make sense; only "real" ones are standardized by the estimators.

    Returns
    -------
    Error
        The registered object.

    Raises
    ------
    FormulaError
        If the slope differs from the measured one; the message gives the figure and place.
        Also if a formula writes into its arguments.
    InvalidTypeError, InvalidValueError
        If the arguments are no formulas, or the name belongs to a built-in.

    Examples
    --------
    >>> quartic = register_error("quartic", lambda t, a: (a - t)**4, lambda t, a: 4 * (a - t)**3)
    """
    if targets not in DOMAINS:
        message = f"targets must be one of {', '.join(DOMAINS)}; got {targets!r}"
        raise UnknownNameError(message)
    get_activation(output_activation)
    formulas = cast("Any", value), cast("Any", derivative)
    formula = ErrorFormula(name, formulas[0], formulas[1], output_activation, targets)
    maker = _maker("error", Error, value, derivative, formula)
    error: Error = maker() if isinstance(maker, type) else maker
    A, T, values = error_trial(error)
    A, T = _sealed(A), _sealed(T)
    slopes = _evaluate(f"error {name!r}", lambda: error.values(T, A), lambda: error.slopes(T, A))
    check_slope(f"error {name!r}", values, slopes, A)
    ERRORS.add(name, maker)
    return error


def _maker(kind: str, base: type, value: Any, derivative: Any, formula: Any) -> Any:
    """Return what the registry shall keep: the formula's record, the object, or its class."""
    if derivative is None:
        if isinstance(value, base):
            return value
        if isinstance(value, type) and issubclass(value, base) and is_dataclass(value):
            return value
        adapters: dict[str, Any] = {"activation": AdaptedActivation, "error": AdaptedError}
        adapter = adapters[kind]
        if not isinstance(value, type) and all(hasattr(value, name) for name in adapter.methods):
            return adapter(value)
    elif callable(value) and callable(derivative) and not isinstance(value, base):
        return formula
    message = (
        f"expected register_{kind}(name, value, derivative) with two functions, or "
        f"register_{kind}(name, object) with an {base.__name__} or a frozen dataclass of them; "
        f"got {value!r} and {derivative!r}"
    )
    raise InvalidTypeError(message)


@dataclass(frozen=True)
class AdaptedActivation(Activation):
    """An object of another class with the two methods of an activation."""

    methods: ClassVar[tuple[str, ...]] = ("__call__", "pullback")
    given: Any

    def __call__(self, Z: Matrix) -> Matrix:
        """Return A, S × N."""
        return as_matrix(self.given(Z), Z)

    def pullback(self, Z: Matrix, A: Matrix, Delta: Matrix) -> Matrix:
        """Return H, S × N."""
        return as_matrix(self.given.pullback(Z, A, Delta), Z)


@dataclass(frozen=True)
class AdaptedError(Error):
    """An object of another class with the two methods of an error."""

    methods: ClassVar[tuple[str, ...]] = ("values", "slopes")
    given: Any

    def values(self, T: Matrix, A: Matrix) -> Matrix:
        """Return J_n, N numbers."""
        return as_matrix(self.given.values(T, A), A)

    def slopes(self, T: Matrix, A: Matrix) -> Matrix:
        """Return dJ_n/dA, S_L × N."""
        return as_matrix(self.given.slopes(T, A), A)


def _sealed(matrix: Matrix) -> Matrix:
    """Return a view that nobody can write through."""
    view = np.asarray(matrix).view()
    view.flags.writeable = False
    return view


def _evaluate(what: str, values: Callable[[], Any], slopes: Callable[[], Any]) -> Matrix:
    """Return the slopes, or say that the formulas cannot be evaluated on matrices."""
    try:
        value, slope = np.asarray(values(), dtype=float), np.asarray(slopes(), dtype=float)
    except Exception as problem:
        if isinstance(problem, ValueError) and "read-only" in str(problem):
            message = (
                f"{what} must not write into its arguments ({problem}); a NumPy function takes an "
                "array after its own arguments as the output: write lambda z, a: np.cos(z), not "
                "np.cos"
            )
            raise FormulaError(message) from problem
        message = (
            f"{what} cannot be evaluated on a matrix: {problem}; write it with NumPy functions "
            "(np.maximum, np.where), not math functions or `if`"
        )
        raise FormulaError(message) from problem
    if value.shape not in (slope.shape, slope.shape[1:]):
        message = f"{what} gives a value of shape {value.shape} for slopes of shape {slope.shape}"
        raise FormulaError(message)
    return slope
