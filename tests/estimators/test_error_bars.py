"""Error bars of networks whose answers are known in closed form, or by brute force."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import multivariate_normal

from lamina import ErrorBars, FeedForwardClassifier, FeedForwardRegressor, LevenbergMarquardt
from lamina.engines.choice import engine_for
from lamina.estimators.options import make_settings
from lamina.exceptions import InvalidValueError
from lamina.training import loop
from lamina.training.state import TrainingState

LINEAR = {"hidden_layer_sizes": (), "solver": "levenberg_marquardt", "tol": 0.0, "random_state": 0}
Linear = partial(FeedForwardRegressor, error_bars=True, alpha=0.0, **LINEAR)
Curved = partial(
    FeedForwardRegressor,
    (5,),
    activation="tanh",
    solver="levenberg_marquardt",
    error_bars=ErrorBars(intervals="newton"),  # refits are tested elsewhere
    random_state=0,
)


@pytest.fixture(params=["reference", "compiled"])
def engine(request, monkeypatch):
    """Run a test on each engine."""
    monkeypatch.setenv("LAMINA_ENGINE", request.param)


def design(model, X):
    """Return the scaled inputs and a column of ones, N × P, in the order of θ."""
    return np.column_stack([model.input_scaling_.apply(X), np.ones(len(X))])


def ridge(Phi, t, alpha):
    """Return θ where the mean of half the squares and alpha/2 |w|², without bias, is least."""
    bends = np.diag([alpha] * (Phi.shape[1] - 1) + [0.0])
    return np.linalg.solve(Phi.T @ Phi / len(Phi) + bends, Phi.T @ t / len(Phi))


@pytest.mark.usefixtures("engine")
def test_linear_network_has_the_error_bars_of_least_squares(table):
    """Hat values, PRESS residuals, standard errors, z-values and deviations are the textbook's."""
    model = Linear().fit(table.X, table.y)
    Phi, N, P = design(model, table.X), 60, 4
    inverse = np.linalg.inv(Phi.T @ Phi)
    hat = np.einsum("np,pq,nq->n", Phi, inverse, Phi)
    residuals = table.y - Phi @ inverse @ Phi.T @ table.y  # training stops at its own tolerance
    variance = residuals @ residuals / (N - P)
    scale = model.target_scaling_.scale[0]
    errors = np.sqrt(variance * np.diag(inverse)) / scale
    np.testing.assert_allclose(model.leverage_, hat, rtol=1e-10)
    assert model.effective_parameters_ == pytest.approx(4.0, rel=1e-12)
    np.testing.assert_allclose(model.leave_one_out_residuals(), residuals / (1 - hat), rtol=1e-10)
    np.testing.assert_allclose(model.standard_errors_, errors, rtol=1e-10)
    np.testing.assert_allclose(model.z_values_, model.network_.theta / errors, rtol=1e-10)
    new = np.random.default_rng(1).normal(size=(7, 3))
    mean, std = model.predict(new, return_std=True)
    far = np.einsum("np,pq,nq->n", design(model, new), inverse, design(model, new))
    assert np.array_equal(mean, model.predict(new))
    np.testing.assert_allclose(std, np.sqrt(variance * (1 + far)), rtol=1e-10)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("alpha", [1e-3, 0.3])
def test_leave_one_out_of_a_linear_network_is_the_refit(alpha, table):
    """With a penalty too, every residual is that of a fit without the row, to 1e-10."""
    model = Linear().set_params(alpha=alpha).fit(table.X, table.y)
    Phi, t = design(model, table.X), model.target_scaling_.apply(table.y[:, None])[:, 0]
    without = [np.delete(np.arange(60), n) for n in range(60)]
    refits = [t[n] - Phi[n] @ ridge(Phi[i], t[i], alpha) for n, i in enumerate(without)]
    expected = np.array(refits) * model.target_scaling_.scale[0]
    np.testing.assert_allclose(model.leave_one_out_residuals(), expected, rtol=1e-10, atol=1e-10)
    assert model.leverage_.sum() == pytest.approx(model.effective_parameters_, rel=1e-10)


def test_several_targets_have_the_error_bars_of_each_alone(table):
    """In a network without hidden layers nothing of one target depends on the others."""
    both = Linear().fit(table.X, table.targets)
    new = table.X[:5] + 0.5
    _, stds = both.predict(new, return_std=True)
    assert both.leave_one_out_residuals().shape == (60, 2)
    for k in range(2):
        one = Linear().fit(table.X, table.targets[:, k])
        np.testing.assert_allclose(stds[:, k], one.predict(new, return_std=True)[1], rtol=1e-9)
        np.testing.assert_allclose(
            both.leave_one_out_residuals()[:, k],
            one.leave_one_out_residuals(),
            rtol=1e-8,
            atol=1e-10,
        )
        own = both.coef_table()
        errors = own["error"][own["unit"] == k]
        np.testing.assert_allclose(errors, one.standard_errors_, rtol=1e-9)
        pair = both.predict_interval(new, 0.8)[:, k]
        np.testing.assert_allclose(pair, one.predict_interval(new, 0.8), rtol=1e-7)
    assert both.effective_parameters_ == pytest.approx(8.0)


def test_weights_count_in_every_error_bar(table):
    """With weights, leverages and leave-one-out are those of weighted least squares."""
    model = Linear().fit(table.X, table.y, sample_weight=table.weights)
    Phi, w = design(model, table.X), table.weights
    inverse = np.linalg.inv(Phi.T @ (w[:, None] * Phi))
    hat = w * np.einsum("np,pq,nq->n", Phi, inverse, Phi)
    residuals = table.y - Phi @ (inverse @ (Phi.T @ (w * table.y)))
    np.testing.assert_allclose(model.leverage_, hat, rtol=1e-10)
    np.testing.assert_allclose(model.leave_one_out_residuals(), residuals / (1 - hat), rtol=1e-9)
    N = w.sum() ** 2 / (w @ w)
    variance = (w / w.sum()) @ residuals**2 * N / (N - 4)
    errors = np.sqrt(variance * np.diag(inverse) * w.sum() / N) / model.target_scaling_.scale[0]
    np.testing.assert_allclose(model.standard_errors_, errors, rtol=1e-9)


def test_rows_without_weight_have_no_error_bars(table):
    """Rows of weight 0 count as absent: no leverage, no residual."""
    weights = np.where(np.arange(60) % 3 == 0, 0.0, 1.0)
    model = Linear().fit(table.X, table.y, sample_weight=weights)
    alone = Linear().fit(table.X[weights > 0], table.y[weights > 0])
    np.testing.assert_allclose(model.leverage_, alone.leverage_, rtol=1e-9)
    np.testing.assert_array_equal(model.error_bars_.points, np.flatnonzero(weights))


def test_evidence_of_a_linear_network_is_the_marginal_likelihood(table):
    """It is the density of y under N(0, 1/β + ΦΦᵗ/α), in units of y."""
    model = FeedForwardRegressor((), solver="bayesian_regularization", error_bars=True)
    model.fit(table.X, table.y)
    bars, scale = model.error_bars_.posterior, model.target_scaling_.scale[0]
    Phi = design(model, table.X)
    l2 = model.network_.recipe.layers[0].penalty.l2
    beta = 1.0 / bars.dispersion[0]
    covariance = np.eye(60) / beta + Phi @ Phi.T / (beta * 60 * l2)
    expected = multivariate_normal(
        np.full(60, model.target_scaling_.center[0]), scale**2 * covariance
    )
    assert model.evidence_ == pytest.approx(expected.logpdf(table.y), rel=1e-9)
    found = model.state_.memory["evidence"]
    np.testing.assert_allclose(found[1:], [model.effective_parameters_, beta], rtol=1e-4)


def test_evidence_is_refused_where_the_prior_is_improper(table):
    """Biases without penalty have no prior; the message says what has."""
    model = Curved(alpha=0.01).fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match=r"6 of 26 have no l2.*'bayesian_regularization'"):
        _ = model.evidence_
    other = FeedForwardRegressor(
        (3,), loss="huber", solver="bayesian_regularization", max_iter=20, error_bars=True
    )
    with pytest.raises(InvalidValueError, match="no likelihood"):
        _ = other.fit(table.X, table.y).evidence_


def test_leave_one_out_of_a_curved_network_is_close_to_the_refit():
    """The median difference to refits from θ̂ until nothing moves is below 5 %."""
    X = np.linspace(-3.0, 3.0, 40)[:, None]
    y = np.sin(2.0 * X[:, 0]) + 0.2 * np.random.default_rng(0).normal(size=40)
    model = Curved(alpha=1e-2, max_iter=500, tol=1e-13).fit(X, y)
    data, refits, settings = model._data(X, y, None), np.empty(40), make_settings(model)
    settings = replace(settings, solver=LevenbergMarquardt())
    with engine_for(model.network_.recipe, float) as engine:
        for n in range(40):
            state, place = TrainingState(model.network_.theta.copy(), 0), np.array([n])
            loop.train(engine, replace(data, points=np.delete(data.points, n)), state, settings)
            refits[n] = (data.T.take(place) - engine.outputs(state.theta, data.X, place))[0, 0]
    refits *= model.target_scaling_.scale[0]
    off = np.abs(model.leave_one_out_residuals() - refits) / np.abs(refits)
    seen = np.abs(y - model.predict(X) - refits) / np.abs(refits)
    assert np.median(off) < 0.05 < np.median(seen)


def test_counts_scatter_as_poisson_means(table):
    """With poisson a new y has the variance φ a, and θ that of a generalized linear model."""
    model = Linear().set_params(loss="poisson").fit(table.X, table.counts)
    Phi, mean = design(model, table.X), model.predict(table.X)
    phi = np.sum((table.counts - mean) ** 2 / mean) / (60 - 4)
    inverse = np.linalg.inv(Phi.T @ (mean[:, None] * Phi))
    own = np.einsum("np,pq,nq->n", Phi, inverse, Phi)
    # The bread is Fisher's expected information, as the error is canonical with its exponential.
    _, std = model.predict(table.X, return_std=True)
    np.testing.assert_allclose(std, np.sqrt(phi * (mean + mean**2 * own)), rtol=1e-6)
    np.testing.assert_allclose(model.standard_errors_, np.sqrt(phi * np.diag(inverse)), rtol=1e-6)
    assert model.predict_interval(table.X, 0.95).min() == 0.0


def test_learned_variance_adds_that_of_the_parameters(table):
    """With gaussian_nll the deviation grows by the uncertainty of the mean, a little."""
    settings = {"loss": "gaussian_nll", "max_iter": 50}
    bare = Curved(**settings, error_bars=False).fit(table.X, table.y)
    model = Curved(**settings).fit(table.X, table.y)
    noise, both = (m.predict(table.X, return_std=True)[1] for m in (bare, model))
    assert np.all(both > noise)
    posterior, columns = model.error_bars_.posterior, model._seen(table.X)
    added = posterior.output_variance(model.network_.recipe, model.network_.theta, columns)[1][0]
    scale = model.target_scaling_.scale[0]
    np.testing.assert_allclose(both**2 - noise**2, added * scale**2, rtol=1e-6)


def test_deviation_grows_away_from_the_data():
    """Between the data the posterior is wider than on them; on them it is that of the noise."""
    random = np.random.default_rng(0)
    X = np.concatenate([np.linspace(-3, -1, 30), np.linspace(1, 3, 30)])[:, None]
    model = Curved(alpha=1e-3, max_iter=300)
    model.fit(X, np.sin(2 * X[:, 0]) + 0.1 * random.normal(size=60))
    std = model.predict(np.array([[-2.0], [0.0], [2.0]]), return_std=True)[1]
    assert std[1] > 1.5 * max(std[0], std[2])
    assert std[0] == pytest.approx(0.1, rel=0.4)


@pytest.mark.usefixtures("engine")
def test_classes_are_averaged_as_mackay_says(table):
    """For two classes the mean is near σ(m / √(1 + π s²/8)), MacKay's approximation, to 0.02."""
    model = FeedForwardClassifier(alpha=1e-3, error_bars=True, **LINEAR).fit(table.X, table.two)
    Phi, p = design(model, table.X), model.predict_proba(table.X)[:, 1]
    bends = 60 * np.diag([1e-3] * 3 + [0.0])
    inverse = np.linalg.inv(Phi.T @ ((p * (1 - p))[:, None] * Phi) + bends)
    np.testing.assert_allclose(model.standard_errors_, np.sqrt(np.diag(inverse)), rtol=1e-8)
    spread = np.einsum("np,pq,nq->n", Phi, inverse, Phi)
    expected = expit(logit(p) / np.sqrt(1 + np.pi * spread / 8))
    proba = model.predict_proba(table.X, averaged=True)
    np.testing.assert_allclose(proba[:, 1], expected, atol=0.02)
    assert np.all(np.abs(proba[:, 1] - 0.5) <= np.abs(p - 0.5) + 1e-12)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(table.X))


@pytest.mark.parametrize("kind", ["three", "labels"])
def test_averages_are_probabilities(kind, table):
    """For many classes rows sum to 1; for several labels each stands for itself."""
    model = FeedForwardClassifier(
        (4,),
        activation="tanh",
        max_iter=30,
        error_bars=True,
        solver="levenberg_marquardt",
        random_state=0,
    )
    model.fit(table.X, getattr(table, kind))
    proba = model.predict_proba(10.0 * table.X, averaged=True)
    plain = model.predict_proba(10.0 * table.X)
    assert proba.shape == plain.shape
    assert proba.min() >= 0.0
    assert proba.max() <= 1.0
    assert proba.max(axis=1).mean() < plain.max(axis=1).mean()
    if kind == "three":
        np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
    assert model.leave_one_out_residuals().shape == (60, 3)
    with pytest.raises(AttributeError):
        model.predict_interval(table.X)


def test_table_of_parameters_follows_theta(table):
    """coef_table has a row for each parameter: where it stands, its value, error and z."""
    model = Curved(alpha=0.01).fit(table.X, table.y)
    rows = model.coef_table()
    for row in rows[[0, 7, 16, 20, 25]]:
        W, b = model.network_.W[row["layer"]], model.network_.b[row["layer"]]
        value = b[row["unit"], 0] if row["input"] < 0 else W[row["unit"], row["input"]]
        assert value == row["estimate"]
        assert row["z"] == pytest.approx(value / row["error"])
    np.testing.assert_array_equal(rows["estimate"], model.network_.theta)


def test_float32_has_nearly_the_same_error_bars(table):
    """Error bars of a network in float32 are computed in float64 at its θ."""
    wide, narrow = (
        Linear().set_params(alpha=0.01, dtype=d).fit(table.X, table.y)
        for d in ("float64", "float32")
    )
    np.testing.assert_allclose(narrow.leverage_, wide.leverage_, rtol=1e-4)
    np.testing.assert_allclose(narrow.standard_errors_, wide.standard_errors_, rtol=1e-4)
    np.testing.assert_allclose(
        narrow.predict_interval(table.X), wide.predict_interval(table.X), rtol=1e-3, atol=1e-3
    )
