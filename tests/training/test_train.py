"""`lamina.train`: what it refuses, what weights mean, and that X is never copied."""

import tracemalloc

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError, LaminaError, ShapeError
from lamina.training import solvers

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
SOLVERS = ["sgd", "adam", "adamw", *FULL_BATCH]
COUNTING = [s for s in SOLVERS if s != "bayesian_regularization"]
"""All but one, whose evidence grows with the number of data points, not with their weights."""
MEBIBYTE = 2**20
X, T = np.random.default_rng(0).normal(size=(3, 20)), np.ones((1, 20))

BAD = {  # arguments of train beside a network of 3 inputs and 1 output, error, words
    "X turned": ((X.T, T), {}, ShapeError, r"X must be 3 × N.*\(20, 3\).*X\.T"),
    "X flat": ((X[0], T), {}, ShapeError, r"X must be 3 × N"),
    "X a number": ((1.0, T), {}, ShapeError, r"X must be 3 × N"),
    "X a cube": ((X[None], T), {}, ShapeError, r"X must be 3 × N"),
    "X of text": ((X.astype(str), T), {}, InvalidTypeError, "X must hold real numbers"),
    "X complex": ((X + 0j, T), {}, InvalidTypeError, "X must hold real numbers.*complex"),
    "X of objects": ((X.astype(object), T), {}, InvalidTypeError, "X must hold real.*object"),
    "X ragged": (([[1.0], [1.0, 2.0], [3.0]], T), {}, ShapeError, "X must be a rectangular"),
    "X None": ((None, T), {}, InvalidTypeError, "X must hold real numbers"),
    "X empty": ((X[:, :0], T[:, :0]), {}, ShapeError, "at least one data point"),
    "T too short": ((X, T[:, :19]), {}, ShapeError, "X has 20 columns.*T has 19"),
    "T turned": ((X, T.T), {}, ShapeError, r"T must be 1 × N.*T\.T"),
    "T two rows": ((X, np.ones((2, 20))), {}, ShapeError, "T must be 1 × N"),
    "T NaN": ((X, T * np.nan), {}, InvalidValueError, "(?i)T|target"),
    "T of text": ((X, T.astype(str)), {}, InvalidTypeError, "T must hold real numbers"),
    "omega short": ((X, T), {"omega": np.ones(19)}, ShapeError, "one weight for each of the 20"),
    "omega a row": ((X, T), {"omega": T}, ShapeError, r"20 data points, got \(1, 20\)"),
    "omega negative": ((X, T), {"omega": -T[0]}, InvalidValueError, "finite, zero or more"),
    "omega zero": ((X, T), {"omega": 0 * T[0]}, InvalidValueError, "not zero everywhere"),
    "omega NaN": ((X, T), {"omega": np.nan * T[0]}, InvalidValueError, "omega must be finite"),
    "omega infinite": ((X, T), {"omega": np.inf * T[0]}, InvalidValueError, "must be finite"),
    "omega of text": ((X, T), {"omega": ["a"] * 20}, InvalidTypeError, "omega must hold real"),
    "nothing to watch": (
        (X, T),
        {"early_stopping": True},
        InvalidValueError,
        r"validation=\(X, T\)",
    ),
    "validation X": ((X, T), {"validation": X}, InvalidTypeError, r"pair \(X, T\), got ndarray"),
    "validation of three": ((X, T), {"validation": (X, T, T)}, InvalidTypeError, "pair"),
    "validation shapes": ((X, T), {"validation": (X[:2], T)}, ShapeError, "X must be 3 × N"),
    "validation empty": ((X, T), {"validation": (X[:, :0], T[:, :0])}, ShapeError, "at least one"),
    "seed negative": ((X, T), {"random_state": -1}, InvalidValueError, "from 0 to 4294967295"),
    "seed too large": ((X, T), {"random_state": 2**32}, InvalidValueError, "from 0 to 4294967295"),
    "seed of text": ((X, T), {"random_state": "a"}, InvalidTypeError, "random_state must be"),
    "schedule of text": ((X, T), {"learning_rate": "slow"}, LookupError, "unknown schedule 'slow'"),
    "schedule None": ((X, T), {"learning_rate": None}, InvalidTypeError, "a schedule is a name"),
}


@pytest.mark.parametrize(("data", "options", "kind", "words"), BAD.values(), ids=BAD.keys())
def test_bad_argument_is_refused(data, options, kind, words):
    """What does not fit is refused with what was expected, and the network stays as it was."""
    net = lamina.Network([3, 4, 1], ["tanh"], random_state=0)
    before = net.theta.copy()
    with pytest.raises(kind, match=words) as caught:
        lamina.train(net, *data, **options)
    assert isinstance(caught.value, LaminaError)
    np.testing.assert_array_equal(net.theta, before)


@pytest.mark.parametrize("wrong", [None, "net", X])
def test_what_is_no_network_is_refused(wrong):
    """Without a network there is nothing to train, and the message says so."""
    with pytest.raises(InvalidTypeError, match=r"network must be a lamina\.Network, got"):
        lamina.train(wrong, X, T)


@pytest.mark.parametrize("kind", ["regression", "classes", "counts", "spread"])
@pytest.mark.parametrize("solver", COUNTING)
def test_weights_equal_duplication(solver, kind, draw_problem):
    """A data point of weight 3 is three of it, and one of weight 0 is none."""
    weighted, repeated = draw_problem(kind), draw_problem(kind)
    counts = np.random.default_rng(1).integers(0, 4, size=60)
    options = {"solver": solver, "max_iter": 4, "tol": -np.inf}
    if solver not in FULL_BATCH:
        options |= {"batch_size": 1000, "shuffle": False}
    training = lamina.train(weighted.net, weighted.X, weighted.T, omega=counts, **options)
    X, T = (np.repeat(M, counts, axis=1) for M in (repeated.X, repeated.T))
    twin = lamina.train(repeated.net, X, T, **options)
    np.testing.assert_allclose(weighted.net.theta, repeated.net.theta, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(training.history["loss"], twin.history["loss"], rtol=1e-9)


@pytest.mark.parametrize("factor", [2.0**-1000, 1e-310, 1e-3, 17.0, 1e307, 2.0**1000])
@pytest.mark.parametrize("solver", ["adam", *FULL_BATCH])
def test_only_ratios_of_weights_count(solver, factor, draw_problem):
    """Weights times a factor, however large or small, train the same network."""
    one, other = draw_problem("regression"), draw_problem("regression")
    omega = np.tile([1.0, 2.0, 4.0, 8.0], 15)
    for problem, weights in ((one, omega), (other, omega * factor)):
        options = {"omega": weights, "random_state": 0, "max_iter": 4}
        lamina.train(problem.net, problem.X, problem.T, solver=solver, **options)
    np.testing.assert_allclose(other.net.theta, one.net.theta, rtol=1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
def test_validation_does_not_train(solver, draw_problem):
    """Followed or not, validation data do not change the network."""
    one, other = draw_problem("binary"), draw_problem("binary")
    options = {"solver": solver, "max_iter": 5, "random_state": 0}
    lamina.train(one.net, one.X, one.T, **options)
    watch = {"validation": [M.tolist() for M in other.validation]}
    lamina.train(other.net, other.X, other.T, **watch, **options)
    np.testing.assert_array_equal(one.net.theta, other.net.theta)


@pytest.mark.parametrize("solver", SOLVERS)
def test_seed_decides(solver, draw_problem):
    """The same seed gives every bit again; for minibatches another seed gives another network."""
    thetas = []
    for seed in (1, 1, np.int64(1), 2):
        problem = draw_problem("regression")
        options = {} if solver in FULL_BATCH else {"batch_size": 13, "dropout": (0.0, 0.3)}
        options |= {"solver": solver, "max_iter": 3, "random_state": seed}
        lamina.train(problem.net, problem.X, problem.T, **options)
        thetas.append(problem.net.theta)
    np.testing.assert_array_equal(thetas[0], thetas[1])
    np.testing.assert_array_equal(thetas[0], thetas[2])
    assert np.array_equal(thetas[0], thetas[3]) == (solver in FULL_BATCH)


def kinds_of_X(folder):
    """Return the same small whole numbers, 3 × 60, as arrays of every kind."""
    X = np.random.default_rng(0).integers(0, 2, size=(3, 60)).astype(float)
    np.save(folder / "X.npy", X)
    kinds = {dtype: X.astype(dtype) for dtype in ("uint8", "int64", "bool", "float32", "float16")}
    turned = np.ascontiguousarray(X[:, ::-1])
    return X, kinds | {
        "Fortran": np.asfortranarray(X.astype("float32")),
        "negative strides": turned[:, ::-1],
        "every second": np.repeat(X, 2, axis=1)[:, ::2],
        "memory map": np.load(folder / "X.npy", mmap_mode="r"),
        "list": X.tolist(),
    }


@pytest.mark.parametrize("solver", SOLVERS)
def test_X_of_any_kind_trains_the_same(solver, tmp_path):
    """Integers, booleans, any order, strides, lists and read-only maps give the same network."""
    X, kinds = kinds_of_X(tmp_path)
    nets = {}
    for name, kind in {"plain": X, **kinds}.items():
        nets[name] = lamina.Network([3, 4, 1], ["tanh"], random_state=0)
        lamina.train(nets[name], kind, X[:1] - X[1:2], solver=solver, max_iter=5, random_state=0)
    for name, net in nets.items():
        np.testing.assert_allclose(net.theta, nets["plain"].theta, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", ["float64", "float32", "uint8", "Fortran", "map", "broadcast"])
def test_X_is_never_copied(kind, solver, tmp_path):
    """Training on a large X takes a small part of its memory, whatever its type and order."""
    N, S = 100_000, 200
    make = {
        "Fortran": lambda: np.zeros((S, N), dtype="float32", order="F"),
        "map": lambda: np.lib.format.open_memmap(tmp_path / "X.npy", "w+", "float32", (S, N)),
        "broadcast": lambda: np.broadcast_to(np.arange(1.0 * S)[:, np.newaxis] / S, (S, N)),
    }
    X = make[kind]() if kind in make else np.zeros((S, N), dtype=kind)
    net, T = lamina.Network([S, 2, 1], ["tanh"], random_state=0), np.zeros((1, N))
    X.flags.writeable = False
    lamina.train(net, X, T, solver=solver, max_iter=1)  # whatever is compiled is compiled now
    tracemalloc.start()
    try:
        lamina.train(net, X, T, solver=solver, max_iter=1, validation=(X[:, :9], T[:, :9]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    whole = N * S * 8
    chunk = 4096 * S * 8 if solver in FULL_BATCH else 200 * S * 8
    assert peak < 3 * chunk + 4 * MEBIBYTE < whole / 3


@pytest.mark.parametrize("solver", SOLVERS)
def test_targets_may_be_flat(solver, draw_problem):
    """For one output T may be N numbers, in training and in validation."""
    one, other = draw_problem("counts"), draw_problem("counts")
    options = {"solver": solver, "max_iter": 3, "random_state": 0}
    lamina.train(one.net, one.X, one.T, validation=one.validation, **options)
    X, T = other.validation
    lamina.train(other.net, other.X, other.T[0], validation=(X, T[0]), **options)
    np.testing.assert_array_equal(one.net.theta, other.net.theta)


@pytest.mark.parametrize(
    "name", ["regression", "two outputs", "binary", "classes", "counts", "spread"]
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_lowers_the_objective(solver, name, draw_problem):
    """Every solver lowers J of every kind of problem well below where it began."""
    problem = draw_problem(name)
    before = problem.net.objective(problem.X, problem.T)
    rate = {} if solver in FULL_BATCH else {"learning_rate_init": 0.02, "batch_size": 20}
    options = {"solver": solver, "max_iter": 100, "random_state": 0, "tol": 0.0} | rate
    lamina.train(problem.net, problem.X, problem.T, n_iter_no_change=100, **options)
    assert problem.net.objective(problem.X, problem.T) < before - 0.2 * abs(before)
