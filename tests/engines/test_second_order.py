"""Products with second derivatives over many data points: tiles add up to the definition."""

import numpy as np
import pytest

from lamina.engines import second_order
from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.reference import ReferenceEngine

ENGINES = {"reference": ReferenceEngine, "compiled": CompiledEngine}
KINDS = ["squared", "deep", "classes", "spread", "no hidden layer"]


@pytest.fixture(name="tiny_tiles", autouse=True)
def tiny_tiles_fixture(monkeypatch):
    """Let a tile be five data points, so that 29 need six of them."""
    monkeypatch.setattr(second_order, "TILE_BYTES", 1)
    monkeypatch.setattr(second_order, "LEAST", 5)


def close(found, expected):
    """Compare float64 arrays, relative to the largest entry."""
    assert found.dtype == float
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ENGINES)
def test_products_over_data_are_those_of_the_network(name, kind, weighted, dtype, kinds):
    """Hessian and Gauss-Newton products with weights and penalties are the network's own."""
    case = kinds.draw(kind, weighted=weighted, dtype=dtype)
    engine, net = ENGINES[name](case.net.recipe), case.net
    omega = None if case.weights is None else case.weights / case.weights.sum()
    wide = type(net)(  # ω is not rounded there
        net.S,
        net.recipe.activations,
        error=net.recipe.error,
        penalties=[layer.penalty for layer in net.recipe.layers],
        initialization=net.theta,
    )
    v = np.random.default_rng(1).normal(size=net.theta.size)
    for product in ("hessian_product", "gauss_newton_product"):
        expected = getattr(wide, product)(case.X, case.T, v, omega)
        close(getattr(engine, product)(net.theta, case.data, v), expected)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ENGINES)
def test_jacobian_products_over_data_are_those_of_the_network(name, kind, dtype, kinds):
    """𝒥 v and 𝒥ᵗ U of chosen data points, in their order, are the network's own."""
    case = kinds.draw(kind, dtype=dtype)
    engine, net = ENGINES[name](case.net.recipe), case.net
    random = np.random.default_rng(2)
    points = random.permutation(kinds.N)[:17]
    here = net.linearize(case.X[:, points])
    v, U = random.normal(size=net.theta.size), random.normal(size=here.Y.shape)
    close(engine.jacobian_product(net.theta, case.data.X, points, v), here.times(v))
    found = engine.jacobian_transposed_product(net.theta, case.data.X, points, U)
    close(found, here.transposed(U))


def test_products_with_no_data_point_are_those_of_the_penalties(kinds):
    """No data point has no outputs, and leaves the penalties alone."""
    case = kinds.draw("deep")
    engine, none = ReferenceEngine(case.net.recipe), np.arange(0)
    v = np.ones(case.net.theta.size)
    assert engine.jacobian_product(case.net.theta, case.data.X, none, v).shape == (1, 0)
    U = np.zeros((1, 0))
    assert not engine.jacobian_transposed_product(case.net.theta, case.data.X, none, U).any()
