"""Engines are lent and come back; what they were lent with does not stay."""

import gc
import weakref

import numpy as np
import pytest

from lamina import FeedForwardRegressor
from lamina.training import solvers

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("solver", ["adam", *FULL_BATCH])
def test_data_are_let_go_after_use(engine, solver, monkeypatch):
    """After fit and predict nothing of ours keeps a user's table in memory."""
    monkeypatch.setenv("LAMINA_ENGINE", engine)
    X = np.random.default_rng(0).normal(size=(60, 3))
    y, weights = X.sum(axis=1), np.ones(60)
    watched = [weakref.ref(array) for array in (X, y, weights)]
    model = FeedForwardRegressor((4,), solver=solver, max_iter=3, random_state=0)
    model.fit(X, y, sample_weight=weights).predict(X)
    del X, y, weights
    gc.collect()
    assert [found() for found in watched] == [None, None, None]
