"""Forked, spawned, interrupted: a process trains to the same bits and leaves others alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from lamina import FeedForwardClassifier
from lamina.engines.compiled.threads import available

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def python(code, *, timeout=120):
    """Run code in a Python of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def fit(seed=0, n_threads=2):
    """Train a small classifier, and return the bytes of its θ and of what it predicts."""
    random = np.random.default_rng(0)
    X = random.normal(size=(500, 50)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    model = FeedForwardClassifier(
        hidden_layer_sizes=(64, 32),
        max_iter=3,
        batch_size=128,
        random_state=seed,
        n_threads=n_threads,
        dtype="float32",
    )
    model.fit(X, y)
    return model.network_.theta.tobytes(), model.predict_proba(X).tobytes()


FORK = """
import os, sys, warnings
import numpy as np
from lamina import FeedForwardClassifier
X = np.random.default_rng(0).normal(size=(600, 50)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)
def fit():
    model = FeedForwardClassifier(hidden_layer_sizes=(64, 64), max_iter=3, random_state=0,
        batch_size=256, n_threads=2, dtype="float32")
    return model.fit(X, y).network_.theta.tobytes()
before = fit()
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about forks with threads
for again in (1, 2):
    child = os.fork()
    if child == 0:
        os._exit(0 if fit() == before and fit() == before else 7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "child differs"
    assert fit() == before
print("the same")
"""


@needs_fork
def test_fork_gives_the_same_bits():
    """A fit in a forked child, whose parent's threads are gone, gives the parent's bits."""
    assert python(FORK).split() == ["the", "same"]


def test_spawn_gives_the_same_bits():
    """Fits in processes of multiprocessing give this process's bits."""
    code = (
        "import multiprocessing, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_processes\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        found = pool.map(test_processes.fit, [0, 1])\n"
        "    print(found == [test_processes.fit(0), test_processes.fit(1)])\n"
    )
    assert python(code).strip() == "True"


def test_joblib_gives_the_same_bits():
    """Fits in joblib's workers give this process's bits."""
    X = np.random.default_rng(0).normal(size=(400, 50))
    y = (X[:, 0] > 0).astype(int)
    model = FeedForwardClassifier(hidden_layer_sizes=(64,), max_iter=2, random_state=0)
    work = [joblib.delayed(lambda m: m.fit(X, y).network_.theta)(model) for _ in range(4)]
    alone = model.fit(X, y).network_.theta.copy()
    for theta in joblib.Parallel(n_jobs=2, backend="loky")(work):
        assert np.array_equal(theta, alone)


LONG = """
import signal, time, warnings
import numpy as np
from lamina import FeedForwardClassifier
from lamina.exceptions import InterruptedWarning
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background process may ignore it
X = np.random.default_rng(0).normal(size=(4000, 100)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)
settings = dict(hidden_layer_sizes=(300, 300), random_state=0, n_threads=2, SETTINGS)
first = FeedForwardClassifier(max_iter=1, **settings).fit(X, y).network_.theta
model = FeedForwardClassifier(max_iter=10**6, tol=-float("inf"), **settings)
print("begun", flush=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(X, y)
kinds = [warning.category for warning in caught]
assert kinds == [InterruptedWarning], kinds
assert model.stop_reason_ == "interrupted", model.stop_reason_
assert np.isfinite(model.predict_proba(X)).all()
again = FeedForwardClassifier(max_iter=1, **settings).fit(X, y).network_.theta
assert np.array_equal(again, first), "the engine that was interrupted trains differently"
print("ended", model.n_iter_, flush=True)
"""


@pytest.mark.parametrize("solver", ["solver='adam'", "solver='lbfgs'", "batch_size=4000"])
def test_interruption_ends_a_fit(solver):
    """Ctrl-C in a long fit on two threads ends it with a warning and a network and an engine."""
    code = LONG.replace("SETTINGS", solver)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline().strip() == "begun", process.stderr.read()[-2000:]
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            printed, problem = process.communicate(timeout=60)  # a hang, not slowness, ends here
        finally:
            process.kill()
    assert process.returncode == 0, problem[-2000:]
    assert printed.startswith("ended")


def test_fit_leaves_the_threads_of_blas_alone():
    """Whatever numbers of threads BLAS and OpenMP have, a fit and a prediction leave them."""
    before = threadpool_info()
    fit()
    assert threadpool_info() == before
    model = FeedForwardClassifier(hidden_layer_sizes=(8,), max_iter=1, n_threads=1)
    model.fit(np.eye(3), np.arange(3)).predict(np.eye(3))
    assert threadpool_info() == before


CONFINED = """
import os
from lamina.engines.compiled.threads import available
print(available())
"""


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
def test_environment_limits_threads(name, monkeypatch):
    """Where joblib or the user limits the threads of numerical libraries, ours obey."""
    monkeypatch.setenv(name, "1")
    assert python(CONFINED).strip() == "1"


def test_threadpoolctl_limits_threads():
    """Within threadpoolctl's limits ours are limited too."""
    with threadpool_limits(1):
        assert available() == 1


FORKED = """
import os, threading, time, warnings
import numpy as np
from lamina.engines.compiled import elementary, templates
from lamina.engines.compiled.kernels import kernels

def compile_much():
    for rate in range(3):
        made = kernels(np.dtype("float32"))
        made.make(templates.activate, {"VALUE": eval(f"lambda z: z * {rate} + 0.25")}, LOAD=0)

other = threading.Thread(target=compile_much)
other.start()
time.sleep(0.3)
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, as above
child = os.fork()
if child == 0:
    kernels(np.dtype("float32")).make(templates.activate, {"VALUE": lambda z: z - 7.5}, LOAD=0)
    os._exit(0)
other.join()
ended, status = os.waitpid(child, 0)
print("ended", status)
"""


@needs_fork
def test_child_of_a_fork_while_compiling_can_compile(tmp_path, monkeypatch):
    """A fork waits for the kernel that another thread compiles, so that the child is not stuck."""
    monkeypatch.setenv("LAMINA_CACHE_DIR", str(tmp_path))
    assert python(FORKED).strip() == "ended 0"
