"""exp, log, tanh and their kin over all numbers, measured against a wider format."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit

from lamina.engines.compiled import elementary
from lamina.engines.compiled.translation import Translator
from lamina.network import special

NAMES = ["exp", "expm1", "log", "log1p", "tanh"]
WIDE = {np.dtype("float32"): np.float64, np.dtype("float64"): np.longdouble}
PRECISIONS = ["float32", "float64"]
LIMITS = {  # ulp at most; a little above what is measured
    "exp": 1.3,
    "expm1": 2.3,
    "log": 0.95,
    "log1p": 1.6,
    "tanh": 3.3,
}
needs_longdouble = pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps,
    reason="no format here is wider than float64",
)


def loop(function):
    """Return a function of an array that applies a compiled function to each number."""

    @njit(error_model="numpy")
    def apply(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    def call(x):
        y = np.empty_like(x)
        apply(x, y)
        return y

    return call


@pytest.fixture(name="ours", scope="module")
def ours_fixture():
    """Give tests the functions of both precisions, as functions of arrays."""
    found = {}
    for dtype in WIDE:
        functions = elementary.functions(dtype)
        found[dtype.name] = {n: loop(functions[getattr(np, n)]) for n in NAMES}
        translator = Translator(dtype, functions)
        compiled = translator.formula(special.normal_distribution)
        found[dtype.name]["normal_distribution"] = loop(compiled)
    return SimpleNamespace(**found)


def numbers(dtype):
    """Return finite numbers of both signs over the whole range, denormal ones included."""
    if dtype == "float32":
        x = np.arange(0, 2**32, 1021, dtype=np.uint32).view(np.float32)
        x = np.concatenate([x, np.linspace(-110, 110, 1_000_001, dtype=np.float32)])
    else:
        random = np.random.default_rng(0)
        x = random.integers(2**64, size=1_000_000, dtype=np.uint64).view(np.float64)
        signs = random.choice([-1.0, 1.0], size=1_000_000)
        small = signs * 10.0 ** random.uniform(-20, 3, size=1_000_000)
        x = np.concatenate([x, small, np.linspace(-750, 750, 1_000_001)])
    return x[np.isfinite(x)]


def near_one(dtype):
    """Return numbers around 1, where a logarithm is small."""
    eps = np.finfo(dtype).eps
    steps = np.arange(-3000, 3000) * eps
    return np.concatenate([1 + steps, np.linspace(0.4, 2.6, 500_001)]).astype(dtype)


def ulp(found, exact, dtype):
    """Return the largest error in units of the last place of the exact result."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = exact.astype(dtype)
    representable = np.isfinite(rounded)
    assert np.array_equal(found[~representable], rounded[~representable])
    unit = np.spacing(np.abs(rounded[representable])).astype(exact.dtype)
    return float(np.max(np.abs(found[representable] - exact[representable]) / unit))


@needs_longdouble
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_elementary_function_is_within_its_error(name, dtype, ours):
    """Over the whole range, results beyond it included, the error is below the stated one."""
    x = np.concatenate([numbers(dtype), near_one(dtype)])
    x = {"log": x[x > 0], "log1p": x[x > -1]}.get(name, x)
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(WIDE[np.dtype(dtype)]))
    found = vars(ours)[dtype][name](x)
    error = ulp(found, exact, dtype)
    assert error <= LIMITS[name], f"{error:.3f} ulp"


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_elementary_function_at_the_ends(name, dtype, ours):
    """Infinities, NaN, zeros and arguments outside the domain give what NumPy gives."""
    tiny = np.finfo(dtype).smallest_subnormal
    ends = [np.inf, -np.inf, np.nan, 0.0, 1.0, -1.0, -2.0, tiny, -tiny, 1e4, -1e4]
    x = np.array([*ends, np.finfo(dtype).max, np.finfo(dtype).min], dtype=dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    found = vars(ours)[dtype][name](x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    limit = 2 * LIMITS[name] * np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=limit, atol=4 * tiny)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_comparisons_are_those_of_numpy(dtype):
    """where, maximum, minimum and sign give NumPy's results, NaN and infinities included."""
    ours = elementary.functions(np.dtype(dtype))
    names = (np.sign, np.maximum, np.minimum, np.where)  # ours have no wrappers for Python
    functions = {name: njit(getattr(ours[name], "py_func", ours[name])) for name in names}
    where = functions[np.where]
    ends = np.array([np.nan, np.inf, -np.inf, 0.0, 1.5, -2.5], dtype=dtype)
    for x in ends:
        assert np.array_equal(functions[np.sign](x), np.sign(x), equal_nan=True)
        for y in ends:
            for f in (np.maximum, np.minimum):
                assert np.array_equal(functions[f](x, y), f(x, y), equal_nan=True)
            assert np.array_equal(where(x > y, x, y), np.where(x > y, x, y), equal_nan=True)


@needs_longdouble
def test_normal_distribution_is_the_formula(ours):
    """Compiled, the normal distribution differs from its formula by the rounding of e^(-z²/2)."""
    for dtype in PRECISIONS:
        eps, z = np.finfo(dtype).eps, np.linspace(-12, 12, 400_001).astype(dtype)
        found = vars(ours)[dtype]["normal_distribution"](z)
        exact = special.normal_distribution(z.astype(WIDE[np.dtype(dtype)]))
        allowed = (20 + z.astype(float) ** 2) * eps  # as the series itself promises
        assert np.all(np.abs(found - exact) <= allowed * exact)


def test_normal_distribution_at_the_ends(ours):
    """At infinities it is 0 and 1, at 0 one half, at NaN NaN."""
    for dtype in PRECISIONS:
        z = np.array([-np.inf, np.inf, 0.0, np.nan, -1e30, 1e30], dtype=dtype)
        found = vars(ours)[dtype]["normal_distribution"](z)
        np.testing.assert_allclose(found, [0, 1, 0.5, np.nan, 0, 1], rtol=8 * np.finfo(dtype).eps)
