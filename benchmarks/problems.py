"""Small problems for solvers: known functions, well-known tables, and NIST's regressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn import datasets

STRD = Path(__file__).resolve().parents[1] / "tests" / "known" / "strd"
"""Some of NIST's Statistical Reference Datasets, nonlinear regression, as x,y in CSV files."""
NOISE_FREE = {
    *("sine", "humps", "chirp", "peaks", "franke", "rosenbrock", "camel"),
    *("mackey-glass", "friedman1", "friedman3"),
}
"""Regressions whose targets are a function of the inputs.

Their networks can represent it to some digits. With half the units J has a minimum far above 0
(peaks 8e-4, franke 6e-5, friedman1 1e-4, friedman3 4e-3), and no solver gets below that.
"""


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


def strd(name: str):
    """Return x as one column and y of one of NIST's data sets."""
    x, y = np.loadtxt(STRD / f"{name}.csv", delimiter=",", skiprows=2).T
    return x[:, None], y


def problems():
    """Return for each name X, y and the hidden layers; y is integer where it is a class."""
    S, U = square(-3, 3, 20), square(0, 1, 20)
    R, C = square(-1.5, 1.5, 20), square(-1.5, 1.5, 20)
    t = line(0, 1, 200)
    return {
        "sine": (line(-1, 1, 100), np.sin(3 * np.pi * line(-1, 1, 100)[:, 0]), (10,)),
        "humps": (line(0, 2, 100), humps(line(0, 2, 100)[:, 0]), (15,)),
        "chirp": (t, np.sin(2 * np.pi * (1 + 4 * t[:, 0]) * t[:, 0]), (20,)),
        "peaks": (S, peaks(*S.T), (50,)),
        "franke": (U, franke(*U.T), (40,)),
        "rosenbrock": (R, (1 - R[:, 0]) ** 2 + 100 * (R[:, 1] - R[:, 0] ** 2) ** 2, (15,)),
        "camel": (C, camel(*C.T), (15,)),
        "mackey-glass": (*mackey_glass(500), (10,)),
        "friedman1": (*datasets.make_friedman1(300, random_state=0), (20,)),
        "friedman3": (*datasets.make_friedman3(300, random_state=0), (10, 10)),
        "thurber": (*strd("thurber"), (4,)),
        "mgh17": (*strd("mgh17"), (3,)),
        "rat43": (*strd("rat43"), (2,)),
        "diabetes": (*datasets.load_diabetes(return_X_y=True), (5,)),
        "two spirals": (*spirals(97), (10, 10)),
        "parity-4": (*parity(4), (8,)),
        "iris": (*datasets.load_iris(return_X_y=True), (5,)),
    }


def standardized(X, y):
    """Return columns of inputs and targets, and the error: of numbers, or of classes."""
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).T
    if y.dtype.kind == "i":
        return X, np.eye(y.max() + 1)[y].T, "cross_entropy"
    return X, ((y - y.mean()) / y.std())[None], "squared"
