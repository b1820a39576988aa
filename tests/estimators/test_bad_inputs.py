"""What people do by mistake: a clear error that changes nothing, or the right answer."""

import copy
import pickle
import traceback

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

from lamina import Adam, FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import DivergenceError, LaminaError, ShapeError, UnknownNameError

C, R = FeedForwardClassifier, FeedForwardRegressor
N = 24
random = np.random.default_rng(0)
X = random.normal(size=(N, 3))
Y = {C: np.arange(N) % 3, R: X[:, 0] - 2.0 * X[:, 1]}
ONES = np.ones(N)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
LABELS = (X > 0).astype(int)
nan, inf = np.nan, np.inf
Value, Type, Any = ValueError, TypeError, (TypeError, ValueError)


def put(value, at=(2, 1), into=X, dtype=None):
    """Return a copy of an array with one entry, or a slice, replaced."""
    copied = np.array(into, dtype=dtype or into.dtype)
    copied[at] = value
    return copied


BAD_X = {  # both estimators: X, what is raised, what it says
    "infinity": (put(inf), Value, "contains infinity"),
    "minus infinity": (put(-inf), Value, "contains infinity"),
    "text among objects": (put("a", dtype=object), Value, "'x1' is an id .* 24 different texts"),
    "text": (X.astype(str), Value, "column 'x0' is an id .* column_kinds={'x0': 'drop'}"),
    "bytes": (X.astype("S"), Type, "column 'x0' holds bytes; decode them"),
    "a dict among objects": (put({}, dtype=object), Type, "'x1', row 2, holds a dict"),
    "infinity in a frame": (FRAME.mask(FRAME > 1, inf), Value, "column '[abc]', row .* infinite"),
    "durations in a frame": (FRAME.assign(b=pd.to_timedelta(range(N))), Type, "'b' holds duration"),
    "nothing but constants": (FRAME * 0.0, Value, "no column is left .* a: drop; constant"),
    "no rows": (X[:0], Value, r"0 sample\(s\)"),
    "no columns": (X[:, :0], Value, r"0 feature\(s\)"),
    "one dimension": (X[:, 0], Value, "Expected 2D array, got 1D"),
    "three dimensions": (X[:, :, None], Value, "dim 3"),
    "a number": (3.0, Value, "Expected 2D array, got scalar"),
    "None": (None, Value, "Expected 2D array, got scalar"),
    "a generator": ((row for row in X), Value, "Expected 2D array, got scalar"),
    "ragged lists": ([[1.0, 2.0]] * (N - 1) + [[1.0]], Value, "inhomogeneous"),
    "too few rows": (X[:-1], Value, "X has 23 rows and y has 24; they must agree"),
    "transposed": (X.T, Value, "X has 3 rows and y has 24"),
    "complex": (X.astype(complex), Value, "Complex data not supported"),
    "time spans": ((X * 9).astype("m8[s]"), Type, "X must hold real numbers"),
    "records": (np.zeros(N, "f8,f8"), Value, "Expected 2D array, got 1D"),
    "infinity in a sparse table": (scipy.sparse.csr_array(put(inf)), Value, "contains infinity"),
    "NaN in a sparse table": (scipy.sparse.csr_array(put(nan)), Value, "contains NaN"),
    "a matrix": (X.view(np.matrix), Type, "np.matrix is not supported"),
    "masked entries": (np.ma.masked_array(X, X > 1), Value, "X has masked entries; fill them"),
    "names of two kinds": (FRAME.set_axis(["a", 1, 2], axis=1), Type, "string names"),
    "beyond float64": (put(np.longdouble("1e400"), dtype=np.longdouble), Value, "another unit"),
    "a span of 2e308": (np.outer(np.arange(N) % 2 * 2 - 1, ONES[:3] * 1e308), Value, "too wide"),
}
BAD_Y = {
    C: {
        "None": (None, Value, "y to be passed, but the target y is None"),
        "NaN": (put(nan, 3, Y[C], float), Value, "contains NaN"),
        "infinity": (put(inf, 3, Y[C], float), Value, "contains infinity"),
        "missing labels": (pd.array([1, 2, None] * 8, dtype="Int64"), Value, "contains NaN"),
        "continuous": (Y[R], Value, "Unknown label type: continuous"),
        "all None": ([None] * N, Value, "contains NaN or None: .* in 24 of 24 rows"),
        "None among text": (np.array(["a", None], object)[Y[C] % 2], Value, "contains NaN or None"),
        "text and numbers": (np.array(["a", 1, 2.5], object)[Y[C]], Type, "float, int, str"),
        "a number": (np.float64(1.0), Value, "Unknown label type|array-like"),
        "three dimensions": (Y[C][:, None, None], Value, "Unknown label type"),
        "no columns": (np.zeros((N, 0)), Value, "Unknown label type"),
        "a generator": ((y for y in Y[C]), Type, "a frame, got a generator"),
        "lists of labels": ([[1], [1, 2]] * 12, Value, "rows of equal length"),
        "a table of 1 and 2": (LABELS + 1, Value, r"holds 1 where .* got \[1, 2\]"),
        "a table of -1 and 1": (2 * LABELS - 1, Value, r"got \[-1, 1\]"),
        "a sparse table of 2": (scipy.sparse.csr_matrix(2 * LABELS), Value, r"got \[0, 2\]"),
        "masked": (np.ma.masked_array(Y[C], Y[C] == 1), Value, "y has masked entries"),
        "complex": (Y[C] * 1j, Value, "Complex data|Unknown label type"),
    },
    R: {
        "None": (None, Value, "y to be passed, but the target y is None"),
        "NaN": (put(nan, 3, Y[R]), Value, "y contains NaN"),
        "infinity": (put(inf, 3, Y[R]), Value, "y contains infinity"),
        "text": (np.array(["a"] * N), Value, "bytes/strings"),
        "text objects": (np.array(["a"] * N, object), Value, "could not convert"),
        "all None": ([None] * N, Any, "NaN|real numbers, got .* object"),
        "a number": (np.float64(1.0), Type, "1 dimension"),
        "three dimensions": (Y[R][:, None, None], Value, r"N × K table, got shape \(24, 1, 1\)"),
        "no columns": (np.zeros((N, 0)), Value, r"0 feature\(s\)"),
        "dates": (Y[C].astype("M8[D]"), Type, "y holds dates or durations"),
        "sparse": (scipy.sparse.csr_matrix(LABELS), Type, "Sparse data was passed for y"),
        "masked": (np.ma.masked_array(Y[R], Y[R] > 1), Value, "y has masked entries"),
        "complex": (Y[R] * 1j, Value, "Complex data"),
        "a span of 2e308": (np.resize([-1e308, 1e308], N), Value, "too wide"),
    },
}
BAD_FIT = {  # both estimators: what is passed to fit; "y" stands for targets
    "weights with NaN": ({"sample_weight": put(nan, 3, ONES)}, Value, "sample_weight contains NaN"),
    "weights with infinity": ({"sample_weight": put(inf, 3, ONES)}, Value, "contains infinity"),
    "weights below 0": ({"sample_weight": -ONES}, Value, "zero or more"),
    "weights all 0": ({"sample_weight": 0 * ONES}, Value, "non-zero|zero everywhere"),
    "weights too short": ({"sample_weight": ONES[:3]}, Value, r"shape == \(3,\), expected \(24,\)"),
    "weights of text": ({"sample_weight": ["a"] * N}, Value, "could not convert"),
    "weights in a table": ({"sample_weight": ONES[:, None]}, Value, "must be 1D array or scalar"),
    "weights complex": ({"sample_weight": ONES * 1j}, Value, "Complex data"),
    "weights masked": ({"sample_weight": np.ma.masked_array(ONES, ONES > 0)}, Value, "masked"),
    "X_val alone": ({"X_val": X}, Value, "X_val and y_val belong together"),
    "y_val alone": ({"y_val": "y"}, Value, "X_val and y_val belong together"),
    "sample_weight_val alone": ({"sample_weight_val": ONES}, Value, "belongs to X_val and y_val"),
    "X_val with infinity": ({"X_val": put(inf), "y_val": "y"}, Value, "contains infinity"),
    "X_val too narrow": ({"X_val": X[:, :2], "y_val": "y"}, Value, "X has 2 features"),
    "y_val too short": ({"X_val": X[:9], "y_val": "y"}, Value, "X has 9 rows and y has 24"),
    "y_val of text": ({"X_val": X, "y_val": ["z"] * N}, Value, "'z', which is none|bytes/strings"),
}
BAD_SETTINGS = {  # a parameter, a value of it, what is raised, what it says
    "hidden_layer_sizes": [(5.5, Type, "list of integers, got 5.5"), (None, Type, "got None"),
                           ("abc", Type, "got 'abc'"), ((0,), Value, "must be >= 1, got 0"),
                           ((3.5,), Type, "an integer, got 3.5"), (True, Type, "got True")],
    "activation": [("rleu", UnknownNameError, "unknown activation 'rleu'; known: .*relu"),
                   (["relu"] * 2, Value, "one entry for each of 1 hidden layers"),
                   (None, Type, "a name or an Activation, got None"),
                   ("leaky_relu(slope=-nan)", Any, "leaky_relu"), ("relu(", LookupError, "cannot")],
    "output_activation": [("x", UnknownNameError, "'x'; known"), (None, Type, "got None")],
    "loss": [("sqared", UnknownNameError, "'sqared'; known: .*squared"), (None, Type, "got None"),
             ("quantile(1.5)", Value, "between 0 and 1, got 1.5"), ("huber(1,2,3)", Type, "delta")],
    "solver": [("adan", UnknownNameError, "'adan'; known: adam"), (None, Type, "got None"),
               (Adam, Type, r"such as lamina.Adam\("), ("adam(beta_1=2)", Value, "beta_1"),
               ("adam(speed=2)", Type, "does not take")],
    "alpha": [(-1, Value, "alpha must be >= 0"), ("x", Value, "'auto' or a number, got 'x'"),
              (nan, Value, "got nan"), ([1, 2, 3], Value, "one entry for each of 2 layers")],
    "l1": [(-1, Value, "l1 must be >= 0"), ([1, 2, 3], Value, "each of 2 layers")],
    "dropout": [(1.0, Value, "< 1.0, got 1.0"), (-0.1, Value, "got -0.1"), ("x", Type, "got 'x'"),
                ([0.1, 0.1], Value, "each of 1 hidden layers")],
    "initialization": [("typo", UnknownNameError, "known: auto"), (None, Value, "got None"),
                       (np.zeros(3), ShapeError, "parameters; got θ of shape"),
                       (np.full(31, nan), Value, "finite"), (["a"] * 31, Value, "finite")],
    "batch_size": [(0, Value, "must be >= 1, got 0"), (1.5, Type, "an integer, got 1.5"),
                   ("x", Value, "'auto' or a number, got 'x'"), (None, Type, "'auto' or a number")],
    "learning_rate": [("adaptive", UnknownNameError, "known: constant"), (0.1, Type, "got 0.1"),
                      (lambda _: -1.0, Value, "at epoch 0.0 it is -1.0"),
                      ("step(every=0)", Value, "every must be")],
    "learning_rate_init": [(0, Value, "> 0.0, got 0"), ("constant", Value, "got 'constant'"),
                           (inf, Value, "got inf")],
    "max_iter": [(0, Value, ">= 1, got 0"), (1.5, Type, "an integer"), (None, Type, "got None")],
    "shuffle": [("yes", Type, "True or False, got 'yes'"), (None, Type, "got None")],
    "tol": [("x", Value, "'auto' or a number, got 'x'"), (nan, Value, "got nan")],
    "n_iter_no_change": [(0, Value, ">= 1, got 0"), (inf, Type, "an integer, got inf")],
    "early_stopping": [("no", Type, "True or False, got 'no'"), (2, Type, "got 2")],
    "validation_fraction": [(1.5, Value, "< 1.0, got 1.5"), ("x", Type, "got 'x'")],
    "gradient_tol": [(-1, Value, ">= 0.0, got -1"), (None, Type, "got None")],
    "goal": [("x", Type, "got 'x'"), (nan, Value, "got nan")],
    "max_time": [(0, Value, "> 0.0, got 0"), ("x", Type, "got 'x'")],
    "max_gradient_norm": [(-1, Value, "> 0.0, got -1"), ("x", Type, "got 'x'")],
    "scale_inputs": [("typo", Value, "standard, .*got 'typo'"), (None, Type, "got None")],
    "dtype": [("float16", Value, "got 'float16'"), ("abc", Type, "got 'abc'"),
              (None, Value, "got None"), (int, Value, "'float64' or 'float32', got <class 'int'>")],
    "n_layers": [(2, Value, "either hidden_layer_sizes or n_layers and width, not both")],
    "width": [(3, Value, "give either hidden_layer_sizes or n_layers and width, not both")],
    "warm_start": [("no", Type, "True or False, got 'no'")],
    "random_state": [("x", Type, "got 'x'"), (-1, Value, "got -1"), (1.5, Any, "got 1.5")],
    "verbose": [("yes", Type, "True or False, got 'yes'")],
}  # fmt: skip

BAD_TOGETHER = {  # estimator, settings, what is passed to fit beside X and y, error, message
    "lbfgs with minibatch options": (R, {"solver": "lbfgs", "batch_size": 5, "dropout": 0.1,
                                     "learning_rate": "cosine", "shuffle": False}, {}, Value,
                                     "cannot honor learning_rate, batch_size, shuffle=False, drop"),
    "dropout of no hidden units": (C, {"hidden_layer_sizes": (), "dropout": 0.5}, {}, Value,
                                   "drops hidden units, and there are none"),
    "a typo for no hidden layer": (C, {"hidden_layer_sizes": (), "activation": "rleu"}, {},
                                   UnknownNameError, "rleu"),
    "poisson of negative targets": (R, {"loss": "poisson"}, {}, Value, "zero or more"),
    "gamma of zero": (R, {"loss": "gamma"}, {"y": np.abs(Y[C])}, Value, "above zero"),
    "poisson standardized": (R, {"loss": "poisson", "scale_targets": "standard"},
                             {"y": Y[C]}, Value, "scale_targets='standard' cannot be honored"),
    "scale_targets of no name": (R, {"scale_targets": "typo"}, {}, Value, "typo"),
    "a class loss for numbers": (R, {"loss": "cross_entropy"}, {}, Value, "from 0 to 1"),
    "a number loss for classes": (C, {"loss": "gaussian_nll"}, {}, Value, "predicts numbers, not"),
    "gamma for classes": (C, {"loss": "gamma"}, {}, Value, "above zero, and classes stand as 0"),
    "softmax of several labels": (C, {"loss": "cross_entropy"}, {"y": LABELS}, Value, "logistic"),
    "cross_entropy of logistic": (C, {"loss": "cross_entropy", "output_activation": "logistic"},
                                  {}, Value, "outputs that sum to 1, which 'logistic' ones do not"),
    "hinge of logistic": (C, {"loss": "hinge", "output_activation": "logistic"}, {}, Value, "sign"),
    "layers below 0": (C, {"hidden_layer_sizes": (100,), "n_layers": -1}, {}, Value, "got -1"),
    "half a layer": (C, {"hidden_layer_sizes": (100,), "n_layers": 1.5}, {}, Type, "got 1.5"),
    "no width": (R, {"hidden_layer_sizes": (100,), "width": 0}, {}, Value, "got 0"),
    "class_weight unknown": (C, {"class_weight": "typo"}, {}, Value, "'balanced'"),
    "class_weight below 0": (C, {"class_weight": {0: -1, 1: 1, 2: 1}}, {}, Value, "got -1"),
    "class_weight of NaN": (C, {"class_weight": {0: nan, 1: 1, 2: 1}}, {}, Value, "got nan"),
    "class_weight of text": (C, {"class_weight": {0: "a", 1: 1, 2: 1}}, {}, Type, "got 'a'"),
    "class_weight for no class": (C, {"class_weight": {0: 1, 7: 2}}, {}, Value, "not in class_we"),
    "class_weight all 0": (C, {"class_weight": {0: 0, 1: 0, 2: 0}}, {}, Value, "no row with a pos"),
    "class_weight a list of one": (C, {"class_weight": ["a"]}, {}, Type, "list of dict"),
    "early_stopping of one row": (R, {"early_stopping": True}, {"X": X[:1], "y": Y[R][:1]},
                                  Value, "rows to watch; of n_samples=1 .* Give more rows"),
    "unseen labels in y_val": (C, {}, {"X_val": X, "y_val": Y[C] + 1}, Value, "label 3, which is"),
    "inputs of 1e300 unscaled": (R, {"scale_inputs": "none"}, {"X": X * 1e300},
                                 DivergenceError, "epoch 1: .* scale the data"),
    "targets of 1e300 unscaled": (R, {"scale_targets": "none"}, {"y": Y[R] * 1e300},
                                  DivergenceError, "epoch 1: the error or its gradient"),
}  # fmt: skip
BAD_CALLS = {  # what is done with a fitted estimator, what is raised, what it says
    "X.T at predict": (lambda m: m.predict(X.T), Value, "X has 24 features, .* expecting 3"),
    "one row as a vector": (lambda m: m.predict(X[0]), Value, r"reshape\(1, -1\)"),
    "no rows at predict": (lambda m: m.predict(X[:0]), Value, r"0 sample\(s\)"),
    "infinity at predict": (lambda m: m.predict(put(inf)), Value, "contains infinity"),
    "masks at predict": (lambda m: m.predict(np.ma.masked_array(X, X > 1)), Value, "masked"),
    "1e300 in float32": (lambda m: copy.deepcopy(m).set_params(dtype="float32").fit(X, Y[type(m)])
                         .predict(X * 1e300), Value, "of row 0 of X is too large"),
    "layer out of range": (lambda m: m.transform(X, layer=3), Value, "from -3 to 2, got 3"),
    "layer of text": (lambda m: m.transform(X, layer="a"), Type, "an integer from -3 to 2, got 'a"),
    "objective of other rows": (lambda m: m.objective(X, Y[C][:3]), Value, "24 rows and y has 3"),
    "predict before fit": (lambda m: type(m)().predict(X), NotFittedError, "not fitted yet"),
    "transform before fit": (lambda m: type(m)().transform(X), NotFittedError, "not fitted yet"),
    "save before fit": (lambda m: type(m)().save("never"), NotFittedError, "not fitted yet"),
    "an unknown option": (lambda m: type(m)(hidden_layers=3), Type, "unexpected|positional"),
    "two positions": (lambda m: type(m)((4,), "relu"), Type, "unexpected|positional"),
    "warm start with other sizes": (lambda m: m.set_params(warm_start=True, width=7,
                                    hidden_layer_sizes=(100,)).fit(X, Y[type(m)]),
                                    Value, r"sizes: \[3, 4, \d\] before, \[3, 7, \d\] now"),
    "warm start in float32": (lambda m: m.set_params(warm_start=True, dtype="float32")
                              .fit(X, Y[type(m)]), Value, "dtype: float64 before, float32 now"),
    "warm start unscaled": (lambda m: m.set_params(warm_start=True, scale_inputs="none")
                            .fit(X, Y[type(m)]), Value, "scaling: standard, "),
    "warm start after its schedule": (lambda m: m.set_params(warm_start=True, learning_rate=
                                      "cosine").fit(X, Y[type(m)]), Value, "epochs=100"),
    "partial_fit of other columns": (lambda m: m.partial_fit(X[:, :1], Y[type(m)]), Value,
                                     "features"),
    "partial_fit of other targets": (lambda m: m.partial_fit(X, LABELS), Value, "as before"),
    "partial_fit that would watch": (lambda m: m.set_params(early_stopping=True)
                                     .partial_fit(X, Y[type(m)]), Value, "early_stopping=False"),
}  # fmt: skip


def cases():
    """Yield all cases: estimator, settings, what to call, what is raised, what it says."""

    def fit(given):
        return lambda m: m.fit(**{"X": X, "y": Y[type(m)]} | given)

    for kind in (C, R):
        for name, (value, *raised) in BAD_X.items():
            yield f"X of {name}", kind, {}, fit({"X": value}), *raised
        for name, (value, *raised) in BAD_Y[kind].items():
            yield f"y of {name}", kind, {}, fit({"y": value}), *raised
        for name, (given, *raised) in BAD_FIT.items():
            filled = {n: Y[kind] if isinstance(v, str) else v for n, v in given.items()}
            yield name, kind, {}, fit(filled), *raised
        for name, trials in BAD_SETTINGS.items():
            for value, *raised in trials:
                yield f"{name} of {value!r:.20}", kind, {name: value}, fit({}), *raised
        for name, (call, *raised) in BAD_CALLS.items():
            yield name, kind, None, call, *raised
    for name, (kind, settings, given, *raised) in BAD_TOGETHER.items():
        yield name, kind, settings, fit(given), *raised


CASES = {
    f"{kind.__name__}-{name}": case for name, kind, *case in cases() for case in [(kind, *case)]
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused(name):
    """A mistake raises an error that says what was wrong, in few lines, and changes nothing."""
    kind, settings, call, error, message = CASES[name]
    new = kind(
        **({"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0} | (settings or {}))
    )
    old = kind((4,), max_iter=3, random_state=0).fit(X, Y[kind])
    before, given = old.predict(X), pickle.dumps((X, Y, FRAME, LABELS))
    for estimator in [old] if settings is None else [new, old.set_params(**(settings or {}))]:
        with pytest.raises(error, match=f"(?s){message}") as caught:
            call(estimator)
        files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
        ours = isinstance(caught.value, LaminaError)
        assert (
            ours or any("sklearn" in file for file in files) or "unexpected|positional" in message
        )
        assert len(str(caught.value).splitlines()) <= (1 if ours else N + 10)
        assert np.array_equal(old.predict(X), before)
        assert not vars(new).keys() - new.get_params().keys()
    assert pickle.dumps((X, Y, FRAME, LABELS)) == given
