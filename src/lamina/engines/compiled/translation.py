"""Formulas as Numba compiles them: the functions of `network/` themselves, in one precision.

A formula is a plain Python function of NumPy operations. Numba could compile most of them
as they are, with two drawbacks. A constant such as 0.5 is a float64 to Numba and would make
all of a float32 formula float64, where NumPy keeps float32. And exp, tanh, log come from
libm, one number at a time. So a formula is compiled with its constants rounded to the
precision, and with `elementary`'s functions in their place, in itself and in whatever
functions it calls.
"""

from __future__ import annotations

import hashlib
from dis import get_instructions
from types import CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numba.core import compiler, ir
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import IRProcessing

from lamina.exceptions import FormulaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAST = frozenset({"nsz", "arcp", "contract", "afn"})
"""What LLVM may do to formulas; never `nnan` or `ninf`, so that a divergence stays visible."""


def _precision(real: Any) -> Any:
    """Return Numba's compiler with the constants of formulas in a precision."""

    @register_pass(mutates_CFG=False, analysis_only=False)
    class RoundConstants(FunctionPass):
        """Make every constant of a formula a number of the precision, but for counts."""

        _name = f"lamina_round_constants_{real.__name__}"

        def __init__(self) -> None:
            FunctionPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            """Rewrite the assignments of constants."""
            whole = set(_whole_numbers(state.func_ir))
            for assignment in _assignments(state.func_ir):
                if isinstance(assignment.value, (ir.Const, ir.Global, ir.FreeVar)):
                    value, loc = assignment.value.value, assignment.value.loc
                    # Numba's own power with a negative integer raises at 0.
                    kept = isinstance(value, int) and assignment.target.name in whole and value >= 0
                    number = isinstance(value, (int, float)) and not isinstance(value, bool)
                    if number and not kept:
                        assignment.value = ir.Const(real(value), loc)
            return True

    class Compiler(compiler.CompilerBase):
        def define_pipelines(self) -> list[Any]:
            """Return the usual pipeline and our pass in it."""
            passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.add_pass_after(RoundConstants, IRProcessing)
            passes.finalize()
            return [passes]

    return Compiler


COMPILERS = {np.dtype(real): _precision(real) for real in (np.float32, np.float64)}


def _assignments(function: Any) -> Iterator[Any]:
    """Yield the assignments of a function."""
    for block in function.blocks.values():
        yield from block.find_insts(ir.Assign)


def _whole_numbers(function: Any) -> Iterator[str]:
    """Yield the variables that must stay integers: exponents, indices, and counts of loops."""
    for assignment in _assignments(function):
        expression = assignment.value
        if not isinstance(expression, ir.Expr):
            continue
        if expression.op in {"binop", "inplace_binop"} and "pow" in expression.fn.__name__:
            yield expression.rhs.name
        if expression.op in {"getitem", "static_getitem", "build_slice"}:
            yield from (v.name for v in expression.list_vars())
        if expression.op == "call":
            called = function.get_definition(expression.func)
            if isinstance(called, ir.Global) and called.value in {range, slice, int}:
                yield from (v.name for v in expression.args)


class Translator:
    """Formulas compiled in one precision, each once."""

    def __init__(self, dtype: np.dtype[Any], substitutes: dict[Any, Any]) -> None:
        """`substitutes` maps NumPy's functions to compiled ones."""
        self.dtype = dtype
        self._substitutes = substitutes
        self._done: dict[Any, Any] = {}
        self._begun: set[Any] = set()

    def options(self) -> dict[str, Any]:
        """Return how formulas of this precision are compiled."""
        return {
            "error_model": "numpy",
            "fastmath": set(FAST),
            "pipeline_class": COMPILERS[self.dtype],
            "no_cpython_wrapper": True,
            "no_cfunc_wrapper": True,
            "forceinline": True,  # or the loop around a long one would not vectorize
        }

    def formula(self, function: Callable[..., Any]) -> Any:
        """Return a formula that compiled code can call."""
        if function in self._substitutes:
            return self._substitutes[function]
        home = (getattr(function, "__module__", None) or "").partition(".")[0]
        if not isinstance(function, FunctionType) or home in {"numpy", "numba"}:
            return function  # of NumPy, or compiled by Numba already
        key = identity(function)
        if key not in self._done:
            if key in self._begun:
                message = f"{function.__qualname__} calls itself, which no loop can"
                raise FormulaError(message)
            self._begun.add(key)
            try:
                self._done[key] = njit(self.specialize(function), **self.options())
            finally:
                self._begun.remove(key)
        return self._done[key]

    def specialize(self, function: FunctionType) -> FunctionType:
        """Return a copy of a function that refers to compiled functions."""
        names = set(_names(function.__code__))
        found = {n: function.__globals__[n] for n in names & function.__globals__.keys()}
        scope = {n: self._substitute(v, names) for n, v in found.items()}
        cells = [
            CellType(self._substitute(c.cell_contents, names)) for c in function.__closure__ or ()
        ]
        defaults = tuple(self._substitute(value, names) for value in function.__defaults__ or ())
        copy = FunctionType(function.__code__, scope, function.__name__, defaults, tuple(cells))
        copy.__module__ = __name__  # the cache imports it: one that is there wherever it is read
        return copy

    def _substitute(self, value: Any, names: set[str]) -> Any:
        """Return what compiled code finds in the place of a global."""
        if isinstance(value, ModuleType):
            module = ModuleType(value.__name__)
            for name in names:
                if hasattr(value, name):
                    setattr(module, name, self._substitute(getattr(value, name), names))
            return module
        if callable(value):
            return self.formula(value) if not isinstance(value, type) else value
        if self.dtype == np.float32 and isinstance(value, float):
            return np.float32(value)
        if self.dtype == np.float32 and isinstance(value, tuple):
            return tuple(np.float32(v) if isinstance(v, float) else v for v in value)
        return value


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that code looks up, nested functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def ignores_first(function: Any) -> bool:
    """Return whether a formula never looks at its first argument; False where that is unknown."""
    if not isinstance(function, FunctionType):
        return False
    first = function.__code__.co_varnames[0]
    looked_at = {instruction.argval for instruction in get_instructions(function)}
    return not any(first in (name if isinstance(name, tuple) else (name,)) for name in looked_at)


def identity(function: Any) -> Any:
    """Return what tells a formula from others: itself if it is ours, else what it now refers to."""
    ours = (getattr(function, "__module__", None) or "").partition(".")[0] == "lamina"
    return function if ours else digest(function)


def digest(value: Any) -> str:
    """Return a digest of all that a formula computes: its code, and whatever that refers to."""
    return hashlib.sha256("\n".join(_describe(value, set())).encode()).hexdigest()


def _describe(value: Any, seen: set[int]) -> Iterator[str]:
    """Yield words that change when a formula does."""
    value = getattr(value, "py_func", value)  # of what Numba compiled
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    elif not isinstance(value, FunctionType):
        known = callable(value) and hasattr(value, "__qualname__")
        yield f"{value.__module__}.{value.__qualname__}" if known else f"{value!r}"
    elif id(value) not in seen:
        seen.add(id(value))
        yield from _describe_code(value.__code__)
        for default in value.__defaults__ or ():
            yield from _describe(default, seen)
        for cell in value.__closure__ or ():
            yield from _describe(cell.cell_contents, seen)
        names = sorted(set(_names(value.__code__)))
        for name in names:
            if name in value.__globals__:
                yield from _describe_name(value.__globals__[name], names, seen)


def _describe_name(found: Any, names: list[str], seen: set[int]) -> Iterator[str]:
    """Yield words for what a name refers to, and for what is looked up in a module."""
    if not isinstance(found, ModuleType):
        yield from _describe(found, seen)
    elif id(found) not in seen:
        seen.add(id(found))
        for inner in names:
            if hasattr(found, inner):
                yield from _describe_name(getattr(found, inner), names, seen)


def _describe_code(code: CodeType) -> Iterator[str]:
    """Yield the instructions and constants of code."""
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _describe_code(constant)
        else:
            yield repr(constant)
