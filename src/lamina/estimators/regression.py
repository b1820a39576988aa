"""What a regressor predicts, and how numbers become its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_array

from lamina.data.columns import Columns
from lamina.data.scaling import Scaling, fit_scaling
from lamina.estimators import targets
from lamina.estimators.base import FeedForward, Target
from lamina.estimators.checks import check_finite, refuse_kind
from lamina.estimators.intervals import WithIntervals
from lamina.estimators.transforms import Transform, learn_transform
from lamina.exceptions import InvalidValueError
from lamina.network.errors import get_error
from lamina.network.weighted import WeightedError
from lamina.uncertainty.options import get_error_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    target_transform: Any
    output_weights: Any
    target_scaling_: Scaling
    target_transform_: Transform | None
    _has_gaps: bool

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
        self._refuse_transform("a standard deviation")
        spread = self._deviation(X)
        return mean, (spread[:, 0] if self._flat else spread)

    def input_gradient(self, X: Any) -> Array:
        """Return the slope of every prediction in every input, N × S_0, or N × outputs × S_0.

        In units of y per unit of the input. For loss="gaussian_nll" of the mean.
        """
        jacobian = self._input_jacobian(X)
        rows = self.network_.recipe.error.point(jacobian.transpose(1, 0, 2)).transpose(1, 0, 2)
        center, scale = targets.stretched(
            self.target_scaling_, rows.shape[1] // len(self.target_scaling_.center)
        )
        slopes = rows * scale[:, np.newaxis]
        if self.target_transform_ is not None:
            outputs = self.network_.recipe.error.point(self._outputs(X).T).T
            bends = self.target_transform_.slope(outputs * scale + center)
            slopes = slopes * bends[:, :, np.newaxis]
        return slopes[:, 0] if slopes.shape[1] == 1 else slopes

    # What the machinery asks ----------------------------------------------------------

    def _check_y(self, y: Any) -> Array:
        y = targets.as_target(y)
        several = y.ndim == 2 and y.shape[1] > 1
        if not several and not hasattr(y, "toarray"):
            targets.refuse_missing(
                y, "leave out such rows; only one of several targets may be missing"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # scikit-learn sums y to look for NaN
            y = check_array(
                y,
                ensure_2d=False,
                allow_nd=True,
                input_name="y",
                dtype="numeric",
                ensure_all_finite="allow-nan" if several else True,
            )
        if y.ndim > 2:
            message = f"y must be N numbers or an N × K table, got shape {y.shape}"
            raise InvalidValueError(message)
        y = refuse_kind("y", np.asarray(y))
        if several and targets.find_missing(y).all(axis=0).any():
            k = int(targets.find_missing(y).all(axis=0).argmax())
            message = f"y contains NaN alone in column {k}: there is nothing to learn; leave it out"
            raise InvalidValueError(message)
        return np.asarray(y)

    def _class_weights(self, y: Array) -> Array | None:
        """Return 0 for each row without any target, 1 for the others; None if there are none."""
        known = ~targets.find_missing(y.reshape(len(y), -1)).all(axis=1)
        return None if known.all() else known.astype(float)

    def _learn_target(self, y: Array, weights: Array | None) -> None:
        self._flat = y.ndim == 1
        table = y.reshape(len(y), -1)
        missing = targets.find_missing(table)
        self._has_gaps = bool(missing.any())
        if self._has_gaps and weights is not None and missing[weights > 0].all(axis=0).any():
            k = int(missing[weights > 0].all(axis=0).argmax())
            message = f"no row that is trained on has a target in column {k} of y; leave it out"
            raise InvalidValueError(message)
        error, method = self._error(table.shape[1]), self.scale_targets
        allowed = SCALABLE.get(error.targets, ("none",))
        if method == "auto":
            method = allowed[0]
        elif method not in allowed:
            message = (
                f"{error!r} needs targets that are {error.targets}, so scale_targets={method!r} "
                f"cannot be honored; use 'auto' or one of {allowed}"
            )
            raise InvalidValueError(message)
        if self.target_transform is not None and error.targets != "real":
            message = (
                f"target_transform={self.target_transform!r} makes targets of any sign, and "
                f"{error!r} needs targets that are {error.targets}; use loss='squared', or no "
                "transform"
            )
            raise InvalidValueError(message)
        error.check_targets(table.T)
        self.target_transform_ = learn_transform(self.target_transform, table, weights)
        if self.target_transform_ is not None:
            table = self.target_transform_.apply(table)
        self.target_scaling_ = fit_scaling(method, table, weights)

    def _target(self, y: Array) -> Target:
        table, K = y.reshape(len(y), -1), len(self.target_scaling_.center)
        if table.shape[1] != K:
            message = f"y must have {K} columns as before, got {table.shape[1]}"
            raise InvalidValueError(message)
        error = self._error(K)
        if not isinstance(error, WeightedError) and targets.find_missing(table).any():
            message = (
                "y contains NaN, and the y that training began with had none; leave out such "
                "rows, or begin with output_weights, such as 1 for each target"
            )
            raise InvalidValueError(message)
        error.check_targets(table.T)
        if self.target_transform_ is not None:
            table = self.target_transform_.apply(table)
        source = Columns(table, self.target_scaling_, np.dtype(self.dtype))
        return Target(source, K * error.outputs_per_target, error)

    def _error(self, K: int) -> Error:
        """Return the error of K targets."""
        error = get_error(self.loss)
        if self.output_weights is None and not self._has_gaps:
            return error
        given = self.output_weights
        return WeightedError(error, () if given is None else targets.entry_weights(given, K))

    def _scaling_methods(self) -> str:
        kind = f", {self.target_transform}" if self.target_transform is not None else ""
        return super()._scaling_methods() + kind

    def _check_error_bars(self) -> None:
        super()._check_error_bars()
        if get_error_bars(self.error_bars) and isinstance(
            self.network_.recipe.error, WeightedError
        ):
            message = (
                "error bars are known for targets that count alike and are all there: leave out "
                "output_weights and rows with NaN in y, or set error_bars=False"
            )
            raise InvalidValueError(message)

    def _strata(self, y: Array) -> Array | None:
        return None

    def _metrics(self) -> Mapping[str, Metric]:
        return {"r2": self._r2}

    def _r2(self, T: Array, A: Array) -> float:
        """Return the mean over targets of R², in units of y."""
        point = self.network_.recipe.error.point(A)
        if point.shape != T.shape:
            return float("nan")  # several quantiles are no prediction of T
        if self.target_transform_ is not None:
            T, point = self._back(T.T).T, self._back(point.T).T
        return targets.known_r2(T, point)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R² of the predictions, the mean over targets; NaN in y does not count.

        Parameters
        ----------
        X : table, N × S_0
        y : N numbers, or N × K
        sample_weight : N numbers >= 0, optional
        """
        y = self._check_y(y)
        known = ~targets.find_missing(y)
        if known.all():
            return float(super().score(X, y, sample_weight))
        predicted = self.predict(X)
        w = None if sample_weight is None else np.asarray(sample_weight)
        scores = [
            r2_score(t[k], p[k], sample_weight=None if w is None else w[k])
            for t, p, k in zip(y.T, predicted.T, known.T, strict=True)
        ]
        return float(np.mean(scores))

    def _back(self, rows: Array) -> Array:
        """Return scaled numbers, N × K or N × (blocks · K), in the units of y; may overflow."""
        blocks = rows.shape[1] // len(self.target_scaling_.center)
        center, scale = targets.stretched(self.target_scaling_, blocks)
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.asarray(rows * scale + center)
            transform = self.target_transform_
            return values if transform is None else transform.invert(values)

    def _in_units(self, rows: Array) -> Array:
        """Return scaled predictions in the units of y, flat if y was."""
        values = check_finite(self._back(rows), "the prediction")
        one = values.shape[1] == len(self.target_scaling_.center)
        return values[:, 0] if self._flat and one else values

    def _predictor_in_units(self, predict: Callable[[Array], Array]) -> Callable[[Array], Array]:
        if self.target_transform_ is None:
            return super()._predictor_in_units(predict)
        point = self.network_.recipe.error.point
        return lambda rows: self._back(point(predict(rows).T).T)

    def _refuse_transform(self, what: str) -> None:
        """Refuse what is not known of y where the network learns a map of it.

        Raises
        ------
        InvalidValueError
            If there is a map.
        """
        if getattr(self, "target_transform_", None) is not None:
            message = (
                f"{what} is known of g(y), not of y, with target_transform; use predict_interval"
            )
            raise InvalidValueError(message)

    @property
    def evidence_(self) -> float:
        """The logarithm of p(y | X), whatever θ, as in `WithErrorBars`; not with a transform."""
        self._refuse_transform("the evidence")
        return super().evidence_

    def leave_one_out_residuals(self) -> Array:
        """Return y less its prediction without the row, n numbers or n × K; see `WithErrorBars`."""
        self._refuse_transform("the residual")
        return super().leave_one_out_residuals()

    def __sklearn_tags__(self) -> Any:
        """Say that several targets can be learned at once."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
