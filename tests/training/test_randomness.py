"""Streams of random numbers by seed, purpose and number."""

from __future__ import annotations

import numpy as np

from lamina.training.randomness import Purpose, Streams, generator


def test_stream_is_the_same_whatever_was_drawn_before():
    """Stream 7 gives the same numbers first, after others, and from a new object."""
    used = Streams(3, Purpose.ORDER)
    used.at(0).random(5)
    used.at(1).integers(2**31, dtype=np.uint32)  # half a word is left in the generator
    again = used.at(7).permutation(1000)
    assert np.array_equal(again, Streams(3, Purpose.ORDER).at(7).permutation(1000))
    assert np.array_equal(again, used.at(7).permutation(1000))


def test_streams_differ_in_seed_purpose_and_number():
    """No two of many streams share a number among their first ones."""
    keys = [(s, p, n) for s in (0, 1, 2**32 - 1) for p in Purpose for n in (0, 1, 2, 2**32, 2**63)]
    drawn = [Streams(s, p).at(n).integers(2**63, size=20) for s, p, n in keys]
    assert len(np.unique(drawn)) == 20 * len(keys)


def test_generator_is_the_first_stream():
    """`generator` gives the stream with the number 0."""
    expected = Streams(5, Purpose.SPLIT).at(0).random(4)
    assert np.array_equal(generator(5, Purpose.SPLIT).random(4), expected)
