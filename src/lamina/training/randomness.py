"""One seed, many independent streams: what is drawn depends on seed, purpose and number alone.

Nothing is consumed, so the shuffling of epoch 7 is the same whether epochs 1 to 6 ran in
this process, in another, or before the model was saved.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; the values are part of the model file's meaning."""

    INITIALIZATION = 0
    ORDER = 1
    SPLIT = 2


def generator(seed: int, purpose: Purpose, number: int = 0) -> np.random.Generator:
    """Return the stream of this seed for a purpose; `number` tells epochs apart."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, purpose, number])))


def draw_seed(random_state: Any) -> int:
    """Return a seed from None, an integer, a NumPy Generator or a RandomState."""
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(np.random.default_rng(random_state).integers(2**31 - 1))
