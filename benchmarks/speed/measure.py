"""Rounds over peers: each times the same task for a while, in an order of its own, and again."""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import contextmanager
from os import environ
from pathlib import Path

import numpy as np
from workers import THREADS, Worker, busy

QUIET = 0.05
"""A time during which others took more of the processors than this is measured again."""
CACHES = {
    "LAMINA_CACHE_DIR": "lamina",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
}


@contextmanager
def empty_caches():
    """Let processes started meanwhile find no compiled code of earlier runs."""
    before = {name: environ.get(name) for name in CACHES}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ.update({name: str(Path(folder) / sub) for name, sub in CACHES.items()})
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    environ.pop(name)
                else:
                    environ[name] = value


class Patience:
    """How many seconds are left to wait for a machine that others leave alone."""

    def __init__(self, seconds: float) -> None:
        """Have so many for the whole run."""
        self.left = seconds

    def wait(self) -> None:
        """Wait for a quiet second, as long as there is patience."""
        begun = time.monotonic()
        while time.monotonic() - begun < self.left:
            before = busy()
            time.sleep(1.0)
            if not busy() - before > QUIET * THREADS:
                break
        self.left = max(0.0, self.left - (time.monotonic() - begun))

    def ask(self, worker: Worker, name: str, *given) -> dict:
        """Return an answer that nobody disturbed; or the least disturbed, out of patience.

        How long it took does not count in the choice.
        """
        answers = []
        while True:
            time.sleep(0.02)  # for the threads of the one before to fall asleep
            answer = worker.call(name, *given)
            if "left_out" in answer or not answer["others"] > QUIET:
                return answer
            answers.append(answer)
            if not self.left:
                return min(answers, key=lambda answer: answer["others"])
            self.wait()


def first_uses(task, peers, patience: Patience) -> dict:
    """Return, of each peer in fresh processes, the seconds beyond the first epoch itself."""
    found = {}
    for peer in peers:
        with empty_caches():
            for cache in ("empty", "warm"):
                patience.wait()
                worker = Worker(peer)
                answer = worker.call("prepare", task, 0.1, first=True)
                worker.close()
                if "first_use" in answer:
                    found.setdefault(peer, {})[cache] = answer
    return found


def compare(task, workers, rounds: int, seconds: float, patience: Patience) -> dict:
    """Return the times of all peers that can do the task, and why others cannot."""
    if task.kind == "search":  # its own helpers look like others
        patience = Patience(0.0)
    found, left_out = {}, {}
    for peer, worker in workers.items():
        patience.wait()
        answer = patience.ask(worker, "prepare", task, seconds)
        if "left_out" not in answer:
            found[peer] = answer | {"rounds": [], "others": []}
        elif answer["left_out"]:
            left_out[peer] = answer["left_out"]
    shuffle = random.Random(0).sample  # noqa: S311 - an order, no secret
    for _ in range(rounds):
        for peer in shuffle(sorted(found), len(found)):
            timed = patience.ask(workers[peer], "time")
            if "left_out" in timed:
                left_out[peer] = timed["left_out"]
                del found[peer]
                continue
            found[peer]["rounds"].append(timed["unit"])
            found[peer]["others"].append(timed["others"])
    for result in found.values():
        quartiles = np.quantile(result["rounds"], (0.25, 0.5, 0.75))
        result["quartiles"] = [float(q) for q in quartiles]
    return {"unit": task.unit, "peers": found, "left_out": left_out}


def ratios(result: dict, factor: float = 1.0) -> dict:
    """Return, of one task's rounds, peers' times over ours, and ours over the floor's.

    Each is the median over rounds of the quotient of two times of the same round. `factor` is
    what a time of `numpy`, seconds an operation, is multiplied by.
    """
    peers = {name: np.array(r["rounds"]) for name, r in result["peers"].items()}
    ours, numpy = peers.pop("lamina", None), peers.pop("numpy", None)
    if ours is None:
        return {}
    found = {"peers": {name: float(np.median(theirs / ours)) for name, theirs in peers.items()}}
    if numpy is not None:
        found["floor"] = float(np.median(numpy) * factor)
        found["over_floor"] = float(np.median(ours / (numpy * factor)))
    if peers:
        found["best"] = min(peers, key=lambda name: float(np.median(peers[name])))
    return found
