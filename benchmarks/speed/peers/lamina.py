"""Lamina as its users call it, but for `rows` and `gradient`, which ask the engine itself."""

from __future__ import annotations

import numpy as np
from cases import data, diabetes, weights

import lamina
from lamina.data.columns import Columns, Matrix, OneHot
from lamina.engines.choice import make_engine
from lamina.engines.protocol import Data
from peers import Unable, repeated

NEVER = 10**9


def network(task):
    """Return the network with the same first θ as the peers'."""
    names = ["relu"] * (len(task.S) - 2) + ["softmax"]
    net = lamina.Network(task.S, names, error="cross_entropy", dtype="float32", random_state=0)
    for W, b, (start, _) in zip(net.W[1:], net.b[1:], weights(task), strict=True):
        W[:], b[:] = start.T, 0.0
    return net


def train(task):
    """`lamina.train`, so many epochs a call, going on from call to call."""
    X, y = data(task)
    T = np.ascontiguousarray(np.eye(task.S[-1], dtype=np.float32)[y]).T

    def build():
        net, state = network(task), None

        def run(epochs: int) -> int:
            nonlocal state
            done = 0 if state is None else state.epoch
            state = lamina.train(
                net,
                X.T,
                T,
                batch_size=task.batch,
                max_iter=epochs,
                n_iter_no_change=NEVER,
                state=state,
                random_state=0 if state is None else None,
            ).state
            return (state.epoch - done) * task.steps

        return run, lambda: net.error(X[:2000].T, T[:, :2000])

    return {"": build}


def fitted(task):
    """Return rows and a classifier that has seen them twice."""
    X, y = data(task)
    model = lamina.FeedForwardClassifier(task.S[1:-1], max_iter=2, random_state=0)
    return X.astype(float), model.fit(X.astype(float), y)


def predict(task):
    """The estimator's `predict`, with all its checks."""
    X, model = fitted(task)
    row = X[:1]
    return {"": lambda: repeated(lambda: model.predict(row))}


def predictor(task):
    """The bare function of a network or an estimator, if there is one."""
    X, _ = data(task)
    net = network(task)
    if not hasattr(net, "predictor"):
        raise Unable("net.predictor() is not there yet")
    row = np.ascontiguousarray(X[:1])

    def build():
        call = net.predictor()
        return repeated(lambda: call(row))

    return {"": build}


def rows(task):
    """The engine's outputs for all rows of a table."""
    X, _ = data(task)
    net = network(task)
    source, points = Columns(X, None, np.float32), np.arange(task.n)

    def build():
        engine = make_engine(net.recipe, net.dtype)
        return repeated(lambda: engine.outputs(net.theta, source, points))

    return {"": build}


def gradient(task):
    """The engine's J and dJ/dθ on all rows."""
    X, y = data(task)
    net = network(task)
    targets = OneHot(y, task.S[-1], np.float32)
    given = Data(Matrix(X.T, np.float32), targets, np.arange(task.n))

    def build():
        engine = make_engine(net.recipe, net.dtype)
        return repeated(lambda: engine.gradient(net.theta, given))

    return {"": build}


def lbfgs(task):
    """Fits of 50 iterations, in float64 as scikit-learn's."""
    X, y = data(task)
    X = X.astype(float)

    def run(times: int) -> int:
        done = 0
        for seed in range(times):
            model = lamina.FeedForwardClassifier(
                task.S[1:-1],
                solver="lbfgs",
                alpha=0.0,
                max_iter=50,
                tol=-np.inf,
                n_iter_no_change=NEVER,
                random_state=seed,
            )
            done += model.fit(X, y).n_iter_
        return done

    return {"": lambda: run}


def small(task):
    """Return the estimator of the many small fits."""
    return lamina.FeedForwardRegressor(
        task.S[1:-1], batch_size=task.batch, max_iter=50, n_iter_no_change=NEVER
    )


def fits(task):
    """Thirty fits with thirty seeds."""
    X, y = diabetes()

    def once():
        for seed in range(30):
            assert small(task).set_params(random_state=seed).fit(X, y).n_iter_ == 50  # noqa: S101

    return {"": lambda: repeated(once)}


def search(task):
    """Five penalties on three folds in two processes."""
    from sklearn.model_selection import GridSearchCV

    X, y = diabetes()
    grid = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]}
    model = small(task).set_params(random_state=0)
    return {
        "": lambda: repeated(
            lambda: GridSearchCV(model, grid, cv=3, n_jobs=2, refit=False).fit(X, y)
        )
    }


MAKERS = {f.__name__: f for f in (train, predict, predictor, rows, gradient, lbfgs, fits, search)}
