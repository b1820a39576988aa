"""
Two spirals
===========

A classic of 1988: two spirals wind around each other, and a network must tell them apart.
Levenberg-Marquardt on the cross-entropy needs some dozens of steps.
"""

import matplotlib.pyplot as plt
import numpy as np

from lamina import FeedForwardClassifier

angle = np.sqrt(np.random.default_rng(0).uniform(0.02, 1, 400)) * 3.2 * np.pi
arm = np.repeat([0, np.pi], 200)
X = np.column_stack([angle * np.cos(angle + arm), angle * np.sin(angle + arm)]) / 10
labels = np.repeat(["left", "right"], 200)

model = FeedForwardClassifier(
    (12, 12), activation="tanh", solver="levenberg_marquardt", max_iter=60, random_state=0
)
model.fit(X, labels)
print(f"{model.score(X, labels):.1%} right after {model.n_iter_} steps")

# %%
# The probability of one class over the plane. Far from the data the network is just as sure as
# near them: a picture worth remembering.

side = np.linspace(-1.15, 1.15, 200)
across, up = np.meshgrid(side, side)
grid = np.column_stack([across.ravel(), up.ravel()])
probability = model.predict_proba(grid)[:, 1].reshape(across.shape)

fig, ax = plt.subplots(figsize=(5.5, 5))
levels = np.linspace(0, 1, 11)
shown = ax.contourf(across, up, probability, levels=levels, cmap="RdBu", alpha=0.75)
for label, color in (("left", "darkred"), ("right", "navy")):
    ax.plot(*X[labels == label].T, ".", ms=4, color=color, label=label)
fig.colorbar(shown, label="probability of right")
ax.set_aspect("equal")
ax.legend(loc="upper right")
fig.tight_layout()
