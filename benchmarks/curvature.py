"""The Gauss-Newton matrix: how fast it accumulates, and what memory that takes.

13-50-1 on 10,000 data points, the whole call with J and its gradient. Operations are those of a
symmetric product Rᵗ R, N P² K multiplications or additions; the rate beside is NumPy's for a
square product in float64, on as many threads and in turns with ours. Memory is what is resident
at most (VmHWM of /proc/self/status, set back before) beyond what was before the call, in a process
of its own that has loaded all kernels.

    python benchmarks/curvature.py [--rows 10000] [--hidden 50] [--threads 1] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
from memory import MB, resident
from threadpoolctl import threadpool_limits

import lamina
from lamina.engines.compiled.engine import CompiledEngine
from lamina.training.train import _data

RATE, MOST = 0.6, 100.0
"""Targets: of the rate of NumPy's product, and MB."""
SQUARE, ROUNDS = 1500, 15


def problem(rows: int, hidden: int):
    """Return a network and its data."""
    random = np.random.default_rng(0)
    net = lamina.Network([13, hidden, 1], ["tanh"], random_state=0)
    X, T = random.normal(size=(13, rows)), random.normal(size=(1, rows))
    return net, _data(net, X, T, None)


def seconds(run) -> float:
    """Return how long a call takes."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def measure_rate(rows: int, hidden: int, threads: int):
    """Return our rate and NumPy's, in 10⁹ operations a second: the best of rounds, in turns."""
    net, data = problem(rows, hidden)
    engine = CompiledEngine(net.recipe, threads)
    A = np.random.default_rng(1).normal(size=(SQUARE, SQUARE))
    operations = rows * net.theta.size**2
    rates = []
    with threadpool_limits(threads):
        for _ in range(ROUNDS):
            ours = seconds(lambda: engine.gauss_newton(net.theta, data))
            theirs = seconds(lambda: A @ A)
            rates.append((operations / ours / 1e9, 2 * SQUARE**3 / theirs / 1e9))
    return [float(rate) for rate in np.max(rates, axis=0)]


def measure_memory(rows: int, hidden: int, threads: int, answer) -> None:
    """Send what a first call keeps resident at most beyond what stood before, in MB."""
    net, data = problem(rows, hidden)
    engine = CompiledEngine(net.recipe, threads)
    few = _data(net, data.X.take(slice(0, 4)), data.T.take(slice(0, 4)), None)
    engine.gauss_newton(net.theta, few)  # loads the kernels
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # sets VmHWM back
    before = resident("VmRSS")
    CompiledEngine(net.recipe, threads).gauss_newton(net.theta, data)
    answer.put(resident("VmHWM") - before)


def main() -> None:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    arguments = given.rows, given.hidden, given.threads
    ours, theirs = measure_rate(*arguments)
    spawn = multiprocessing.get_context("spawn")
    answer = spawn.Queue()
    process = spawn.Process(target=measure_memory, args=(*arguments, answer))
    process.start()
    extra = answer.get()
    process.join()
    P = problem(4, given.hidden)[0].theta.size
    print(f"Lamina {lamina.__version__}, NumPy {np.__version__}; {given.threads} threads, float64")
    print(f"13-{given.hidden}-1, P {P}, {given.rows:,} rows")
    print(f"G {ours:.1f} GFLOP/s, NumPy's product {theirs:.1f}: {ours / theirs:.2f} (>= {RATE})")
    print(f"extra memory {extra:.1f} MB, G itself {8 * P * P / MB:.1f} (<= {MOST:.0f})")
    if given.json:
        record = {"gflops": ours, "product_gflops": theirs, "extra_mb": extra, "parameters": P}
        given.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
