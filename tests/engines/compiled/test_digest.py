"""What a formula computes, its constants and all that it calls, tells its digest apart."""

import subprocess
import sys
import textwrap
from types import ModuleType

import numpy as np
import pytest
from numba import njit

from lamina.engines.compiled.translation import digest
from lamina.network.activations import ACTIVATIONS, FormulaActivation
from lamina.network.errors import ERRORS, ErrorFormula


def made(text, **scope):
    """Return the function that a text defines, with such globals."""
    exec(textwrap.dedent(text), scope)  # noqa: S102 - our own text
    return scope["f"]


def later(value):
    """Return a closure over a value."""
    return lambda z: z * value


def module(name, **content):
    """Return a module with this in it."""
    found = ModuleType(name)
    vars(found).update(content)
    return found


DIFFERENT = {
    "code": (made("f = lambda z: z + 1.5"), made("f = lambda z: z - 1.5")),
    "constant": (made("f = lambda z: z + 1.5"), made("f = lambda z: z + 2.5")),
    "last digit": (made("f = lambda z: z + 0.1"), made("f = lambda z: z + 0.10000000000000002")),
    "type of a constant": (made("f = lambda z: z + 1"), made("f = lambda z: z + 1.0")),
    "closure": (later(1.5), later(2.5)),
    "type in a closure": (later(1), later(1.0)),
    "function in a closure": (later(made("f = lambda z: z")), later(made("f = lambda z: 2 * z"))),
    "global": (made("f = lambda z: z * A", A=1.5), made("f = lambda z: z * A", A=2.5)),
    "default": (made("f = lambda z, a=1.5: z * a"), made("f = lambda z, a=2.5: z * a")),
    "default of what is called": (
        made("f = lambda z: g(z)", g=made("f = lambda z, a=1.5: z * a")),
        made("f = lambda z: g(z)", g=made("f = lambda z, a=2.5: z * a")),
    ),
    "called function": (
        made("f = lambda z: g(z)", g=made("f = lambda z: z * 1.5")),
        made("f = lambda z: g(z)", g=made("f = lambda z: z * 2.5")),
    ),
    "what a called function calls": (
        made("f = lambda z: g(z)", g=made("f = lambda z: h(z)", h=made("f = lambda z: z"))),
        made("f = lambda z: g(z)", g=made("f = lambda z: h(z)", h=made("f = lambda z: -z"))),
    ),
    "compiled function": (
        made("f = lambda z: g(z)", g=njit(made("f = lambda z: z * 1.5"))),
        made("f = lambda z: g(z)", g=njit(made("f = lambda z: z * 2.5"))),
    ),
    "digits of an array": (
        made("f = lambda z: z * A[0]", A=np.array([0.1234567891])),
        made("f = lambda z: z * A[0]", A=np.array([0.1234567892])),
    ),
    "middle of an array": (
        made("f = lambda z: z * A[1500]", A=np.zeros(3000)),
        made("f = lambda z: z * A[1500]", A=np.bincount([1500], minlength=3000).astype(float)),
    ),
    "module": (
        made("f = lambda z: z * m.A", m=module("m", A=1.5)),
        made("f = lambda z: z * m.A", m=module("m", A=2.5)),
    ),
    "inner function": (
        made("def f(z):\n    def g(x):\n        return x * 1.5\n    return g(z)"),
        made("def f(z):\n    def g(x):\n        return x * 2.5\n    return g(z)"),
    ),
    "NumPy function": (made("f = lambda z: n.sin(z)", n=np), made("f = lambda z: n.cos(z)", n=np)),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_digest_changes_with_what_is_computed(what):
    """Formulas that compute different numbers have different digests."""
    one, other = DIFFERENT[what]
    assert digest(one) != digest(other)


def test_digest_looks_into_modules():
    """A number of a module, or of a module in it, counts; what a formula does not name does not."""

    def of(**content):
        return digest(made("f = lambda z: z * m.A", m=module("m", **content)))

    def within(number):
        inner = module("inner", A=number)
        return digest(made("f = lambda z: z * m.inner.A", m=module("m", inner=inner)))

    assert of(A=1.5) != of(A=2.5)
    assert of(A=1.5, B=1) == of(A=1.5, B=2)
    assert within(1.5) != within(2.5)


def test_digest_is_that_of_the_same_code():
    """Formulas written alike have one digest, whatever their name, file and line."""
    assert digest(made("f = lambda z: z * A", A=1.5)) == digest(
        made("\n\nf = lambda z: z * A", A=1.5)
    )
    assert digest(later(0.1)) == digest(later(0.1))


def test_digest_of_a_recursive_formula_ends():
    """A formula that calls itself has a digest."""
    recursive = made("f = lambda z: f(z)")
    assert digest(recursive) == digest(recursive)


LIST = """
from lamina.engines.compiled.translation import digest
from lamina.network.activations import ACTIVATIONS, FormulaActivation
for name in ACTIVATIONS.names():
    activation = ACTIVATIONS.make(name)
    if not hasattr(activation, "value"):
        continue  # made of others
    print(name, digest(activation.value), digest(activation.derivative)
          if hasattr(activation, "derivative") else digest(activation.pull))
"""


def test_digest_is_the_same_in_every_process():
    """No address, hash or order of this process is in the digests of the built-in formulas."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", LIST],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == len({*ACTIVATIONS.names()} - {"blocks"})


def test_digests_of_builtin_formulas_differ():
    """No two built-in activations or errors compute the same."""
    for registry, kind in ((ACTIVATIONS, FormulaActivation), (ERRORS, ErrorFormula)):
        found = [registry.make(name) for name in registry.names()]
        digests = [digest(record.value) for record in found if type(record) is kind]
        assert len(set(digests)) == len(digests) > 5
