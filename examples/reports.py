"""
Looking at a network
====================

scikit-learn's diabetes table: what training did, how far predictions are off, which inputs matter,
and the network itself with its weights.
"""

from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from lamina import FeedForwardRegressor
from lamina.reports import NetworkDiagram, PartialDependence, RegressionReport, TrainingCurves

X, y = load_diabetes(return_X_y=True)
names = load_diabetes().feature_names
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = FeedForwardRegressor(
    (12, 6), activation="tanh", solver="adam", early_stopping=True, random_state=0
)
model.fit(X_train, y_train)
print(model.diagnose(X_test, y_test))

# %%
# Loss, R² on the rows held out, and the gradient.

TrainingCurves.from_estimator(model).plot()

# %%
# Weights: wide where they are large within their layer, blue above zero and orange below. Units
# are filled by their bias.

NetworkDiagram.from_estimator(model, feature_names=names).plot()

# %%
# The mean prediction over the body mass index, the blood pressure and one of the blood serums.

PartialDependence.from_estimator(
    model, X_test, features=["bmi", "bp", "s5"], feature_names=names
).plot()

# %%
# What is left of the target, against every input.

RegressionReport.from_estimator(model, X_test, y_test, feature_names=names).plot()
