"""The compiled engine against the reference, once for each cache and precision.

The network is small and of what a default regressor needs anyway, for all of it is compiled first.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

import llvmlite
import numba
import numpy as np

from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.compiled.kernels import cache_folder, sources
from lamina.engines.compiled.microkernel import REGISTER
from lamina.engines.protocol import Data
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import EngineWarning
from lamina.network.network import Network

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

TOLERANCE = 4096
"""How many eps gradients may differ, relative to their largest entry."""


class _Table:
    """A matrix of data points as columns, as sources of data are."""

    scaling = classes = None

    def __init__(self, columns: Array) -> None:
        self.columns, self.rows = columns, columns.T

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, points: Array | slice) -> Array:
        """Return the chosen columns."""
        return np.asarray(self.columns[:, points])


def agrees(dtype: np.dtype[Any]) -> bool:
    """Return whether both engines give the same gradient; what was found before is on disk."""
    versions = f"{numba.__version__} {llvmlite.__version__} {np.__version__}"
    words = f"{sources()} {versions} {REGISTER} {dtype}"
    mark = cache_folder() / f"agrees-{hashlib.sha256(words.encode()).hexdigest()[:32]}"
    if mark.exists():
        return True
    gap = measure(dtype)
    if not gap <= TOLERANCE * np.finfo(dtype).eps:
        message = (
            f"the compiled engine's gradient differs from the reference by {gap:.1e} on this "
            "machine, so it is not used; please report this with your processor and versions"
        )
        warnings.warn(message, EngineWarning, stacklevel=2)
        return False
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError:
        pass  # a cache that cannot be written to is only slower
    return True


def measure(dtype: np.dtype[Any]) -> float:
    """Return the largest difference on a small network, relative to the largest derivative."""
    random = np.random.default_rng(0)
    network = Network([9, 21, 19, 3], ["tanh", "relu"], random_state=0, dtype=dtype)
    X, T = (random.normal(size=(rows, 37)).astype(dtype) for rows in (9, 3))
    data = Data(_Table(X), _Table(T), np.arange(37))
    J, gradient = ReferenceEngine(network.recipe).gradient(network.theta, data)
    ours, found = CompiledEngine(network.recipe, 1).gradient(network.theta, data)
    gaps = np.abs(found - gradient) / np.abs(gradient).max()
    return float(np.max([*gaps, abs(ours - J) / abs(J)]))  # NaN where there is one
