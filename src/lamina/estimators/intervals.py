"""What a regressor says beside its number: how far off it may be."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.choice import engine_for
from lamina.estimators.checks import check_finite
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.error_families import GaussianNll
from lamina.uncertainty.coverage import location_and_spread
from lamina.uncertainty.posterior import variance_function

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.data.scaling import Scaling
    from lamina.engines.protocol import Source
    from lamina.network.network import Network
    from lamina.uncertainty.bars import Bars, Intervals
    from lamina.uncertainty.posterior import Posterior

    Array = npt.NDArray[Any]


class WithIntervals:
    """Standard deviations and intervals of predictions."""

    network_: Network
    n_threads: int | None
    target_scaling_: Scaling
    _flat: bool
    error_bars_: Bars | None

    def _learned(self) -> Bars:
        """Return what was learned for error bars."""
        raise NotImplementedError

    def _posterior(self) -> Posterior:
        """Return the posterior of θ."""
        raise NotImplementedError

    def _seen(self, X: Any) -> Source:
        """Return checked X as columns."""
        raise NotImplementedError

    def _back(self, rows: Array) -> Array:
        """Return scaled numbers, N × K, in the units of y."""
        raise NotImplementedError

    @property
    def interval_method_(self) -> str:
        """How `predict_interval` makes its intervals and what is certain of them, in words."""
        return self._learned().words["intervals"]

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Return for each row an interval that a new y is in with a stated probability.

        The probability is over training data and new row together, whatever their distribution,
        and not for each row by itself. `interval_method_` says how and what is certain. Where y
        cannot be negative, such as with loss="poisson", neither is an end.

        Parameters
        ----------
        X : table, N × S_0
        coverage : float in (0, 1), default 0.9

        Returns
        -------
        array, N × 2 or N × K × 2
            Lower and upper ends, in units of y.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If there are no intervals, or too few residuals for so much coverage.
        """
        intervals = self._intervals()
        _check_coverage(coverage)
        X = self._seen(X)
        located = [self._located(theta, X) for theta in intervals.networks]  # F of 2 × K × N
        places, spreads = np.stack(located, axis=1)  # F × K × N
        K = places.shape[1]
        ends = np.stack(
            [
                intervals.of_target(k).interval(places[:, k], spreads[:, k], float(coverage))
                for k in range(K)
            ]
        )  # K × 2 × N
        ends = np.stack([self._back(end.T) for end in ends.transpose(1, 0, 2)], axis=2)  # N × K × 2
        if self.network_.recipe.error.targets in {"nonnegative", "positive"}:
            ends = np.maximum(ends, 0.0)
        ends = check_finite(ends, "the interval")
        return ends[:, 0] if self._flat else ends

    def _intervals(self) -> Intervals:
        """Return what intervals are made of.

        Raises
        ------
        InvalidValueError
            If there is nothing.
        """
        bars = self._learned()
        if bars.intervals is None:
            message = f"there are no intervals: {bars.words['intervals']}"
            raise InvalidValueError(message)
        return bars.intervals

    def _located(self, theta: Array, X: Source) -> Array:
        """Return where a network puts the rows, and how wide it thinks they scatter, 2 × K × N."""
        network = self.network_
        with engine_for(network.recipe, network.dtype, self.n_threads) as engine:
            A = engine.outputs(theta, X, np.arange(len(X)))
        return np.stack(location_and_spread(network.recipe.error, A))

    def _deviation(self, X: Any) -> Array:
        """Return the standard deviation of a new y of each row, N × K, in units of y.

        Noise and parameters: φ_k V(a) of (u2), or what loss="gaussian_nll" learned, and with error
        bars the variance of the output in the posterior.

        Raises
        ------
        InvalidValueError
            If nothing was learned of it.
        """
        network, error = self.network_, self.network_.recipe.error
        columns = self._seen(X)
        learns = isinstance(error.inner, GaussianNll)
        if learns and self.error_bars_ is None:
            variance = self._located(network.theta, columns)[1] ** 2
        elif self.error_bars_ is None:
            message = (
                f"{error!r} learns no spread; fit with loss='gaussian_nll' or with "
                "error_bars=True for return_std=True"
            )
            raise InvalidValueError(message)
        else:
            posterior = self._posterior()
            A, variance = posterior.output_variance(network.recipe, network.theta, columns)
            variance = error.point(variance)
            if learns:
                variance = variance + location_and_spread(error, A)[1] ** 2
            else:
                noise = posterior.dispersion[:, None] * variance_function(error, A)
                variance = variance + noise
        return check_finite(np.sqrt(variance).T * self.target_scaling_.scale, "the deviation")


def _check_coverage(coverage: Any) -> None:
    """Refuse what is no probability.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is no number, or not between 0 and 1.
    """
    message = f"coverage is a probability between 0 and 1, such as 0.9; got {coverage!r}"
    if not isinstance(coverage, Real) or isinstance(coverage, bool):
        raise InvalidTypeError(message)
    c = float(coverage)
    if not 0.0 < c < 1.0:
        hint = f"; for {c:g} % write {c / 100:g}" if 1 < c < 100 else ""
        raise InvalidValueError(message + hint)
