"""Dropout masks: the rate is met, the mean is one, and nothing but the key and the place counts."""

from itertools import pairwise, product

import numpy as np
import pytest

from lamina.engines.dropout import mask

KEY = (12345, 7, 1)  # seed, epoch, layer
RATES = [0.0, 1e-3, 0.1, 0.3, 0.5, 0.9, 0.999]
POINTS = np.arange(4000)


def scalar_mask(key, units, position, unit, rate):
    """Return one entry by SplitMix64, Steele, Lea and Flood 2014, in Python's own integers."""

    def mixed(x):
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
        return x ^ (x >> 31)

    golden, state = 0x9E3779B97F4A7C15, 0
    for part in key:
        state = mixed((state + golden * (part + 1)) % 2**64)
    drawn = mixed((state + golden * (position * units + unit + 1)) % 2**64)
    return 0.0 if (drawn >> 11) / 2**53 < rate else 1.0 / (1.0 - rate)


@pytest.mark.parametrize("key", [KEY, (0, 0, 0), (2**32 - 1, 10**6, 50)])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_mask_is_its_formula(rate, key):
    """Every entry is what the scalar formula gives, far into the data too."""
    positions = np.array([0, 1, 2, 999, 10**6, 2**40, 2**62])
    expected = [[scalar_mask(key, 5, int(p), unit, rate) for p in positions] for unit in range(5)]
    np.testing.assert_array_equal(mask(key, 5, positions, rate), expected)


@pytest.mark.parametrize("rate", RATES)
def test_rate_is_met(rate):
    """Of 200,000 entries the share that is dropped is the rate, within five standard errors."""
    dropped = mask(KEY, 50, POINTS, rate) == 0
    margin = 5 * np.sqrt(rate * (1 - rate) / dropped.size)
    assert abs(dropped.mean() - rate) <= margin


@pytest.mark.parametrize("rate", RATES)
def test_kept_entries_make_the_mean_one(rate):
    """An entry is 0 or 1/(1 - rate), so that their mean is 1, within five standard errors."""
    M = mask(KEY, 50, POINTS, rate)
    assert set(np.unique(M)) <= {0.0, 1.0 / (1.0 - rate)}
    assert abs(M.mean() - 1.0) <= 5 * np.sqrt(rate / (1 - rate) / M.size)
    assert M.shape == (50, 4000)
    assert M.dtype == np.float64


def test_rate_zero_drops_nothing():
    """At rate 0 every entry is exactly 1."""
    np.testing.assert_array_equal(mask(KEY, 9, POINTS, 0.0), 1.0)


@pytest.mark.parametrize("size", [1, 7, 64, 4000])
def test_mask_does_not_depend_on_batches(size):
    """Cut into batches of any size, the masks of the parts are the parts of the mask."""
    whole = mask(KEY, 11, POINTS, 0.4)
    starts = range(0, len(POINTS), size)
    parts = [mask(KEY, 11, POINTS[start : start + size], 0.4) for start in starts]
    np.testing.assert_array_equal(np.hstack(parts), whole)


def test_mask_follows_the_positions():
    """In any order, and for any choice of positions, each point has its own column."""
    whole = mask(KEY, 6, POINTS, 0.4)
    order = np.random.default_rng(0).permutation(POINTS)[:333]
    for kind in (np.int64, np.int32, np.uint64):
        np.testing.assert_array_equal(mask(KEY, 6, order.astype(kind), 0.4), whole[:, order])
    assert mask(KEY, 6, POINTS[:0], 0.4).shape == (6, 0)


def test_mask_leaves_its_arguments_alone():
    """Positions are not written to, and a second call gives the same bits."""
    positions = np.arange(50)
    positions.flags.writeable = False
    first = mask(KEY, 3, positions, 0.5)
    np.testing.assert_array_equal(mask(KEY, 3, positions, 0.5), first)


def test_higher_rates_drop_more_of_the_same():
    """What is dropped at a rate is dropped at every higher one."""
    dropped = [mask(KEY, 20, POINTS, rate) == 0 for rate in RATES]
    for low, high in pairwise(dropped):
        assert np.all(high[low])


@pytest.mark.parametrize(
    "other", [(12346, 7, 1), (12345, 8, 1), (12345, 7, 2), (7, 12345, 1), (1, 7, 12345), (0, 0, 0)]
)
def test_keys_give_unrelated_masks(other):
    """Another seed, epoch or layer, or the same ones in other roles, agrees by chance alone."""
    one, two = (mask(key, 50, POINTS, 0.5) == 0 for key in (KEY, other))
    assert abs((one == two).mean() - 0.5) <= 5 * 0.5 / np.sqrt(one.size)


def test_neighbouring_keys_share_no_columns():
    """Among 250 keys of small numbers no two data points have the same 64 units dropped."""
    keys = product(range(5), range(5), range(10))
    columns = [mask(key, 64, np.arange(20), 0.5).T > 0 for key in keys]
    assert len(np.unique(np.vstack(columns), axis=0)) == 250 * 20


@pytest.mark.parametrize("shift", [1, 2, 13, 50])
def test_units_and_points_are_unrelated(shift):
    """Neighbouring units of a point, and neighbouring points of a unit, agree by chance alone."""
    dropped = mask(KEY, 100, POINTS, 0.5) == 0
    margin = 5 * 0.5 / np.sqrt(dropped.size / 2)
    assert abs((dropped[shift:] == dropped[:-shift]).mean() - 0.5) <= margin
    assert abs((dropped[:, shift:] == dropped[:, :-shift]).mean() - 0.5) <= margin


def test_every_unit_and_every_point_meets_the_rate():
    """No unit and no data point is dropped more often than chance explains."""
    dropped = mask(KEY, 200, np.arange(2000), 0.3) == 0
    for axis, count in ((0, 200), (1, 2000)):
        spread = np.sqrt(0.3 * 0.7 / count)
        assert np.abs(dropped.mean(axis=axis) - 0.3).max() <= 5.5 * spread
        np.testing.assert_allclose(dropped.mean(axis=axis).std(), spread, rtol=0.15)
