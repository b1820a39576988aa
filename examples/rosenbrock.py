"""
Rosenbrock's valley by Levenberg-Marquardt
==========================================

A function with a long curved valley, learned from 400 points without noise: by Levenberg-Marquardt,
which uses second derivatives, and by Adam, which does not.
"""

import matplotlib.pyplot as plt
import numpy as np

from lamina import FeedForwardRegressor


def rosenbrock(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the logarithm of Rosenbrock's function, which has its minimum at (1, 1)."""
    return np.log1p((1 - x) ** 2 + 100 * (y - x**2) ** 2)


X = np.random.default_rng(0).uniform([-2, -1], [2, 3], size=(400, 2))
y = rosenbrock(*X.T)

models = {
    solver: FeedForwardRegressor(
        (20,), activation="tanh", solver=solver, alpha=0.0, max_iter=200, tol=0.0, random_state=0
    ).fit(X, y)
    for solver in ("levenberg_marquardt", "adam")
}

# %%
# Training curves: epochs are not the same work for both, but the end is far apart.

fig, ax = plt.subplots(figsize=(7, 3.5))
for solver, model in models.items():
    ax.semilogy(model.loss_curve_, label=solver)
ax.set(xlabel="epoch", ylabel="J")
ax.legend()
fig.tight_layout()

# %%
# The surface, and what the network of Levenberg-Marquardt makes of it.

across, up = np.meshgrid(np.linspace(-2, 2, 60), np.linspace(-1, 3, 60))
grid = np.column_stack([across.ravel(), up.ravel()])
learned = models["levenberg_marquardt"].predict(grid).reshape(across.shape)

fig, axes = plt.subplots(1, 2, figsize=(9, 4), subplot_kw={"projection": "3d"})
for ax, heights, title in (
    (axes[0], rosenbrock(across, up), "log(1 + Rosenbrock)"),
    (axes[1], learned, "learned from 400 points"),
):
    ax.plot_surface(across, up, heights, cmap="viridis", rcount=60, ccount=60)
    ax.view_init(elev=40, azim=-110)
    ax.set_title(title)
fig.tight_layout()

error = np.sqrt(np.mean((learned - rosenbrock(across, up)) ** 2))
print(f"root mean square error on the grid: {error:.3f}")
