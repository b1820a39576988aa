"""Threads of our own: how many, and how they work together."""

from __future__ import annotations

import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from lamina.engines.linear_algebra import allowed_threads

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What joblib sets in its workers, so that all of them together use the processors once."""
MOST = 8


def available() -> int:
    """Return how many threads this process may use.

    Limits are the processors, those of the cgroup, of joblib's workers, of the environment, and
    those that `threadpoolctl.threadpool_limits` set for linear algebra.
    """
    from joblib import cpu_count

    limits = [int(os.environ[name]) for name in LIMITS if os.environ.get(name, "").isdigit()]
    limits += allowed_threads()
    return max(1, min([MOST, cpu_count(), *limits]))


def yield_address() -> int:
    """Return where the system's function is that gives up the processor."""
    windows = sys.platform == "win32"
    library = ctypes.CDLL("kernel32" if windows else None)
    name = "SwitchToThread" if windows else "sched_yield"
    return int(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0)


class Team:
    """The caller and some threads that do the same work, each with its number."""

    def __init__(self, size: int) -> None:
        """Start nothing yet."""
        self.size = size
        self._pool: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    def run(self, work: Callable[[int], Any], stop: Callable[[], None]) -> None:
        """Call `work` with 0..size-1, each on a thread of its own; `stop` tells them to end."""
        if self.size == 1:
            work(0)
            return
        if self._pool is None or self._process != os.getpid():  # threads do not survive a fork
            self._pool = ThreadPoolExecutor(self.size - 1, thread_name_prefix="lamina")
            self._process = os.getpid()
        others = []
        try:
            others = [self._pool.submit(work, number) for number in range(1, self.size)]
            work(0)
        except BaseException:
            stop()
            raise
        finally:
            wait(others)
