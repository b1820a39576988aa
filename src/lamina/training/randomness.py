"""One seed, many independent streams: what is drawn depends on seed, purpose and number alone.

Nothing is consumed, so the shuffling of epoch 7 is the same whether epochs 1 to 6 ran in
this process, in another, or before the model was saved. Philox counts: its key is made of seed
and purpose, and the highest word of its counter is the number.
Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from lamina.exceptions import InvalidTypeError, InvalidValueError

SEEDS = 2**32
"""Seeds are below this: one word each, so that no two keys of streams are the same words."""


class Purpose(IntEnum):
    """What a stream is for; the values are part of the model file's meaning."""

    INITIALIZATION = 0
    ORDER = 1
    SPLIT = 2
    FOLDS = 3


class Streams:
    """The streams of a seed for a purpose, one for each number from 0 to 2⁶⁴ - 1."""

    def __init__(self, seed: int, purpose: Purpose) -> None:
        """Make the key, which takes longer than to go from stream to stream."""
        self._bits = np.random.Philox(np.random.SeedSequence([seed, purpose]))
        self._begin = self._bits.state
        self._generator = np.random.Generator(self._bits)

    def at(self, number: int) -> np.random.Generator:
        """Return the stream of a number from its begin; the generator is the same object."""
        self._begin["state"]["counter"][3] = number
        self._bits.state = self._begin
        return self._generator


def generator(seed: int, purpose: Purpose) -> np.random.Generator:
    """Return the stream of this seed for a purpose that needs only one."""
    return Streams(seed, purpose).at(0)


def draw_seed(random_state: Any) -> int:
    """Return a seed from None, an integer, a NumPy Generator or a RandomState.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If it is none of them, or an integer outside 0..2³² - 1.
    """
    if isinstance(random_state, (int, np.integer)):
        if not 0 <= random_state < SEEDS:
            message = f"a seed must be from 0 to {SEEDS - 1}, got {random_state!r}"
            raise InvalidValueError(message)
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if random_state is None or isinstance(random_state, np.random.Generator):
        return int(np.random.default_rng(random_state).integers(2**31 - 1))
    message = (
        "random_state must be None, an integer, a NumPy Generator or a RandomState, "
        f"got {random_state!r}"
    )
    raise InvalidTypeError(message)
