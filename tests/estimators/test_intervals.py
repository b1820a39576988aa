"""Intervals of regressors: where they come from, and that they are what they should be."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from lamina import ErrorBars, FeedForwardRegressor
from lamina.engines.choice import engine_for
from lamina.training.randomness import Purpose, generator
from lamina.uncertainty.folds import cut

LEVENBERG = {"solver": "levenberg_marquardt", "random_state": 0}
Linear = partial(FeedForwardRegressor, (), error_bars=True, tol=0.0, **LEVENBERG)
Curved = partial(FeedForwardRegressor, activation="tanh", error_bars=True, random_state=0)


def folds_of(model):
    """Return the stream that the parts of the data were drawn from."""
    return generator(model.state_.seed, Purpose.FOLDS)


def design(model, X):
    """Return the scaled inputs and a column of ones, N × P, in the order of θ."""
    return np.column_stack([model.input_scaling_.apply(X), np.ones(len(X))])


def ridge(Phi, t, alpha):
    """Return θ where the mean of half the squares and alpha/2 |w|², without bias, is least."""
    bends = np.diag([alpha] * (Phi.shape[1] - 1) + [0.0])
    return np.linalg.solve(Phi.T @ Phi / len(Phi) + bends, Phi.T @ t / len(Phi))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_held_out_rows_give_conformal_intervals(early_stopping, table):
    """With X_val, the half width is the ⌈c (n + 1)⌉-th smallest residual of the held-out rows."""
    model = FeedForwardRegressor(
        (4,), max_iter=20, error_bars=True, early_stopping=early_stopping, random_state=0
    )
    model.fit(table.X[:40], table.y[:40], X_val=table.X[40:], y_val=table.y[40:])
    sizes = np.sort(np.abs(table.y[40:] - model.predict(table.X[40:])))
    mean = model.predict(table.X)
    for coverage, rank in ((0.5, 11), (0.9, 19), (0.95, 20)):
        low, high = model.predict_interval(table.X, coverage).T
        np.testing.assert_allclose(high - mean, sizes[rank - 1], rtol=1e-9)
        np.testing.assert_allclose(mean - low, sizes[rank - 1], rtol=1e-9)
    assert model.interval_method_.startswith("split conformal with 20 held-out rows")
    assert ("early stopping" in model.interval_method_) == early_stopping


def test_step_without_a_part_is_the_refit_of_a_linear_network(table):
    """Each network of CV+ is the fit to the other parts, and its residuals are of its own."""
    model = Linear(alpha=0.01).fit(table.X, table.y)
    intervals, parts = model.error_bars_.intervals, cut(np.arange(60), 10, folds_of(model))
    Phi, t = design(model, table.X), model.target_scaling_.apply(table.y[:, None])[:, 0]
    assert "Gauss-Newton step" in model.interval_method_
    for k, (theta, part) in enumerate(zip(intervals.networks, parts, strict=True)):
        others = np.setdiff1d(np.arange(60), part)
        np.testing.assert_allclose(theta, ridge(Phi[others], t[others], 0.01), rtol=1e-8)
        sizes = intervals.sizes[intervals.owners == k, 0]
        np.testing.assert_allclose(sizes, np.abs(t - Phi @ theta)[part], rtol=1e-8)


def test_refit_without_a_part_is_a_fit_to_the_others(table):
    """Each network of the refits is what fit gives where the part has no weight."""
    settings = {"scale_inputs": "none", "scale_targets": "none", "max_iter": 5, "solver": "adam"}
    make = partial(FeedForwardRegressor, (4,), random_state=0, **settings)
    model = make(error_bars=ErrorBars("refits", folds=3)).fit(table.X, table.y)
    intervals, parts = model.error_bars_.intervals, cut(np.arange(60), 3, folds_of(model))
    assert "trained anew" in model.interval_method_
    for k, (theta, part) in enumerate(zip(intervals.networks, parts, strict=True)):
        weights = np.ones(60)
        weights[part] = 0.0
        other = make().fit(table.X, table.y, sample_weight=weights)
        np.testing.assert_allclose(theta, other.network_.theta, rtol=1e-9)
        sizes = intervals.sizes[intervals.owners == k, 0]
        gaps = np.abs(table.y - other.predict(table.X))[part]
        np.testing.assert_allclose(sizes, gaps, rtol=1e-8)


def test_auto_takes_what_is_sure(table):
    """Steps only where they are refits: a linear network at its minimum. Else it trains anew."""
    assert "Gauss-Newton step" in Linear().fit(table.X, table.y).interval_method_
    far = Linear().set_params(solver="adam", max_iter=3).fit(table.X, table.y)
    assert "trained anew" in far.interval_method_
    assert "error bars from the minimum" in far.posterior_method_
    curved = Curved((5,), max_iter=200, alpha=1e-2, solver="levenberg_marquardt").fit(
        table.X, table.y
    )
    assert "trained anew" in curved.interval_method_
    assert "from the minimum" not in curved.posterior_method_


def test_step_that_fails_is_damped(table):
    """With hardly any penalty a plain step can lead anywhere; each network stays near its data."""
    model = Curved(
        (8,), alpha=1e-6, solver="lbfgs", max_iter=30, error_bars=ErrorBars("newton", folds=5)
    ).fit(table.X, table.y)
    assert "refits are sure" in model.interval_method_
    parts, data = cut(np.arange(60), 5, folds_of(model)), model._data(table.X, table.y, None)
    with engine_for(model.network_.recipe, float) as engine:
        for theta, part in zip(model.error_bars_.intervals.networks, parts, strict=True):
            others = replace(data, points=np.setdiff1d(data.points, part))
            before = engine.error(model.network_.theta, others)
            assert engine.error(theta, others) < before
