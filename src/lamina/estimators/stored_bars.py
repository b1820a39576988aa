"""Error bars in the terms of the model file, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.uncertainty.bars import WORDS, Bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lamina.network.network import Network

    Array = npt.NDArray[Any]

PREFIX = "error_bars."


def encode_bars(bars: Bars | None, tensors: dict[str, Array]) -> dict[str, str] | None:
    """Return the words of error bars, and add their arrays to the tensors; None for none."""
    if bars is None:
        return None
    tensors |= {PREFIX + name: array for name, array in bars.to_arrays().items()}
    return bars.words


def decode_bars(stored: Any, tensors: Mapping[str, Array], network: Network) -> Bars | None:
    """Return the error bars that `encode_bars` stored.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are none of this network.
    """
    if stored is None:
        return None
    arrays = {n[len(PREFIX) :]: a for n, a in tensors.items() if n.startswith(PREFIX)}
    bars = Bars.from_arrays(arrays, {word: str(stored[word]) for word in WORDS})
    K = network.S[-1] // network.recipe.error.outputs_per_target
    for name, (shape, kind) in _shapes(bars, network, K).items():
        array = arrays[name]
        finite = array.dtype.kind == "i" or np.all(np.isfinite(array))
        undefined = name == "evidence" and stored["evidence"]
        if array.shape != shape or array.dtype != kind or not (finite or undefined):
            message = f"expected finite numbers of shape {shape} in {PREFIX}{name}"
            raise ValueError(message)
    _check_order(bars)
    return bars


def _shapes(bars: Bars, network: Network, K: int) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return the shape and type that each array must have."""
    P, n = network.recipe.size, len(bars.points)
    none = bars.posterior is None
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "points": ((n,), np.int64),
        "leverage": ((0 if none else n,), float),
        "without": ((0,) if none else (n, K), float),
        "standard_errors": ((0 if none else P,), float),
        "evidence": ((), float),
    }
    if bars.posterior is not None:
        rank = min(len(bars.posterior.root), P)
        shapes |= {f"posterior.{name}": ((), float) for name in ("N", "gamma")}
        shapes |= {"posterior.root": ((rank, P), float), "posterior.dispersion": ((K,), float)}
    if bars.intervals is not None:
        F, N = len(bars.intervals.networks), len(bars.intervals.sizes)
        shapes |= {"intervals.networks": ((F, P), network.dtype)}
        shapes |= {"intervals.sizes": ((N, K), float), "intervals.weights": ((N,), float)}
        shapes |= {"intervals.owners": ((N,), np.int64)}
    return shapes


def _check_order(bars: Bars) -> None:
    """Refuse numbers that no fit would have learned."""
    posterior, intervals = bars.posterior, bars.intervals
    right = bool(np.all(bars.points >= 0))
    if posterior is not None:
        right &= posterior.N > 0 and bool(np.all(posterior.dispersion > 0))
    if intervals is not None:
        F = len(intervals.networks)
        right &= F > 0 and len(intervals.sizes) > 0
        right &= bool(np.all((intervals.owners >= 0) & (intervals.owners < F)))
        right &= bool(np.all(intervals.sizes >= 0) and np.all(intervals.weights > 0))
    if not right:
        message = "expected error bars of a fit: positive weights and variances, owners in range"
        raise ValueError(message)
