"""What both estimators share: from rows and parameters to a trained network, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from lamina.engines.choice import engine_for
from lamina.engines.protocol import Data, Source
from lamina.estimators import checkpointing
from lamina.estimators.callbacks import Given, fit_told
from lamina.estimators.checks import check_rows, check_weights
from lamina.estimators.exporting import WithExports
from lamina.estimators.findings import WithFindings
from lamina.estimators.fitted import Fitted
from lamina.estimators.options import (
    describe_problem,
    describe_recipe,
    draw_theta,
    make_network,
    make_settings,
    refuse_parts,
)
from lamina.estimators.reporting import WithReports
from lamina.estimators.streamed import is_path, open_columns
from lamina.estimators.validation import Validation, choose_points, counted_weights, settle
from lamina.exceptions import InvalidValueError
from lamina.training import loop, restarts
from lamina.training.choice import resolve
from lamina.training.progress import progress_bar
from lamina.training.schedules import refuse_endless
from lamina.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lamina.estimators.rows import Rows
    from lamina.network.error_kinds import Error
    from lamina.network.recipe import Recipe
    from lamina.training.settings import Settings
    from lamina.training.solvers import Solver

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Target:
    """What `y` means to the network: T, S_L × N, the number of outputs S_L, and the error."""

    source: Source
    n_outputs: int
    error: Error


class FeedForward(WithReports, WithExports, WithFindings, CallbackSupportMixin, Fitted):
    """The machinery of `FeedForwardClassifier` and `FeedForwardRegressor`."""

    checkpoints: Any
    early_stopping: bool
    output_activation: Any
    loss: Any
    dtype: Any
    n_threads: Any
    warm_start: bool
    random_state: Any
    verbose: bool
    solver: Any
    _scaled_by: str

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Keep the arguments of `__init__` as they are, as scikit-learn asks."""
        self.__dict__.update((name, value) for name, value in parameters.items() if name != "self")

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

    def _class_weights(self, y: Array) -> Array | None:
        """Return the factors of the weights that follow from y, if any."""
        raise NotImplementedError

    # Training -------------------------------------------------------------------------

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation: Validation, *, partial: bool
    ) -> Any:
        """Train from the start, or go on with warm_start and partial_fit.

        A fit that fails leaves the estimator as it was.
        """
        settings = make_settings(self, max_iter=1 if partial else None)
        checkpointing.check_checkpoints(self.checkpoints, partial=partial)
        validation = settle(self, validation, partial=partial)
        if partial:
            refuse_parts(settings)
        going_on = (partial or self.warm_start) and hasattr(self, "network_")
        if partial or (going_on and self.state_.epoch >= settings.max_iter):
            refuse_endless(settings.schedule)

        def fit(observers: Sequence[loop.Observer]) -> None:
            before = self.__dict__.copy()
            try:
                ways: Any = {"going_on": going_on, "partial": partial, "observers": observers}
                seen = self._learn(X, y, sample_weight, validation, settings, **ways)
                self._learn_error_bars(*seen, partial=partial)
            except BaseException:
                self.__dict__ = before
                raise

        runs = 1 if going_on else settings.n_restarts
        fit_told(self, fit, Given(X, y, sample_weight, settings, runs))
        return self

    def _learn(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Validation,
        settings: Settings,
        *,
        going_on: bool,
        partial: bool,
        observers: Sequence[loop.Observer],
    ) -> tuple[Data, Data | None, Settings]:
        """Check everything, then train; return the data trained on and watched, and how."""
        X, y = self._check_X_y(X, y, reset=not going_on)
        weights = self._weights(sample_weight, X, y)
        seed = self.state_.seed if going_on else checkpointing.first_seed(self)
        rows = np.arange(len(X)) if weights is None else np.flatnonzero(weights)
        inside, outside = choose_points(self, rows, y, validation, seed)
        if not going_on:
            self._learn_units(X, y, counted_weights(weights, inside, len(X)))
        target = self._target(y)
        size = len(self.input_scaling_.center), target.n_outputs
        described = describe_recipe(self, *size, target.error)
        problem = describe_problem(self, described, len(inside), settings, in_parts=partial)
        choice = resolve(self.solver, self.state_ if going_on else None, problem)
        runs = 1 if going_on else settings.n_restarts
        settings = replace(settings, solver=choice.solver, n_restarts=runs)
        if going_on:
            recipe = self._changed_recipe(size, target.error, choice.solver)
        else:
            self.network_ = make_network(self, *size, target.error, choice.solver, seed)
            self.state_ = TrainingState(self.network_.theta.copy(), seed)
            recipe = self.network_.recipe
        self._check_error_bars()
        data = Data(self._columns(X), target.source, inside, weights)
        watched = self._watched(data, outside, validation)
        self.network_.recipe = recipe
        self.solver_, self.solver_choice_ = choice.name, choice.sentence
        self.state_.choice = choice.sentence if choice.automatic else ""
        self._train(data, watched, settings, observers)
        return data, watched, settings

    def _learn_units(self, X: Rows, y: Array, weights: Array | None) -> None:
        """Learn the scalings, and what y means."""
        self._scaled_by = self._scaling_methods()
        self._learn_inputs(X, weights)
        self._learn_target(y, weights)

    def _changed_recipe(self, size: tuple[int, int], error: Error, solver: Solver) -> Recipe:
        """Return the recipe with changed penalties; refuse any other change."""
        network, now = self.network_, describe_recipe(self, *size, error, solver)
        kept = {
            "sizes": (network.S, now.S),
            "activations": (network.recipe.activations, now.activations),
            "loss": (network.recipe.error, now.error),
            "dtype": (network.dtype, np.dtype(self.dtype)),
            "scaling": (self._scaled_by, self._scaling_methods()),
        }
        for what, (was, is_now) in kept.items():
            if was != is_now:
                message = (
                    f"warm_start and partial_fit go on with the same network; {what}: {was} "
                    f"before, {is_now} now. Use a new estimator, or clone this one"
                )
                raise InvalidValueError(message)
        return now

    def _scaling_methods(self) -> str:
        """Return how inputs and targets are asked to be scaled."""
        kinds = f", {self.column_kinds}" if self.column_kinds else ""
        return f"{self.scale_inputs}, {getattr(self, 'scale_targets', 'none')}{kinds}"

    def _train(
        self,
        data: Data,
        watched: Data | None,
        settings: Settings,
        observers: Sequence[loop.Observer],
    ) -> None:
        """Run the loop and keep the θ it chose."""
        quiet = np.errstate(
            over="ignore", invalid="ignore"
        )  # the loop looks for what is not finite
        recipe = settings.solver.working(self.network_.recipe, self.state_)
        stage, keep = checkpointing.begin(self, data, watched, settings)
        lent = engine_for(recipe, self.network_.dtype, self.n_threads)
        bar = progress_bar(settings, enabled=bool(self.verbose))
        with bar as shown, quiet, lent as engine:
            self.state_, self.stop_reason_ = restarts.train(
                engine,
                data,
                self._drawn,
                settings,
                validation=watched,
                metrics=self._metrics(),
                observers=[*shown, *observers],
                stage=stage,
                keep=keep,
            )
        self.network_.theta = loop.chosen(self.state_, settings)
        self.network_.recipe = settings.solver.settled(recipe, self.state_)
        self._found = settings.solver.found(self.state_)

    def _drawn(self, number: int) -> TrainingState:
        """Return the state to begin the training of a number with; the first one is there."""
        first = self.state_
        if number == 0:
            return first
        theta = draw_theta(self, self.network_, first.seed, number)
        return TrainingState(theta, first.seed, choice=first.choice)

    def _watched(self, data: Data, outside: Array | None, validation: Validation) -> Data | None:
        """Return the validation data: given apart, or the points left out of training."""
        if validation.X is not None:
            try:
                return self._data(validation.X, validation.y, validation.sample_weight)
            except (TypeError, ValueError) as problem:
                problem.add_note("This is about X_val, y_val and sample_weight_val.")
                raise
        if outside is not None:
            return Data(data.X, data.T, outside, data.weights)
        return None

    def _check_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Rows, Array]:
        """Return X and y checked, and fitting each other, without copying a numeric X."""
        if y is None:
            message = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise InvalidValueError(message)
        if is_path(X):
            X, y = open_columns(X, y)
        X = check_rows(self, X, reset=reset)
        y = self._check_y(y)
        if len(X) != len(y):
            message = f"X has {len(X)} rows and y has {len(y)}; they must agree"
            raise InvalidValueError(message)
        return X, y

    def _weights(self, sample_weight: Any, X: Rows, y: Array) -> Array | None:
        """Return checked weights of the data points, or None for equal ones."""
        return check_weights(sample_weight, self._class_weights(y), len(X))

    def _data(self, X: Any, y: Any, sample_weight: Any) -> Data:
        """Return X and y as the data that J is made of."""
        check_is_fitted(self, "network_")
        X, y = self._check_X_y(X, y, reset=False)
        weights = self._weights(sample_weight, X, y)
        return Data(self._columns(X), self._target(y).source, np.arange(len(X)), weights)
