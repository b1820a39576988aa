"""Kernels compile without machine code for their parts; what others compile has it."""

from threading import Thread

import numpy as np
from numba import njit

from lamina.engines.compiled.lean import lean


def test_functions_with_wrappers_have_machine_code():
    """What Python can call, compiled or not before a caller of ours, can be called after it."""

    @njit
    def inner(x):
        return x * x + 1.0

    @njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    def part(x):
        return inner(x) * 2.0

    @njit
    def outer(x):
        return part(x) + inner(x)

    with lean():
        outer.compile("float64(float64)")
    assert outer(3.0) == 30.0
    assert inner(3.0) == 10.0


def test_parts_serve_callers_that_are_compiled_later():
    """A part that was only linked may be a part of another function, outside too."""

    @njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    def part(x):
        return x - 1.0

    first, second = njit(lambda x: part(x) * 2.0), njit(lambda x: part(x) * 3.0)
    with lean():
        first.compile("float64(float64)")
    assert (first(2.0), second(2.0)) == (2.0, 3.0)


def test_another_thread_compiles_as_usual():
    """While we compile, the function of another thread waits and is whole."""
    found = []

    def compile_another():
        function = njit(lambda x: np.sqrt(x) + 1.0)
        found.append(function(4.0))

    with lean():
        other = Thread(target=compile_another)
        other.start()
        njit(lambda x: x + 1.0).compile("float64(float64)")
    other.join()
    assert found == [3.0]
