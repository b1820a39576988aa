"""`FeedForwardRegressor`: one target or several, in scikit-learn's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array

from lamina.data.columns import Columns
from lamina.data.scaling import Scaling, fit_scaling
from lamina.estimators.base import FeedForward, Target
from lamina.estimators.checks import check_finite, refuse_kind, refuse_masked
from lamina.estimators.intervals import WithIntervals
from lamina.estimators.validation import Validation
from lamina.exceptions import InvalidValueError
from lamina.network.errors import get_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.network.error_kinds import Error
    from lamina.training.loop import Metric

    Array = npt.NDArray[Any]


SCALABLE = {
    "real": ("standard", "minmax", "mean", "none"),
    "nonnegative": ("mean", "none"),
    "positive": ("mean", "none"),
}
"""How targets of each kind may be scaled; the first is what "auto" means."""


class FeedForwardRegressor(RegressorMixin, FeedForward, WithIntervals):
    """A feed-forward network that predicts numbers: one target or several.

    Minimizes J = Σ ω_n J_n + Σ_l (l1 Σ|W_l| + alpha/2 Σ W_l²) in scaled units, where ω_n
    are the sample weights divided by their sum and J_n sums over the targets; penalties are
    not divided by the number of samples.

    Parameters
    ----------
    hidden_layer_sizes, activation, output_activation, solver, alpha, l1, dropout,
    initialization, batch_size, learning_rate, learning_rate_init, max_iter, shuffle, tol,
    n_iter_no_change, early_stopping, validation_fraction, gradient_tol, goal, max_time,
    n_restarts, max_gradient_norm, scale_inputs, dtype, n_layers, width, warm_start, random_state,
    n_threads, verbose, error_bars
        As for `FeedForwardClassifier`.
    loss : str or Error, default "squared"
        Such as "absolute", "huber(1.0)", "quantile((0.1, 0.9))", "poisson", "gaussian_nll".
        Thresholds such as huber's are in units of the scaled target.
    scale_targets : {"auto", "standard", "minmax", "mean", "none"}, default "auto"
        "auto" standardizes; where the loss needs positive targets, as poisson does, it divides
        them by their mean, which leaves the minimum where it is.

    Attributes
    ----------
    target_scaling_ : Scaling
    network_, state_, history_, stop_reason_, solver_, solver_choice_, restarts_, alpha_,
    effective_parameters_, beta_, input_scaling_, coefs_, intercepts_, loss_,
    loss_curve_, validation_curve_, n_iter_, n_layers_, n_outputs_, out_activation_,
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = FeedForwardRegressor(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    scale_targets: str
    target_scaling_: Scaling

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        activation: Any = "relu",
        output_activation: Any = "auto",
        loss: Any = "squared",
        solver: Any = "auto",
        alpha: Any = "auto",
        l1: Any = 0.0,
        dropout: Any = 0.0,
        initialization: Any = "auto",
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        tol: Any = "auto",
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        gradient_tol: float = 0.0,
        goal: float | None = None,
        max_time: float | None = None,
        n_restarts: int = 1,
        max_gradient_norm: float | None = None,
        scale_inputs: str = "standard",
        scale_targets: str = "auto",
        dtype: Any = "float64",
        n_layers: int | None = None,
        width: int | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        n_threads: int | None = None,
        verbose: bool = False,
        error_bars: Any = False,
    ) -> None:
        """Keep the parameters; they are checked in `fit`."""
        self._keep(locals())

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> FeedForwardRegressor:
        """Train the network.

        Parameters
        ----------
        X : table of numbers, N × S_0
            Of any real type and memory order; read-only and memory maps too.
        y : N numbers, or an N × K table
            One target or several.
        sample_weight : N numbers >= 0, optional
        X_val, y_val, sample_weight_val : as X, y, sample_weight, optional
            Validation data, followed in the history and watched by `early_stopping`.

        Returns
        -------
        self

        Raises
        ------
        LaminaError, ValueError, TypeError
            If data or parameters are wrong; the message says which and what to do.
        """
        validation = Validation(X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation, partial=False)  # type: ignore[no-any-return]  # self, or an array

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> FeedForwardRegressor:
        """Train for one epoch on this part of the data; scaling is learned from the first part."""
        return self._fit(X, y, sample_weight, Validation(), partial=True)  # type: ignore[no-any-return]  # self, or an array

    def predict(self, X: Any, *, return_std: bool = False) -> Any:
        """Return the prediction for each row of X, in the units of y.

        Parameters
        ----------
        X : table, N × S_0
        return_std : bool, default False
            Whether to return the standard deviation of a new y too, of noise and parameters. It
            needs error_bars=True; without, loss="gaussian_nll" has that of the noise.

        Returns
        -------
        N numbers, or N × K for several targets; for several quantiles N × (K · their number),
        one block of targets for each quantile. With `return_std` two such arrays.

        Raises
        ------
        InvalidValueError
            If `return_std` is asked of an estimator that has learned no spread.
        """
        outputs = self._outputs(X)
        error = self.network_.recipe.error
        mean = self._in_units(error.point(outputs.T).T)
        if not return_std:
            return mean
        spread = self._deviation(X)
        return mean, (spread[:, 0] if self._flat else spread)

    def input_gradient(self, X: Any) -> Array:
        """Return the slope of every prediction in every input, N × S_0, or N × outputs × S_0.

        In units of y per unit of the input. For loss="gaussian_nll" of the mean.
        """
        jacobian = self._input_jacobian(X)
        rows = self.network_.recipe.error.point(jacobian.transpose(1, 0, 2)).transpose(1, 0, 2)
        scale = np.resize(self.target_scaling_.scale, rows.shape[1])
        slopes = rows * scale[:, np.newaxis]
        return slopes[:, 0] if slopes.shape[1] == 1 else slopes  # type: ignore[no-any-return]  # self, or an array

    # What the machinery asks ----------------------------------------------------------

    def _check_y(self, y: Any) -> Array:
        refuse_masked("y", y)
        with np.errstate(over="ignore", invalid="ignore"):  # scikit-learn sums y to look for NaN
            y = check_array(y, ensure_2d=False, allow_nd=True, input_name="y", dtype="numeric")
        if y.ndim > 2:
            message = f"y must be N numbers or an N × K table, got shape {y.shape}"
            raise InvalidValueError(message)
        return refuse_kind("y", np.asarray(y))

    def _class_weights(self, y: Array) -> Array | None:
        return None

    def _learn_target(self, y: Array, weights: Array | None) -> None:
        self._flat = y.ndim == 1
        table = y.reshape(len(y), -1)
        error, method = self._error(), self.scale_targets
        allowed = SCALABLE.get(error.targets, ("none",))
        if method == "auto":
            method = allowed[0]
        elif method not in allowed:
            message = (
                f"{error!r} needs targets that are {error.targets}, so scale_targets={method!r} "
                f"cannot be honored; use 'auto' or one of {allowed}"
            )
            raise InvalidValueError(message)
        error.check_targets(table.T)
        self.target_scaling_ = fit_scaling(method, table, weights)

    def _target(self, y: Array) -> Target:
        table, error = y.reshape(len(y), -1), self._error()
        K = len(self.target_scaling_.center)
        if table.shape[1] != K:
            message = f"y must have {K} columns as before, got {table.shape[1]}"
            raise InvalidValueError(message)
        error.check_targets(table.T)
        source = Columns(table, self.target_scaling_, np.dtype(self.dtype))
        return Target(source, K * error.outputs_per_target, error)

    def _error(self) -> Error:
        """Return the error."""
        return get_error(self.loss)

    def _strata(self, y: Array) -> Array | None:
        return None

    def _metrics(self) -> Mapping[str, Metric]:
        return {"r2": self._r2}

    def _r2(self, T: Array, A: Array) -> float:
        """Return the mean over targets of 1 - residual / total sum of squares."""
        point = self.network_.recipe.error.point(A)
        if point.shape != T.shape:
            return float("nan")  # several quantiles are no prediction of T
        residual = np.sum((T - point) ** 2, axis=1)
        total = np.sum((T - T.mean(axis=1, keepdims=True)) ** 2, axis=1)
        varies = np.ptp(T, axis=1) > 0  # a constant target has a total of rounding errors
        return float(np.mean(1.0 - residual / np.where(varies, total, np.nan)))

    def _in_units(self, rows: Array) -> Array:
        """Return scaled predictions in the units of y, flat if y was."""
        blocks = rows.shape[1] // len(self.target_scaling_.center)
        scaling = Scaling(
            np.tile(self.target_scaling_.center, blocks),
            np.tile(self.target_scaling_.scale, blocks),
        )
        with np.errstate(over="ignore"):
            values = check_finite(scaling.invert(rows), "the prediction")
        return values[:, 0] if self._flat and blocks == 1 else values

    def __sklearn_tags__(self) -> Any:
        """Say that several targets can be learned at once."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
