"""The estimators among scikit-learn's tools, as a user of its MLP expects."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, StackingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor

KINDS = [FeedForwardClassifier, FeedForwardRegressor]
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 20, "learning_rate_init": 0.02}


def target(kind, table):
    """Return y for a kind of estimator."""
    return table.two if kind is FeedForwardClassifier else table.y


@pytest.mark.parametrize("kind", KINDS)
def test_pipeline_agrees_with_the_estimator(kind, table):
    """A scaler in front of an estimator changes nothing but rounding."""
    X, y = table.X * [1e3, 1.0, 1e-3] + 5.0, target(kind, table)
    pipeline = make_pipeline(StandardScaler(), kind(**SMALL)).fit(X, y)
    alone = kind(**SMALL).fit(X, y)
    assert np.isclose(pipeline.score(X, y), alone.score(X, y))
    theta = pipeline[-1].network_.theta
    assert np.allclose(theta, alone.network_.theta, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_grid_search_tunes_scalars_and_lists(kind, table):
    """A search over depth, width, solver and activation finds one, with names and records alike."""
    grid = {
        "n_layers": [1, 2],
        "width": [3, 6],
        "activation": ["tanh", "leaky_relu(0.1)"],
    }
    plain = kind(max_iter=5, random_state=0)
    search = GridSearchCV(plain, grid, cv=2).fit(table.X, target(kind, table))
    assert search.best_estimator_.network_.S[1] == search.best_params_["width"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    lists = {"hidden_layer_sizes": [(3,), (4, 4)], "solver": [lamina.Adam(), "lbfgs"]}
    wide = RandomizedSearchCV(plain, lists, n_iter=3, cv=2, random_state=0)
    assert wide.fit(table.X, target(kind, table)).best_params_.keys() == lists.keys()


def test_grid_search_scores_a_failing_candidate_as_such(table):
    """A candidate that cannot be fitted is reported by scikit-learn, and the rest go on."""
    grid = {"loss": ["squared", "poisson"]}
    search = GridSearchCV(FeedForwardRegressor(**SMALL), grid, cv=2, error_score=np.nan)
    with pytest.warns(match="fits failed"), pytest.warns(match="non-finite"):
        search.fit(table.X, table.y)
    assert search.best_params_ == {"loss": "squared"}


def test_parallel_cross_validation_agrees_with_serial(table):
    """Two processes give the same bits as one."""
    for model, y, method in (
        (FeedForwardClassifier(**SMALL), table.two, "predict_proba"),
        (FeedForwardRegressor(**SMALL), table.targets, "predict"),
    ):
        serial = cross_val_predict(model, table.X, y, cv=3, method=method)
        parallel = cross_val_predict(model, table.X, y, cv=3, method=method, n_jobs=2)
        assert np.array_equal(serial, parallel)
    scores = cross_val_score(FeedForwardRegressor(**SMALL), table.X, table.y, cv=KFold(3))
    assert scores.shape == (3,)


@pytest.mark.parametrize("kind", KINDS)
def test_clone_and_pickle_are_the_same_estimator(kind, table, tmp_path):
    """A clone fits the same bits, a pickled or dumped one predicts them, records included."""
    settings = SMALL | {"activation": ["tanh"], "solver": lamina.Adam(beta_1=0.8)}
    model = kind(**settings).fit(table.X, target(kind, table))
    assert not hasattr(clone(model), "network_")
    again = clone(model).fit(table.X, target(kind, table))
    assert np.array_equal(again.network_.theta, model.network_.theta)
    joblib.dump(model, tmp_path / "model.joblib")
    for copied in (
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - our own
        joblib.load(tmp_path / "model.joblib"),
    ):
        assert np.array_equal(copied.predict(table.X), model.predict(table.X))
        assert copied.get_params().keys() == model.get_params().keys()
        assert copied.partial_fit(table.X, target(kind, table)).n_iter_ == model.n_iter_ + 1


@pytest.mark.parametrize("kind", KINDS)
def test_feature_names_are_kept_and_checked(kind, table):
    """Names of a frame are learned; other names, orders or numbers of columns are refused."""
    frame = pd.DataFrame(table.X, columns=["length", "width", "age"])
    model = kind(**SMALL).fit(frame, target(kind, table))
    assert model.feature_names_in_.tolist() == ["length", "width", "age"]
    assert model.n_features_in_ == 3
    plain = kind(**SMALL).fit(table.X, target(kind, table))
    assert np.array_equal(model.predict(frame), plain.predict(table.X))
    assert not hasattr(plain, "feature_names_in_")
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["width", "length", "age"]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"age": "Age"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(table.X)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_names_the_hidden_units(container, table):
    """Hidden activations come as a frame with named columns, if asked."""
    pytest.importorskip(container, reason=f"{container} is optional, and not installed")
    model = FeedForwardRegressor(**SMALL).set_output(transform=container).fit(table.X, table.y)
    frame = model.transform(table.X)
    names = [f"feedforwardregressor{k}" for k in range(5)]
    assert list(frame.columns) == list(model.get_feature_names_out()) == names
    assert np.array_equal(
        frame.to_numpy(), model.set_output(transform="default").transform(table.X)
    )


def test_transform_feeds_another_model(table):
    """Hidden activations are features for a linear model, in a pipeline."""
    hidden = FeedForwardClassifier(**(SMALL | {"max_iter": 100}))
    pipeline = make_pipeline(hidden, LogisticRegression()).fit(table.X, table.two)
    assert pipeline.score(table.X, table.two) > 0.8


def test_meta_estimators_accept_the_estimators(table):
    """Bagging, stacking, transformed targets and permutation importance work as with any other."""
    bag = BaggingClassifier(FeedForwardClassifier(**SMALL), n_estimators=2, random_state=0)
    assert bag.fit(table.X, table.two).score(table.X, table.two) > 0.6
    stack = StackingRegressor([("network", FeedForwardRegressor(**SMALL))], LinearRegression())
    assert np.isfinite(stack.fit(table.X, table.y).predict(table.X)).all()
    logged = TransformedTargetRegressor(
        FeedForwardRegressor(**SMALL), func=np.log1p, inverse_func=np.expm1
    )
    assert np.all(logged.fit(table.X, table.counts).predict(table.X) > -1)
    model = FeedForwardRegressor(**(SMALL | {"max_iter": 100})).fit(table.X, table.y)
    drop = permutation_importance(model, table.X, table.y, random_state=0).importances_mean
    assert drop.argmax() == 0


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(FeedForwardClassifier, MLPClassifier), (FeedForwardRegressor, MLPRegressor)],
)
def test_interface_is_that_of_the_mlp(ours, theirs, table):
    """What a user of scikit-learn's MLP calls and reads is there, with the same shapes."""
    common = {
        "hidden_layer_sizes": (5, 4),
        "max_iter": 300,
        "alpha": 1e-3,
        "learning_rate_init": 0.02,
    }
    y = target(ours, table)
    mlp, model = (kind(random_state=0, **common).fit(table.X, y) for kind in (theirs, ours))
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(model, name) == getattr(mlp, name)
    for name in ("coefs_", "intercepts_"):
        assert [a.shape for a in getattr(model, name)] == [a.shape for a in getattr(mlp, name)]
    for name in ("predict", "predict_proba", "predict_log_proba"):
        assert hasattr(model, name) == hasattr(mlp, name)
        if hasattr(mlp, name):
            one, other = getattr(model, name)(table.X), getattr(mlp, name)(table.X)
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
    assert len(model.loss_curve_) == model.n_iter_
    assert model.loss_ == model.loss_curve_[-1]
    shared = set(ours().get_params()) & set(theirs().get_params())
    assert shared >= {*common, "activation", "batch_size", "early_stopping", "learning_rate_init"}


@pytest.mark.parametrize("kind", KINDS)
def test_history_is_a_frame(kind, table):
    """history_ has a row for each epoch, the same columns for every solver, also as a frame."""
    columns = "epoch loss validation_loss gradient_norm learning_rate seconds".split()
    for solver in ("adam", "sgd", "lbfgs"):
        model = kind(solver=solver, max_iter=4, random_state=0).fit(table.X, target(kind, table))
        frame = model.history_.frame("pandas")
        assert list(frame.columns) == columns
        assert frame["epoch"].tolist() == [1, 2, 3, 4]
        assert frame["loss"].tolist() == model.loss_curve_
        assert frame["validation_loss"].isna().all()
