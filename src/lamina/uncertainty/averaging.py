"""Probabilities averaged over the posterior.

The logits of a row are normal with mean z and covariance S; what they become is averaged over
z + S^(1/2) u_j for fixed points u_j of a normal distribution and their negatives,

    u_jk = Φ⁻¹(frac(1/2 + j / r^k)),    j = 1..max(256, 4 K),  k = 1..K,         (u8)

r being the root of r^(K+1) = r + 1; for one logit it is the golden ratio. A linear map then makes
their covariance exactly 1, so that the average of any cubic function is exact. Sources: for the
points Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"; for the average
MacKay 1992, "The evidence framework applied to classification networks", section 3.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

PAIRS = 256
"""Points at least; as many again are their negatives."""
NUMBERS = 2**21
"""Logits that stand in memory at once, about."""


@cache
def normal_points(K: int) -> Array:
    """Return the u_j and their negatives, as rows of K."""
    from scipy.special import ndtri

    root = 1.5
    for _ in range(64):  # to rounding: the map contracts
        root = (1.0 + root) ** (1.0 / (K + 1))
    steps = root ** -np.arange(1.0, K + 1.0)
    half = ndtri((0.5 + np.outer(np.arange(1, max(PAIRS, 4 * K) + 1), steps)) % 1.0)
    half = np.linalg.solve(np.linalg.cholesky(half.T @ half / len(half)), half.T).T
    return np.concatenate([half, -half])


def averaged(Z: Array, covariance: Array, answer: Callable[[Array], Array]) -> Array:
    """Return the mean of `answer` over the posterior, N × K.

    Parameters
    ----------
    Z, covariance : arrays, N × S_L and N × S_L × S_L
    answer : function
        From logits as columns, S_L × n, to probabilities as rows, n × K.
    """
    S_L = Z.shape[1]
    points = normal_points(S_L)
    values, vectors = np.linalg.eigh(covariance)
    roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    parts = []
    size = max(1, NUMBERS // points.size)
    for start in range(0, len(Z), size):
        part = slice(start, start + size)
        logits = Z[part, None, :] + points @ roots[part].transpose(0, 2, 1)  # n × points × S_L
        answers = answer(logits.reshape(-1, S_L).T)
        parts.append(answers.reshape(len(logits), len(points), -1).mean(axis=1))
    return np.concatenate(parts)
