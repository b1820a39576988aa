"""What an activation costs: networks that differ in it alone, timed in turn.

Prints the time of a step of 50-256-256-256-2 in batches of 256 with each hidden activation,
relative to relu; `own` is relu as a user would write it, compiled from a plain formula. Medians
of interleaved rounds.

    python benchmarks/activations.py [--rounds 15] [--threads 2]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import lamina

SIZES, BATCH, POINTS = [50, 256, 256, 256, 2], 256, 5120
EPOCHS = 5
HIDDEN = ("relu", "own", "tanh", "logistic", "gelu", "silu", "mish", "softplus", "softmax")


def epochs(hidden, X, T, threads: int):
    """Return a function that trains for some more epochs."""
    net = lamina.Network(
        SIZES, [hidden] * 3 + ["softmax"], error="cross_entropy", dtype="float32", random_state=0
    )
    state = None

    def run() -> None:
        nonlocal state
        seed = 0 if state is None else None
        options = {
            "batch_size": BATCH,
            "max_iter": EPOCHS,
            "n_threads": threads,
            "random_state": seed,
        }
        state = lamina.train(net, X, T, state=state, n_iter_no_change=10**9, **options).state

    return run


def main() -> None:
    """Time all in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    random = np.random.default_rng(0)
    X = random.normal(size=(50, POINTS)).astype(np.float32)
    T = np.eye(2, dtype=np.float32)[random.integers(2, size=POINTS)].T
    lamina.register_activation(
        "own", lambda z: np.maximum(z, 0.0), lambda _, a: np.where(a > 0, 1.0, 0.0)
    )
    runs = {hidden: epochs(hidden, X, T, given.threads) for hidden in HIDDEN}
    times = {name: [] for name in runs}
    for round_ in range(given.rounds + 1):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            if round_ > 0:  # the first one compiles
                times[name].append(time.perf_counter() - begun)
    relu = np.array(times["relu"])
    print(f"Lamina {lamina.__version__}, NumPy {np.__version__}, {given.threads} threads")
    for name, seconds in times.items():
        step = np.median(seconds) / (EPOCHS * POINTS // BATCH)
        print(f"{name:10s} {step * 1e6:8.0f} µs a step  {np.median(seconds / relu):5.2f} × relu")


if __name__ == "__main__":
    main()
