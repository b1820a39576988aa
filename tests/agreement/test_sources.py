"""Cells and sparse rows are gathered by the compiled engine as the reference engine takes them."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

import lamina
from lamina.data.columns import Columns, Matrix
from lamina.data.expansion import Expanded, Expansion
from lamina.data.scaling import Scaling
from lamina.data.sparse import SparseRows
from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.protocol import Data, Epoch
from lamina.engines.reference import ReferenceEngine
from lamina.network.network import Network
from lamina.training.solvers import get_solver
from lamina.training.solvers.trust import fresh

N = 257
LEVELS = np.array([0, 0, 0, 4, 0, 1, 40, 0, 0])
FLAGS = np.array([False, True, False, False, True, False, False, False, False])
PRECISIONS = ["float32", "float64"]
POINTS = np.random.default_rng(7).permutation(N)


def expansion(clip=np.inf):
    """Return an expansion with runs of numbers, flags, and few and many levels."""
    random = np.random.default_rng(0)
    size = int(np.where(LEVELS > 0, LEVELS, 1 + FLAGS).sum())
    plain = Expansion(LEVELS, FLAGS, Scaling.identity(size))
    center = np.where(plain.is_number, random.normal(size=size), 0.0)
    scale = np.where(plain.is_number, random.uniform(0.3, 3.0, size=size), 1.0)
    return Expansion(LEVELS, FLAGS, Scaling(center, scale), clip)


def cells(kind="float64"):
    """Return N rows of cells; of real ones some are missing, and some codes are unknown."""
    random = np.random.default_rng(1)
    rows = 2.0 * random.normal(size=(N, len(LEVELS)))
    for column in np.flatnonzero(LEVELS):
        rows[:, column] = random.integers(-1, LEVELS[column] + 1, size=N)
    if kind.startswith("float"):
        rows[random.random(rows.shape) < 0.1] = np.nan
    return rows.astype(kind)


def sparse_rows(kind="float64"):
    """Return N sparse rows of 30 numbers, some of them empty."""
    random = np.random.default_rng(2)
    dense = np.where(random.random((N, 30)) < 0.15, 3.0 * random.normal(size=(N, 30)), 0.0)
    return sparse.csr_array(dense.astype(kind))


AFFINE = Scaling(np.linspace(-1.0, 1.0, 30), np.linspace(0.4, 2.5, 30))
SOURCES = {
    "cells": lambda dtype: Expanded(cells(), expansion(), dtype),
    "clipped cells": lambda dtype: Expanded(cells(), expansion(2.0), dtype),
    "cells in Fortran's order": lambda dtype: Expanded(
        np.asfortranarray(cells("float32")), expansion(1.0), dtype
    ),
    "cells of integers": lambda dtype: Expanded(cells("int16"), expansion(), dtype),
    "sparse": lambda dtype: SparseRows.of(sparse_rows(), None, dtype),
    "scaled sparse": lambda dtype: SparseRows.of(sparse_rows("float32"), AFFINE, dtype),
    "sparse integers": lambda dtype: SparseRows.of(sparse_rows("int32").tocsc(), AFFINE, dtype),
}


def pose(name, dtype, source=None, *, hidden=12):
    """Return both engines of a network for a source, θ, and weighted data in a shuffled order."""
    dtype, random = np.dtype(dtype), np.random.default_rng(3)
    X = SOURCES[name](dtype) if source is None else source
    width = X.take(slice(0, 1)).shape[0]
    net = Network([width, hidden, 2], ["tanh"], dtype=dtype, random_state=0)
    T, weights = random.normal(size=(2, N)).astype(dtype), random.uniform(0.1, 3.0, size=N)
    engines = {"ours": CompiledEngine(net.recipe, 2), "reference": ReferenceEngine(net.recipe)}
    data = Data(X, Matrix(T, dtype), POINTS, weights)
    return SimpleNamespace(net=net, theta=net.theta, data=data, **engines)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", SOURCES)
def test_sources_agree(name, dtype, agreement):
    """Outputs, J, gradient and slopes in the inputs are those of the reference engine."""
    case = pose(name, dtype)
    found = agreement.gaps(case, case.data)
    slopes = [e.input_gradient(case.theta, case.data) for e in (case.ours, case.reference)]
    found["slopes"] = agreement.gap(*slopes, dtype)
    assert max(found.values()) < 256, found  # sums of 60 products, and over 257 data points


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", SOURCES)
def test_gathered_numbers_are_those_taken(name, dtype):
    """What is gathered is within 4 eps of what the source takes, one-hot features exactly."""
    dtype = np.dtype(dtype)
    source = SOURCES[name](dtype)
    expected = source.take(POINTS)
    S = len(expected)
    theta = np.concatenate([np.eye(S).ravel(), np.zeros(S)])
    identity = lamina.Network([S, S], ["identity"], dtype=dtype, initialization=theta)
    found = CompiledEngine(identity.recipe, 1).outputs(identity.theta, source, POINTS)
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps, atol=0)
    if isinstance(source, Expanded):
        flags = ~source.expansion.is_number
        np.testing.assert_array_equal(found[flags], expected[flags])
        np.testing.assert_array_equal(found == 0, expected == 0)  # and so are missing numbers


def trained(engine, case):
    """Return θ after an epoch of batches of 50, the last one smaller."""
    solver, steps = get_solver("adam(epsilon=0.01)"), -(-N // 50)  # or it divides by rounding
    rates = np.full(steps, 0.02)
    numbers = solver.coefficients(rates, np.arange(1.0, steps + 1.0))
    coefficients = np.stack(np.broadcast_arrays(*numbers, rates)[:-1], axis=1)
    epoch = Epoch(POINTS, 50, rates, coefficients, (0.2, 0.0), (1, 2), float("inf"))
    theta = case.theta.copy()
    memory = solver.start(case.net.recipe, theta.dtype)["slots"]
    report = engine.epoch(theta, memory, solver.move, case.data, epoch)
    assert np.isfinite(report.loss)
    return theta


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", ["clipped cells", "scaled sparse"])
def test_epochs_agree(name, dtype, agreement):
    """An epoch with dropout of inputs leads both engines to one θ; any threads to the same bits."""
    case = pose(name, dtype)
    ours = [trained(CompiledEngine(case.net.recipe, threads), case) for threads in (1, 3)]
    assert agreement.gap(ours[0], trained(case.reference, case), dtype) < 1000  # of 6 steps
    np.testing.assert_array_equal(*ours)


@pytest.mark.parametrize("name", SOURCES)
def test_matrices_agree(name, agreement):
    """G is the reference's, and the engine's step of Levenberg-Marquardt the definition's."""
    case, rule = pose(name, "float64", hidden=3), lamina.LevenbergMarquardt()
    found, expected = (e.gauss_newton(case.theta, case.data) for e in (case.ours, case.reference))
    for ours, reference in zip(found, expected, strict=True):
        assert agreement.gap(ours, reference, "float64") < 1000
    few = Data(case.data.X, case.data.T, POINTS[:40], case.data.weights)
    memory = {"damping": fresh(1.0), "scale": np.zeros(case.theta.size)}
    steps = case.ours.damped_steps(case.theta, few, memory, rule.rule, rule.max_tries, 1)
    assert len(steps.losses) == 1
    _, gradient, G = case.reference.gauss_newton(case.theta, few)
    damped = G + steps.dampings[0] * np.eye(len(G)) * G.diagonal().max()
    step = np.linalg.solve(damped, -gradient)
    limit = 1e-14 * np.linalg.cond(damped)
    found = steps.thetas[0] - case.theta
    np.testing.assert_allclose(found, step, rtol=0, atol=limit * np.abs(step).max() + 1e-15)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_mapped_cells_are_read_in_place(dtype, tmp_path, agreement):
    """Cells in a file that is mapped read-only give to the last bit what they give in memory."""
    rows = cells("float32")
    np.save(tmp_path / "cells.npy", rows)
    mapped = np.load(tmp_path / "cells.npy", mmap_mode="r")
    answers = []
    for table in (rows, mapped, rows.astype(float)):
        case = pose("", dtype, Expanded(table, expansion(), np.dtype(dtype)))
        assert max(agreement.gaps(case, case.data).values()) < 256
        answers.append(case.ours.gradient(case.theta, case.data)[1])
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])


def test_network_of_wide_sparse_rows_trains():
    """A solver's loop sees sparse rows as it sees the array: the same θ, bit for bit."""
    from lamina.engines.choice import engine_for

    dense = sparse_rows().toarray()
    results = []
    for X in (SparseRows.of(sparse.csc_array(dense), AFFINE, float), Columns(dense, AFFINE, float)):
        case = pose("", "float64", X)
        with engine_for(case.net.recipe, np.dtype(float)) as engine:
            results.append(trained(engine, case))
    np.testing.assert_array_equal(*results)
