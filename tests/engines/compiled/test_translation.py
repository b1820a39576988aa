"""Formulas keep their precision when compiled, and are left as they are."""

import textwrap
from types import FunctionType, ModuleType

import numpy as np
import pytest
from numba import njit, types

from lamina.engines.compiled import elementary
from lamina.engines.compiled.translation import Translator, ignores_first
from lamina.exceptions import FormulaError

PRECISIONS = ["float32", "float64"]
HALF, COUNT, PAIR = 0.5, 3, (0.25, 1.5)
CONSTANTS = np.array([0.1, 0.7])
SETTINGS = ModuleType("settings")
SETTINGS.RATE = 0.3
SETTINGS.inner = ModuleType("inner")
SETTINGS.inner.RATE = 0.7


def helper(z, rate):
    """Return what a formula calls."""
    return rate * z / (1.0 + 0.1 * z * z)


def with_default(z, rate=0.1):
    """Return a formula with a number as a default."""
    return rate * z + 0.7


def with_loop(z):
    """Return a polynomial, term by term."""
    total = 0.0 * z
    for k in range(COUNT):
        total = total + z**k / (k + 1)
    return total


def with_inner(z):
    """Return what a function inside a formula returns."""

    def twice(x):
        return 2.1 * x

    return twice(z) - HALF


def closed_over(rate, power):
    """Return a formula with numbers of its closure."""
    return lambda z: rate * z**power - rate


FORMULAS = {
    "cubic": lambda z: 0.1 * z + z**3 / 3,
    "negative power": lambda z: (2 + z * z) ** -2,
    "broken power": lambda z: (1.5 + z * z) ** -1.5,
    "integers": lambda z: (3 * z - 7) / 11,
    "global": lambda z: HALF * z,
    "global power": lambda z: z**COUNT,
    "global tuple": lambda z: PAIR[0] * z + PAIR[1],
    "global array": lambda z: CONSTANTS[0] * z + CONSTANTS[1],
    "module": lambda z: SETTINGS.RATE * z + SETTINGS.inner.RATE,
    "pi": lambda z: np.pi * z,
    "closure": closed_over(0.3, 2),
    "helper": lambda z: helper(z, 0.3) + helper(z, HALF),
    "default": with_default,
    "loop": with_loop,
    "inner function": with_inner,
    "comparison": lambda z: np.where((z > 0.1) & (z < 2), 0.7, z * 0.1),
    "conditional": lambda z: np.where(z > 0, 1, -1),
    "functions": lambda z: np.exp(0.1 * z) + np.tanh(z / 3) - np.log1p(0.2 * z * z),
    "others": lambda z: np.sqrt(np.abs(z) + 0.1) * np.sin(0.3 * z) + np.square(0.7 * z),
    "clipped": lambda z: np.maximum(np.minimum(z, 0.7), -0.3),
    "minus": lambda z: -z + abs(z),
}


WIDER = {"global array", "conditional", "loop", "inner function"}
"""Of other types by themselves: float64 of arrays, integers, what functions inside work with."""


def translated(formula, dtype):
    """Return a formula as compiled code calls it."""
    kind = np.dtype(dtype)
    return Translator(kind, elementary.functions(kind)).formula(formula)


def evaluate(formula, z):
    """Return a compiled formula's values, and the type of its results."""
    compiled = translated(formula, z.dtype)

    @njit(error_model="numpy")
    def apply(z, y):
        for i in range(z.size):
            y[i] = compiled(z[i])

    y = np.empty_like(z)
    apply(z, y)
    return y, compiled.nopython_signatures[0].return_type


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", FORMULAS)
def test_formula_keeps_its_precision(name, dtype):
    """Constants, wherever they stand, leave float32 as it is; values are NumPy's within 2 eps."""
    z = np.random.default_rng(0).normal(size=4000).astype(dtype)
    expected = np.asarray(FORMULAS[name](z), dtype=dtype)
    found, kind = evaluate(FORMULAS[name], z)
    assert kind == getattr(types, dtype) or name in WIDER
    # sums may cancel, so that eps are those of the largest value; exp and tanh have 3 ulp
    ulp = 2 if "functions" not in name else 6
    limit = ulp * np.finfo(dtype).eps * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit)


def test_integer_power_of_a_negative_number():
    """An exponent that is an integer stays one, in every spelling."""
    cube = 3
    z = np.array([-2.0, -0.5, 0.0], dtype=np.float32)
    for formula in (lambda z: z**3, lambda z: z**cube, lambda z: z**COUNT, lambda z: z**-3):
        with np.errstate(divide="ignore"):
            np.testing.assert_array_equal(evaluate(formula, z)[0], formula(z))


def test_formulas_of_numpy_are_taken_as_they_are():
    """A NumPy function itself is a formula."""
    for function in (np.sin, np.arctan, np.square):
        assert translated(function, "float32") is function
    assert translated(np.tanh, "float32") is not np.tanh  # ours has its place


@pytest.mark.parametrize("module", ["numerics", "numpy_formulas", "number_theory", "numbers"])
def test_formula_of_any_module_is_translated(module):
    """A user's module may be called what it likes: its constants are rounded all the same."""

    def formula(z):
        return 0.1 * z

    formula.__module__ = module
    found, kind = evaluate(formula, np.ones(3, dtype=np.float32))
    assert kind == types.float32
    assert np.array_equal(found, formula(np.ones(3, dtype=np.float32)))


def test_formula_without_a_module_is_translated():
    """A formula that was made by exec is translated."""
    scope = {}
    exec("formula = lambda z: 0.1 * z", scope)  # noqa: S102 - our own text
    formula = scope["formula"]
    formula.__module__ = None
    assert evaluate(formula, np.ones(3, dtype=np.float32))[1] == types.float32


def made(text, **scope):
    """Return the function that a text defines, with such globals."""
    exec(textwrap.dedent(text), scope)  # noqa: S102 - our own text
    return scope["f"]


def test_looking_at_the_first_argument_is_seen():
    """Whether a slope uses z decides where A may be written; in doubt it does."""
    used = ["lambda z, a: z", "lambda z, a: a + z", "lambda z, a: (lambda: z)() + a"]
    used += ["lambda z, a: [z for _ in range(2)][0]", "lambda *z: z[1]", "np.add", "'no function'"]
    unused = ["lambda z, a: a", "lambda z, a: 1.0 - a * a", "lambda y, z: z", "lambda z, a: 1.0"]
    used, unused = ([made(f"f = {text}", np=np) for text in texts] for texts in (used, unused))
    assert not any(ignores_first(function) for function in used)
    assert all(ignores_first(function) for function in unused)


def test_translation_leaves_the_formula_alone():
    """A user's function, what it calls and its globals are as they were after it was compiled."""
    formula, before = FORMULAS["helper"], FORMULAS["helper"].__globals__.copy()
    evaluate(formula, np.ones(2, dtype=np.float32))
    assert before.keys() == formula.__globals__.keys()
    assert type(before["helper"]) is FunctionType
    assert type(before["HALF"]) is float


def test_recursive_formula_is_refused():
    """A formula that calls itself is no loop, and is not translated without end."""
    formula = made("f = lambda z: f(z)")
    with pytest.raises(FormulaError, match="calls itself"):
        translated(formula, "float64")
