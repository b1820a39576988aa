"""Compile functions that only compiled functions call to intermediate code alone.

Numba optimizes each function, with all that it calls, and makes machine code of it, although
the same code comes again in every caller: of some forty functions, half of the time. What
cannot be called from Python because it has no wrapper is here only linked.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen
from numba.core.compiler_lock import global_compiler_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

WRAPPERS = ("_ZN7cpython", "cfunc.")
"""How the names of functions begin that Python or C call."""


@contextmanager
def lean() -> Iterator[None]:
    """Link what has no wrapper, without machine code; nobody else can compile meanwhile."""
    complete, set_environment = CPUCodeLibrary.finalize, JITCPUCodegen.set_env

    def finalize(library: Any) -> None:
        names = [function.name for function in library._final_module.functions]  # noqa: SLF001 - no other way
        if any(name.startswith(WRAPPERS) for name in names):
            complete(library)
            return
        for linked in dict.fromkeys(library._linking_libraries):  # noqa: SLF001 - as above
            library._reload_init.update(linked._reload_init)  # noqa: SLF001 - as above
            module = linked._get_module_for_linking()  # noqa: SLF001 - as above
            library._final_module.link_in(module, preserve=True)  # noqa: SLF001 - as above
        library._finalized = True  # noqa: SLF001 - as above

    def set_env(codegen: Any, name: str, environment: Any) -> None:
        if codegen._engine.is_symbol_defined(name):  # noqa: SLF001 - as above
            set_environment(codegen, name, environment)

    with global_compiler_lock:
        CPUCodeLibrary.finalize, JITCPUCodegen.set_env = finalize, set_env
        try:
            yield
        finally:
            CPUCodeLibrary.finalize, JITCPUCodegen.set_env = complete, set_environment
