"""The reference engine is the network's own backpropagation, chunk by chunk and batch by batch."""

import numpy as np
import pytest

from lamina.data.columns import Columns, Matrix, OneHot
from lamina.data.scaling import Scaling
from lamina.engines import reference
from lamina.engines.dropout import mask
from lamina.engines.protocol import Data, Epoch
from lamina.engines.reference import ReferenceEngine
from lamina.network import backpropagation
from lamina.network.network import Network

KINDS = ["squared", "deep", "classes", "spread", "no hidden layer"]
ROUNDING = {"float64": 1e-12, "float32": 2e-5}


def descend(theta, gradient, memory, coefficients):
    """Take a plain step, and count it in memory."""
    (rate,) = coefficients
    return theta - rate * gradient, (memory[0] + 1.0,)


class Recorder:
    """A move that stays where it is and keeps the gradients it is given."""

    def __init__(self):
        self.gradients = []

    def __call__(self, theta, gradient, memory, coefficients):
        """Keep a copy."""
        del coefficients
        self.gradients.append(gradient.copy())
        return theta, tuple(memory)


def omega_of(case):
    """Return the normalized weights of all data points."""
    n = case.X.shape[1]
    return np.full(n, 1.0 / n) if case.weights is None else case.weights / case.weights.sum()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_engine_agrees_with_the_network(kind, weighted, dtype, kinds):
    """Outputs, error, objective and gradient are those of `Network` with ω = w / Σw."""
    case = kinds.draw(kind, weighted=weighted, dtype=dtype)
    engine, omega = ReferenceEngine(case.net.recipe), omega_of(case)
    J, gradient = engine.gradient(case.net.theta, case.data)
    expected = case.net.backpropagate(case.X, case.T, omega)
    close = {"rtol": ROUNDING[dtype], "atol": ROUNDING[dtype] * 0.1}
    np.testing.assert_allclose(J, expected.J, **close)
    np.testing.assert_allclose(gradient, expected.gradient, **close)
    error = engine.error(case.net.theta, case.data)
    np.testing.assert_allclose(error, case.net.error(case.X, case.T, omega), **close)
    outputs = engine.outputs(case.net.theta, case.data.X, case.data.points)
    np.testing.assert_allclose(outputs, case.net(case.X), **close)
    assert type(J) is type(error) is float
    assert gradient.dtype == outputs.dtype == dtype


@pytest.mark.parametrize("chunk", [1, 4, 10, 29])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_are_one_pass(kind, chunk, kinds, monkeypatch):
    """However the data points are cut, remainders included, the whole is the same."""
    case = kinds.draw(kind)
    engine, theta = ReferenceEngine(case.net.recipe), case.net.theta
    J, gradient = engine.gradient(theta, case.data)
    error, outputs = (
        engine.error(theta, case.data),
        engine.outputs(theta, case.data.X, case.data.points),
    )
    monkeypatch.setattr(reference, "CHUNK", chunk)
    parts = engine.gradient(theta, case.data)
    np.testing.assert_allclose(parts[0], J, rtol=1e-13)
    np.testing.assert_allclose(parts[1], gradient, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(engine.error(theta, case.data), error, rtol=1e-13)
    np.testing.assert_allclose(
        engine.outputs(theta, case.data.X, case.data.points), outputs, rtol=1e-13, atol=1e-14
    )


def test_many_data_points_are_one_mean(kinds):
    """More points than a chunk holds give the mean of all, as the same points fewer times do."""
    case, times = kinds.draw("deep", weighted=True), 300
    engine = ReferenceEngine(case.net.recipe)
    points = np.tile(case.data.points, times)
    assert len(points) > 2 * reference.CHUNK
    many = Data(case.data.X, case.data.T, points, case.weights)
    J, gradient = engine.gradient(case.net.theta, case.data)
    again = engine.gradient(case.net.theta, many)
    np.testing.assert_allclose(again[0], J, rtol=1e-11)
    np.testing.assert_allclose(again[1], gradient, rtol=1e-9, atol=1e-13)


def test_only_the_chosen_points_count(kinds):
    """Data of some points of a table are those points alone, their weights normalized anew."""
    case, points = kinds.draw("classes"), np.array([20, 3, 11, 4])
    engine = ReferenceEngine(case.net.recipe)
    some = Data(case.data.X, case.data.T, points, case.weights)
    omega = case.weights[points] / case.weights[points].sum()
    expected = case.net.backpropagate(case.X[:, points], case.T[:, points], omega)
    J, gradient = engine.gradient(case.net.theta, some)
    outputs = engine.outputs(case.net.theta, some.X, points)
    np.testing.assert_allclose(outputs, case.net(case.X[:, points]), rtol=1e-12)
    np.testing.assert_allclose(J, expected.J, rtol=1e-13)
    np.testing.assert_allclose(gradient, expected.gradient, rtol=1e-11, atol=1e-14)


def test_tables_are_taken_as_they_are_scaled(kinds):
    """Rows of a table, scaled, and codes of classes are the matrices that they stand for."""
    case, random = kinds.draw("classes"), np.random.default_rng(1)
    table, codes = (
        random.integers(0, 255, (kinds.N, 4)).astype(np.uint8),
        random.integers(3, size=kinds.N),
    )
    affine = Scaling(table.mean(axis=0), table.std(axis=0))
    X, T = Columns(table, affine, float), OneHot(codes, 3, float)
    J, gradient = ReferenceEngine(case.net.recipe).gradient(
        case.net.theta, Data(X, T, case.data.points)
    )
    scaled = ((table - table.mean(axis=0)) / table.std(axis=0)).T
    expected = case.net.backpropagate(scaled, np.eye(3)[:, codes])
    np.testing.assert_allclose(J, expected.J, rtol=1e-12)
    np.testing.assert_allclose(gradient, expected.gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("batch_size", [1, 7, 28, 29])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_epoch_is_a_loop_over_batches(kind, weighted, batch_size, kinds):
    """A step for each batch, the last one on what is left; loss and norm are their means."""
    case = kinds.draw(kind, weighted=weighted)
    order = np.random.default_rng(3).permutation(kinds.N)
    rates = np.geomspace(0.1, 0.01, -(-kinds.N // batch_size))[:, np.newaxis]
    epoch = kinds.plan(order, batch_size, rates)
    theta, memory = case.net.theta.copy(), np.zeros((1, case.net.theta.size))
    report = ReferenceEngine(case.net.recipe).epoch(theta, memory, descend, case.data, epoch)
    weights = np.ones(kinds.N) if case.weights is None else case.weights
    loss, squares = 0.0, []
    for step, (rate,) in enumerate(rates):
        batch = order[step * batch_size : (step + 1) * batch_size]
        omega = weights[batch] / weights.sum() * kinds.N / len(batch)
        result = case.net.backpropagate(case.X[:, batch], case.T[:, batch], omega)
        loss += result.J * len(batch) / kinds.N
        squares.append(result.gradient @ result.gradient)
        case.net.theta = case.net.theta - rate * result.gradient
    np.testing.assert_allclose(theta, case.net.theta, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(report.loss, loss, rtol=1e-12)
    np.testing.assert_allclose(report.gradient_norm, np.sqrt(np.mean(squares)), rtol=1e-12)
    np.testing.assert_array_equal(memory, len(rates))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4, 10])
def test_batches_are_unbiased(batch_size, weighted, kinds):
    """At one θ the gradients of all batches, by their sizes, have the full gradient as mean."""
    case, seen = kinds.draw("deep", weighted=weighted), Recorder()
    engine, order = ReferenceEngine(case.net.recipe), np.random.default_rng(0).permutation(kinds.N)
    memory = np.zeros((1, case.net.theta.size))
    epoch = kinds.plan(order, batch_size, 0.0)
    report = engine.epoch(case.net.theta.copy(), memory, seen, case.data, epoch)
    sizes = [len(order[start : start + batch_size]) for start in range(0, kinds.N, batch_size)]
    J, gradient = engine.gradient(case.net.theta, case.data)
    mean = np.average(seen.gradients, axis=0, weights=sizes)
    np.testing.assert_allclose(mean, gradient, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(report.loss, J, rtol=1e-12)


@pytest.mark.parametrize("bound", [1e-3, 0.5, 1e3])
@pytest.mark.parametrize("kind", KINDS)
def test_long_gradient_is_shortened(kind, bound, kinds):
    """A gradient longer than the bound keeps its direction and gets that length; others stay."""
    case, free, bounded = kinds.draw(kind), Recorder(), Recorder()
    engine, reports = ReferenceEngine(case.net.recipe), []
    for move, most in ((free, np.inf), (bounded, bound)):
        epoch = kinds.plan(np.arange(kinds.N), 6, 0.0, max_gradient_norm=most)
        memory = np.zeros((1, case.net.theta.size))
        reports.append(engine.epoch(case.net.theta.copy(), memory, move, case.data, epoch))
    for long, short in zip(free.gradients, bounded.gradients, strict=True):
        factor = min(1.0, bound / np.linalg.norm(long))
        np.testing.assert_allclose(short, long * factor, rtol=1e-12)
    assert reports[0] == reports[1]  # the norm that is reported is that before clipping


def test_gradient_beyond_its_square_is_measured():
    """A float32 gradient whose square overflows has a length, and is shortened to the bound."""
    net, seen = Network([4, 2], ["identity"], dtype="float32", random_state=0), Recorder()
    random = np.random.default_rng(0)
    X, T = (
        random.normal(size=(rows, 9)).astype("float32") * size
        for rows, size in ((4, 1e10), (2, 1e13))
    )
    wide = Network([4, 2], ["identity"], initialization=net.theta).backpropagate(X, T).gradient
    assert wide @ wide > np.finfo(np.float32).max
    points = np.arange(9)
    data = Data(Matrix(X, np.float32), Matrix(T, np.float32), points)
    epoch = Epoch(points, 9, np.ones(1), np.ones((1, 1)), (), (0, 0), max_gradient_norm=0.5)
    memory = np.zeros((1, 10), dtype=np.float32)
    report = ReferenceEngine(net.recipe).epoch(net.theta, memory, seen, data, epoch)
    np.testing.assert_allclose(report.gradient_norm, np.linalg.norm(wide), rtol=1e-5)
    np.testing.assert_allclose(seen.gradients[0], 0.5 * wide / np.linalg.norm(wide), rtol=1e-4)


@pytest.mark.parametrize(
    "rates", [(0.5, 0.0, 0.3, 0.0), (0.2, 0.4, 0.1, 0.6), (0.0, 0.0, 0.0, 0.9)]
)
def test_dropout_gradient_is_the_complex_step(rates, kinds):
    """With masks held fixed, each batch's gradient is the measured derivative of its J."""
    case, seen, key = kinds.draw("deep"), Recorder(), (99, 4)
    recipe, theta = case.net.recipe, case.net.theta
    order = np.random.default_rng(1).permutation(kinds.N)
    epoch = kinds.plan(order, 12, 0.0, dropout=rates, key=key)
    engine = ReferenceEngine(recipe)
    engine.epoch(theta.copy(), np.zeros((1, theta.size)), seen, case.data, epoch)
    for step, gradient in enumerate(seen.gradients):
        positions = np.arange(12 * step, min(12 * step + 12, kinds.N))
        batch = order[positions]
        M = [mask((*key, l), recipe.S[l], positions, rate) for l, rate in enumerate(rates)]
        arguments = (case.X[:, batch], case.T[:, batch], case.data.omega(batch), M)
        for i in range(theta.size):
            trial = theta.astype(complex)
            trial[i] += 1e-30j
            measured = np.imag(backpropagation.objective(recipe, trial, *arguments)) / 1e-30
            np.testing.assert_allclose(gradient[i], measured, rtol=1e-11, atol=1e-14)


def test_dropout_does_not_depend_on_batches(kinds):
    """At one θ the mean gradient of an epoch with dropout is the same for any batch size."""
    case, means = kinds.draw("deep"), []
    order = np.random.default_rng(2).permutation(kinds.N)
    for size in (1, 5, 29):
        seen, theta = Recorder(), case.net.theta.copy()
        epoch = kinds.plan(order, size, 0.0, dropout=(0.3, 0.3, 0.3, 0.3), key=(5, 6))
        memory = np.zeros((1, theta.size))
        ReferenceEngine(case.net.recipe).epoch(theta, memory, seen, case.data, epoch)
        sizes = [len(order[start : start + size]) for start in range(0, kinds.N, size)]
        means.append(np.average(seen.gradients, axis=0, weights=sizes))
    np.testing.assert_allclose(means[1], means[0], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(means[2], means[0], rtol=1e-10, atol=1e-14)
    plain = ReferenceEngine(case.net.recipe).gradient(case.net.theta, case.data)[1]
    assert np.abs(plain - means[0]).max() > 1e-3


@pytest.mark.parametrize("spoiled", [0, 2, 4])
def test_epoch_ends_where_J_is_not_finite(spoiled, kinds):
    """After a batch whose J is NaN no step is taken: θ is finite, the loss that is told is not."""
    case, taken = kinds.draw("squared"), []

    def move(theta, gradient, memory, coefficients):
        taken.append(1)
        return descend(theta, gradient, memory, coefficients)

    case.X[0, 6 * spoiled] = np.nan
    theta, memory = case.net.theta.copy(), np.zeros((1, case.net.theta.size))
    epoch = kinds.plan(np.arange(kinds.N), 6, 0.01)
    report = ReferenceEngine(case.net.recipe).epoch(theta, memory, move, case.data, epoch)
    assert len(taken) == spoiled
    assert np.isnan(report.loss)
    assert np.isfinite(theta).all()
    assert (memory == spoiled).all()


def test_engine_leaves_theta_alone(kinds):
    """What is evaluated at θ does not change θ, nor X, T and weights."""
    case = kinds.draw("classes")
    for array in (case.net.theta, case.X, case.T, case.weights, case.data.points):
        array.flags.writeable = False
    engine = ReferenceEngine(case.net.recipe)
    first = engine.gradient(case.net.theta, case.data)
    engine.outputs(case.net.theta, case.data.X, case.data.points)
    engine.error(case.net.theta, case.data)
    again = engine.gradient(case.net.theta, case.data)
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])
