"""What a regressor predicts, and how numbers become its targets."""

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


class Regression(RegressorMixin, FeedForward, WithIntervals):
    """The predictions of `FeedForwardRegressor`, and what the machinery asks it."""

    scale_targets: str
    target_scaling_: Scaling

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
