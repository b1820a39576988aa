"""`Network`: a vector θ and a recipe, with the note's equations as its methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError, ShapeError
from lamina.network import backpropagation
from lamina.network.activations import ACTIVATIONS, Activation, get_activation
from lamina.network.certificate import Certificate, certify
from lamina.network.errors import get_error
from lamina.network.formulas import real_array
from lamina.network.initialization import initialize
from lamina.network.parameters import views
from lamina.network.penalties import Penalty, per_layer
from lamina.network.recipe import Dense, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import numpy.typing as npt

    from lamina.network.backpropagation import Backpropagation
    from lamina.network.error_kinds import Error
    from lamina.network.formulas import Matrix


class Network:
    """A feed-forward network of dense layers, (1.1)-(1.5).

    Parameters
    ----------
    sizes : sequence of int
        S_0, ..., S_L: the number of inputs, then of the units of every layer.
    activations : sequence of str or Activation
        One for each layer 1..L; or one for each hidden layer 1..L-1, and the output layer
        takes the natural activation of the error.
    error : str or Error, default "squared"
        The error function J(T, A_L).
    penalties : Penalty, or sequence of Penalty or None, optional
        One for all layers, or one for each layer 1..L.
    random_state : int or Generator, optional
        Where the initial θ is drawn from.
    dtype : {"float64", "float32"}, default "float64"
        The precision of θ and of everything computed.
    initialization : str or vector, default "auto"
        The name of an initializer, or θ itself; "auto" chooses by activation.

    Attributes
    ----------
    recipe : Recipe
        Layers and error, immutable.
    theta : vector
        All parameters; assigning to it copies into the same memory.
    W, b : tuples of views of θ, indexed by layer
        W[l] is S_l × S_{l-1}, b[l] is S_l × 1; writing to them changes θ.
    certificate : Certificate or None
        What the last `certify` found.

    Raises
    ------
    InvalidTypeError, InvalidValueError, ShapeError, UnknownNameError
        If sizes, activations, error, penalties or θ do not fit together.

    Examples
    --------
    >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
    >>> net.W[1].shape, net.b[2].shape, net.theta.size
    ((3, 2), (1, 1), 13)
    >>> net(np.zeros((2, 5))).shape
    (1, 5)
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activations: Sequence[str | Activation],
        *,
        error: str | Error = "squared",
        penalties: Penalty | Sequence[Penalty | None] | None = None,
        random_state: int | np.random.Generator | None = None,
        dtype: npt.DTypeLike = "float64",
        initialization: str | npt.ArrayLike = "auto",
    ) -> None:
        """Build the recipe and draw the first θ."""
        self.recipe = make_recipe(sizes, activations, error, penalties)
        self.dtype = _precision(dtype)
        random = _generator(random_state)
        self._theta = initialize(self.recipe, initialization, random, self.dtype)
        self.certificate: Certificate | None = None

    @property
    def theta(self) -> Matrix:
        """All parameters, a vector; the memory that W and b are views of."""
        return self._theta

    @theta.setter
    def theta(self, values: npt.ArrayLike) -> None:
        theta = real_array("θ", values)
        if theta.shape != self._theta.shape:
            message = f"this network has {self._theta.size} parameters; got θ of {theta.shape}"
            raise ShapeError(message)
        self._theta[:] = theta

    @property
    def W(self) -> tuple[Matrix, ...]:
        """The weight matrices, S_l × S_{l-1}; views of θ indexed by layer."""
        return tuple(views(self.recipe, self._theta)[0])

    @property
    def b(self) -> tuple[Matrix, ...]:
        """The bias vectors, S_l × 1; views of θ indexed by layer."""
        return tuple(views(self.recipe, self._theta)[1])

    @property
    def L(self) -> int:
        """The index of the output layer."""
        return self.recipe.L

    @property
    def S(self) -> list[int]:
        """The sizes S_0..S_L."""
        return self.recipe.S

    def __call__(self, X: npt.ArrayLike) -> Matrix:
        """Return A_L, S_L × N, for X, S_0 × N; or a vector of S_L for a vector of S_0."""
        X = real_array("X", X)
        output = self.forward(X[:, np.newaxis] if X.ndim == 1 else X)[1][-1]
        return output[:, 0] if X.ndim == 1 else output

    def forward(self, X: npt.ArrayLike) -> tuple[list[Matrix], list[Matrix]]:
        """Return Z[0..L] and A[0..L], each S_l × N, for X, S_0 × N, (1.4)."""
        return backpropagation.forward(self.recipe, self._theta, self._inputs(X))

    def backpropagate(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None = None
    ) -> Backpropagation:
        """Return J and its derivatives in everything, (4.1) and (4.2).

        Parameters
        ----------
        X, T : matrices, S_0 × N and S_L × N
            Inputs and targets; columns are data points.
        omega : N numbers, optional
            Weights of the data points; 1/N each by default.

        Raises
        ------
        ShapeError, InvalidTypeError, InvalidValueError
            If X, T or omega do not fit the network or the error.
        """
        return backpropagation.backpropagate(self.recipe, self._theta, *self.check(X, T, omega))

    def error(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None = None
    ) -> float:
        """Return Σ ω_n J_n(T, A_L), without penalties; arguments as for `backpropagate`."""
        X, T, omega = self.check(X, T, omega)
        Z, A = backpropagation.forward(self.recipe, self._theta, X)
        return float(backpropagation.error(self.recipe, T, Z[-1], A[-1], omega))

    def objective(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None = None
    ) -> float:
        """Return J, the error plus the penalties: what `backpropagate` differentiates."""
        return float(backpropagation.objective(self.recipe, self._theta, *self.check(X, T, omega)))

    def certify(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None = None
    ) -> Certificate:
        """Compare backpropagation with measured derivatives; keep and return the certificate.

        Examples
        --------
        >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
        >>> net.certify(np.eye(2), np.ones((1, 2))).passed
        True
        """
        X, T, omega = (np.asarray(M, dtype=float) for M in self.check(X, T, omega))
        self.certificate = certify(self.recipe, self._theta.astype(float), X, T, omega)
        return self.certificate

    def predictor(self, most_rows: int = 64) -> Callable[[Matrix], Matrix]:
        """Return a fast function of rows, N × S_0, without checks; see `engines.predictor`."""
        from lamina.engines.predictor import Predictor

        return Predictor(self.recipe, self._theta, most_rows)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the network to a model file, which `lamina.load` reads.

        Raises
        ------
        ModelExistsError
            If the file exists and `overwrite` is false.
        """
        from lamina.interchange.native import save_network

        save_network(self, path, overwrite=overwrite)

    def __repr__(self) -> str:
        """Show sizes, activations, error and the number of parameters."""
        names = [ACTIVATIONS.text(activation) for activation in self.recipe.activations]
        sizes = "-".join(map(str, self.S))
        return (
            f"Network({sizes}, {names}, error={self.recipe.error!r}, {self.recipe.size} parameters)"
        )

    def _inputs(self, X: npt.ArrayLike) -> Matrix:
        """Return X as an S_0 × N matrix of the network's precision."""
        return _matrix("X", X, self.S[0], self.dtype)

    def check(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None
    ) -> tuple[Matrix, Matrix, Matrix]:
        """Return X, T and omega checked against the network and each other."""
        error = self.recipe.error
        X, T = self._inputs(X), real_array("T", T)
        N = X.shape[1]
        if N == 0:
            message = "X must have at least one data point (column), got none"
            raise ShapeError(message)
        T = T[np.newaxis] if T.ndim == 1 and self.S[-1] == error.outputs_per_target else T
        T = _matrix("T", T, self.S[-1] // error.outputs_per_target, self.dtype)
        if T.shape[1] != N:
            message = f"X has {N} columns (data points) and T has {T.shape[1]}; they must agree"
            raise ShapeError(message)
        error.check_targets(T)
        weights = np.full(N, 1.0 / N) if omega is None else real_array("omega", omega)
        if weights.shape != (N,):
            message = f"expected one weight for each of the {N} data points, got {weights.shape}"
            raise ShapeError(message)
        return X, T, weights.astype(self.dtype, copy=False)


def _precision(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return dtype if a network can have it."""
    try:
        precision = np.dtype(dtype)
    except TypeError:
        precision = np.dtype(object)
    if precision not in (np.float32, np.float64):
        message = f"dtype must be float32 or float64, got {dtype!r}"
        raise InvalidValueError(message)
    return precision


def _generator(random_state: int | np.random.Generator | None) -> np.random.Generator:
    """Return the generator of a random state."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as problem:
        message = f"random_state must be an integer >= 0, a Generator or None, got {random_state!r}"
        raise InvalidValueError(message) from problem


def make_recipe(
    sizes: Sequence[int],
    activations: Sequence[str | Activation],
    error: str | Error,
    penalties: Penalty | Sequence[Penalty | None] | None,
) -> Recipe:
    """Return the recipe of these layers and this error, everything checked."""
    given = list(sizes) if hasattr(sizes, "__iter__") else []
    if len(given) < 2 or not all(isinstance(S, (int, np.integer)) and S > 0 for S in given):
        message = f"sizes are two or more positive integers S_0, ..., S_L, got {sizes!r}"
        raise InvalidValueError(message)
    sizes = [int(size) for size in given]
    L = len(sizes) - 1
    if isinstance(activations, (str, Activation)) or not hasattr(activations, "__len__"):
        message = f"activations is a list, one for each layer 1..{L}, got {activations!r}"
        raise InvalidTypeError(message)
    error = get_error(error)
    if sizes[-1] % error.outputs_per_target:
        message = (
            f"{error!r} needs a multiple of {error.outputs_per_target} outputs, got {sizes[-1]}"
        )
        raise InvalidValueError(message)
    natural = [error.output_activation] if len(activations) == L - 1 else []
    chosen = [get_activation(activation) for activation in [*activations, *natural]]
    if len(chosen) != L:
        message = f"expected {L} activations for layers 1..{L}, got {len(activations)}"
        raise InvalidValueError(message)
    return Recipe(tuple(map(Dense, sizes, sizes[1:], chosen, per_layer(penalties, L))), error)


def _matrix(name: str, values: npt.ArrayLike, rows: int, dtype: np.dtype[Any]) -> Matrix:
    """Return `values` as a matrix with this many rows, or say what is wrong with it."""
    matrix = real_array(name, values)
    if matrix.ndim != 2 or matrix.shape[0] != rows:
        turned = matrix.ndim == 2 and matrix.shape[1] == rows
        hint = f" (did you mean {name}.T?)" if turned else ""
        message = f"{name} must be {rows} × N, columns are data points; got {matrix.shape}{hint}"
        raise ShapeError(message)
    return matrix.astype(dtype, copy=False)
