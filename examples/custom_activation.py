"""
An activation of your own
=========================

"Snake", z + sin²(z), knows that things repeat. Registered as a value and a slope, it is measured,
then compiled like the built-in ones. Outside its data a network of tanh goes flat; this one goes
on. (It must catch the period: from many starts it does not, so several are made.)
"""

import matplotlib.pyplot as plt
import numpy as np

import lamina

lamina.register_activation("snake", lambda z: z + np.sin(z) ** 2, lambda z, a: 1 + np.sin(2 * z))

random = np.random.default_rng(0)
x = random.uniform(-4, 4, 300)
y = np.sin(1.5 * x) + 0.3 * x + random.normal(scale=0.05, size=x.size)

models = {
    name: lamina.FeedForwardRegressor(
        (8,),
        activation=name,
        solver="levenberg_marquardt",
        alpha=1e-3,
        max_iter=100,
        n_restarts=3,
        random_state=0,
    ).fit(x[:, np.newaxis], y)
    for name in ("snake", "tanh")
}

# %%
# Between the dotted lines there were data.

grid = np.linspace(-8, 8, 500)
fig, ax = plt.subplots(figsize=(7, 4))
ax.plot(grid, np.sin(1.5 * grid) + 0.3 * grid, "k", lw=1, label="truth")
for name, model in models.items():
    ax.plot(grid, model.predict(grid[:, np.newaxis]), label=name)
for end in (-4, 4):
    ax.axvline(end, color="gray", ls=":")
ax.set(xlabel="x", ylabel="y", ylim=(-5, 5))
ax.legend()
fig.tight_layout()

# %%
# The certificate compares the gradient that trained this network with measured derivatives.

print(models["snake"].certify(x[:, np.newaxis], y))

# %%
# A wrong slope is refused, with the figure and the place.

try:
    lamina.register_activation("cubic", lambda z: z**3, lambda z, a: 2 * z**2)
except lamina.exceptions.FormulaError as problem:
    print(problem)
