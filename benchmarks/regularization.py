"""Bayesian regularization beside Adam with early stopping, on small noisy problems.

50 to 500 data points with noise: known functions, whose test data have none, and small tables, a
part of which is held out. Adam has a learning rate of 0.01, up to 3,000 epochs, a patience of 300,
and a tenth of the data to watch; Bayesian regularization has all of them to learn from, and 300
steps. Both have the same network of tanh units, the same first θ and as many restarts. The last
columns are the effective number of parameters γ, and that with twice as many hidden units.

    python benchmarks/regularization.py [--seeds 5] [--json FILE] [FILE:TARGET ...]
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from sklearn import datasets

import lamina
from lamina.data.readers import read_table

ROWS = 300
"""Rows of a table to train on, at most; all others are for the test."""
RESTARTS = 5
"""Trainings of which the best is kept: by the evidence, or by the error on the data to watch."""
SPREAD = 0.5
"""Of the noise that is added to known functions, in standard deviations of their values."""


def sinc(X):
    """A bump with ripples."""
    return np.sinc(2 * X[:, 0])


def humps(X):
    """MATLAB's example for fitting, from -1 to 1."""
    x = X[:, 0] + 1
    return 1 / ((x - 0.3) ** 2 + 0.01) + 1 / ((x - 0.9) ** 2 + 0.04) - 6


def saddle(X):
    """Two inputs that count by their product."""
    return X[:, 0] * X[:, 1] + 0.3 * X[:, 0]


def waves(X):
    """A ripple in two inputs."""
    return np.sin(np.pi * X[:, 0]) * np.cos(np.pi * X[:, 1] / 2)


def ridge(X):
    """A smooth step along one direction of five inputs."""
    return np.tanh(X @ np.array([2.0, -1.0, 0.5, 0.0, 0.0]))


FUNCTIONS = {  # inputs, rows to train on, hidden units, function
    "sine": (1, 50, 10, lambda X: np.sin(np.pi * X[:, 0])),
    "sinc": (1, 80, 10, sinc),
    "humps": (1, 150, 15, humps),
    "saddle": (2, 100, 10, saddle),
    "waves": (2, 200, 15, waves),
    "ridge": (5, 100, 10, ridge),
}
FRIEDMAN = {"friedman1": datasets.make_friedman1, "friedman3": datasets.make_friedman3}


def draw_function(name: str, seed: int):
    """Return data with noise to train on, data without to test on, and the hidden units."""
    random = np.random.default_rng(seed)
    inputs, rows, hidden, function = FUNCTIONS[name]
    X, test = random.uniform(-1, 1, (rows, inputs)), random.uniform(-1, 1, (2000, inputs))
    clean, y_test = function(X), function(test)
    noise = SPREAD * y_test.std() * random.normal(size=rows)
    return (X, clean + noise), (test, y_test), hidden


def draw_friedman(name: str, seed: int):
    """Return Friedman's data with noise of half their spread, and test data without."""
    test = FRIEDMAN[name](2000, random_state=1000 + seed)
    X, y = FRIEDMAN[name](200, random_state=seed)
    noise = SPREAD * test[1].std() * np.random.default_rng(seed).normal(size=200)
    return (X, y + noise), test, 10


def draw_table(X, y, seed: int):
    """Return up to 300 rows to train on, at most four fifths, and all others."""
    order = np.random.default_rng(seed).permutation(len(X))
    rows = min(ROWS, 4 * len(X) // 5)
    inside, outside = order[:rows], order[rows:]
    return (X[inside], y[inside]), (X[outside], y[outside]), 10


def problems(files: list[str]):
    """Return for each name a function of the seed that draws the problem."""
    found = {name: lambda seed, n=name: draw_function(n, seed) for name in FUNCTIONS}
    found |= {name: lambda seed, n=name: draw_friedman(n, seed) for name in FRIEDMAN}
    diabetes = datasets.load_diabetes(return_X_y=True)
    found["diabetes"] = lambda seed: draw_table(*diabetes, seed)
    for file in files:
        path, target = file.rsplit(":", 1)
        table = read_table(path)
        X = np.column_stack([table[name] for name in table.names if name != target])
        data = X, table[target]
        found[Path(path).stem] = lambda seed, d=data: draw_table(*d, seed)
    return found


def fit(data, hidden: int, seed: int, **options):
    """Return a regressor."""
    model = lamina.FeedForwardRegressor((hidden,), activation="tanh", random_state=seed)
    return model.set_params(**options).fit(*data)


def compare(draw, seeds: int):
    """Return test errors of both, relative to the spread of the targets, and γ of both widths."""
    stopped = {
        "solver": "adam",
        "n_restarts": RESTARTS,
        "learning_rate_init": 0.01,
        "early_stopping": True,
        "n_iter_no_change": 300,
        "max_iter": 3000,
        "tol": 0.0,
    }
    found = {"solver": "bayesian_regularization", "max_iter": 300, "n_restarts": RESTARTS}
    errors, gammas = {"found": [], "stopped": []}, []
    for seed in range(seeds):
        data, (X, y), hidden = draw(seed)
        models = {
            "found": fit(data, hidden, seed, **found),
            "stopped": fit(data, hidden, seed, **stopped),
        }
        for name, model in models.items():
            errors[name].append(float(np.sqrt(np.mean((model.predict(X) - y) ** 2)) / y.std()))
        wide = fit(data, 2 * hidden, seed, **found)
        gammas.append((models["found"].effective_parameters_, wide.effective_parameters_))
    one, two = np.median(gammas, axis=0)
    return {
        "bayesian_regularization": float(np.mean(errors["found"])),
        "early-stopped adam": float(np.mean(errors["stopped"])),
        "better in": int(np.sum(np.less(errors["found"], errors["stopped"]))),
        "parameters": (hidden, int(models["found"].network_.theta.size)),
        "effective parameters": (float(one), float(two)),
    }


def main() -> None:
    """Run all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"Lamina {lamina.__version__}, NumPy {np.__version__}; means over {given.seeds} seeds")
    print(f"{'error / spread of y':20s}{'found':>9s}{'stopped':>9s}{'better':>8s}{'P':>6s}", end="")
    print(f"{'γ':>9s}{'γ, twice':>10s}{'change':>8s}")
    results, wins, stable = {}, 0, 0
    for name, draw in problems(given.files).items():
        r = results[name] = compare(draw, given.seeds)
        ours, theirs = r["bayesian_regularization"], r["early-stopped adam"]
        one, two = r["effective parameters"]
        wins, stable = wins + (ours < theirs), stable + (abs(two / one - 1) <= 0.15)
        print(
            f"{name:20s}{ours:9.3f}{theirs:9.3f}{r['better in']:6d}/{given.seeds}"
            f"{r['parameters'][1]:6d}{one:9.1f}{two:10.1f}{100 * (two / one - 1):7.0f}%",
            flush=True,
        )
    print(f"lower error on {wins} of {len(results)}; γ within 15 % on {stable} of {len(results)}")
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
