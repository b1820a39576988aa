"""How often `predict_interval` covers: tables x splits x ways to make intervals.

Each table is split at random into 90 % to fit and 10 % to ask, as often as --splits says. What is
printed is the share of held-out y inside the intervals, in percent, for each coverage asked for,
and the mean width of those of 90 % in standard deviations of y. Tables are diabetes of
scikit-learn, and CSV files given as FILE:TARGET.

    python benchmarks/intervals.py [--splits 20] [--only NAME] [FILE:TARGET ...]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import ShuffleSplit

import lamina
from lamina import ErrorBars, FeedForwardRegressor
from lamina.data.readers import read_table

COVERAGES = (0.5, 0.8, 0.9, 0.95)
SMALL = {"hidden_layer_sizes": (10,), "activation": "tanh", "max_iter": 100, "alpha": 1e-2}
WAYS = {
    "conformal": {**SMALL, "solver": "adam", "early_stopping": True, "error_bars": True},
    "refits": {**SMALL, "solver": "lbfgs", "error_bars": True},
    "newton": {**SMALL, "solver": "lbfgs", "error_bars": ErrorBars(intervals="newton")},
}


def tables(files: list[str]):
    """Yield name, X, y of every table."""
    yield "diabetes", *datasets.load_diabetes(return_X_y=True)
    for file in files:
        path, target = file.rsplit(":", 1)
        table = read_table(path)
        X = np.column_stack([table[name] for name in table.names if name != target])
        yield Path(path).stem, X, table[target]


def measure(X, y, settings, splits: int) -> dict:
    """Return coverages, width and seconds, means over the splits."""
    covered, widths, seconds, methods = [], [], [], set()
    splitter = ShuffleSplit(splits, test_size=0.1, random_state=0)
    for seed, (inside, outside) in enumerate(splitter.split(X)):
        begun = time.perf_counter()
        model = FeedForwardRegressor(random_state=seed, **settings).fit(X[inside], y[inside])
        seconds.append(time.perf_counter() - begun)
        methods.add(model.interval_method_.split(":")[0])
        shares = []
        for coverage in COVERAGES:
            low, high = model.predict_interval(X[outside], coverage).T
            shares.append(np.mean((low <= y[outside]) & (y[outside] <= high)))
            if coverage == 0.9:
                widths.append(np.mean(high - low) / y.std())
        covered.append(shares)
    return {
        "covered": np.mean(covered, axis=0),
        "deviation": np.std(covered, axis=0) / np.sqrt(splits),
        "width": np.mean(widths),
        "seconds": np.median(seconds),
        "methods": sorted(methods),
    }


def main() -> None:
    """Print a row for each table and way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--only", choices=WAYS)
    arguments = parser.parse_args()
    print(f"lamina {lamina.__version__}, numpy {np.__version__}, {arguments.splits} splits")
    head = "".join(f"{100 * c:>14g} %" for c in COVERAGES)
    print(f"{'table':16}{'way':12}{head}{'width':>8}{'seconds':>9}")
    for name, X, y in tables(arguments.files):
        for way, settings in WAYS.items():
            if arguments.only not in (None, way):
                continue
            r = measure(X, y, settings, arguments.splits)
            pairs = zip(r["covered"], r["deviation"], strict=True)
            shares = "".join(f"{100 * c:>9.1f} ± {100 * d:3.1f} " for c, d in pairs)
            worst = 100 * max(abs(r["covered"] - COVERAGES))
            print(
                f"{name:16}{way:12}{shares}{r['width']:>8.2f}{r['seconds']:>9.2f}  "
                f"off by {worst:.1f} at most; {'; '.join(r['methods'])}",
                flush=True,
            )


if __name__ == "__main__":
    main()
