"""
Handwritten digits
==================

Images of 8 × 8 pixels, ten classes. What does the network read with doubt, and what wrongly?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from lamina import FeedForwardClassifier

images, digits = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    images, digits, test_size=500, stratify=digits, random_state=0
)
model = FeedForwardClassifier(
    (64,), activation="silu", learning_rate_init=0.004, max_iter=30, random_state=0
)
model.fit(X_train, y_train)
accuracy = model.score(X_test, y_test)
print(f"{accuracy:.1%} of {len(y_test)} digits that it has not seen")

# %%
# scikit-learn's displays take the model as one of their own.

fig, ax = plt.subplots(figsize=(5, 4.5))
ConfusionMatrixDisplay.from_estimator(model, X_test, y_test, colorbar=False, ax=ax)
fig.tight_layout()

# %%
# The digits of which it is least sure.

probabilities = model.predict_proba(X_test)
doubtful = np.argsort(probabilities.max(axis=1))[:8]
fig, axes = plt.subplots(1, 8, figsize=(9, 1.8))
for ax, n in zip(axes, doubtful, strict=True):
    best = probabilities[n].argmax()
    ax.imshow(X_test[n].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{best}? {probabilities[n, best]:.0%}\nis {y_test[n]}", fontsize=9)
    ax.set_axis_off()
fig.tight_layout()
