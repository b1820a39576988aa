"""What a fitted estimator can be asked, whatever it predicts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted

from lamina.engines.choice import engine_for
from lamina.engines.predictor import Predictor
from lamina.engines.reference import together
from lamina.estimators.checks import check_finite, check_rows
from lamina.estimators.labels import name_activation
from lamina.estimators.tables import WithTables, is_affine
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network import backpropagation
from lamina.network.parameters import views
from lamina.training.settings import require
from lamina.training.solvers import BayesianRegularization, LevenbergMarquardt

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    import numpy.typing as npt

    from lamina.certification.certificate import Certificate
    from lamina.engines.protocol import Data, Source
    from lamina.training.history import History
    from lamina.training.state import TrainingState

    Array = npt.NDArray[Any]

CERTIFIED_POINTS = 16
"""Data points that a certificate measures on: exactness needs few, and few are quick."""
OF_MATRICES = {LevenbergMarquardt.__name__, BayesianRegularization.__name__}
"""Solvers that train with the Gauss-Newton matrix."""


class Fitted(WithTables, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A trained network behind scikit-learn's conventions: rows in, rows out."""

    n_threads: int | None
    state_: TrainingState
    stop_reason_: str

    def _data(self, X: Any, y: Any, sample_weight: Any) -> Data:
        """Return X and y as the data that J is made of."""
        raise NotImplementedError

    def _seen(self, X: Any) -> Source:
        """Return checked X of a fitted estimator as columns."""
        check_is_fitted(self, "network_")
        return self._columns(check_rows(self, X, reset=False))

    def _by_chunks(self, X: Any, evaluate: Callable[[Array], Array], what: str) -> Array:
        """Return what `evaluate` makes of S_0 × n chunks of X, as rows; all of it finite."""
        columns, size = self._seen(X), together(self.network_.recipe)
        starts = range(0, len(columns), size)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [evaluate(columns.take(slice(s, s + size))).T for s in starts]
        return check_finite(np.concatenate(parts), what)

    def _outputs(self, X: Any) -> Array:
        """Return A_L as rows, N × S_L, in the network's units."""
        columns, network = self._seen(X), self.network_
        with engine_for(network.recipe, network.dtype, self.n_threads) as engine:
            outputs = engine.outputs(network.theta, columns, np.arange(len(columns)))
        return check_finite(outputs.T, "the output")

    def transform(self, X: Any, layer: int = -2) -> Array:
        """Return the activations A_l of a layer, by default of the last hidden one.

        Parameters
        ----------
        X : table, N × S_0
        layer : int, default -2
            Index into A_0 (the scaled inputs), ..., A_L (the outputs); negative from the end.

        Returns
        -------
        array, N × S_l

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If there is no such layer.
        """
        check_is_fitted(self, "network_")
        recipe, theta = self.network_.recipe, self.network_.theta
        message = f"layer must be an integer from {-recipe.L - 1} to {recipe.L}, got {layer!r}"
        if not isinstance(layer, Integral) or isinstance(layer, bool):
            raise InvalidTypeError(message)
        if not -recipe.L - 1 <= layer <= recipe.L:
            raise InvalidValueError(message)
        if (
            recipe.S[layer] != recipe.S[-2]
            and _get_output_config("transform", self)["dense"] != "default"
        ):
            message = "set_output names the units of the last hidden layer; layer=-2 is that"
            raise InvalidValueError(message)
        forward = partial(backpropagation.forward, recipe, theta)
        return self._by_chunks(X, lambda A: forward(A)[1][layer], "the activation")

    def predictor(self, most_rows: int = 64) -> Callable[[Array], Array]:
        """Return a fast function of a few rows, in the units of X, without any checks.

        It gives the network's outputs as rows, N × S_L: numbers in the units of y, or what
        `predict_proba` or `decision_function` are made of. The scaling is folded into its own
        copy of θ, so it does not see later training; two threads need a predictor each.

        The rows of a network that was trained on a table, or with missing values, are cells, as
        `encoding_.cells` makes them of a table.

        Parameters
        ----------
        most_rows : int >= 1, default 64
            Rows at most in one call. They must be a C-contiguous array, n × S_0, of real
            numbers; float32 or float64 as `dtype` is fastest.
        """
        check_is_fitted(self, "network_")
        require("most_rows", most_rows, whole=True, least=1)
        network, scaling, expansion = self.network_, self.input_scaling_, self._expansion()
        if not is_affine(expansion):
            scaled = Predictor(network.recipe, network.theta.copy(), most_rows)
            dtype = network.dtype
            return self._predictor_in_units(lambda cells: scaled(expansion.expand(cells, dtype)))
        W, b = (part.astype(float) for part in (network.W[1], network.b[1]))
        theta = network.theta.astype(float)
        views_W, views_b = views(network.recipe, theta)
        views_W[1][...] = W / scaling.scale
        views_b[1][...] = b - (W @ (scaling.center / scaling.scale))[:, np.newaxis]
        predict = Predictor(network.recipe, theta.astype(network.dtype), most_rows)
        return self._predictor_in_units(predict)

    def _predictor_in_units(self, predict: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Return the function with its results in the units of y."""
        target = getattr(self, "target_scaling_", None)
        if target is None or target.is_identity:
            return predict
        error = self.network_.recipe.error
        blocks = len(error.point(np.empty((self.network_.S[-1], 0)))) // len(target.center)
        center, scale = (np.tile(part, blocks) for part in (target.center, target.scale))
        return lambda rows: error.point(predict(rows).T).T * scale + center

    def _input_jacobian(self, X: Any) -> Array:
        """Return dA_L/dX in units of the inputs, N × S_L × S_0."""
        columns, network = self._seen(X), self.network_
        with engine_for(network.recipe, network.dtype, self.n_threads) as engine:
            slopes = engine.input_jacobian(network.theta, columns, np.arange(len(columns)))
        return self._slopes_in_inputs(check_finite(slopes.transpose(2, 0, 1), "the slope"), columns)

    def objective(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return J on X and y: the weighted mean error, in scaled units, plus penalties.

        It is what the solver minimizes, at the network's θ, on whatever data are given.
        """
        return self._evaluate(X, y, sample_weight)[0]

    def gradient(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return dJ/dθ on X and y, a vector like `network_.theta`, (4.1)."""
        return self._evaluate(X, y, sample_weight)[1]

    def _evaluate(self, X: Any, y: Any, sample_weight: Any) -> tuple[float, Array]:
        """Return J and dJ/dθ on X and y; not finite where they overflow."""
        data = self._data(X, y, sample_weight)
        network = self.network_
        with engine_for(network.recipe, network.dtype, self.n_threads) as engine:
            return engine.gradient(network.theta, data)

    def certify(self, X: Any, y: Any) -> Certificate:
        """Compare derivatives with measured ones on the first 16 rows of X and y that count.

        The engine's own gradient is among them and, where the solver is made of it and it is
        not large, the engine's Gauss-Newton matrix.
        """
        data, network = self._data(X, y, None), self.network_
        counted = data.points if data.weights is None else np.flatnonzero(data.weights)
        data = replace(data, points=counted[:CERTIFIED_POINTS], weights=None)

        def answer(chosen: Array, matrix: bool) -> tuple[Array, Array | None]:  # noqa: FBT001 - as the certificate calls it
            part = replace(data, points=data.points[chosen])
            used = matrix and self.state_.solver in OF_MATRICES  # else it would have to be compiled
            G = engine.gauss_newton(network.theta, part)[2] if used else None
            return engine.gradient(network.theta, part)[1], G

        with engine_for(network.recipe, network.dtype, self.n_threads) as engine:
            columns = (source.take(data.points) for source in (data.X, data.T))
            return network.certify(*columns, answer=answer)

    def save(
        self, path: str | PathLike[str], *, overwrite: bool = False, training_state: bool = True
    ) -> None:
        """Write the estimator to a model file, which `lamina.load` reads.

        Parameters
        ----------
        path : path
        overwrite : bool, default False
            Whether an existing file may be replaced.
        training_state : bool, default True
            Whether to store what `warm_start` and `partial_fit` need to go on exactly; the
            file is two to four times smaller without, and warm starts begin anew.

        Raises
        ------
        ModelExistsError
            If the file exists and `overwrite` is false.
        """
        from lamina.estimators.persistence import save_estimator

        check_is_fitted(self, "network_")
        save_estimator(self, path, overwrite=overwrite, training_state=training_state)

    # What was learned -----------------------------------------------------------------

    @property
    def coefs_(self) -> list[Array]:
        """The weights as scikit-learn has them: W_lᵗ, S_{l-1} × S_l; views."""
        return [W.T for W in self.network_.W[1:]]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases b_l, vectors of S_l; views."""
        return [b[:, 0] for b in self.network_.b[1:]]

    @property
    def history_(self) -> History:
        """Every epoch so far."""
        return self.state_.history

    @property
    def loss_curve_(self) -> list[float]:
        """J of every epoch."""
        return self.history_["loss"]

    @property
    def validation_curve_(self) -> list[float]:
        """The error on the validation data of every epoch; NaN without such data."""
        return self.history_["validation_loss"]

    @property
    def loss_(self) -> float:
        """J of the last epoch; NaN if training was interrupted before one was done."""
        return self.loss_curve_[-1] if self.loss_curve_ else float("nan")

    @property
    def n_iter_(self) -> int:
        """Epochs done so far."""
        return self.state_.epoch

    @property
    def n_layers_(self) -> int:
        """L + 1, inputs and outputs counted."""
        return self.network_.L + 1

    @property
    def n_outputs_(self) -> int:
        """S_L."""
        return self.network_.S[-1]

    @property
    def out_activation_(self) -> str:
        """The activation of the output layer; empty for an object that is not registered."""
        return name_activation(self.network_.recipe.activation(self.network_.L))

    def __sklearn_tags__(self) -> Any:
        """Say what X may be.

        The tag for text stays off, though text is taken: scikit-learn's check of those that have
        it demands that a dict in a cell is taken too.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = tags.input_tags.categorical = True
        return tags

    @property
    def _n_features_out(self) -> int:
        """The width of `transform`."""
        return self.network_.S[-2]
