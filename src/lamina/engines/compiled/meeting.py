"""How threads share jobs and wait for each other.

Jobs are counted out, each thread's own share first and then what others left, so that a thread
whose processor was taken away does not hold up the rest.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from lamina.engines.compiled.intrinsics import (
    add_atomically,
    call,
    load_atomically,
    store_atomically,
)
from lamina.engines.compiled.layout import (
    LINE,
    QUEUES,
    STOP,
    SYNC,
    THREADS,
    YIELD,
)
from lamina.engines.compiled.products import OPTIONS

SPINS = 2000
"""Looks at a counter before the processor is given up: some ten microseconds."""


@njit(**OPTIONS)
def meet(world: Any, meetings: int) -> bool:
    """Wait until all threads have met so many times; return False when told to stop."""
    sync = world[SYNC]
    if world[THREADS] > 1:
        expected = meetings * world[THREADS]
        add_atomically(sync, 1)
        spins = 0
        while load_atomically(sync) < expected:
            spins += 1
            if spins > SPINS:
                call(world[YIELD], (0,))
                if load_atomically(sync + 8 * LINE * STOP) != 0:
                    return False
    return load_atomically(sync + 8 * LINE * STOP) == 0


@njit(**OPTIONS)
def queue(world: Any, phase: int, thread: int) -> int:
    """Return where the counter of a thread's jobs stands; phases use two sets by turns."""
    place = QUEUES + (phase & 1) * world[THREADS] + thread
    return world[SYNC] + 8 * LINE * place


@njit(**OPTIONS)
def refill(world: Any, phase: int) -> None:
    """Set the counters of the next phase to 0."""
    for thread in range(world[THREADS]):
        store_atomically(queue(world, phase + 1, thread), 0)


@njit(**OPTIONS)
def next_job(world: Any, phase: int, thread: int, jobs: int, bounds: Any) -> int:
    """Return a job that nobody has taken: of this thread's share first, then of others'."""
    threads = world[THREADS]
    for other in range(threads):
        owner = (thread + other) % threads
        if jobs > 0:
            begin, end = jobs * owner // threads, jobs * (owner + 1) // threads
        else:
            begin, end = bounds[owner], bounds[owner + 1]
        if begin < end:
            job = begin + add_atomically(queue(world, phase, owner), 1)
            if job < end:
                return job
    return -1
