"""Compiled kernels and their addresses, kept in memory and on disk.

A kernel is a template filled with formulas. On disk it is found by a digest of all that it
is made of: the formulas' code and whatever they refer to, our own sources, the precision; and
Numba adds its version and the processor. So an edited formula is another kernel.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import sys
import tempfile
from functools import cache, cached_property
from pathlib import Path
from pickle import UnpicklingError
from threading import RLock
from types import FunctionType
from typing import TYPE_CHECKING, Any

from numba import float64, int64
from numba.core import caching
from numba.core.ccallback import CFunc

from lamina.engines.compiled import elementary, templates
from lamina.engines.compiled.intrinsics import loader, storer
from lamina.engines.compiled.lean import lean
from lamina.engines.compiled.translation import Translator, digest, identity
from lamina.exceptions import FormulaError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

_LOCK = RLock()
if hasattr(os, "register_at_fork"):  # a child must not begin in the middle of a compilation
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}
"""For the loops around formulas, whose sums may be taken in any order; formulas have their own."""


def cache_folder() -> Path:
    """Return where compiled kernels are kept: $LAMINA_CACHE_DIR, or the user's cache."""
    if given := os.environ.get("LAMINA_CACHE_DIR"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "lamina"


@cache
def sources() -> str:
    """Return a digest of the sources that every kernel is made of."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_watched() -> bool:
    """Return whether a person sees stderr: on a terminal, or below the cell of a notebook."""
    if type(sys.stderr).__module__.partition(".")[0] == "ipykernel":
        return True  # it says that it is no terminal
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, it is closed, or only writes
        return False


@cache
def announce() -> None:
    """Say once why the first use takes some seconds; where nobody watches only to a log."""
    level = logging.WARNING if is_watched() else logging.INFO
    where = cache_folder()
    logging.getLogger("lamina").log(level, "compiling for the first time; kept in %s", where)


class _Locator(caching._CacheLocator):  # noqa: SLF001 - Numba has no other way
    """Where Numba keeps a kernel: in our folder, under its digest."""

    def __init__(self, name: str) -> None:
        self._name = name

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return self._name

    def get_disambiguator(self) -> str:
        return self._name

    def ensure_cache_path(self) -> None:
        cache_folder().mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache_folder()).close()


class _Implementation(caching.CompileResultCacheImpl):
    """Numba's way to store a compiled function, under a name of ours."""

    def __init__(self, name: str) -> None:
        self._lineno = 0
        self._locator = _Locator(name)
        self._filename_base = name


class _Cache(caching.Cache):
    """Numba's cache of one kernel."""

    def __init__(self, function: Any, name: str) -> None:
        self._name = f"{function.__name__}-{name}"
        self._py_func = function
        self._impl = _Implementation(self._name)
        self._cache_path = self._impl.locator.get_cache_path()
        self._cache_file = caching.IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )
        self.enable()


class Kernel:
    """A compiled function `double f(int64, ...)`."""

    def __init__(self, compiled: CFunc, arguments: int) -> None:
        """Keep the function alive, and its address at hand."""
        self._compiled = compiled
        self.address = int(compiled.address or 0)
        self._arguments = arguments

    @cached_property
    def call(self) -> Callable[..., float]:
        """The function itself; it runs without Python's lock."""
        kind = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_int64] * self._arguments)
        return kind(self.address)


class Kernels:
    """All kernels of one precision, each compiled or loaded when first asked for."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        """Prepare to compile in a precision."""
        self.dtype = dtype
        self.unit = dtype.type(1)
        self.translator = Translator(dtype, elementary.functions(dtype))
        self._made: dict[Any, Kernel] = {}

    def make(
        self,
        template: Callable[..., Any],
        formulas: dict[str, Callable[..., Any]] | None = None,
        *,
        reorder: bool = True,
        **given: Any,
    ) -> Kernel:
        """Return the kernel of a template, with formulas and numbers in the place of its capitals.

        `LOAD`, `TERM` and `STORE` among the numbers are how many numbers those read and write;
        `reorder` tells whether sums may be taken in any order.
        """
        formulas = formulas or {}
        named = sorted((name, identity(formula)) for name, formula in formulas.items())
        key = (template, *named, repr(sorted(given.items())))
        with _LOCK:
            if key not in self._made:
                try:
                    kernel = self._compile(template, formulas, given, reorder=reorder)
                except Exception as problem:  # whatever a compiler raises
                    message = f"{_names(formulas)} cannot be compiled: {_reason(problem)}"
                    raise FormulaError(message) from problem
                self._made[key] = kernel
            return self._made[key]

    def _compile(
        self,
        template: Any,
        formulas: dict[str, Callable[..., Any]],
        given: dict[str, Any],
        *,
        reorder: bool,
    ) -> Kernel:
        """Compile a kernel, or load it from disk; a cache that fails is done without."""
        parts = [sources(), str(self.dtype), template.__name__, repr(sorted(given.items()))]
        parts += [f"{name} {digest(formula)}" for name, formula in sorted(formulas.items())]
        name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
        scope = template.__globals__ | {"UNIT": self.unit}
        scope |= {n: self.translator.formula(f) for n, f in formulas.items()}
        for word, value in given.items():
            scope[word] = (
                {"LOAD": loader, "TERM": loader, "STORE": storer}[word](value)
                if (word in {"LOAD", "TERM", "STORE"})
                else value
            )
        function = FunctionType(template.__code__, scope, template.__name__)
        arguments = template.__code__.co_argcount
        signature = ((int64,) * arguments, float64)
        options = {"error_model": "numpy", "fastmath": FASTMATH if reorder else False}
        compiled: Any = CFunc(function, signature, locals={}, options=options)
        compiled._cache = _Cache(function, name)  # noqa: SLF001 - Numba has no other way
        if not (cache_folder() / f"{function.__name__}-{name}.nbi").exists():
            announce()
        with lean():
            try:
                compiled.compile()
            except (OSError, EOFError, UnpicklingError):  # of the cache: do without
                compiled._cache = caching.NullCache()  # noqa: SLF001 - Numba has no other way
                compiled.compile()
        return Kernel(compiled, arguments)


def _names(formulas: dict[str, Callable[..., Any]]) -> str:
    """Return the names of formulas."""
    return ", ".join(getattr(f, "__qualname__", repr(f)) for f in formulas.values())


def _reason(problem: Exception) -> str:
    """Return the line of a compiler's message that says most."""
    lines = [line.strip() for line in str(problem).splitlines()]
    telling = [line for line in lines if line and not line.startswith("Failed in ")]
    return telling[0] if telling else type(problem).__name__


@cache
def kernels(dtype: np.dtype[Any]) -> Kernels:
    """Return the kernels of a precision."""
    return Kernels(dtype)


__all__ = ["Kernel", "Kernels", "kernels", "templates"]
