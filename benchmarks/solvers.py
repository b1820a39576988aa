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
from sklearn import datasets

import lamina

BUDGET = {  # epochs: about a second or two each for the small ones
    "levenberg_marquardt": 300,
    "gauss_newton_cg": 50,
    "scaled_conjugate_gradient": 2000,
    "lbfgs": 2000,
    "rprop": 3000,
    "adam": 3000,
}


def line(low: float, high: float, n: int):
    """Return n numbers as one column."""
    return np.linspace(low, high, n)[:, None]


def square(low: float, high: float, n: int):
    """Return n × n places in a square, two columns."""
    x = np.linspace(low, high, n)
    return np.stack([axis.ravel() for axis in np.meshgrid(x, x)], axis=1)


def humps(x):
    """MATLAB's example for fitting."""
    return 1 / ((x - 0.3) ** 2 + 0.01) + 1 / ((x - 0.9) ** 2 + 0.04) - 6


def peaks(x, y):
    """MATLAB's example of a surface."""
    return (
        3 * (1 - x) ** 2 * np.exp(-(x**2) - (y + 1) ** 2)
        - 10 * (x / 5 - x**3 - y**5) * np.exp(-(x**2) - y**2)
        - np.exp(-((x + 1) ** 2) - y**2) / 3
    )


def franke(x, y):
    """Franke 1979: four bumps."""
    return (
        0.75 * np.exp(-((9 * x - 2) ** 2 + (9 * y - 2) ** 2) / 4)
        + 0.75 * np.exp(-((9 * x + 1) ** 2) / 49 - (9 * y + 1) / 10)
        + 0.5 * np.exp(-((9 * x - 7) ** 2 + (9 * y - 3) ** 2) / 4)
        - 0.2 * np.exp(-((9 * x - 4) ** 2) - (9 * y - 7) ** 2)
    )


def camel(x, y):
    """The six-hump camel function."""
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + 4 * (y**2 - 1) * y**2


def mackey_glass(n: int):
    """Four past values of the series (Mackey and Glass 1977, τ = 17), and the one 6 later."""
    step, lag = 0.1, 170
    x = np.full(lag + 1, 1.2).tolist()
    for _ in range((n + 130) * 10):
        x.append(x[-1] + step * (0.2 * x[-1 - lag] / (1 + x[-1 - lag] ** 10) - 0.1 * x[-1]))
    x = np.array(x)[lag + 1000 :: 10]
    X = np.stack([x[k : k + n] for k in (0, 6, 12, 18)], axis=1)
    return X, x[24 : 24 + n]


def spirals(n: int):
    """Two spirals, 1.5 turns each, Lang and Witbrock 1988."""
    angle = np.sqrt(np.linspace(0.02, 1.0, n)) * 3 * np.pi
    one = np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=1)
    return np.concatenate([one, -one]), np.repeat([0, 1], n)


def parity(bits: int):
    """All words of some bits, and whether their sum is odd."""
    X = (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1
    return 2.0 * X - 1, X.sum(axis=1) % 2


def problems():
    """Return for each name X, y and the hidden layers; y is integer where it is a class."""
    S, U = square(-3, 3, 20), square(0, 1, 20)
    R, C = square(-1.5, 1.5, 20), square(-1.5, 1.5, 20)
    t = line(0, 1, 200)
    return {
        "sine": (line(-1, 1, 100), np.sin(3 * np.pi * line(-1, 1, 100)[:, 0]), (10,)),
        "humps": (line(0, 2, 100), humps(line(0, 2, 100)[:, 0]), (15,)),
        "chirp": (t, np.sin(2 * np.pi * (1 + 4 * t[:, 0]) * t[:, 0]), (20,)),
        "peaks": (S, peaks(*S.T), (25,)),
        "franke": (U, franke(*U.T), (20,)),
        "rosenbrock": (R, (1 - R[:, 0]) ** 2 + 100 * (R[:, 1] - R[:, 0] ** 2) ** 2, (15,)),
        "camel": (C, camel(*C.T), (15,)),
        "mackey-glass": (*mackey_glass(500), (10,)),
        "friedman1": (*datasets.make_friedman1(300, random_state=0), (10,)),
        "friedman3": (*datasets.make_friedman3(300, random_state=0), (10,)),
        "diabetes": (*datasets.load_diabetes(return_X_y=True), (5,)),
        "two spirals": (*spirals(97), (10, 10)),
        "parity-4": (*parity(4), (8,)),
        "iris": (*datasets.load_iris(return_X_y=True), (5,)),
    }


def train(X, y, hidden, solver: str, seed: int):
    """Return the losses and the seconds of the epochs."""
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).T
    classes = y.dtype.kind == "i"
    if classes:
        T, error = np.eye(y.max() + 1)[y].T, "cross_entropy"
    else:
        T, error = ((y - y.mean()) / y.std())[None], "squared"
    net = lamina.Network(
        [len(X), *hidden, len(T)], ["tanh"] * len(hidden), error=error, random_state=seed
    )
    options = {"learning_rate_init": 0.01} if solver.startswith("adam") else {}
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


def main() -> None:
    """Run all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = {k: v for k, v in problems().items() if not given.only or k in given.only.split(",")}
    first = next(iter(chosen.values()))
    for solver in BUDGET:
        train(*first, solver, 0)  # compiles
    found = {}
    print(f"Lamina {lamina.__version__}, NumPy {np.__version__}; medians over {given.seeds} seeds")
    print(f"{'J reached (seconds)':20s}" + "".join(f"{s[:18]:>20s}" for s in BUDGET))
    for name, problem in chosen.items():
        curves = {s: [train(*problem, s, k) for k in range(given.seeds)] for s in BUDGET}
        text, record = f"{name:20s}", {}
        for solver, runs in curves.items():
            J, seconds = (np.median([r[i][-1] for r in runs]) for i in (0, 1))
            record[solver] = {"J": J, "seconds": seconds}
            text += f"{J:11.2e} ({seconds:5.2f})"
        adam = list(BUDGET)[-1]
        ratios = []
        for k in range(given.seeds):
            J, seconds = curves["levenberg_marquardt"][k]
            goal, spent = curves[adam][k][0][-1], curves[adam][k][1][-1]
            reached = np.flatnonzero(goal >= J)
            ratios.append(spent / seconds[reached[0]] if reached.size else 0.0)
        fall = record[adam]["J"] / record["levenberg_marquardt"]["J"]
        record["adam's time over LM's to its J"] = float(np.median(ratios))
        print(f"{text}   LM {np.median(ratios):6.1f}x sooner, J {fall:8.1e} lower", flush=True)
        found[name] = record
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
