"""Memory: a table on disk is not copied, and what a fit or a predict takes it gives back.

What a process keeps is its RssAnon: resident memory without the pages of files, which belong to
the system. It is read from outside, so that nothing in the process can hide a moment from us.
"""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells memory apart from mapped files"
)

MB = 1_000_000
ROWS, COLUMNS = 200_000, 250  # 200 MB of float32
PRELUDE = """
import ctypes, sys
import numpy as np
import lamina
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: small pages, so that we see kilobytes
rows, columns, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
def show(word):
    print(word, flush=True)
    sys.stdin.readline()
"""


def resident(process):
    """Return the RssAnon of a process in bytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def growth(code, path=""):
    """Run code, and return how RssAnon grew from its first `show` to the next: most, at the end."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PRELUDE + code, str(ROWS), str(COLUMNS), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"LAMINA_ENGINE": "compiled"},
    ) as child:
        try:
            assert child.stdout.readline() == "begin\n"
            before = most = resident(child.pid)
            child.stdin.write("\n")
            child.stdin.flush()
            while not select.select([child.stdout], [], [], 0.005)[0]:
                most = max(most, resident(child.pid))
            assert child.stdout.readline() == "end\n"
            after = resident(child.pid)
        finally:
            child.kill()
    return max(most, after) - before, after - before


TRAIN = """
X = np.memmap(path, np.float32, "r", shape=(rows, columns))
y = np.random.default_rng(0).normal(size=rows).astype(np.float32)
settings = dict(batch_size=256, max_iter=1, random_state=0)
def estimator(kind, **options):
    options = settings | {"hidden_layer_sizes": (8,), "dtype": "float32"} | options
    return getattr(lamina, "FeedForward" + kind)(**options)
def network(X, y):
    net = lamina.Network([columns, 8, 1], ["tanh", "identity"], dtype="float32", random_state=0)
    lamina.train(net, X.T, y[np.newaxis], **settings)
def regressor(X, y):
    estimator("Regressor").fit(X, y).score(X, y)
def classifier(X, y):
    estimator("Classifier", early_stopping=True).fit(X, y > 0).predict_proba(X)
def lbfgs(X, y):
    estimator("Regressor", solver="lbfgs", dtype="float64", batch_size="auto").fit(X, y)
def copied(X, y):
    np.array(X).sum()
def cast(X, y):
    X.astype(float)
WAY(np.array(X[:1000]), y[:1000])  # loads or compiles what the way needs
show("begin")
WAY(X, y)
show("end")
"""


@pytest.fixture(name="table", scope="module")
def table_fixture(tmp_path_factory):
    """Return a file of 200 MB of zeros, which take no place on disk."""
    path = tmp_path_factory.mktemp("table") / "X"
    with path.open("wb") as file:
        file.truncate(4 * ROWS * COLUMNS)
    yield path
    path.unlink()


@pytest.mark.parametrize("way", ["network", "regressor", "classifier", "lbfgs"])
def test_memory_map_is_not_copied(way, table):
    """Training on, predicting and scoring 200 MB of a file takes less than 60 MB of memory."""
    assert growth(TRAIN.replace("WAY", way), table)[0] < 60 * MB


@pytest.mark.parametrize("way", ["copied", "cast"])
def test_copy_of_a_table_is_noticed(way, table):
    """A copy of the table that lives for a moment shows."""
    assert growth(TRAIN.replace("WAY", way), table)[0] > 100 * MB


REPEAT = """
from sklearn.datasets import load_diabetes
X, y = load_diabetes(return_X_y=True)
kept = []
def fit(number, keep):
    model = lamina.FeedForwardRegressor((32, 16), max_iter=5, random_state=number, n_threads=2)
    model.fit(X, y)
    for _ in range(5):
        model.predict(X)
    if keep:
        kept.append(model)
for number in range(50):
    fit(number, False)
show("begin")
for number in range(200):
    fit(number, KEEP)
show("end")
"""


def test_fits_and_predicts_leave_nothing_behind():
    """After 200 more fits and 1,000 more predicts a process has not grown by 2 MB."""
    assert growth(REPEAT.replace("KEEP", "False"))[1] < 2 * MB


def test_models_left_behind_are_noticed():
    """Two hundred models of some 30 kB that somebody keeps show."""
    assert growth(REPEAT.replace("KEEP", "True"))[1] > 2 * MB
