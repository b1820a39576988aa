"""`Network`: a vector θ and a recipe, with the note's equations as its methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina.network import backpropagation, curvature
from lamina.network.activations import ACTIVATIONS
from lamina.network.checks import check_data, check_generator, check_matrix, check_precision
from lamina.network.curvature import Linearization
from lamina.network.formulas import real_array
from lamina.network.initialization import initialize
from lamina.network.parameters import Parametrized
from lamina.network.recipe import make_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import numpy.typing as npt

    from lamina.certification.certificate import Certificate
    from lamina.certification.second_order import Answer
    from lamina.network.activations import Activation
    from lamina.network.backpropagation import Backpropagation
    from lamina.network.error_kinds import Error
    from lamina.network.formulas import Matrix
    from lamina.network.penalties import Penalty


class Network(Parametrized):
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
        recipe = make_recipe(sizes, activations, error, penalties)
        self.dtype = check_precision(dtype)
        random = check_generator(random_state)
        super().__init__(recipe, initialize(recipe, initialization, random, self.dtype))
        self.certificate: Certificate | None = None

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
        self,
        X: npt.ArrayLike,
        T: npt.ArrayLike,
        omega: npt.ArrayLike | None = None,
        *,
        answer: Answer | None = None,
    ) -> Certificate:
        """Compare first and second derivatives with measured ones; keep the certificate.

        `answer` lets an engine be certified, as estimators do: a function of indices of data
        points and of whether G is wanted, which returns the gradient and G of their mean.

        Examples
        --------
        >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
        >>> net.certify(np.eye(2), np.ones((1, 2))).passed
        True
        """
        from lamina.certification.certify import certify

        X, T, omega = (np.asarray(M, dtype=float) for M in self.check(X, T, omega))
        theta = self._theta.astype(float)
        self.certificate = certify(self.recipe, theta, (X, T, omega), answer)
        return self.certificate

    def linearize(self, X: npt.ArrayLike) -> Linearization:
        """Return the network at its θ as a linear map: 𝒥 v, 𝒥ᵗ U and 𝒥 for X, S_0 × N.

        In float64, with a copy of θ: later changes of it are not seen.
        """
        theta = self._theta.astype(float)
        return Linearization.at(self.recipe, theta, self._inputs(X).astype(float))

    def gauss_newton(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None = None
    ) -> tuple[float, Matrix, Matrix]:
        """Return J, dJ/dθ and the Gauss-Newton matrix G, P × P, all with penalties, in float64.

        Its N × P numbers are held at once: engines do the same in tiles. Where C_n is not
        positive, as for an error that is not convex, those directions are left out, (c3) of
        `network/curvature.py`. Arguments as for `backpropagate`.

        Examples
        --------
        >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
        >>> J, gradient, G = net.gauss_newton(np.eye(2), np.ones((1, 2)))
        >>> v = np.ones(13)
        >>> np.allclose(G @ v, net.gauss_newton_product(np.eye(2), np.ones((1, 2)), v))
        True
        """
        return curvature.gauss_newton(*self._linearized(X, T, omega))

    def gauss_newton_product(
        self,
        X: npt.ArrayLike,
        T: npt.ArrayLike,
        v: npt.ArrayLike,
        omega: npt.ArrayLike | None = None,
    ) -> Matrix:
        """Return G v, P numbers in float64, without G: about two passes for v of P numbers.

        With the penalties, and with C_n as it is, negative curvature included. Arguments and
        what is raised as for `hessian_product`.
        """
        product = curvature.gauss_newton_product(*self._linearized(X, T, omega), v)
        return product + curvature.penalty_diagonal(self.recipe) * v

    def hessian_product(
        self,
        X: npt.ArrayLike,
        T: npt.ArrayLike,
        v: npt.ArrayLike,
        omega: npt.ArrayLike | None = None,
    ) -> Matrix:
        """Return the Hessian of J times v, P numbers in float64, exactly and without the Hessian.

        Penalties are part of it: l2 where it counts, and nothing of |w|. Source: Pearlmutter
        1994, section 3; (c2) of `network/curvature.py`.

        Parameters
        ----------
        X, T, omega : as for `backpropagate`
        v : P numbers
            A direction in the space of θ.

        Raises
        ------
        ShapeError, InvalidTypeError, InvalidValueError
            If X, T, omega or v do not fit the network or the error.

        Examples
        --------
        >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
        >>> X, T, v = np.eye(2), np.ones((1, 2)), np.full(13, 1e-6)
        >>> expected = net.backpropagate(X, T).gradient + net.hessian_product(X, T, v)
        >>> net.theta = net.theta + v
        >>> np.allclose(net.backpropagate(X, T).gradient, expected, rtol=0, atol=1e-9)
        True
        """
        product = curvature.hessian_product(*self._linearized(X, T, omega), v)
        return product + curvature.penalty_diagonal(self.recipe) * v

    def input_jacobian(self, X: npt.ArrayLike) -> Matrix:
        """Return dA_L/dX of every data point, N × S_L × S_0, for X, S_0 × N, (4.2).

        Examples
        --------
        >>> net = Network([2, 3, 1], ["tanh", "identity"], random_state=0)
        >>> net.input_jacobian(np.zeros((2, 5))).shape
        (5, 1, 2)
        """
        slopes = backpropagation.input_jacobian(self.recipe, self._theta, self._inputs(X))
        return slopes.transpose(2, 0, 1)

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

    def check(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None
    ) -> tuple[Matrix, Matrix, Matrix]:
        """Return X, T and omega checked against the network and each other."""
        return check_data(self.recipe, self.dtype, X, T, omega)

    def _linearized(
        self, X: npt.ArrayLike, T: npt.ArrayLike, omega: npt.ArrayLike | None
    ) -> tuple[Linearization, Matrix, Matrix]:
        """Return the network linearized for checked X, with T and omega; all in float64."""
        X, T, omega = (M.astype(float) for M in self.check(X, T, omega))
        return Linearization.at(self.recipe, self._theta.astype(float), X), T, omega

    def _inputs(self, X: npt.ArrayLike) -> Matrix:
        """Return X as an S_0 × N matrix of the network's precision."""
        return check_matrix("X", X, self.S[0], self.dtype)
