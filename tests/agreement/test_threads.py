"""Any number of threads gives the same bits, and so do every run and every caller."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.protocol import Epoch
from lamina.training.solvers import get_solver

THREADS = range(1, 9)
ROWS = 3000
SIZES = [50, 256, 256, 2]
"""Several chunks of data points and several pieces of parameters, so that threads share work."""


def table(n=ROWS, width=50):
    """Return inputs and labels of two classes."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n, width)).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)


def posed(agreement, dtype):
    """Return the problem that threads share."""
    hidden = ["relu", "tanh"]
    penalty = agreement.Penalty(l2=1e-3)
    return agreement.pose(SIZES, hidden, "cross_entropy", dtype, n=ROWS, penalties=penalty)


def epoch(n, **options):
    """Return an epoch of Adam in batches of 256, and Adam."""
    solver, steps = get_solver("adam"), -(-n // 256)
    rates = np.full(steps, 1e-3)
    numbers = solver.coefficients(rates, np.arange(1.0, steps + 1.0))
    coefficients = np.stack(np.broadcast_arrays(*numbers, rates)[:-1], axis=1)
    order = np.random.default_rng(1).permutation(n)
    record = {"dropout": (), "max_gradient_norm": float("inf")} | options
    return solver, Epoch(order, 256, rates, coefficients, key=(1, 2), **record)


def everything(engine, case, data):
    """Return the bytes of whatever an engine answers for a problem."""
    J, gradient = engine.gradient(case.theta, data)
    outputs = engine.outputs(case.theta, data.X, data.points)
    parts = [np.array([J, engine.error(case.theta, data)]), gradient, outputs]
    for options in (
        {},
        {"dropout": (0.1, 0.2, 0.3)},
        {"max_gradient_norm": 0.01, "dropout": (0.0, 0.5, 0.0)},
    ):
        solver, plan = epoch(ROWS, **options)
        theta, memory = case.theta.copy(), solver.start(case.net.recipe, case.theta.dtype)["slots"]
        report = engine.epoch(theta, memory, solver.move, data, plan)
        parts += [theta, memory, np.array([report.loss, report.gradient_norm])]
    return [part.tobytes() for part in parts]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_threads_give_the_same_bits(dtype, agreement):
    """J, gradient, outputs and trained θ do not depend on the number of threads, by a bit."""
    case = posed(agreement, dtype)
    data = case.data(np.arange(ROWS))
    alone = everything(CompiledEngine(case.net.recipe, 1), case, data)
    for threads in THREADS:
        assert everything(CompiledEngine(case.net.recipe, threads), case, data) == alone, threads


def test_repeated_runs_give_the_same_bits(agreement):
    """An engine with buffers that were used before answers as a new one does."""
    case = posed(agreement, "float32")
    engine = CompiledEngine(case.net.recipe, 3)
    data = case.data(np.arange(ROWS))
    first = everything(engine, case, data)
    engine.gradient(case.theta, case.data(np.arange(17)))  # less of the same buffers
    for _ in range(5):
        assert everything(engine, case, data) == first


def test_small_batches_on_many_threads_give_the_same_bits(agreement):
    """With more threads than there are jobs nothing is done twice or left out."""
    case = agreement.pose([3, 5, 2], ["tanh"], "squared", "float64", n=7)
    data = case.data(np.arange(7))
    answers = [CompiledEngine(case.net.recipe, n).gradient(case.theta, data) for n in THREADS]
    for J, gradient in answers:
        assert answers[0][0] == J
        assert np.array_equal(gradient, answers[0][1])


def fit(seed=0, n_threads=2):
    """Train a small classifier, and return the bytes of its θ and of what it predicts."""
    X, y = table(500)
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


def test_callers_from_many_threads_get_the_same_bits():
    """Sixteen Python threads that train and predict at once get what each would get alone."""
    alone = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda k: fit(k % 4), range(48)))
    assert all(found == alone[k % 4] for k, found in enumerate(together))


def test_one_model_predicts_for_many_threads():
    """Sixteen Python threads that ask one model at once get what each would get alone."""
    X, y = table(600)
    model = FeedForwardRegressor(hidden_layer_sizes=(40,), max_iter=2, random_state=0, n_threads=2)
    model.fit(X, y)
    parts = [X[k : k + 1 + 17 * k] for k in range(16)]
    alone = [model.predict(part).tobytes() for part in parts]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            together = list(pool.map(lambda part: model.predict(part).tobytes(), parts))
            assert together == alone
