"""A process for each peer, so that none meets another's threads or settings; it works when asked.

All are told to use two threads and held to two processors where the system can do that. What
other processes took of those meanwhile is noted beside each time, on Linux.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import time
import warnings
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

THREADS = 2
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def hold_to_two() -> None:
    """Use two processors and two threads, in this process and those it starts."""
    os.environ.update(dict.fromkeys(VARIABLES, str(THREADS)))
    with suppress(AttributeError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def busy() -> float:
    """Return the seconds that our processors have worked since the system began, or NaN."""
    if not Path("/proc/stat").exists():
        return math.nan
    total = 0.0
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        name, *numbers = line.split()
        if name in ours:
            user, nice, system, _, _, irq, softirq, steal = map(int, numbers[:8])
            total += user + nice + system + irq + softirq + steal
    return total / os.sysconf("SC_CLK_TCK")


def measured(run, times: int) -> dict[str, float]:
    """Return seconds a unit of `run(times)`, and the share of the processors that others took."""
    before, own, begun = busy(), time.process_time(), time.perf_counter()
    units = run(times)
    seconds = time.perf_counter() - begun
    others = busy() - before - (time.process_time() - own)
    share = max(0.0, others / (THREADS * seconds))
    return {"seconds": seconds, "unit": seconds / units, "others": share}


class Runs:
    """What a worker does: set one task up, then time it when told to."""

    def __init__(self, peer: str) -> None:
        """Import the peer, and note how long that took."""
        warnings.simplefilter("ignore")  # scikit-learn's, at max_iter, which is what is asked
        begun = time.perf_counter()
        self.makers = import_module(f"peers.{peer}").MAKERS
        self.imported = time.perf_counter() - begun
        self.run, self.times, self.seconds = None, 1, 0.0

    def prepare(self, task, seconds: float, *, first: bool = False) -> dict:
        """Set a task up in the fastest of its variants; or only the first, for a first use."""
        if task.kind not in self.makers:
            return {"left_out": ""}
        self.seconds, tried, best, others = seconds, {}, math.inf, 0.0
        for name, build in self.makers[task.kind](task).items():
            begun = time.perf_counter()
            built = build()
            run, check = built if isinstance(built, tuple) else (built, None)
            run(1)
            spent = time.perf_counter() - begun
            loss = check() if check else None
            warm = measured(run, 1)
            if first:
                return {"first_use": spent - warm["seconds"], "imported": self.imported}
            times = max(1, round(seconds / 2 / warm["seconds"]))
            warm = min((measured(run, times) for _ in range(2)), key=lambda m: m["unit"])
            others = max(others, warm["others"])
            tried[name] = {"first_use": spent, "unit": warm["unit"], "loss": loss}
            if warm["unit"] < best:
                best, self.run, chosen = warm["unit"], run, name
                self.times = max(1, round(seconds / (warm["seconds"] / times)))
        return {"variant": chosen, "variants": tried, "others": others}

    def time(self) -> dict[str, float]:
        """Warm up, then time the task."""
        self.run(max(1, self.times // 10))
        timed = measured(self.run, self.times) | {"times": self.times}
        self.times = max(1, round(self.times * self.seconds / timed["seconds"]))
        return timed


def serve(connection, peer: str) -> None:
    """Answer calls of methods of `Runs` until there are no more."""
    try:
        runs = Runs(peer)
        connection.send({"imported": runs.imported})
    except Exception as problem:  # noqa: BLE001 - whatever a peer raises is reported
        connection.send({"left_out": f"{type(problem).__name__}: {problem}"})
        return
    with suppress(EOFError):
        while True:
            name, given, options = connection.recv()
            try:
                answer = getattr(runs, name)(*given, **options)
            except Exception as problem:  # noqa: BLE001 - as above
                answer = {"left_out": f"{type(problem).__name__}: {str(problem)[:300]}"}
            connection.send(answer)


class Worker:
    """A peer's process, seen from here."""

    def __init__(self, peer: str) -> None:
        """Start it; `imported` is how many seconds its imports took, `left_out` why it cannot."""
        context = multiprocessing.get_context("spawn")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=serve, args=(there, peer))
        self._process.start()
        there.close()
        self.answer = self._receive()

    def _receive(self) -> dict:
        try:
            return self._connection.recv()
        except EOFError:
            return {"left_out": "its process ended"}

    def call(self, name: str, *given, **options) -> dict:
        """Return what a method of `Runs` answers."""
        try:
            self._connection.send((name, given, options))
        except BrokenPipeError:
            return {"left_out": "its process ended"}
        return self._receive()

    def close(self) -> None:
        """Let it end."""
        self._connection.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()


@contextmanager
def working(peers):
    """Yield a worker for each peer, by name."""
    workers = {}
    try:
        for peer in peers:
            workers[peer] = Worker(peer)
        yield workers
    finally:
        for worker in workers.values():
            worker.close()
