"""Slopes in the inputs by the reference engine, measured, and as one thing seen in two ways."""

import numpy as np
import pytest

from lamina.data.columns import Columns, Matrix
from lamina.data.scaling import Scaling
from lamina.engines import reference
from lamina.engines.protocol import Data
from lamina.engines.reference import ReferenceEngine
from lamina.network import backpropagation
from lamina.network.errors import ErrorFormula
from lamina.network.network import Network

KINDS = ["squared", "deep", "classes", "spread", "no hidden layer"]
STEP = 1e-6


def first(t, a):
    """Return t: the slope of t a in a."""
    del a
    return t


INNER_PRODUCT = ErrorFormula("inner product", lambda t, a: t * a, first)


def measured(J, X):
    """Return the central differences of a function of X, entry by entry of X."""
    slopes = np.empty((*np.shape(J(X)), *X.shape))
    for place in np.ndindex(X.shape):
        change = np.zeros_like(X)
        change[place] = STEP
        slopes[(..., *place)] = (J(X + change) - J(X - change)) / (2.0 * STEP)
    return slopes


def engine_for(case):
    """Return the engine of a case, and its θ."""
    return ReferenceEngine(case.net.recipe), case.net.theta


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_input_gradient_is_measured(kind, weighted, kinds):
    """It is the central difference of Σ ω_n J_n, without penalties, in every entry of X."""
    case = kinds.draw(kind, weighted=weighted)
    engine, theta = engine_for(case)
    points, weights = case.data.points, case.weights

    def J(X):
        return engine.error(theta, Data(Matrix(X, float), case.data.T, points, weights))

    found = engine.input_gradient(theta, case.data)
    np.testing.assert_allclose(found, measured(J, case.X), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["squared", "huber(0.3)", "log_cosh", "poisson"])
def test_input_gradient_is_the_complex_step(name):
    """Im J(X + ih)/h, which no subtraction spoils, is the same to rounding."""
    random = np.random.default_rng(0)
    net = Network([3, 6, 2], ["tanh"], error=name, random_state=0)
    X, T, omega = random.normal(size=(3, 9)), random.poisson(2.0, (2, 9)) * 1.0, np.full(9, 1 / 9)
    data = Data(Matrix(X, float), Matrix(T, float), np.arange(9))
    found, expected = ReferenceEngine(net.recipe).input_gradient(net.theta, data), np.empty((3, 9))
    for place in np.ndindex(X.shape):
        shifted = X.astype(complex)
        shifted[place] += 1e-100j
        J = backpropagation.objective(net.recipe, net.theta, shifted, T, omega)
        expected[place] = J.imag / 1e-100
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_input_jacobian_is_measured(kind, kinds):
    """Row k is the central difference of the k-th output, each data point by itself."""
    case = kinds.draw(kind, n=7)
    engine, theta = engine_for(case)
    found = engine.input_jacobian(theta, case.data.X, case.data.points)

    def outputs(X):
        return engine.outputs(theta, Matrix(X, float), case.data.points)

    expected = np.einsum("knin->kin", measured(outputs, case.X))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_row_of_the_input_jacobian_is_an_input_gradient(kind, kinds):
    """Row k is Delta_0 of the error ⟨e_k, A_L⟩, whose Delta_L is e_k, but for ω = 1/n."""
    case = kinds.draw(kind, n=16)  # a power of 2, so that ω is no rounding
    engine, theta = engine_for(case)
    jacobian = engine.input_jacobian(theta, case.data.X, case.data.points)
    recipe = type(case.net.recipe)(case.net.recipe.layers, INNER_PRODUCT)
    for k, row in enumerate(jacobian):
        T = np.zeros((len(jacobian), 16))
        T[k] = 16.0
        data = Data(case.data.X, Matrix(T, float), case.data.points)
        found = ReferenceEngine(recipe).input_gradient(theta, data)
        np.testing.assert_allclose(found, row, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("chunk", [1, 4, 29])
def test_input_slopes_come_in_order(chunk, kinds, monkeypatch):
    """However the data points are cut, and in whatever order they are chosen."""
    case = kinds.draw("classes", weighted=False)
    engine, theta = engine_for(case)
    points = np.random.default_rng(1).permutation(kinds.N)
    whole = engine.input_gradient(theta, case.data)
    jacobian = engine.input_jacobian(theta, case.data.X, case.data.points)
    monkeypatch.setattr(reference, "CHUNK", chunk)
    found = engine.input_gradient(theta, Data(case.data.X, case.data.T, points))
    np.testing.assert_allclose(found, whole[:, points], rtol=1e-12, atol=1e-15)
    found = engine.input_jacobian(theta, case.data.X, points)
    np.testing.assert_allclose(found, jacobian[..., points], rtol=1e-12, atol=1e-15)


def test_input_slopes_are_in_units_of_the_network(kinds):
    """Of a scaled table they are the slopes in the scaled inputs, which the network sees."""
    case = kinds.draw("squared", weighted=False)
    engine, theta = engine_for(case)
    affine = Scaling(np.arange(4.0), np.array([2.0, 0.5, 3.0, 10.0]))
    rows = case.X.T * affine.scale + affine.center
    scaled = Data(Columns(rows, affine, float), case.data.T, case.data.points)
    found, expected = (engine.input_gradient(theta, data) for data in (scaled, case.data))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
