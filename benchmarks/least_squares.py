"""Levenberg-Marquardt beside SciPy's `least_squares` and pyrenn's, to equal J.

The same networks, data and first θ, float64, one thread. SciPy minimizes the same residuals,
√(ω_n) (a - t), and takes their Jacobian from `network.curvature`, the formulas that Lamina's own
engines are held to, evaluated by NumPy. Each is given the same number of steps; J to reach is the
higher one of both ends and 1 ‰, and the time is what each took to its first J that low. pyrenn,
where it is installed, trains a network of the same layers from a start of its own, for 30 steps.

    python benchmarks/least_squares.py [--only sine,franke] [--seeds 3] [--steps 300] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import signal
import time
import warnings
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import scipy
from problems import problems, standardized
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits

import lamina
from lamina.network import backpropagation, curvature

MARGIN = 1.001
PEERS = ("lm", "trf", "pyrenn")
FEW, PATIENCE = 30, 60
"""Steps of pyrenn, each of which takes long, and seconds for them."""


def network(problem, seed: int):
    """Return a network and its data."""
    X, y, hidden = problem
    X, T, error = standardized(X, y)
    sizes, activations = [len(X), *hidden, len(T)], ["tanh"] * len(hidden)
    return lamina.Network(sizes, activations, error=error, random_state=seed), X, T


def ours(problem, seed: int, steps: int):
    """Return J and seconds of our steps."""
    net, X, T = network(problem, seed)
    begun = time.perf_counter()
    options = {"max_iter": steps, "tol": -np.inf, "n_iter_no_change": 10**9, "n_threads": 1}
    history = lamina.train(net, X, T, solver="levenberg_marquardt", **options).history
    spent = time.perf_counter() - begun
    return np.array(history["loss"]), np.array(history["seconds"]), spent


def scipys(problem, seed: int, steps: int, method: str):
    """Return J and seconds of SciPy's evaluations."""
    net, X, T = network(problem, seed)
    recipe, scale, seen = net.recipe, 1.0 / np.sqrt(X.shape[1]), []

    def residuals(theta):
        r = (scale * (backpropagation.forward(recipe, theta, X)[1][-1] - T)).T.ravel()
        seen.append((0.5 * r @ r, time.perf_counter()))
        return r

    def slopes(theta):
        here = curvature.Linearization.at(recipe, theta, X)
        return scale * here.jacobian().reshape(T.size, -1)

    begun = time.perf_counter()
    tolerances = dict.fromkeys(("ftol", "xtol", "gtol"), 1e-15)
    with np.errstate(all="ignore"):
        least_squares(residuals, net.theta, slopes, method=method, max_nfev=steps, **tolerances)
    spent = time.perf_counter() - begun
    J, moments = np.array(seen).T
    return np.minimum.accumulate(J), moments - begun, spent


def pyrenns(problem, seed: int):
    """Return J of pyrenn's first steps, when each was done, and the seconds of all.

    It tries dampings without end where no step lowers J; then it is stopped, and has no answer.
    """
    import pyrenn

    X, y, hidden = problem
    X, T, _ = standardized(X, y)
    np.random.seed(seed)  # noqa: NPY002 - pyrenn draws from the global generator
    net = pyrenn.CreateNN([len(X), *hidden, len(T)])
    signal.alarm(PATIENCE)
    begun = time.perf_counter()
    with redirect_stdout(StringIO()):
        net = pyrenn.train_LM(X, T, net, k_max=FEW, E_stop=0.0)
    spent = time.perf_counter() - begun
    signal.alarm(0)
    J = 0.5 * net["ErrorHistory"] * net["normY"][0] ** 2 / X.shape[1]  # it scales T
    return J, spent * np.arange(len(J)) / len(J), spent


def first(J, seconds, goal: float) -> float:
    """Return when J was as low as the goal."""
    return float(seconds[np.flatnonzero(goal >= J)[0]])


def versus(problem, seed: int, steps: int, peer: str):
    """Return how many times sooner we are than a peer, and what each took a step."""
    J, seconds, spent = ours(problem, seed, steps)
    if peer == "pyrenn":
        losses, moments, total = pyrenns(problem, seed)
    else:
        losses, moments, total = scipys(problem, seed, steps, peer)
    goal = MARGIN * max(J[-1], losses[-1])
    times = first(J, seconds, goal), first(losses, moments, goal)
    return {
        "sooner": times[1] / times[0],
        "J": [J[-1], losses[-1]],
        "seconds to J": times,
        "seconds a step": [spent / len(J), total / len(losses)],
    }


def medians(records):
    """Return medians over seeds."""
    return {name: np.median([r[name] for r in records], axis=0).tolist() for name in records[0]}


def compare(problem, seeds: int, steps: int):
    """Return medians beside each peer."""
    found = {}
    for peer in PEERS:
        if peer == "lm" and len(problem[1]) < network(problem, 0)[0].theta.size:
            continue  # MINPACK wants as many residuals as parameters
        if peer == "pyrenn" and not find_spec("pyrenn"):
            continue
        with suppress(TimeoutError):
            found[peer] = medians([versus(problem, k, steps, peer) for k in range(seeds)])
    return found


def give_up(*_) -> None:
    """End what takes too long."""
    raise TimeoutError


def main() -> None:
    """Run all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, give_up)
    chosen = {k: v for k, v in problems().items() if v[1].dtype.kind != "i"}
    chosen = {k: v for k, v in chosen.items() if not given.only or k in given.only.split(",")}
    print(f"Lamina {lamina.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}")
    found = {}
    with threadpool_limits(1):
        ours(next(iter(chosen.values())), 0, 3)  # compiles
        for name, problem in chosen.items():
            found[name] = compare(problem, given.seeds, given.steps)
            P = network(problem, 0)[0].theta.size
            text = f"{name:14s} {len(problem[1]):4d} rows, P {P:3d}"
            for peer, r in found[name].items():
                a, b = (1e3 * s for s in r["seconds a step"])
                J = "{:.1e} {:.1e}".format(*r["J"])
                text += f" | {peer:6s} {r['sooner']:6.1f}x, ms a step {a:.3f} {b:.3f}, J {J}"
            print(text, flush=True)
    for peer in PEERS:
        ratios = [r[peer]["sooner"] for r in found.values() if peer in r]
        if ratios:
            print(
                f"{peer}: {min(ratios):.1f} to {max(ratios):.1f}x, median {np.median(ratios):.1f}"
            )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
