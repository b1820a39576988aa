"""Defaults against defaults: our estimators beside scikit-learn's MLP, out of the box.

Same folds, same seeds, no option set on either side. The tables are those that
scikit-learn carries, and any CSV files given as FILE:TARGET (numbers; a text target means
classification). Prints the mean held-out score (accuracy or R²) over folds and seeds.

    python benchmarks/defaults.py [--seeds 5] [--folds 5] [FILE:TARGET ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.data.readers import read_table

CARRIED = {
    "digits": datasets.load_digits,
    "breast cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "diabetes": datasets.load_diabetes,
}


def tables(files: list[str]):
    """Yield name, X, y of every table."""
    for name, loader in CARRIED.items():
        yield name, *loader(return_X_y=True)
    for file in files:
        path, target = file.rsplit(":", 1)
        table = read_table(path)
        X = np.column_stack([table[name] for name in table.names if name != target])
        y = table[target]
        yield Path(path).stem, X, y if y.dtype.kind == "f" else y.astype(str)


def compare(X, y, seeds: int, folds: int) -> dict:
    """Return scores and seconds of both sides, interleaved fold by fold."""
    many = y.dtype.kind in "OU" or len(np.unique(y)) <= 20
    pair = (FeedForwardClassifier, MLPClassifier) if many else (FeedForwardRegressor, MLPRegressor)
    result = {"task": "classification" if many else "regression"}
    scores, seconds = ([], []), ([], [])
    for seed in range(seeds):
        splitter = (StratifiedKFold if many else KFold)(folds, shuffle=True, random_state=seed)
        for inside, outside in splitter.split(X, y):
            for side, maker in enumerate(pair):
                with warnings.catch_warnings():  # theirs at max_iter, where ours says nothing
                    warnings.simplefilter("ignore")
                    begun = time.perf_counter()
                    model = maker(random_state=seed).fit(X[inside], y[inside])
                    seconds[side].append(time.perf_counter() - begun)
                    scores[side].append(model.score(X[outside], y[outside]))
                    result["solver"] = result.get("solver") or model.solver_  # of the first, ours
    for side, name in enumerate(("lamina", "sklearn")):
        result[name] = {
            "score": float(np.mean(scores[side])),
            "spread": float(np.std(np.mean(np.reshape(scores[side], (seeds, folds)), axis=1))),
            "seconds": float(np.median(seconds[side])),
        }
    return result


def main() -> None:
    """Compare on every table; print a table and, last, the results as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    print(
        f"lamina {lamina.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}"
    )
    print(f"{'table':24}{'lamina':>18}{'sklearn':>18}{'seconds':>16}")
    results, wins = {}, 0
    for name, X, y in tables(arguments.files):
        r = results[name] = compare(X, y, arguments.seeds, arguments.folds)
        ours, theirs = r["lamina"], r["sklearn"]
        wins += ours["score"] >= theirs["score"]
        print(
            f"{name:24}{ours['score']:>9.4f} ± {ours['spread']:.4f}{theirs['score']:>9.4f} ± "
            f"{theirs['spread']:.4f}{ours['seconds']:>8.2f}{theirs['seconds']:>8.2f}",
            flush=True,
        )
    print(f"better or equal on {wins} of {len(results)}")
    json.dump(results, sys.stdout)
    print()


if __name__ == "__main__":
    main()
