"""One problem seen by two engines, and how far apart their answers are."""

from types import SimpleNamespace

import numpy as np
import pytest

from lamina.data.columns import Matrix
from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.protocol import Data
from lamina.engines.reference import ReferenceEngine
from lamina.network.network import Network
from lamina.network.penalties import Penalty

COUNTS = (1, 2, 3, 31, 32, 33, 257)
"""Data points: less than a vector, around one, around a chunk, and more than one chunk."""


def targets(domain, shape, random):
    """Return targets that an error of this domain takes, the ends of the domain among them."""
    normal = random.normal(size=shape)
    probability = np.where(normal > 0.5, 1.0, np.where(normal < -0.5, 0.0, random.random(shape)))
    return {
        "real": normal,
        "nonnegative": random.poisson(1.5, size=shape).astype(float),
        "positive": np.exp(normal),
        "probability": probability,
        "sign": np.where(normal > 0, 1.0, -1.0),
    }[domain]


def pose(sizes, activations, error, dtype, *, n=COUNTS[-1], penalties=None, spread=1.0):
    """Return both engines of a recipe, θ with biases that are not 0, and n weighted data points."""
    random = np.random.default_rng(0)
    net = Network(sizes, activations, error=error, penalties=penalties, random_state=0, dtype=dtype)
    net.theta = net.theta + 0.2 * random.normal(size=net.theta.size)
    rows = sizes[-1] // net.recipe.error.outputs_per_target
    X = (spread * random.normal(size=(sizes[0], n))).astype(dtype)
    T = targets(net.recipe.error.targets, (rows, n), random).astype(dtype)
    weights = random.uniform(0.1, 3.0, size=n)
    engines = SimpleNamespace(
        ours=CompiledEngine(net.recipe, 2), reference=ReferenceEngine(net.recipe)
    )

    def data(points, *, weighted=True):
        chosen = np.asarray(points)
        return Data(
            Matrix(X, net.dtype), Matrix(T, net.dtype), chosen, weights if weighted else None
        )

    return SimpleNamespace(net=net, theta=net.theta, data=data, n=n, **vars(engines))


def gap(found, expected, dtype):
    """Return the largest difference in units of eps of the largest expected entry."""
    found, expected = (np.asarray(array, dtype=float) for array in (found, expected))
    assert found.shape == expected.shape
    assert np.all(np.isfinite(expected))
    assert np.all(np.isfinite(found))
    largest = max(np.abs(expected).max(), np.finfo(dtype).tiny)
    return np.abs(found - expected).max() / (largest * np.finfo(dtype).eps)


def gaps(case, data):
    """Return the gaps of outputs, error, J and gradient of both engines."""
    dtype, theta = case.theta.dtype, case.theta
    J, gradient = case.ours.gradient(theta, data)
    J_expected, expected = case.reference.gradient(theta, data)
    assert gradient.dtype == dtype
    outputs = case.ours.outputs(theta, data.X, data.points)
    assert outputs.dtype == dtype
    return {
        "outputs": gap(outputs, case.reference.outputs(theta, data.X, data.points), dtype),
        "error": gap(case.ours.error(theta, data), case.reference.error(theta, data), dtype),
        "J": gap(J, J_expected, dtype),
        "gradient": gap(gradient, expected, dtype),
    }


@pytest.fixture(name="agreement", scope="session")
def agreement_fixture():
    """Give tests the functions that pose problems and compare answers."""
    return SimpleNamespace(pose=pose, gap=gap, gaps=gaps, COUNTS=COUNTS, Penalty=Penalty)
