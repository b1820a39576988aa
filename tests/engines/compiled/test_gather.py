"""Tables of any type and order are read where they are, row by row, as their source would."""

import tracemalloc

import numpy as np
import pytest

from lamina.data.columns import Columns, Matrix, OneHot
from lamina.data.scaling import Scaling
from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.protocol import Data
from lamina.engines.reference import ReferenceEngine
from lamina.network.activations import get_activation
from lamina.network.network import Network

ROWS, WIDTH = 70, 5
TYPES = ["float32", "float64", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64"]
TYPES += ["uint64", "bool", "float16", "longdouble", "longlong", ">f8", ">i4"]
PRECISIONS = ["float32", "float64"]
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "every second row": lambda rows: np.repeat(rows, 2, axis=0)[::2],
    "every second column": lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
    "backwards": lambda rows: np.ascontiguousarray(rows[::-1, ::-1])[::-1, ::-1],
    "one row for all": lambda rows: np.broadcast_to(rows[0], rows.shape),
    "one column for all": lambda rows: np.broadcast_to(rows[:, :1], rows.shape),
}
POINTS = np.array([3, 0, 69, 3, 3, 41, 17, 68, 0])


def table(dtype):
    """Return rows of a type, the largest numbers that float32 holds exactly among them."""
    random = np.random.default_rng(0)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (100 * random.normal(size=(ROWS, WIDTH))).astype(kind)
    if kind.kind == "b":
        return random.random((ROWS, WIDTH)) < 0.5
    limits = np.iinfo(kind)
    low, high = max(limits.min, -(2**40)), min(limits.max, 2**40)
    return random.integers(low, high, size=(ROWS, WIDTH), endpoint=True).astype(kind)


def taken(source, dtype, points):
    """Return what the compiled engine reads, by a network that hands on its inputs."""
    width = source.take(points).shape[0]
    theta = np.concatenate([np.eye(width).ravel(), np.zeros(width)])
    identity = [get_activation("identity")]
    net = Network([width, width], identity, dtype=dtype, initialization=theta)
    return CompiledEngine(net.recipe, 1).outputs(net.theta, source, points)


def same(source, dtype, points=POINTS):
    """Compare what is read to what the source takes, within 2 eps of each number."""
    expected = source.take(points)
    found = taken(source, dtype, points)
    assert found.dtype == expected.dtype == dtype
    if getattr(source, "affine", None) is None:
        np.testing.assert_array_equal(found, expected)
    else:  # the factor is 1/scale, rounded, and so is the product: 2 eps in float64
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(found, expected, rtol=2 * eps, atol=0)


def scaling(rows):
    """Return the scaling of a table to mean 0 and deviation 1."""
    rows = rows.astype(float)
    return Scaling(rows.mean(axis=0) + 0.1, rows.std(axis=0) + 0.3)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("kind", TYPES)
def test_table_of_any_type_is_read(kind, dtype):
    """In every type and order, scaled or not, rows are those that the source takes."""
    for layout in LAYOUTS.values():
        rows = layout(table(kind))
        same(Columns(rows, None, np.dtype(dtype)), dtype)
        if np.dtype(kind).kind != "b":
            same(Columns(rows, scaling(rows), np.dtype(dtype)), dtype)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_matrix_of_columns_is_read(dtype):
    """A matrix that has data points as columns is read in any order and type."""
    for columns in (table("float64").T, np.ascontiguousarray(table("float32").T), table("uint8").T):
        same(Matrix(columns, np.dtype(dtype)), dtype)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shape", [(1, 1), (70, 1), (1, 9), (70, 300)])
def test_table_of_any_width_is_read(shape, dtype):
    """One row or column, or more columns than a vector holds, are read."""
    random = np.random.default_rng(0)
    rows = random.normal(size=shape)
    points = random.integers(shape[0], size=33)
    for order in "CF":
        same(Columns(np.asarray(rows, order=order), None, np.dtype(dtype)), dtype, points)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_extreme_scaling_is_applied(dtype):
    """Scales near the ends of float64 are divided by, though their inverse is no number."""
    unit = np.array([1e-310, 3e-308, 1e-300, 1e150, 1.5e308])
    rows = np.linspace(-1.0, 1.0, ROWS)[:, np.newaxis] * unit
    same(Columns(rows, Scaling(np.zeros(WIDTH), unit), np.dtype(dtype)), dtype)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_extreme_entries_are_read(dtype):
    """Infinities, NaN, denormal numbers and those too large for float32 are read as they are."""
    rows = np.array([[np.inf, -np.inf, np.nan, 1e300, 5e-324], [0.0, -0.0, 1e-40, -1e39, 1.0]])
    source = Columns(rows, None, np.dtype(dtype))
    activation = [get_activation("identity")]
    points = np.array([0, 1])
    for column in range(WIDTH):
        part = Columns(rows[:, column : column + 1], None, np.dtype(dtype))
        net = Network([1, 1], activation, dtype=dtype, initialization=np.array([1.0, 0.0]))
        found = CompiledEngine(net.recipe, 1).outputs(net.theta, part, points)
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(found[0], source.take(points)[column])


def test_memory_map_is_read(tmp_path):
    """A file that is mapped read-only is read in place."""
    rows = table("float32")
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    same(Columns(mapped, scaling(rows), np.dtype("float32")), "float32")
    same(Columns(mapped, None, np.dtype("float64")), "float64")


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("kind", ["int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_codes_of_classes_are_read(classes, kind, dtype):
    """Codes are read as indicators of their class, with 0 and 1 or -1 and 1."""
    random = np.random.default_rng(0)
    codes = random.integers(2 if kind == "bool" else max(2, classes), size=ROWS).astype(kind)
    for rows in (codes, np.repeat(codes, 3)[::3], codes[::-1]):
        for low in (0.0, -1.0):
            same(OneHot(rows, classes, np.dtype(dtype), low=low), dtype)


@pytest.mark.parametrize("kind", ["float32", "float64", "uint8", "int16", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_table_is_not_copied(kind, order):
    """Outputs and gradient over a table of 40 MB need little memory beside it."""
    width = 50
    n = 40_000_000 // (width * np.dtype(kind).itemsize)
    rows = np.zeros((n, width), dtype=kind, order=order)
    rows.flags.writeable = False
    net = Network([width, 8, 1], ["tanh", "identity"], dtype="float32", random_state=0)
    X = Columns(rows, Scaling(np.full(width, 0.1), np.full(width, 2.0)), net.dtype)
    T = Matrix(np.zeros((1, n), dtype=np.float32), net.dtype)
    data = Data(X, T, np.arange(0, n, 7))
    engine = CompiledEngine(net.recipe, 2)
    engine.gradient(net.theta, data)  # kernels are compiled, which takes memory
    tracemalloc.start()
    try:
        engine.gradient(net.theta, data)
        engine.outputs(net.theta, X, data.points[:1000])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_gathered_data_give_the_gradient():
    """Scaled integers and codes of classes together give the reference's gradient."""
    rows = table("int16")
    codes = np.random.default_rng(1).integers(3, size=ROWS)
    net = Network([WIDTH, 6, 3], ["tanh"], error="cross_entropy", random_state=0)
    data = Data(
        Columns(rows, scaling(rows), net.dtype), OneHot(codes, 3, net.dtype), POINTS, np.ones(ROWS)
    )
    J, gradient = CompiledEngine(net.recipe, 1).gradient(net.theta, data)
    J_expected, expected = ReferenceEngine(net.recipe).gradient(net.theta, data)
    limit = 8 * (WIDTH + 6) * np.finfo(float).eps  # sums of so many terms
    np.testing.assert_allclose(J, J_expected, rtol=limit)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=limit * np.abs(expected).max())
