"""How close one Gauss-Newton step comes to training without a row.

Small problems x penalties: `leave_one_out_residuals()` beside refits that start at the same θ and
go on until nothing moves. Prints the median difference in parts of the refit's residual, and the
same for the residual itself, without any correction.

    python benchmarks/leave_one_out.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lamina import ErrorBars, FeedForwardRegressor, LevenbergMarquardt
from lamina.engines.choice import engine_for
from lamina.training import loop
from lamina.training.settings import Settings
from lamina.training.state import TrainingState


def problems():
    """Yield name, X, y and hidden units."""
    random = np.random.default_rng(0)
    X = np.linspace(-3, 3, 60)[:, None]
    yield "sine", X, np.sin(2 * X[:, 0]) + 0.2 * random.normal(size=60), 6
    X = random.uniform(-1, 1, size=(100, 2))
    y = np.exp(-3 * (X**2).sum(axis=1)) + X[:, 0] * X[:, 1] + 0.1 * random.normal(size=100)
    yield "two inputs", X, y, 8
    X = random.normal(size=(80, 4))
    y = np.tanh(X[:, 0] + X[:, 1]) + 0.5 * X[:, 2] ** 2 + 0.3 * random.normal(size=80)
    yield "four inputs", X, y, 5


def refits(model, X, y):
    """Return the residual of each row by a network that was trained on without it."""
    data = model._data(X, y, None)  # noqa: SLF001 - as it was trained on, in scaled columns
    network = model.network_
    settings = Settings(solver=LevenbergMarquardt(), max_iter=1000, tol=1e-14)
    residuals = np.empty(len(y))
    with engine_for(network.recipe, network.dtype) as engine:
        for n in range(len(y)):
            state, place = TrainingState(network.theta.copy(), 0), np.array([n])
            loop.train(engine, replace(data, points=np.delete(data.points, n)), state, settings)
            gap = data.T.take(place) - engine.outputs(state.theta, data.X, place)
            residuals[n] = gap[0, 0] * model.target_scaling_.scale[0]
    return residuals


def main() -> None:
    """Print a row for each problem and penalty."""
    print(f"{'problem':14}{'alpha':>8}{'γ':>7}{'step':>9}{'residual':>10}")
    for name, X, y, units in problems():
        for alpha in (1e-4, 1e-3, 1e-2):
            model = FeedForwardRegressor(
                (units,),
                activation="tanh",
                solver="levenberg_marquardt",
                alpha=alpha,
                max_iter=1000,
                tol=1e-14,
                random_state=0,
                error_bars=ErrorBars(intervals="newton"),
            ).fit(X, y)
            right = refits(model, X, y)
            step, plain = (
                100 * np.median(np.abs(residuals - right) / np.abs(right))
                for residuals in (model.leave_one_out_residuals(), y - model.predict(X))
            )
            gamma = model.effective_parameters_
            print(f"{name:14}{alpha:>8g}{gamma:>7.1f}{step:>8.1f}%{plain:>9.1f}%", flush=True)


if __name__ == "__main__":
    main()
