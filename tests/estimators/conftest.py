"""Small data of every kind."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def table():
    """Give tests 60 rows of three inputs, and targets of every kind; not to be written to."""
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3))
    y = 2.0 * X[:, 0] - X[:, 1] ** 2 + 0.1 * random.normal(size=60)
    data = SimpleNamespace(
        X=X,
        y=y,
        two=np.array(["no", "yes"])[(y > 0).astype(int)],
        three=np.digitize(y, [-1.0, 1.0]),
        labels=(np.column_stack([y, X[:, 1], X[:, 2] - y]) > 0).astype(int),
        targets=np.column_stack([y, np.sin(X[:, 1]) * 100.0]),
        counts=random.poisson(np.exp(0.5 * X[:, 0] + 1.0)),
        weights=random.uniform(0.2, 3.0, size=60),
    )
    for array in vars(data).values():
        array.flags.writeable = False
    return data
