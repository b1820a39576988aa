"""Problems of every kind, and engines that are plain functions of θ."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from lamina.network.network import Network
from lamina.training.loop import train
from lamina.training.settings import Settings
from lamina.training.solvers import get_solver
from lamina.training.state import TrainingState

N = 60  # data points of a problem

RECIPES = {  # hidden activations, error, output layer's units
    "regression": (["tanh"], "squared", 1),
    "two outputs": (["relu", "tanh"], "huber(0.5)", 2),
    "binary": (["tanh"], "binary_cross_entropy", 1),
    "classes": (["softplus"], "cross_entropy", 3),
    "counts": (["tanh"], "poisson", 1),
    "spread": (["tanh"], "gaussian_nll", 2),
}


def draw_problem(name, dtype="float64", seed=0):
    """Return a network, X and T, and as many data points for validation."""
    random = np.random.default_rng(seed)
    hidden, error, outputs = RECIPES[name]
    sizes = [3, *[6] * len(hidden), outputs]
    net = Network(sizes, hidden, error=error, random_state=seed, dtype=dtype)
    X = random.normal(size=(3, 2 * N))
    signal = np.sin(X[0]) + X[1] * X[2]
    T = {
        "regression": lambda: signal,
        "two outputs": lambda: np.stack([signal, X[0] ** 2]),
        "binary": lambda: (signal > 0).astype(float),
        "classes": lambda: np.eye(3)[:, np.digitize(signal, [-0.5, 0.5])],
        "counts": lambda: random.poisson(np.exp(0.5 * signal)).astype(float),
        "spread": lambda: signal + random.normal(size=2 * N) * np.exp(0.5 * X[0]),
    }[name]()
    X, T = X.astype(dtype), np.atleast_2d(T).astype(dtype)
    return SimpleNamespace(
        net=net, X=X[:, :N], T=T[:, :N], validation=(X[:, N:], T[:, N:]), name=name
    )


@pytest.fixture(name="draw_problem", scope="session")
def draw_problem_fixture():
    """Give tests the function that draws a network and its data."""
    return draw_problem


class FunctionEngine:
    """An engine whose J is a plain function of θ, with its gradient; data are ignored.

    `curvature`, a function of θ too, is what it has for a Gauss-Newton matrix.
    """

    def __init__(self, size, function, curvature=None):
        self.recipe = SimpleNamespace(size=size, layers=())  # without layers, no penalty
        self.function, self.curvature, self.calls = function, curvature, 0

    def gradient(self, theta, data):
        """Return J and dJ/dθ."""
        del data
        self.calls += 1
        J, slope = self.function(theta)
        return float(J), np.asarray(slope, dtype=theta.dtype)

    def error(self, theta, data):
        """Return J."""
        return self.gradient(theta, data)[0]

    def gauss_newton(self, theta, data):
        """Return J, dJ/dθ and the matrix, in float64."""
        J, slope = self.gradient(theta, data)
        return J, slope.astype(float), np.array(self.curvature(theta), dtype=float)

    def damped_steps(self, *_):
        """Leave every step to the solver."""

    def gauss_newton_product(self, theta, data, v):
        """Return the matrix times v."""
        del data
        return self.curvature(theta) @ v


@pytest.fixture(name="function_engine", scope="session")
def function_engine_fixture():
    """Give tests the class of engines that are functions."""
    return FunctionEngine


def rosenbrock_jacobian(theta):
    """Return d r/dθ of Rosenbrock's residuals 10 (θ_{i+1} - θ_i²) and 1 - θ_i."""
    P = len(theta)
    J = np.zeros((2 * (P - 1), P))
    for i in range(P - 1):
        J[i, i : i + 2] = -20 * theta[i], 10
        J[P - 1 + i, i] = -1
    return J


def quadratic(curvatures):
    """Return the engine of J = Σ c (θ - 1)² / 2."""
    return FunctionEngine(
        len(curvatures),
        lambda theta: (0.5 * curvatures @ (theta - 1) ** 2, curvatures * (theta - 1)),
        lambda _: np.diag(curvatures),
    )


@pytest.fixture(name="problems", scope="session")
def problems_fixture():
    """Give tests engines of known problems, with the matrix of Gauss and Newton."""

    def rosenbrock(size):
        def curvature(theta):
            J = rosenbrock_jacobian(theta)
            return 2 * J.T @ J

        return FunctionEngine(size, lambda theta: (rosen(theta), rosen_der(theta)), curvature)

    return SimpleNamespace(quadratic=quadratic, rosenbrock=rosenbrock)


def run(engine, theta, **options):
    """Return state and reason after training a function of θ."""
    state = TrainingState(np.array(theta, dtype=options.pop("dtype", float)), 0)
    solver = get_solver(options.pop("solver"))
    options = {"max_iter": 500, "tol": -np.inf} | options
    return state, train(engine, None, state, Settings(solver=solver, **options))


@pytest.fixture(name="run", scope="session")
def run_fixture():
    """Give tests the function that trains a function of θ."""
    return run
