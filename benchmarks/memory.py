"""Memory: training on a table that is larger than the memory used, and many fits and predicts.

A table of float32 is written to a file and mapped into memory, read-only; a network and a
regressor train on it for one epoch, each in a process of its own. So does a regressor on a Parquet
file of numbers, some missing, and a category, of which the cells then stand in a temporary file of
about the same size. Another process fits 1,000 times, scikit-learn's diabetes table, and predicts
10,000 times. Memory is RssAnon of /proc/self/status: what is resident beyond files, whose pages
belong to the system's cache.

    python benchmarks/memory.py [--gigabytes 4] [--parquet 5] [--columns 100] [--fits 1000]
                                [--json FILE] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

os.environ.setdefault("LAMINA_ENGINE", "compiled")
import numba
import numpy as np
import sklearn.datasets

import lamina

MB, PIECE, HIDDEN = 1e6, 5_000_000, (64, 32)
SETTINGS = {"batch_size": 256, "max_iter": 1, "random_state": 0}
MOST, MOST_PARQUET, GROWTH = 512.0, 700.0, 1.0
"""Targets in MB: resident while training on the table, and on the Parquet file; growth over fits
and predicts."""
GROUP = 2**20
"""Rows of a group of the Parquet file: what pyarrow takes by default."""
PREDICTS, EARLY = 10, 200
"""Predicts after each fit, and fits after which growth counts."""


def resident(kind: str = "RssAnon") -> float:
    """Return resident memory of a kind in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) * 1024 / MB


def peak(run) -> float:
    """Run something, and return the most resident memory meanwhile, looked at every 20 ms."""
    seen, done = [resident()], Event()

    def watch() -> None:
        while not done.wait(0.02):
            seen.append(resident())

    thread = Thread(target=watch)
    thread.start()
    run()
    done.set()
    thread.join()
    return max(*seen, resident())


def write(path: Path, numbers: int) -> None:
    """Write random numbers, piece by piece."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, numbers, PIECE):
            file.write(random.standard_normal(min(PIECE, numbers - start), dtype=np.float32))


def write_parquet(path: Path, rows: int, columns: int) -> None:
    """Write random numbers, every 50th missing in one column, a category, and a target y."""
    import pyarrow as pa
    from pyarrow import parquet

    random, writer = np.random.default_rng(0), None
    names = [f"x{i}" for i in range(columns - 1)]
    for start in range(0, rows, GROUP):
        n = min(GROUP, rows - start)
        parts = {name: random.standard_normal(n, dtype=np.float32) for name in names}
        parts["x0"][::50] = np.nan
        kinds = pa.array(["ash", "beech", "elm", "oak"])
        parts["kind"] = pa.DictionaryArray.from_arrays(random.integers(4, size=n), kinds)
        parts["y"] = parts["x1"] + parts["x2"] ** 2
        table = pa.table(parts)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=GROUP)
    writer.close()


def streamed(path: Path, small: Path) -> dict:
    """Fit a regressor to a Parquet file for one epoch, and return megabytes and seconds."""
    model = lamina.FeedForwardRegressor(HIDDEN, dtype="float32", **SETTINGS)
    model.fit(small, y="y")  # loads or compiles the kernels
    before, begun = resident(), time.perf_counter()
    most = peak(lambda: model.fit(path, y="y"))
    found = {"before": before, "peak": most, "seconds": time.perf_counter() - begun}
    return found | {"file pages": resident("RssFile"), "met": most < MOST_PARQUET}


def by_network(X, y) -> None:
    """Train a network on the columns of X.T for one epoch."""
    net = lamina.Network([X.shape[1], *HIDDEN, 1], ["relu", "relu", "identity"], dtype="float32")
    lamina.train(net, X.T, y[np.newaxis], **SETTINGS)


def by_regressor(X, y) -> None:
    """Fit a regressor for one epoch, which measures and scales X too."""
    lamina.FeedForwardRegressor(HIDDEN, dtype="float32", **SETTINGS).fit(X, y)


def large(train, path: Path, rows: int, columns: int) -> dict:
    """Train on the mapped table, and return megabytes and seconds."""
    X = np.memmap(path, np.float32, "r", shape=(rows, columns))
    y = np.random.default_rng(1).standard_normal(rows, dtype=np.float32)
    train(np.zeros((512, columns), np.float32), y[:512])  # loads or compiles the kernels
    before, begun = resident(), time.perf_counter()
    most = peak(lambda: train(X, y))
    found = {"before": before, "peak": most, "seconds": time.perf_counter() - begun}
    return found | {"file pages": resident("RssFile"), "met": most < MOST}


def many(fits: int) -> dict:
    """Fit and predict again and again, and return megabytes on the way."""
    X, y = sklearn.datasets.load_diabetes(return_X_y=True)
    begun, marks = time.perf_counter(), []
    for number in range(fits):
        model = lamina.FeedForwardRegressor((32, 16), max_iter=5, random_state=number)
        model.fit(X, y)
        for _ in range(PREDICTS):
            model.predict(X)
        marks.append(resident())
    early = min(EARLY, fits // 2)
    slope = np.polyfit(np.arange(early, fits), marks[early:], 1)[0] * 1000
    found = {"first": marks[0], "early": marks[early - 1], "end": marks[-1], "slope": slope}
    met = marks[-1] - marks[early - 1] <= GROWTH
    return found | {"seconds": time.perf_counter() - begun, "met": met}


def alone(function, *arguments) -> dict:
    """Return what a function returns in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    """Measure both, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--parquet", type=float, default=5.0, help="gigabytes of that file")
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("RssAnon is Linux's; there is no such figure here")
    versions = {module.__name__: module.__version__ for module in (lamina, numba, np, sklearn)}
    versions |= {"Python": platform.python_version(), "libc": platform.libc_ver()[1]}
    rows, columns = int(given.gigabytes * 1e9) // (4 * given.columns), given.columns
    found = {"versions": versions, "rows": rows, "columns": columns}
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        write(path := Path(folder) / "table", rows * columns)
        print(f"{rows:,} x {columns:,} float32, {path.stat().st_size / 1e9:.2f} GB; MB of RssAnon")
        for train in (by_network, by_regressor):
            found[train.__name__] = r = alone(large, train, path, rows, columns)
            print(
                f"{train.__name__:13s} before {r['before']:6.1f}, peak {r['peak']:6.1f} "
                f"(target < {MOST:.0f}); {r['file pages']:.0f} of files; {r['seconds']:.0f} s"
            )
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path, small = Path(folder) / "table.parquet", Path(folder) / "small.parquet"
        rows = int(given.parquet * 1e9) // (4 * columns)
        alone(write_parquet, path, rows, columns)
        alone(write_parquet, small, 512, columns)
        size = path.stat().st_size / 1e9
        print(f"{rows:,} x {columns:,} in Parquet, {size:.2f} GB; MB of RssAnon")
        os.environ["TMPDIR"] = folder  # of the process below, which writes the cells there
        found["streamed"] = r = {"rows": rows, "gigabytes": size} | alone(streamed, path, small)
        print(
            f"fit(path)     before {r['before']:6.1f}, peak {r['peak']:6.1f} "
            f"(target < {MOST_PARQUET:.0f}); {r['file pages']:.0f} of files; {r['seconds']:.0f} s"
        )
    found["many"] = r = alone(many, given.fits)
    print(
        f"{given.fits} fits    first {r['first']:.2f}, then {r['early']:.2f}, end {r['end']:.2f} "
        f"(target + {GROWTH:.0f}), {r['slope']:+.3f} in 1,000 fits; {r['seconds']:.0f} s"
    )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
