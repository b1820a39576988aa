"""Which engine evaluates a recipe: the compiled one where it can, else the reference."""

from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import EngineWarning, FormulaError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lamina.engines.protocol import Engine
    from lamina.network.recipe import Recipe

NAMES = ("auto", "compiled", "reference")
KEPT = 16
"""Recipes whose idle engines are kept, with their buffers and threads."""

_idle: OrderedDict[Any, list[Engine]] = OrderedDict()
_lock = Lock()
if hasattr(os, "register_at_fork"):  # a child must not begin while another thread holds it
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )
_warned: set[str] = set()


@contextmanager
def engine_for(
    recipe: Recipe, dtype: npt.DTypeLike, n_threads: int | None = None
) -> Iterator[Engine]:
    """Lend an engine for a recipe, which nobody else uses meanwhile.

    The environment variable `LAMINA_ENGINE` may be "reference" or "compiled"; "auto" takes
    the compiled engine and warns where a formula cannot be compiled.

    Raises
    ------
    InvalidValueError
        If `LAMINA_ENGINE` names no engine.
    FormulaError
        If it is "compiled" and a formula cannot be compiled.
    """
    key = (recipe, np.dtype(dtype), n_threads, wanted(), os.getpid())
    if not _is_ours(recipe):  # what a user's formula refers to may have changed meanwhile
        yield make_engine(recipe, dtype, n_threads)
        return
    with _lock:
        idle = _idle.get(key)
        engine = idle.pop() if idle else None
    engine = engine or make_engine(recipe, dtype, n_threads)
    try:
        yield engine
    finally:
        engine.forget()
        with _lock:
            _idle.setdefault(key, []).append(engine)
            _idle.move_to_end(key)
            while len(_idle) > KEPT:
                _idle.popitem(last=False)


def _is_ours(recipe: Recipe) -> bool:
    """Return whether all formulas of a recipe are built-in."""
    formulas = [*recipe.activations, recipe.error]
    homes = [getattr(getattr(f, "value", f), "__module__", None) for f in formulas]
    return all(str(home).partition(".")[0] in {"lamina", "numpy", "None"} for home in homes)


def make_engine(recipe: Recipe, dtype: npt.DTypeLike, n_threads: int | None = None) -> Engine:
    """Return a new engine for a recipe; see `engine_for`."""
    name = wanted()
    if name == "reference" or (name == "auto" and not can_compile(np.dtype(dtype))):
        return ReferenceEngine(recipe)
    from lamina.engines.compiled.engine import CompiledEngine

    try:
        return CompiledEngine(recipe, n_threads).prepare(np.dtype(dtype))
    except FormulaError as problem:
        if name == "compiled":
            raise
        message = f"{problem}. The reference engine is used, which is slower but gives the same"
        if message not in _warned:
            _warned.add(message)
            warnings.warn(message, EngineWarning, stacklevel=2)
        return ReferenceEngine(recipe)


def wanted() -> str:
    """Return the engine that the environment asks for."""
    name = os.environ.get("LAMINA_ENGINE", "auto")
    if name not in NAMES:
        message = f"LAMINA_ENGINE must be one of {', '.join(NAMES)}; got {name!r}"
        raise InvalidValueError(message)
    return name


@cache
def can_compile(dtype: np.dtype[Any]) -> bool:
    """Return whether Numba is there, may compile, and gives what the reference gives."""
    if find_spec("numba") is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return False
    from lamina.engines.compiled.trust import agrees

    return agrees(dtype)
