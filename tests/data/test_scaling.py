"""Scalings: their definitions, weights, odd columns and numbers, and tables of every kind."""

import tracemalloc

import numpy as np
import pytest

from lamina.data import scaling
from lamina.data.scaling import METHODS, Scaling, fit_scaling
from lamina.exceptions import InvalidValueError, LaminaError

N, S = 50, 4


def mapped(table, folder):
    """Return the table as a read-only memory map."""
    np.save(folder / "table.npy", table)
    return np.load(folder / "table.npy", mmap_mode="r")


MAKERS = {  # one table of whole numbers 0..200, as arrays of every kind
    "int64": lambda table, _: table.astype(np.int64),
    "uint8": lambda table, _: table.astype(np.uint8),
    "int8 shifted": lambda table, _: (table - 100).astype(np.int8),
    "float32": lambda table, _: table.astype(np.float32),
    "float16": lambda table, _: table.astype(np.float16),
    "Fortran": lambda table, _: np.asfortranarray(table),
    "negative strides": lambda table, _: np.ascontiguousarray(table[::-1, ::-1])[::-1, ::-1],
    "every second": lambda table, _: np.repeat(table, 2, axis=0)[::2],
    "memory map": mapped,
}


def draw_table(seed=0, n=N):
    """Return a table whose features differ in place and size."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, S)) * [1.0, 1e-8, 1e6, 30.0] + [0.0, 1.0, -1e7, 5.0]


def draw_weights(seed=1, n=N):
    """Return weights, a third of them 0."""
    return np.random.default_rng(seed).integers(0, 3, size=n).astype(float)


def ordered(rows, share):
    """Return the smallest entry of each feature that this share of them does not exceed."""
    return np.sort(rows, axis=0)[int(np.ceil(share * len(rows))) - 1]


def definition(method, rows):
    """Return center and scale of a table, each by its definition."""
    return {
        "standard": lambda: (rows.mean(axis=0), rows.std(axis=0)),
        "minmax": lambda: (rows.min(axis=0), np.ptp(rows, axis=0)),
        "robust": lambda: (ordered(rows, 0.5), ordered(rows, 0.75) - ordered(rows, 0.25)),
        "mean": lambda: (np.zeros(rows.shape[1]), np.abs(rows).mean(axis=0)),
        "none": lambda: (np.zeros(rows.shape[1]), np.ones(rows.shape[1])),
    }[method]()


@pytest.mark.parametrize("method", METHODS)
def test_scaling_is_its_definition(method):
    """Mean and deviation, smallest and range, quartiles, mean size, or nothing, by feature."""
    rows = draw_table()
    found = fit_scaling(method, rows)
    center, scale = definition(method, rows)
    np.testing.assert_allclose(found.center, center, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-7 if method == "standard" else 1e-13)
    np.testing.assert_allclose(found.scale[2:], scale[2:], rtol=1e-11)
    assert found.is_identity == (method == "none")


@pytest.mark.parametrize("method", METHODS)
def test_scaled_table_is_what_was_promised(method):
    """Columns get mean 0 and deviation 1, the range 0..1, quartiles 1 apart, and so on."""
    rows = draw_table()
    scaled = fit_scaling(method, rows).apply(rows)
    promised = {
        "standard": (scaled.mean(axis=0), 0.0, scaled.std(axis=0), 1.0),
        "minmax": (scaled.min(axis=0), 0.0, scaled.max(axis=0), 1.0),
        "robust": (ordered(scaled, 0.5), 0.0, ordered(scaled, 0.75) - ordered(scaled, 0.25), 1.0),
        "mean": (scaled * (rows == 0), 0.0, np.abs(scaled).mean(axis=0), 1.0),
        "none": (scaled - rows, 0.0, scaled / rows, 1.0),
    }[method]
    np.testing.assert_allclose(promised[0], promised[1], atol=1e-7)
    np.testing.assert_allclose(promised[2], promised[3], rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_weights_equal_repetition(method):
    """A row of weight 2 is two rows, and one of weight 0 is none, whatever it holds."""
    rows, weights = draw_table(), draw_weights()
    repeated = fit_scaling(method, np.repeat(rows, weights.astype(int), axis=0))
    rows[weights == 0] = [np.nan, np.inf, -np.inf, 1e300]
    weighted = fit_scaling(method, rows, weights)
    np.testing.assert_allclose(weighted.center, repeated.center, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-9)
    scaled = fit_scaling(method, rows, weights * 2.0**-40)
    np.testing.assert_allclose(scaled.scale, weighted.scale, rtol=1e-12)


@pytest.mark.parametrize("chunk", [1, 7, 49, 50])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_scaling_does_not_depend_on_chunks(method, weighted, chunk, monkeypatch):
    """However many rows are looked at together, the scaling is the same."""
    rows, weights = draw_table(), draw_weights() if weighted else None
    whole = fit_scaling(method, rows, weights)
    monkeypatch.setattr(scaling, "CHUNK", chunk)
    parts = fit_scaling(method, rows, weights)
    np.testing.assert_allclose(parts.center, whole.center, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(parts.scale, whole.scale, rtol=1e-12)


def test_moments_of_many_rows_are_exact():
    """Over many chunks nothing drifts: a deviation a billionth of the mean is found."""
    n = 3 * scaling.CHUNK + 17
    rows = 1e9 + (np.arange(n) % 2.0)[:, np.newaxis]
    found = fit_scaling("standard", rows)
    share = (n // 2) / n
    np.testing.assert_allclose(found.center, 1e9 + share, rtol=1e-15)
    np.testing.assert_allclose(found.scale, np.sqrt(share * (1 - share)), rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", MAKERS)
def test_table_of_any_kind_is_scaled_the_same(kind, method, tmp_path):
    """Types, orders, strides and maps change no number; the table is not written to."""
    table = np.random.default_rng(0).integers(0, 201, size=(N, S)).astype(float)
    rows = MAKERS[kind](table, tmp_path)
    rows.flags.writeable = False
    plain = table - 100 if kind == "int8 shifted" else table
    expected, found = fit_scaling(method, plain), fit_scaling(method, rows)
    np.testing.assert_allclose(found.center, expected.center, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-12)
    assert found.center.dtype == found.scale.dtype == float
    np.testing.assert_allclose(found.apply(rows), expected.apply(plain), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_booleans_are_0_and_1(method):
    """A table of booleans is scaled as the numbers 0 and 1."""
    rows = np.random.default_rng(0).random((N, S)) < 0.3
    found, expected = fit_scaling(method, rows), fit_scaling(method, rows.astype(float))
    np.testing.assert_array_equal(found.center, expected.center)
    np.testing.assert_array_equal(found.apply(rows), expected.apply(rows.astype(float)))


@pytest.mark.parametrize("number", [0.0, 0.1, -3.0, 1e-300, 1e300, 5e-324, 2.0**60 + 256])
@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_constant_column_becomes_zero(method, number):
    """A feature that does not vary is exactly 0 after scaling, and comes back as it was."""
    rows = np.column_stack([np.full(9, number), np.arange(9.0)])
    found = fit_scaling(method, rows)
    np.testing.assert_array_equal(found.apply(rows)[:, 0], 0.0)
    assert found.scale[0] == 1.0
    np.testing.assert_array_equal(found.invert(found.apply(rows))[:, 0], number)


@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_column_that_varies_by_rounding_alone_is_constant(method):
    """Differences of a few roundings are noise, and are not blown up to the size of 1."""
    rows = np.full((9, 1), 0.1)
    rows[::2] = np.nextafter(0.1, 1)
    assert np.abs(fit_scaling(method, rows).apply(rows)).max() < 1e-15
    rows[::2] = 0.1 * (1 + 1e-13)
    assert np.abs(fit_scaling(method, rows).apply(rows)).max() >= 1.0 - 1e-9


@pytest.mark.parametrize("method", ["standard", "minmax", "mean"])
def test_column_at_the_end_of_float64_stays_finite(method):
    """A feature whose deviation is below the smallest number is not divided by 0."""
    rows = np.zeros((9, 1))
    rows[4] = 5e-324
    found = fit_scaling(method, rows)
    assert found.scale[0] > 0
    assert np.isfinite(found.apply(rows)).all()


def test_column_of_zeros_keeps_its_scale():
    """By mean size a feature of nothing but zeros stays 0."""
    found = fit_scaling("mean", np.zeros((5, 1)))
    assert (found.center[0], found.scale[0]) == (0.0, 1.0)


@pytest.mark.parametrize("method", ["standard", "minmax", "mean"])
@pytest.mark.parametrize("size", [1e300, 8e307, 1e-300, 1e-310])
def test_huge_and_tiny_numbers_are_scaled(method, size):
    """Where squares overflow or vanish, scaled numbers are still those of the plain table."""
    plain = np.random.default_rng(0).uniform(-1, 1, size=(N, 2))
    found, expected = fit_scaling(method, plain * size), fit_scaling(method, plain)
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(found.apply(plain * size), expected.apply(plain), **close)
    back = found.invert(found.apply(plain * size))
    np.testing.assert_allclose(back / size, plain, **close)


@pytest.mark.parametrize("method", METHODS)
def test_invert_undoes_apply(method):
    """There and back again gives the table, in float64, each time as a new array."""
    rows = draw_table()
    found = fit_scaling(method, rows)
    there = found.apply(rows)
    back = found.invert(there)
    np.testing.assert_allclose(back, rows, rtol=1e-9, atol=1e-9)
    assert not np.shares_memory(there, rows)
    assert not np.shares_memory(back, there)
    assert found.apply(rows, np.float32).dtype == np.float32
    assert found.invert(there.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("method", METHODS)
def test_table_of_nothing_is_left_alone(method):
    """Without rows, or with none of positive weight, nothing is scaled."""
    assert fit_scaling(method, np.empty((0, S))).is_identity
    assert fit_scaling(method, draw_table(), np.zeros(N)).is_identity
    assert Scaling.identity(S).is_identity
    assert not Scaling(np.zeros(S), np.full(S, 2.0)).is_identity
    assert not Scaling(np.ones(S), np.ones(S)).is_identity


@pytest.mark.parametrize("method", ["standard", "minmax", "mean"])
@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([1e308, -1e308, 0.0], "feature 1 runs from -1e\\+308 to 1e\\+308, which is too wide"),
        ([0.0, np.inf, 1.0], "feature 1 runs from 0 to inf"),
    ],
)
def test_feature_beyond_float64_is_refused(column, words, method):
    """A feature that is infinite or wider than float64 is named, with what to do."""
    rows = np.column_stack([np.arange(3.0), column])
    with pytest.raises(InvalidValueError, match=words):
        fit_scaling(method, rows)


@pytest.mark.parametrize("chunk", [7, 50])
@pytest.mark.parametrize("method", [m for m in METHODS if m != "mean"])
def test_missing_numbers_do_not_count(method, chunk, monkeypatch):
    """Each feature is scaled as if the rows where it is NaN were not there; an empty one not."""
    monkeypatch.setattr(scaling, "CHUNK", chunk)
    rows, weights = draw_table(), draw_weights()
    rows[np.random.default_rng(2).random((N, S)) < 0.4] = np.nan
    rows[:, 1] = np.nan
    found = fit_scaling(method, rows, weights)
    assert (found.center[1], found.scale[1]) == (0.0, 1.0)
    for column in (0, 2, 3):
        there = ~np.isnan(rows[:, column])
        alone = fit_scaling(method, rows[there][:, [column]], weights[there])
        np.testing.assert_allclose(found.center[column], alone.center[0], rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(found.scale[column], alone.scale[0], rtol=1e-12)


def test_quartiles_that_coincide_give_way_to_the_range():
    """A feature that is mostly one number is scaled by half its range."""
    rows = np.zeros((9, 1))
    rows[4] = 8.0
    found = fit_scaling("robust", rows)
    assert (found.center[0], found.scale[0]) == (0.0, 4.0)


@pytest.mark.parametrize("method", ["zscore", "Standard", "", None, 1])
def test_unknown_method_is_refused(method):
    """Any other word is refused with the words there are."""
    with pytest.raises(InvalidValueError, match="minmax, robust, mean, none; got") as caught:
        fit_scaling(method, draw_table())
    assert isinstance(caught.value, LaminaError)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_wide_table_is_scaled_in_little_memory(method):
    """Scaling 2,000 rows of 12,000 columns takes no copy of them: less than half their size."""
    rows = np.random.default_rng(0).random((2000, 12_000), dtype=np.float32)
    tracemalloc.start()
    fit_scaling(method, rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows.nbytes / 2
