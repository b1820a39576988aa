"""What both estimators share: from rows and parameters to a trained network, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lamina.data.columns import Columns
from lamina.data.scaling import Scaling, fit_scaling
from lamina.engines.protocol import Data, Source
from lamina.engines.reference import CHUNK, ReferenceEngine
from lamina.estimators.options import make_network, make_settings
from lamina.estimators.validation import Validation, choose_points, counted_weights
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network import backpropagation
from lamina.network.network import Network
from lamina.training import loop
from lamina.training.progress import progress_bar
from lamina.training.randomness import draw_seed
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    import numpy.typing as npt

    from lamina.network.certificate import Certificate
    from lamina.network.errors import Error
    from lamina.training.history import History
    from lamina.training.settings import Settings

    Array = npt.NDArray[Any]

CERTIFIED_POINTS = 16
"""Data points that a certificate measures on: exactness needs few, and few are quick."""


@dataclass(frozen=True)
class Target:
    """What `y` means to the network: T, S_L × N, the number of outputs S_L, and the error."""

    source: Source
    n_outputs: int
    error: Error


class FeedForward(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The machinery of `FeedForwardClassifier` and `FeedForwardRegressor`."""

    network_: Network
    state_: TrainingState
    input_scaling_: Scaling
    stop_reason_: str

    # What a subclass knows ------------------------------------------------------------

    def _learn_target(self, y: Array, weights: Array | None) -> None:
        """Learn from y, and weights of its rows, what is needed to encode it."""
        raise NotImplementedError

    def _target(self, y: Array) -> Target:
        """Return y encoded by what was learned."""
        raise NotImplementedError

    def _strata(self, y: Array) -> Array | None:
        """Return the labels that a validation fraction is stratified by, if any."""
        raise NotImplementedError

    def _metrics(self) -> Mapping[str, loop.Metric]:
        """Return what is computed on validation data, beside the error."""
        raise NotImplementedError

    def _check_y(self, y: Any) -> Array:
        """Return y as an array that `_learn_target` takes, or say what is wrong with it."""
        raise NotImplementedError

    # Training -------------------------------------------------------------------------

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation: Validation, *, partial: bool
    ) -> Any:
        """Train from the start, or go on with warm_start and partial_fit."""
        going_on = (partial or self.warm_start) and hasattr(self, "network_")
        settings = make_settings(self, max_iter=1 if partial else None)
        X, y = self._check_X_y(X, y, reset=not going_on)
        weights = self._weights(sample_weight, X, y)
        seed = self.state_.seed if going_on else draw_seed(self.random_state)
        inside, outside = choose_points(self, len(X), self._strata(y), validation, seed)
        if not going_on:
            self._begin(X, y, counted_weights(weights, inside, len(X)), seed)
        else:
            self._resume(X, y)
        data = Data(self._columns(X), self._target(y).source, inside, weights)
        watched = self._watched(data, outside, validation)
        try:
            self._train(data, watched, settings)
        except BaseException:
            if not going_on:
                del self.network_, self.state_  # nothing was learned: not fitted
            raise
        return self

    def _begin(self, X: Array, y: Array, weights: Array | None, seed: int) -> None:
        """Learn scalings and target, and draw the first θ."""
        self.input_scaling_ = fit_scaling(self.scale_inputs, X, weights)
        self._learn_target(y, weights)
        target = self._target(y)
        self.network_ = make_network(self, X.shape[1], target.n_outputs, target.error, seed)
        self.state_ = TrainingState(self.network_.theta.copy(), seed)

    def _resume(self, X: Array, y: Array) -> None:
        """Take up changed penalties; refuse any other change of the network."""
        target = self._target(y)
        now = make_network(self, X.shape[1], target.n_outputs, target.error, 0).recipe
        was = self.network_.recipe
        if (now.S, now.activations, now.error) != (was.S, was.activations, was.error):
            message = (
                f"warm_start and partial_fit go on with the same network; it was {was.S}, "
                f"{was.activations}, {was.error!r} and would now be {now.S}, {now.activations}, "
                f"{now.error!r}. Use a new estimator, or clone this one"
            )
            raise InvalidValueError(message)
        self.network_.recipe = now

    def _train(self, data: Data, watched: Data | None, settings: Settings) -> None:
        """Run the loop and keep the θ it chose."""
        with progress_bar(settings.max_iter, enabled=bool(self.verbose)) as observers:
            self.stop_reason_ = loop.train(
                ReferenceEngine(self.network_.recipe),
                data,
                self.state_,
                settings,
                validation=watched,
                metrics=self._metrics(),
                observers=observers,
            )
        self.network_.theta = loop.chosen(self.state_, settings)

    def _watched(self, data: Data, outside: Array | None, validation: Validation) -> Data | None:
        """Return the validation data: given apart, or the points left out of training."""
        if validation.X is not None:
            X, y = self._check_X_y(validation.X, validation.y, reset=False)
            weights = self._weights(validation.sample_weight, X, y)
            return Data(self._columns(X), self._target(y).source, np.arange(len(X)), weights)
        if outside is not None:
            return Data(data.X, data.T, outside, data.weights)
        return None

    def _check_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        """Return X and y as arrays that fit each other, without copying a numeric X."""
        if y is None:
            message = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise InvalidValueError(message)
        X = validate_data(self, X, reset=reset, dtype="numeric", ensure_min_samples=1)
        _refuse_kind(X)
        y = self._check_y(y)
        if len(X) != len(y):
            message = f"X has {len(X)} rows and y has {len(y)}; they must agree"
            raise InvalidValueError(message)
        return X, y

    def _weights(self, sample_weight: Any, X: Array, y: Array) -> Array | None:
        """Return checked weights of the data points, or None for equal ones."""
        del y
        if sample_weight is None:
            return None
        weights = np.asarray(_check_sample_weight(np.asarray(sample_weight), X, dtype=float))
        if np.any(weights < 0) or not np.any(weights > 0):
            message = "sample_weight must be zero or more, and not zero everywhere"
            raise InvalidValueError(message)
        return weights

    def _columns(self, X: Array) -> Columns:
        """Return the rows of X as scaled columns."""
        scaling = None if self.scale_inputs == "none" else self.input_scaling_
        return Columns(X, scaling, self.network_.dtype)

    # Using the network ----------------------------------------------------------------

    def _seen(self, X: Any) -> Columns:
        """Return checked X of a fitted estimator as columns."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, reset=False, dtype="numeric")
        _refuse_kind(X)
        return self._columns(X)

    def _by_chunks(self, X: Any, evaluate: Callable[[Array], Array]) -> Array:
        """Return what `evaluate` makes of S_0 × n chunks of X, as rows."""
        columns = self._seen(X)
        starts = range(0, len(columns), CHUNK)
        return np.concatenate([evaluate(columns.take(slice(s, s + CHUNK))).T for s in starts])

    def _outputs(self, X: Any) -> Array:
        """Return A_L as rows, N × S_L, in the network's units."""
        engine = ReferenceEngine(self.network_.recipe) if hasattr(self, "network_") else None
        return self._by_chunks(X, lambda A: engine.outputs(self.network_.theta, A))  # type: ignore[union-attr]

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
        InvalidValueError
            If there is no such layer.
        """
        check_is_fitted(self, "network_")
        recipe, theta = self.network_.recipe, self.network_.theta
        if not -recipe.L - 1 <= layer <= recipe.L:
            message = f"layer must be from {-recipe.L - 1} to {recipe.L}, got {layer!r}"
            raise InvalidValueError(message)
        return self._by_chunks(X, lambda A: backpropagation.forward(recipe, theta, A)[1][layer])

    def _input_jacobian(self, X: Any) -> Array:
        """Return dA_L/dX in units of the inputs, N × S_L × S_0."""
        check_is_fitted(self, "network_")
        recipe, theta = self.network_.recipe, self.network_.theta
        jacobian = self._by_chunks(X, lambda A: backpropagation.input_jacobian(recipe, theta, A).T)
        return np.asarray(jacobian.T.transpose(2, 0, 1) / self.input_scaling_.scale)

    def _all(self, X: Any, y: Any, sample_weight: Any) -> Data:
        """Return X and y of a fitted estimator as data."""
        check_is_fitted(self, "network_")
        X, y = self._check_X_y(X, y, reset=False)
        weights = self._weights(sample_weight, X, y)
        return Data(self._columns(X), self._target(y).source, np.arange(len(X)), weights)

    def objective(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return J on X and y: the weighted mean error, in scaled units, plus penalties.

        It is what the solver minimizes, at the network's θ, on whatever data are given.
        """
        data = self._all(X, y, sample_weight)
        engine = ReferenceEngine(self.network_.recipe)
        return engine.gradient(self.network_.theta, data)[0]

    def gradient(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return dJ/dθ on X and y, a vector like `network_.theta`, (4.1)."""
        data = self._all(X, y, sample_weight)
        return ReferenceEngine(self.network_.recipe).gradient(self.network_.theta, data)[1]

    def certify(self, X: Any, y: Any) -> Certificate:
        """Compare backpropagation with measured derivatives on the first 16 rows of X and y."""
        data = self._all(X[:CERTIFIED_POINTS], y[:CERTIFIED_POINTS], None)
        return self.network_.certify(data.X.take(data.points), data.T.take(data.points))

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
        """J of the last epoch."""
        return self.loss_curve_[-1]

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
        """The activation of the output layer."""
        return repr(self.network_.recipe.activation(self.network_.L))

    @property
    def _n_features_out(self) -> int:
        """The width of `transform`."""
        return self.network_.S[-2]


def _refuse_kind(X: Array) -> None:
    """Refuse arrays that are numbers to NumPy but nothing to a network."""
    if X.dtype.kind not in "fiub":
        message = f"X must hold real numbers, got an array of {X.dtype}"
        raise InvalidTypeError(message)
