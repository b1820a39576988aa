"""Problems whose minimum is known, as a rule 0: Levenberg-Marquardt finds it."""

import numpy as np
import pytest

import lamina

SEEDS = range(3)


def words(bits):
    """Return all words of some bits, -1 or 1, as columns, and whether their sum is odd."""
    X = (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1
    return 2.0 * X.T - 1, X.sum(axis=1) % 2


def fitted(net, X, T, max_iter=500):
    """Return J after Levenberg-Marquardt, which stops where it reaches 0 to rounding."""
    options = {"max_iter": max_iter, "tol": -np.inf, "goal": 1e-28}
    lamina.train(net, X, T, solver="levenberg_marquardt", **options)
    return net.error(X, T)


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("error", ["squared", "binary_cross_entropy"])
def test_parity_is_learned(error, bits):
    """With twice as many hidden units as bits some of three starts solve it to J < 1e-6."""
    X, odd = words(bits)
    T = odd[np.newaxis].astype(float)
    found = []
    for seed in SEEDS:
        net = lamina.Network([bits, 2 * bits, 1], ["tanh"], error=error, random_state=seed)
        found.append(fitted(net, X, T))
    assert min(found) < 1e-6


def test_sine_is_learned():
    """Ten units bring one and a half waves of a sine to a mean squared error of 1e-8."""
    X = np.linspace(-1, 1, 100)[np.newaxis]
    T = np.sin(1.5 * np.pi * X)
    found = []
    for seed in SEEDS:
        net = lamina.Network([1, 10, 1], ["tanh"], random_state=seed)
        found.append(fitted(net, X, T))
    assert max(found) < 1e-8


@pytest.mark.parametrize("seed", SEEDS)
def test_teacher_is_found(seed):
    """What another network of fewer units computed is learned to J < 1e-12."""
    teacher = lamina.Network([2, 3, 1], ["tanh"], random_state=10 + seed)
    teacher.theta *= 2.0  # more than nearly linear
    X = np.random.default_rng(seed).normal(size=(2, 200))
    student = lamina.Network([2, 8, 1], ["tanh"], random_state=seed)
    assert fitted(student, X, teacher(X), 1000) < 1e-12


@pytest.mark.parametrize("error", ["squared", "poisson"])
def test_convex_problem_ends_at_its_minimum(error):
    """Without hidden layers the gradient ends at 0 from anywhere: a generalized linear model."""
    random = np.random.default_rng(0)
    X = random.normal(size=(3, 80))
    T = random.poisson(np.exp(0.4 * X.sum(axis=0, keepdims=True))).astype(float)
    for seed in SEEDS:
        net = lamina.Network([3, 1], [], error=error, random_state=seed)
        net.theta *= 5.0
        fitted(net, X, T, 100)
        assert np.linalg.norm(net.backpropagate(X, T).gradient) < 1e-7
