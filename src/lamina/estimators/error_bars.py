"""Error bars of a fitted estimator: what `error_bars=True` adds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial as bound
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lamina.engines.choice import engine_for
from lamina.estimators.options import draw_theta, make_network
from lamina.exceptions import NotLearnedError
from lamina.network.parameters import views
from lamina.training import loop, restarts
from lamina.training.randomness import Purpose, generator
from lamina.training.state import TrainingState
from lamina.uncertainty.coverage import Request
from lamina.uncertainty.learning import learn
from lamina.uncertainty.options import get_error_bars

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.data.scaling import Scaling
    from lamina.engines.protocol import Data
    from lamina.network.network import Network
    from lamina.training.settings import Settings
    from lamina.uncertainty.bars import Bars
    from lamina.uncertainty.posterior import Posterior

    Array = npt.NDArray[Any]

TABLE = [
    ("layer", int),
    ("unit", int),
    ("input", int),
    ("estimate", float),
    ("error", float),
    ("z", float),
]
"""Columns of `coef_table`; input -1 is the bias."""


class WithErrorBars:
    """What an estimator with `error_bars=True` can be asked, beside its predictions."""

    error_bars: Any
    network_: Network
    n_threads: int | None
    state_: TrainingState
    error_bars_: Bars | None = None

    # Learning -------------------------------------------------------------------------

    def _check_error_bars(self) -> None:
        """Refuse, before training, error bars of a network that is too large for them."""
        options = get_error_bars(self.error_bars)
        if options is not None:
            options.check_size(self.network_.recipe.size)

    def _learn_error_bars(
        self, data: Data, watched: Data | None, settings: Settings, *, partial: bool
    ) -> None:
        """Learn error bars if they are asked for, and forget older ones."""
        options, self.error_bars_ = get_error_bars(self.error_bars), None
        if options is None:
            return
        network = self.network_
        request = Request(
            options=options,
            random=generator(self.state_.seed, Purpose.FOLDS),
            held_out=watched,
            chosen=settings.early_stopping,
            refit=None if partial else lambda parts: self._refit(data, watched, settings, parts),
            covers=hasattr(self, "target_scaling_"),
        )
        with engine_for(network.recipe, network.dtype, self.n_threads) as engine:
            self.error_bars_ = learn(engine, network.theta, data, request)

    def _refit(
        self, data: Data, watched: Data | None, settings: Settings, parts: list[Array]
    ) -> Array:
        """Return θ after the same training without each part of the data points, F × P.

        From the same first θ, in the same scaling; with warm_start as many epochs as there were.
        """
        network, seed = self.network_, self.state_.seed
        settings = replace(settings, max_iter=max(settings.max_iter, self.state_.epoch))
        networks = np.empty((len(parts), network.recipe.size), dtype=network.dtype)
        for theta, part in zip(networks, parts, strict=True):
            size = network.S[0], network.S[-1]
            fresh = make_network(self, *size, network.recipe.error, settings.solver, seed)
            others = replace(data, points=np.setdiff1d(data.points, part))
            with engine_for(fresh.recipe, network.dtype, self.n_threads) as engine:
                draw = bound(self._begun, fresh)
                state, _ = restarts.train(engine, others, draw, settings, validation=watched)
            theta[:] = loop.chosen(state, settings)
        return networks

    def _begun(self, fresh: Network, number: int) -> TrainingState:
        """Return the state to begin a training of a number with."""
        seed = self.state_.seed
        theta = draw_theta(self, fresh, seed, number) if number else fresh.theta.copy()
        return TrainingState(theta, seed)

    def _learned(self) -> Bars:
        """Return what was learned.

        Raises
        ------
        NotFittedError, NotLearnedError
            If the estimator is not fitted, or was fitted without error bars.
        """
        check_is_fitted(self, "network_")
        if self.error_bars_ is None:
            message = (
                "there are no error bars: fit with error_bars=True, as in "
                f"{type(self).__name__}(error_bars=True)"
            )
            raise NotLearnedError(message)
        return self.error_bars_

    def _posterior(self) -> Posterior:
        """Return the posterior of θ.

        Raises
        ------
        NotLearnedError
            If there is none.
        """
        bars = self._learned()
        if bars.posterior is None:
            raise NotLearnedError(bars.words["posterior"])
        return bars.posterior

    # What was learned -----------------------------------------------------------------

    @property
    def leverage_(self) -> Array:
        """How much each training row pulls its own prediction, n numbers >= 0; their sum is γ.

        In the order of the rows that were trained on: all of positive weight that were not held
        out. (u3) of `lamina.uncertainty.influence`; summed over outputs.
        """
        self._posterior()
        return self._learned().leverage

    @property
    def effective_parameters_(self) -> float:
        """γ, the number of parameters that the data determine; from 0 to P, (u1)."""
        return self._posterior().gamma

    @property
    def standard_errors_(self) -> Array:
        """The standard deviation of each parameter in θ, P numbers, in the network's units."""
        self._posterior()
        return self._learned().standard_errors

    @property
    def z_values_(self) -> Array:
        """θ in its standard errors, P numbers; 0 for a parameter of 0."""
        errors, theta = self.standard_errors_, self.network_.theta.astype(float)
        known = np.where(errors > 0.0, errors, np.finfo(float).tiny ** 0.5)
        return theta / known

    @property
    def evidence_(self) -> float:
        """The logarithm of p(y | X), whatever θ; among networks for the same y the largest wins.

        In units of y, (u7) of `lamina.uncertainty.evidence`.

        Raises
        ------
        NotLearnedError
            If the prior is improper, as with the default alpha, which spares biases; or if the
            loss is no likelihood.
        """
        self._posterior()
        bars = self._learned()
        if bars.words["evidence"]:
            raise NotLearnedError(bars.words["evidence"])
        scaling: Scaling | None = getattr(self, "target_scaling_", None)
        stretch = 0.0 if scaling is None else float(np.log(scaling.scale).sum())
        return bars.evidence - self._posterior().N * stretch

    @property
    def posterior_method_(self) -> str:
        """How the posterior was made, in words."""
        self._posterior()
        return self._learned().words["posterior"]

    def leave_one_out_residuals(self) -> Array:
        """Return y less its prediction without the row, n numbers or n × K.

        For each training row, in the order of `leverage_`; in units of y. For classes of y as it
        stands in T, 0 and 1, less the probability. By one Gauss-Newton step, (u4) of
        `lamina.uncertainty.influence`: exact for a network without hidden layers and the squared
        loss.
        """
        self._posterior()
        residuals = self._learned().without
        scaling: Scaling | None = getattr(self, "target_scaling_", None)
        if scaling is not None:
            residuals = residuals * scaling.scale
        return residuals[:, 0] if residuals.shape[1] == 1 else residuals

    def coef_table(self) -> Array:
        """Return a row for each parameter, in the order of θ, as a structured array.

        Columns: layer (from 1), unit, input (-1 for the bias), estimate, error, z; all in the
        network's units. `pandas.DataFrame(model.coef_table())` makes a frame of it.
        """
        recipe = self.network_.recipe
        table = np.empty(recipe.size, dtype=TABLE)
        place = np.arange(recipe.size)
        for layer, (W, b) in enumerate(zip(*views(recipe, place), strict=True)):
            units, inputs = np.indices(W.shape)
            table["layer"][W], table["layer"][b] = layer, layer
            table["unit"][W], table["unit"][b] = units, np.arange(len(b))[:, None]
            table["input"][W], table["input"][b] = inputs, -1
        table["error"], table["z"] = self.standard_errors_, self.z_values_
        table["estimate"] = self.network_.theta
        return table
