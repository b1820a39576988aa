"""What both estimators share: from rows and parameters to a trained network, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lamina.data.scaling import fit_scaling
from lamina.engines.protocol import Data, Source
from lamina.engines.reference import ReferenceEngine
from lamina.estimators.fitted import Fitted, refuse_kind
from lamina.estimators.options import make_network, make_settings
from lamina.estimators.validation import Validation, choose_points, counted_weights
from lamina.exceptions import InvalidValueError
from lamina.training import loop
from lamina.training.progress import progress_bar
from lamina.training.randomness import draw_seed
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.network.errors import Error
    from lamina.training.settings import Settings

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Target:
    """What `y` means to the network: T, S_L × N, the number of outputs S_L, and the error."""

    source: Source
    n_outputs: int
    error: Error


class FeedForward(Fitted):
    """The machinery of `FeedForwardClassifier` and `FeedForwardRegressor`."""

    early_stopping: bool
    output_activation: Any
    loss: Any
    dtype: Any
    warm_start: bool
    random_state: Any
    verbose: bool

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Keep the arguments of `__init__` as they are, as scikit-learn asks."""
        names = self._get_param_names()
        self.__dict__.update({name: parameters[name] for name in names})

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
            return self._data(validation.X, validation.y, validation.sample_weight)
        if outside is not None:
            return Data(data.X, data.T, outside, data.weights)
        return None

    def _check_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        """Return X and y as arrays that fit each other, without copying a numeric X."""
        if y is None:
            message = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise InvalidValueError(message)
        X = validate_data(self, X, reset=reset, dtype="numeric", ensure_min_samples=1)
        refuse_kind(X)
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

    def _data(self, X: Any, y: Any, sample_weight: Any) -> Data:
        """Return X and y as the data that J is made of."""
        check_is_fitted(self, "network_")
        X, y = self._check_X_y(X, y, reset=False)
        weights = self._weights(sample_weight, X, y)
        return Data(self._columns(X), self._target(y).source, np.arange(len(X)), weights)
