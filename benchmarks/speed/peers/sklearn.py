"""scikit-learn's MLP: float32 where that is asked for, and NumPy's BLAS on two threads."""

from __future__ import annotations

from cases import data, diabetes
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor

from peers import repeated

NEVER = 10**9


def train(task):
    """`fit` with warm_start, so many epochs a call; two classes are one logistic output there."""
    X, y = data(task)

    def build():
        model = MLPClassifier(
            task.S[1:-1],
            batch_size=task.batch,
            alpha=0.0,
            warm_start=True,
            n_iter_no_change=NEVER,
            random_state=0,
        )

        def run(epochs: int) -> int:
            return model.set_params(max_iter=epochs).fit(X, y).n_iter_ * task.steps

        return run, lambda: log_loss(y[:2000], model.predict_proba(X[:2000]))

    return {"": build}


def predict(task):
    """`predict` of one row."""
    X, y = data(task)
    X = X.astype(float)
    model = MLPClassifier(task.S[1:-1], max_iter=2, random_state=0).fit(X, y)
    row = X[:1]
    return {"": lambda: repeated(lambda: model.predict(row))}


def rows(task):
    """`predict_proba` of all rows."""
    X, y = data(task)
    model = MLPClassifier(task.S[1:-1], max_iter=1, random_state=0).fit(X, y)
    return {"": lambda: repeated(lambda: model.predict_proba(X))}


def lbfgs(task):
    """Fits of 50 iterations, in float64 as Lamina's."""
    X, y = data(task)
    X = X.astype(float)

    def run(times: int) -> int:
        done = 0
        for seed in range(times):
            model = MLPClassifier(
                task.S[1:-1],
                solver="lbfgs",
                alpha=0.0,
                max_iter=50,
                tol=0.0,
                random_state=seed,
            )
            done += model.fit(X, y).n_iter_
        return done

    return {"": lambda: run}


def small(task):
    """Return the estimator of the many small fits."""
    return MLPRegressor(
        hidden_layer_sizes=task.S[1:-1], batch_size=task.batch, max_iter=50, n_iter_no_change=NEVER
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


MAKERS = {f.__name__: f for f in (train, predict, rows, lbfgs, fits, search)}
