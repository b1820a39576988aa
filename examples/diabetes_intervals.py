"""
Intervals that keep their word
==============================

scikit-learn's diabetes table: how far may a patient's value be from its prediction? Intervals are
asked for with a coverage, and the share of unseen patients inside is counted. Early stopping holds
some patients out, and the intervals are made of their residuals.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from lamina import FeedForwardRegressor

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
model = FeedForwardRegressor(
    (5,),
    activation="tanh",
    solver="bayesian_regularization",
    early_stopping=True,
    validation_fraction=0.3,
    error_bars=True,
    random_state=0,
)
model.fit(X_train, y_train)
print(model.interval_method_)

# %%
# Patients in the order of their prediction, with intervals for four of five.

mean = model.predict(X_test)
low, high = model.predict_interval(X_test, coverage=0.8).T
order = np.argsort(mean)
inside = (low <= y_test) & (y_test <= high)

fig, ax = plt.subplots(figsize=(7, 4))
rank = np.arange(len(order))
ax.vlines(rank, low[order], high[order], color="C0", alpha=0.35, lw=2)
ax.plot(rank, mean[order], color="C0", label="prediction, and 80 % interval")
for is_inside, color, label in ((True, "C2", "inside"), (False, "C3", "outside")):
    shown = inside[order] == is_inside
    ax.plot(rank[shown], y_test[order][shown], ".", color=color, label=label)
ax.set(xlabel="patient", ylabel="progression of the disease")
ax.legend(loc="upper left")
fig.tight_layout()

# %%
# What was asked for, and what came.

coverages = [0.5, 0.8, 0.9, 0.95]
for coverage in coverages:
    low, high = model.predict_interval(X_test, coverage=coverage).T
    counted = np.mean((low <= y_test) & (y_test <= high))
    print(f"{coverage:.0%} asked for, {counted:.0%} inside")
