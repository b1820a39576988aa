"""Bayesian regularization: the penalty by its definition, and what it is good for."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import InvalidValueError
from lamina.training.solvers.bayesian_regularization import effective

SOLVER = "bayesian_regularization"


def noisy_sine(n=80, noise=0.2):
    """Return x, a noisy sine and the sine."""
    x = np.linspace(-1, 1, n)[:, None]
    sine = np.sin(np.pi * x[:, 0])
    return x, sine + noise * np.random.default_rng(0).normal(size=n), sine


def fitted(hidden, seed=0, noise=0.2, **options):
    """Return a regressor of a noisy sine."""
    x, y, _ = noisy_sine(noise=noise)
    model = FeedForwardRegressor((hidden,), activation="tanh", solver=SOLVER, random_state=seed)
    return model.set_params(max_iter=400, **options).fit(x, y)


def test_evidence_is_at_its_fixed_point():
    """At the end l2 = γ / (|θ|² β N), β = (N K - γ) / 2NJ and γ = Σ v / (v + l2) hold."""
    model, (x, y, _) = fitted(10, tol=1e-13, n_iter_no_change=50), noisy_sine()
    net, (l2, gamma, beta) = model.network_, model.state_.memory["evidence"]
    theta, N = net.theta, len(x)
    J = model.objective(x, y) - 0.5 * l2 * theta @ theta
    assert beta == pytest.approx((N - gamma) / (2 * N * J), rel=1e-3)
    assert l2 == pytest.approx(gamma / (theta @ theta) / (beta * N), rel=1e-3)
    assert 1 < gamma < theta.size


def test_effective_parameters_hardly_depend_on_the_width():
    """Twice as many hidden units, from 16 to 121 parameters, change γ and β by under 15 percent."""
    models = [fitted(hidden, noise=0.4, n_iter_no_change=30) for hidden in (5, 10, 20, 40)]
    gammas, betas = (np.array([m.state_.memory["evidence"][k] for m in models]) for k in (1, 2))
    for found in (gammas, betas):
        assert np.all(np.abs(np.diff(found)) < 0.15 * found[:-1])


def test_effective_parameters_are_those_of_the_eigenvalues():
    """γ is Σ v / (v + l2) over the eigenvalues v of G, and log |A| Σ log (v + l2); singular too."""
    random = np.random.default_rng(0)
    for rows in (40, 12, 3):
        R = random.normal(size=(rows, 12))
        G = R.T @ R
        values = np.maximum(np.linalg.eigvalsh(G), 0.0)
        for l2 in (1e-30, 1e-9, 1e-3, 1.0, 1e9):
            gamma, determinant = effective(l2, G)
            # where A is singular to rounding, so are the eigenvalues: 1e-14 beside l2
            certain = l2 > 1e-12 or rows > 12
            assert gamma == pytest.approx(
                np.sum(values / (values + l2)), rel=1e-4 if certain else 9
            )
            assert np.isfinite(determinant)
            if certain:
                assert determinant == pytest.approx(np.log(values + l2).sum(), rel=1e-4, abs=1e-3)
            assert 0.0 <= gamma <= 12.0


def test_evidence_is_the_marginal_likelihood():
    """For a linear network the logarithm of the evidence is log p(T | X), a normal density."""
    random = np.random.default_rng(1)
    X, N = random.normal(size=(30, 3)), 30
    y = X @ np.array([1.0, -0.5, 0.0]) + 0.3 * random.normal(size=N)
    net = lamina.Network([3, 1], ["identity"], random_state=0)
    state = lamina.train(net, X.T, y[None], solver=SOLVER, max_iter=200, tol=-np.inf).state
    l2, _, beta = state.memory["evidence"]
    Phi = np.column_stack([X, np.ones(N)])
    covariance = np.eye(N) / beta + Phi @ Phi.T / (beta * N * l2)
    expected = multivariate_normal(np.zeros(N), covariance).logpdf(y)
    assert state.memory["log_evidence"][0] == pytest.approx(expected, rel=1e-6)


def test_collapse_ends_finite():
    """Pure noise leaves nothing to determine: γ near 0, l2 large, all finite, and no prediction."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(40, 2)), random.normal(size=40)
    model = FeedForwardRegressor((20,), activation="tanh", solver=SOLVER, random_state=0).fit(X, y)
    assert np.all(np.isfinite(model.state_.memory["evidence"]))
    assert 0.0 <= model.effective_parameters_ < 20.0
    assert model.alpha_ >= 0.0


def test_noise_is_estimated():
    """1/β is the variance of the noise, in scaled units."""
    _, y, sine = noisy_sine()
    beta = fitted(10).state_.memory["evidence"][2]
    assert 1 / beta == pytest.approx(np.var(y - sine) / np.var(y), rel=0.3)


def test_penalty_found_is_that_of_the_network():
    """The recipe ends with the l2 that was found, so that `objective` is what was minimized."""
    model, (x, y, _) = fitted(10), noisy_sine()
    penalties = {layer.penalty for layer in model.network_.recipe.layers}
    assert penalties == {lamina.Penalty(l2=model.state_.memory["evidence"][0], biases=True)}
    assert model.objective(x, y) == pytest.approx(model.loss_, rel=1e-9)


def test_penalty_keeps_a_wide_network_from_the_noise():
    """40 units on 80 noisy points come nearer to the sine than without a penalty."""
    x, y, sine = noisy_sine()
    plain = FeedForwardRegressor(
        (40,), activation="tanh", solver="levenberg_marquardt", alpha=0.0, random_state=0
    ).fit(x, y)
    gaps = [np.sqrt(np.mean((m.predict(x) - sine) ** 2)) for m in (fitted(40), plain)]
    assert gaps[0] < 0.5 * gaps[1]


def test_classes_have_no_scale_to_estimate():
    """Cross-entropy is a likelihood already: β stays 1, and the penalty is found all the same."""
    random = np.random.default_rng(0)
    X = random.normal(size=(150, 3))
    y = (X[:, 0] + 0.7 * random.normal(size=150) > 0).astype(int)
    model = FeedForwardClassifier((6,), activation="tanh", solver=SOLVER, random_state=0).fit(X, y)
    l2, gamma, beta = model.state_.memory["evidence"]
    assert beta == 1.0
    assert l2 > 1e-4
    assert 1 < gamma < 15


def test_a_penalty_beside_it_is_refused():
    """What finds the penalty itself does not take one, and says what to do."""
    x, y, _ = noisy_sine()
    with pytest.raises(InvalidValueError, match=r"finds the penalty itself.*alpha=0"):
        FeedForwardRegressor(solver=SOLVER, alpha=0.1).fit(x, y)


def test_perfect_fit_ends_finite():
    """Noise-free data, or a constant target, end with finite numbers."""
    x = np.linspace(-1, 1, 20)[:, None]
    for y in (2 * x[:, 0] + 1, np.zeros(20)):
        model = FeedForwardRegressor((3,), activation="tanh", solver=SOLVER, random_state=0)
        model.fit(x, y)
        assert np.all(np.isfinite(model.state_.memory["evidence"]))
        assert np.allclose(model.predict(x), y, atol=1e-2)
