"""Probabilities that know how well θ is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.estimators.checks import check_finite
from lamina.estimators.labels import name_activation
from lamina.uncertainty.averaging import averaged
from lamina.uncertainty.slopes import before_activation

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.protocol import Source
    from lamina.estimators.labels import Labels
    from lamina.network.network import Network
    from lamina.uncertainty.posterior import Posterior

    Array = npt.NDArray[Any]


class WithAverages:
    """Probabilities averaged over the posterior of θ."""

    network_: Network

    def _posterior(self) -> Posterior:
        """Return the posterior of θ."""
        raise NotImplementedError

    def _seen(self, X: Any) -> Source:
        """Return checked X as columns."""
        raise NotImplementedError

    def _labels(self) -> Labels:
        """Return how the learned classes stand in T and A_L."""
        raise NotImplementedError

    def _averaged_probabilities(self, X: Any) -> Array:
        """Return the mean probability of each class, N × n_classes."""
        posterior, network = self._posterior(), self.network_
        recipe, labels = network.recipe, self._labels()
        activation = recipe.activation(recipe.L)
        name = name_activation(activation)
        logits, covariance = posterior.output_covariance(
            before_activation(recipe), network.theta, self._seen(X)
        )
        check_finite(logits, "the output")
        return averaged(
            logits, covariance, lambda Z: labels.probabilities(np.asarray(activation(Z)).T, name)
        )
