"""
Quantiles
=========

Where the noise grows with x, the 10, 50 and 90 % quantiles say more than a mean. One network has
all three: the error ``quantile((0.1, 0.5, 0.9))`` takes one output for each.
"""

import matplotlib.pyplot as plt
import numpy as np

from lamina import FeedForwardRegressor

random = np.random.default_rng(0)
x = random.uniform(0, 10, 1500)
y = np.sin(x) + x / 4 + random.normal(size=x.size) * (0.05 + 0.08 * x)

model = FeedForwardRegressor(
    (24, 24),
    activation="silu",
    loss="quantile((0.1, 0.5, 0.9))",
    learning_rate_init=0.01,
    learning_rate="cosine",
    max_iter=120,
    random_state=0,
)
model.fit(x[:, np.newaxis], y)

# %%
# Each band is found from its own share of the points, and no form of the noise is assumed.

grid = np.linspace(0, 10, 300)
low, middle, high = model.predict(grid[:, np.newaxis]).T

fig, ax = plt.subplots(figsize=(7, 4))
ax.plot(x, y, ".", ms=3, color="gray", alpha=0.5)
ax.fill_between(grid, low, high, alpha=0.3, label="10 % to 90 %")
ax.plot(grid, middle, label="50 %")
ax.set(xlabel="x", ylabel="y")
ax.legend(loc="upper left")
fig.tight_layout()

# %%
# How many points lie between the outer two?

low, _, high = model.predict(x[:, np.newaxis]).T
inside = np.mean((low < y) & (y < high))
print(f"{inside:.1%} of the points lie in the band of 80 %")
