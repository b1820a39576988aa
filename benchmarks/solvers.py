"""Problems × solvers: the error each reaches, how fast, and when it reached what Adam ends with.

Small problems with known functions or well-known tables, the same network and first θ for every
solver, all in float64 on one thread. J is the mean error on the training data, half the squared
error or the cross-entropy, of standardized columns, without penalties.

    python benchmarks/solvers.py [--only sine,franke] [--seeds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from problems import NOISE_FREE, problems, standardized

import lamina

BUDGET = {  # epochs: about a second or two each for the small ones
    "levenberg_marquardt": 300,
    "gauss_newton_cg": 50,
    "scaled_conjugate_gradient": 2000,
    "lbfgs": 2000,
    "rprop": 3000,
    "adam": 3000,
}
OURS, ADAM = "levenberg_marquardt", "adam"
SOONER, LOWER = 20.0, 100.0
"""Targets of Levenberg-Marquardt beside Adam."""


def train(X, y, hidden, solver: str, seed: int):
    """Return the losses and the seconds of the epochs."""
    X, T, error = standardized(X, y)
    net = lamina.Network(
        [len(X), *hidden, len(T)], ["tanh"] * len(hidden), error=error, random_state=seed
    )
    options = {"learning_rate_init": 0.01} if solver == ADAM else {}
    training = lamina.train(
        net,
        X,
        T,
        solver=solver,
        max_iter=BUDGET[solver],
        tol=-np.inf,
        n_iter_no_change=10**9,
        random_state=seed,
        n_threads=1,
        **options,
    )
    return np.array(training.history["loss"]), np.array(training.history["seconds"])


def sooner(ours, theirs) -> float:
    """Return how many times sooner our J is where theirs ends; 0 if it never is."""
    (J, seconds), (losses, spent) = ours, theirs
    reached = np.flatnonzero(losses[-1] >= J)
    return spent[-1] / seconds[reached[0]] if reached.size else 0.0


def measure(problem, seeds: int):
    """Return medians over seeds of J, seconds and iterations, and the comparison with Adam."""
    curves = {s: [train(*problem, s, k) for k in range(seeds)] for s in BUDGET}
    record = {}
    for solver, runs in curves.items():
        J, seconds = (float(np.median([r[i][-1] for r in runs])) for i in (0, 1))
        iterations = float(np.median([len(r[0]) for r in runs]))
        record[solver] = {"J": J, "seconds": seconds, "iterations": iterations}
    pairs = zip(curves[OURS], curves[ADAM], strict=True)
    record["sooner than adam"] = float(np.median([sooner(*pair) for pair in pairs]))
    lowest = max(record[OURS]["J"], 1e-300)
    record["lower than adam"] = record[ADAM]["J"] / lowest
    return record


def show(name: str, record) -> None:
    """Print a row of the table."""
    text = "".join(
        f"{record[s]['J']:11.2e} ({record[s]['seconds']:5.2f}s {record[s]['iterations']:4.0f})"
        for s in BUDGET
    )
    versus = f"{record['sooner than adam']:6.1f}x sooner, J {record['lower than adam']:8.1e} lower"
    print(f"{name:14s}{text}   LM {versus}", flush=True)


def main() -> None:
    """Run all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = {k: v for k, v in problems().items() if not given.only or k in given.only.split(",")}
    for first in list(chosen.values())[:: max(1, len(chosen) - 1)]:  # numbers, classes
        for solver in BUDGET:
            train(*first, solver, 0)  # compiles
    print(f"Lamina {lamina.__version__}, NumPy {np.__version__}; medians over {given.seeds} seeds")
    print(f"{'J (s, steps)':14s}" + "".join(f"{s[:18]:>25s}" for s in BUDGET))
    found = {}
    for name, problem in chosen.items():
        found[name] = measure(problem, given.seeds)
        show(name, found[name])
    numbers = [name for name in found if chosen[name][1].dtype.kind != "i"]
    soon = [name for name in numbers if found[name]["sooner than adam"] >= SOONER]
    exact = [name for name in numbers if name in NOISE_FREE]
    low = [name for name in exact if found[name]["lower than adam"] >= LOWER]
    print(f"{SOONER:.0f}x sooner than Adam on {len(soon)} of {len(numbers)} regressions")
    print(f"J {LOWER:.0f}x lower on {len(low)} of {len(exact)} without noise")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
