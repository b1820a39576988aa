"""
A noisy sine with error bars
============================

Sixty noisy points with a gap in the middle. Bayesian regularization finds the strength of the
penalty by itself; the standard deviation of a prediction grows where there are no data.
"""

import matplotlib.pyplot as plt
import numpy as np

from lamina import ErrorBars, FeedForwardRegressor

random = np.random.default_rng(1)
x = np.sort(np.concatenate([random.uniform(0, 2.2, 30), random.uniform(3.8, 6, 30)]))
y = np.sin(2 * x) + random.normal(scale=0.15, size=x.size)

model = FeedForwardRegressor(
    (8,),
    activation="tanh",
    solver="bayesian_regularization",
    max_iter=60,
    error_bars=ErrorBars(intervals="newton"),  # here only the standard deviation is asked for
    random_state=0,
)
model.fit(x[:, np.newaxis], y)

# %%
# The bars contain both: the noise, and what the data leave open about the network.

grid = np.linspace(-0.5, 6.5, 300)
mean, std = model.predict(grid[:, np.newaxis], return_std=True)

fig, ax = plt.subplots(figsize=(7, 4))
ax.fill_between(grid, mean - 2 * std, mean + 2 * std, alpha=0.2, label="± 2 standard deviations")
ax.plot(grid, mean, label="prediction")
ax.plot(grid, np.sin(2 * grid), "k:", lw=1, label="truth")
ax.plot(x, y, ".", color="C3", label="data")
ax.set(xlabel="x", ylabel="y", ylim=(-2.5, 2.5))
ax.legend(ncols=2, loc="lower center")
fig.tight_layout()

# %%
# How many of the parameters did the data decide?

print(f"{model.effective_parameters_:.1f} of {model.network_.theta.size} parameters")
