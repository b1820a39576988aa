"""Inputs that are unusual and no mistake: the answer is the right one, and nothing is changed."""

import pickle
from tempfile import NamedTemporaryFile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from lamina import FeedForwardClassifier, FeedForwardRegressor

C, R = FeedForwardClassifier, FeedForwardRegressor
N = 24
random = np.random.default_rng(0)
X = random.normal(size=(N, 3))
Y = {C: np.arange(N) % 3, R: X[:, 0] - 2.0 * X[:, 1]}
COLUMN = (slice(None), 1)
WORDS = np.array(["ant", "bee", "cat"])
SETTINGS = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}


def put(value, at, into):
    """Return a copy of an array with one entry, or a slice, replaced."""
    copied = np.array(into, dtype=float)
    copied[at] = value
    return copied


def mapped(array):
    """Return the array as a read-only memory map."""
    with NamedTemporaryFile() as file:
        np.memmap(file, array.dtype, "w+", shape=array.shape)[:] = array
        return np.memmap(file.name, array.dtype, "r", shape=array.shape)


def frozen(array):
    """Return a copy that cannot be written to."""
    array = array.copy()
    array.flags.writeable = False
    return array


SAME_X = {  # memory and containers: X as it comes, and the plain X that must give the same bits
    "a list of lists": (X.tolist(), X),
    "a frame": (pd.DataFrame(X), X),
    "a frame of small floats": (pd.DataFrame(X.astype("f4")), X.astype("f4")),
    "objects that are numbers": (X.astype(object), X),
    "read-only": (frozen(X), X),
    "Fortran order": (np.asfortranarray(X), X),
    "negative strides": (X[::-1, ::-1][::-1, ::-1], X),
    "a slice with gaps": (np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2], X),
    "one row repeated": (np.broadcast_to(X[0], X.shape), np.tile(X[0], (N, 1))),
    "a memory map": (mapped(X), X),
    "big-endian": (X.astype(">f8"), X),
    "no mask": (np.ma.masked_array(X), X),
    "float16": (X.astype("f2"), X.astype("f2").astype(float)),
    "float32": (X.astype("f4"), X.astype("f4").astype(float)),
    "int8": ((9 * X).astype("i1"), (9 * X).astype("i1").astype(float)),
    "uint8": (abs(9 * X).astype("u1"), abs(9 * X).astype("u1").astype(float)),
    "uint64": (abs(9 * X).astype("u8"), abs(9 * X).astype("u8").astype(float)),
    "bool": (X > 0, (X > 0).astype(float)),
}
SAME_Y = [  # estimator, y as it comes, and the plain y that must give the same bits
    (R, Y[R].tolist(), Y[R]),
    (R, pd.Series(Y[R], index=range(5, 5 + N)), Y[R]),
    (R, Y[R].astype(object), Y[R]),
    (R, frozen(Y[R]), Y[R]),
    (R, np.repeat(Y[R], 2)[::2], Y[R]),
    (R, mapped(Y[R]), Y[R]),
    (R, Y[C].astype("u1"), Y[C].astype(float)),
    (R, Y[C] > 0, (Y[C] > 0).astype(float)),
    (C, Y[C].tolist(), Y[C]),
    (C, frozen(Y[C]), Y[C]),
    (C, mapped(Y[C]), Y[C]),
    (C, Y[C].astype("u8"), Y[C]),
    (C, Y[C].astype(float), Y[C]),
    (C, pd.Series(WORDS[Y[C]], dtype="category"), WORDS[Y[C]]),
    (C, WORDS.astype(object)[Y[C]], WORDS[Y[C]]),
    (C, pd.array((Y[C] > 0).tolist(), dtype="boolean"), Y[C] > 0),
    (C, scipy.sparse.csr_matrix(X > 0).astype(int), (X > 0).astype(int)),
    (C, (X > 0).tolist(), (X > 0).astype(int)),
    (C, (X > 0).astype(float), (X > 0).astype(int)),
]
FINITE = {  # values: estimators, settings, what is passed to fit; every answer must be finite
    "one row": ((C, R), {}, {"X": X[:1], "y": "first"}),
    "one column": ((C, R), {}, {"X": X[:, :1]}),
    "one class": ((C,), {}, {"y": np.ones(N, int)}),
    "a column for each row": ((C, R), {}, {"X": random.normal(size=(N, 2 * N))}),
    "a constant column": ((C, R), {}, {"X": put(5.0, COLUMN, X)}),
    "a constant column of 1e300": ((C, R), {}, {"X": put(1e300, COLUMN, X)}),
    "all columns constant": ((C, R), {}, {"X": np.full((N, 3), -7.0)}),
    "all zeros": ((C, R), {"scale_inputs": "minmax"}, {"X": np.zeros((N, 3))}),
    "duplicate columns": ((C, R), {}, {"X": X[:, [0, 0, 0]]}),
    "a constant target": ((R,), {}, {"y": np.full(N, 3.0)}),
    "inputs of 1e300": ((C, R), {}, {"X": X * 1e300}),
    "inputs of 1e-300": ((C, R), {}, {"X": X * 1e-300}),
    "inputs below the normal": ((C, R), {}, {"X": X * 1e-310}),
    "an input of 1e300 among small": ((C, R), {}, {"X": put(1e300, (2, 1), X)}),
    "inputs to 1.7e308": ((C, R), {}, {"X": abs(X) / abs(X).max() * 1.7e308}),
    "large inputs in float32": ((C, R), {"dtype": "float32"}, {"X": X * 1e200}),
    "targets of 1e300": ((R,), {}, {"y": Y[R] * 1e300}),
    "targets of 1e-300 in float32": ((R,), {"dtype": "float32"}, {"y": Y[R] * 1e-300}),
    "targets of 1e300 in float32": ((R,), {"dtype": "float32"}, {"y": Y[R] * 1e300}),
    "batches larger than the data": ((C, R), {"batch_size": 10**9}, {}),
    "weights of 1e308": ((C, R), {}, {"sample_weight": np.full(N, 1e308)}),
    "weights below the normal": ((C, R), {}, {"sample_weight": np.full(N, 1e-320)}),
    "one weight for all": ((C, R), {}, {"sample_weight": 2.0}),
    "weights that are flags": ((C, R), {}, {"sample_weight": np.arange(N) > 3}),
    "weight on few rows, watched": ((C, R), {"early_stopping": True},
                                    {"sample_weight": put(1.0, [3, 4], np.zeros(N))}),
    "class weights far apart": ((C,), {"class_weight": {0: 1e308, 1: 1.0, 2: 1e-300}}, {}),
    "a class without weight": ((C,), {"class_weight": {0: 0, 1: 1, 2: 1}}, {}),
    "validation of 1e300": ((C, R), {"early_stopping": True}, {"X_val": X * 1e300, "y_val": "y"}),
    "two rows, one watched": ((C, R), {"early_stopping": True}, {"X": X[:2], "y": "first"}),
    "no label in any row": ((C,), {}, {"y": np.zeros((N, 3), int)}),
    "a target as a column": ((R,), {}, {"y": Y[R][:, None]}),
    "nearly all dropped": ((C, R), {"dropout": 0.999999}, {}),
    "sizes in an array": ((C, R), {"hidden_layer_sizes": np.array([4, 3])}, {}),
    "no hidden layer": ((C, R), {"hidden_layer_sizes": ()}, {}),
    "a steep learning rate": ((C, R), {"learning_rate_init": 100.0, "max_gradient_norm": 1.0}, {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", [C, R])
@pytest.mark.parametrize("name", SAME_X)
def test_odd_memory_of_inputs_gives_the_same_bits(kind, name):
    """However X lies in memory, and whatever holds it, the network is that of a plain array."""
    given, plain = SAME_X[name]
    before = pickle.dumps(given)
    odd, usual = kind(**SETTINGS).fit(given, Y[kind]), kind(**SETTINGS).fit(plain, Y[kind])
    assert np.array_equal(odd.network_.theta, usual.network_.theta)
    assert np.array_equal(odd.predict(given), usual.predict(plain))
    assert pickle.dumps(given) == before


@pytest.mark.parametrize("kind", [C, R])
def test_long_double_gives_the_same_to_rounding(kind):
    """Long doubles are scaled in their own precision, so only the last bits may differ."""
    y = Y[kind] if kind is C else Y[kind].astype("g")
    wide, usual = kind(**SETTINGS).fit(X.astype("g"), y), kind(**SETTINGS).fit(X, Y[kind])
    assert np.allclose(wide.network_.theta, usual.network_.theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", SAME_Y, ids=lambda case: f"{case[0].__name__}-{type(case[1])}")
def test_odd_container_of_targets_gives_the_same_bits(case):
    """However y lies in memory, and whatever holds it, the network is that of a plain array."""
    kind, given, plain = case
    before = pickle.dumps(given)
    odd, usual = kind(**SETTINGS).fit(X, given), kind(**SETTINGS).fit(X, plain)
    assert np.array_equal(odd.network_.theta, usual.network_.theta)
    assert np.array_equal(odd.predict(X), usual.predict(X))
    assert pickle.dumps(given) == before


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for name, (kinds, *_) in FINITE.items() for kind in kinds]
)
def test_odd_values_give_finite_answers(kind, name):
    """Extreme and degenerate data train without a warning, and every answer is finite."""
    _, settings, given = FINITE[name]
    stand_ins = {"y": Y[kind], "first": Y[kind][: len(given.get("X", X))]}
    given = {n: stand_ins[v] if isinstance(v, str) else v for n, v in given.items()}
    given = {"X": X, "y": Y[kind]} | given
    before = pickle.dumps(given)
    model = kind(**(SETTINGS | settings)).fit(**given)
    answers = model.predict_proba(given["X"]) if kind is C else model.predict(given["X"])
    assert len(answers) == len(given["X"])
    assert np.isfinite(answers).all()
    assert np.isfinite(model.network_.theta).all()
    if kind is R:
        size = np.abs(given["y"]).max()
        assert np.any(answers != 0)
        assert np.abs(answers).max() < 1e6 * max(size, np.finfo(float).tiny)
    assert pickle.dumps(given) == before


@pytest.mark.parametrize("kind", [C, R])
def test_scale_of_the_data_changes_nothing(kind):
    """A power of two on inputs, targets and weights gives the same network, bit for bit."""
    theta = []
    for factor in (1.0, 2.0**900, 2.0**-900):
        y = Y[kind] if kind is C else Y[kind] * factor
        model = kind(**SETTINGS).fit(X * factor, y, sample_weight=np.arange(N) * factor)
        theta.append(model.network_.theta)
    assert np.array_equal(theta[0], theta[1])
    assert np.array_equal(theta[0], theta[2])
