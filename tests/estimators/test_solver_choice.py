"""`solver="auto"` of an estimator: what it says, keeps and refuses; and what solvers find."""

import pickle

import numpy as np
import pytest

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import InvalidValueError

KINDS = [FeedForwardClassifier, FeedForwardRegressor]
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0, "max_iter": 10}


def target(kind, table):
    """Return y for a kind of estimator."""
    return table.three if kind is FeedForwardClassifier else table.y


def test_auto_is_the_default():
    """Both estimators and `lamina.train` choose unless they are told."""
    assert {kind().solver for kind in KINDS} == {"auto"}
    net = lamina.Network([1, 2, 1], ["tanh"], random_state=0)
    training = lamina.train(net, np.ones((1, 5)), np.ones((1, 5)), max_iter=2)
    assert "was chosen: " in training.solver_choice


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "solver", "words"),
    [
        ({"dropout": 0.2}, "adam", "dropout asks for minibatches"),
        ({"batch_size": 7, "shuffle": False}, "adam", "batch_size, shuffle=False asks"),
        ({"dtype": "float32"}, "adam", "float32"),
        ({"hidden_layer_sizes": (2000, 2000)}, "adam", "4,0"),
        ({"solver": "lbfgs"}, "lbfgs", "lbfgs was asked for"),
        ({"solver": lamina.Sgd(momentum=0.5)}, "sgd(momentum=0.5, nesterov=True)", "asked for"),
    ],
    ids=str,
)
def test_choice_is_said(options, solver, words, kind, table):
    """What trained, and why, is an attribute, and that solver's memory is there."""
    model = kind(**SMALL | {"max_iter": 1} | options).fit(table.X, target(kind, table))
    assert model.solver_ == solver
    assert words in model.solver_choice_
    assert "\n" not in model.solver_choice_


@pytest.mark.parametrize("kind", KINDS)
def test_choice_is_that_solver(kind, table):
    """Trained by choice or by name, the network has the same bits."""
    y = target(kind, table)
    chosen = kind(**SMALL).fit(table.X, y)
    named = kind(**SMALL, solver=chosen.solver_).fit(table.X, y)
    assert np.array_equal(chosen.network_.theta, named.network_.theta)
    assert chosen.network_.recipe == named.network_.recipe
    assert named.solver_choice_ == f"{chosen.solver_} was asked for"


@pytest.mark.parametrize("kind", KINDS)
def test_warm_start_keeps_the_choice(kind, table):
    """Later fits go on with what was chosen first, though they would choose otherwise."""
    y = target(kind, table)
    model = kind(**SMALL, warm_start=True).fit(table.X, y)
    solver, said = model.solver_, model.solver_choice_
    assert solver != "adam"
    few = np.arange(0, 60, 20)
    for _ in range(2):
        model.set_params(max_time=1e-9).fit(table.X[few], y[few])
        assert (model.solver_, model.solver_choice_) == (solver, said)
    with pytest.raises(InvalidValueError, match="cannot honor batch_size"):
        model.set_params(batch_size=5).fit(table.X, y)


@pytest.mark.parametrize("kind", KINDS)
def test_choice_survives_a_file(kind, table, tmp_path):
    """A model that was saved or pickled knows its solver, and a warm start keeps it, to the bit."""
    y = target(kind, table)
    model = kind(**SMALL, warm_start=True).fit(table.X, y)
    model.save(tmp_path / "model")
    copies = [lamina.load(tmp_path / "model"), pickle.loads(pickle.dumps(model))]  # noqa: S301 - our own
    model.fit(table.X, y)
    for copy in copies:
        assert (copy.solver_, copy.solver_choice_) == (model.solver_, model.solver_choice_)
        assert np.array_equal(copy.fit(table.X, y).network_.theta, model.network_.theta)


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_is_by_minibatches(kind, table):
    """Data in parts are for adam; after a fit the solver of that fit goes on."""
    y = target(kind, table)
    model = kind(**SMALL).partial_fit(table.X, y)
    assert (model.solver_, "data come in parts" in model.solver_choice_) == ("adam", True)
    model.partial_fit(table.X, y)
    assert model.solver_ == "adam"
    whole = kind(**SMALL).fit(table.X, y)
    solver = whole.solver_
    assert whole.partial_fit(table.X, y).solver_ == solver


@pytest.mark.parametrize("kind", KINDS)
def test_no_choice_amid_a_training_that_was_asked_for(kind, table):
    """The choice does not take over from a solver that was asked for, and says what to do."""
    y = target(kind, table)
    model = kind(**SMALL, solver="sgd", warm_start=True).fit(table.X, y)
    theta = model.network_.theta.copy()
    with pytest.raises(InvalidValueError, match=r"asked for: give Sgd again"):
        model.set_params(solver="auto").fit(table.X, y)
    assert np.array_equal(model.network_.theta, theta)
    assert model.set_params(solver="lbfgs").fit(table.X, y).solver_choice_ == "lbfgs was asked for"


def test_what_was_found_is_public(table, tmp_path):
    """Strength, γ and β of bayesian_regularization are attributes, in files of any kind too."""
    model = FeedForwardRegressor(**SMALL, solver="bayesian_regularization").fit(table.X, table.y)
    found = model.alpha_, model.effective_parameters_, model.beta_
    assert found == tuple(model.state_.memory["evidence"])
    assert model.network_.recipe.layers[0].penalty == lamina.Penalty(l2=model.alpha_, biases=True)
    for whole in (True, False):
        model.save(tmp_path / "model", overwrite=True, training_state=whole)
        loaded = lamina.load(tmp_path / "model")
        assert (loaded.alpha_, loaded.effective_parameters_, loaded.beta_) == found
        assert loaded.solver_choice_ == model.solver_choice_
    other = FeedForwardRegressor(**SMALL, solver="lbfgs").fit(table.X, table.y)
    for name in ("alpha_", "effective_parameters_", "beta_"):
        assert not hasattr(other, name)
    with pytest.raises(AttributeError, match="bayesian_regularization only, and lbfgs was asked"):
        _ = other.alpha_


@pytest.mark.parametrize("option", [{"alpha": 0.1}, {"l1": 0.1}, {"alpha": [0.0, 0.1]}], ids=str)
def test_a_penalty_beside_one_that_is_found_is_refused(option, table):
    """Also where training goes on: no penalty that was asked for is silently dropped."""
    plan = SMALL | {"solver": "bayesian_regularization", "warm_start": True}
    model = FeedForwardRegressor(**plan).fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match="finds the penalty itself"):
        model.set_params(**option).fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match="finds the penalty itself"):
        FeedForwardRegressor(**plan | option).fit(table.X, table.y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_restarts_keep_the_best(early_stopping, kind, table):
    """The best training is kept, the seed decides all, and warm starts go on with it."""
    y = target(kind, table)
    plan = SMALL | {"early_stopping": early_stopping, "solver": "lbfgs"}
    model = kind(**plan, n_restarts=3, warm_start=True).fit(table.X, y)
    assert len(model.restarts_) == 3
    best = min(model.validation_curve_) if early_stopping else model.loss_
    assert best == min(model.restarts_)
    again = kind(**plan, n_restarts=3).fit(table.X, y)
    assert np.array_equal(again.network_.theta, model.network_.theta)
    alone = kind(**plan).fit(table.X, y)
    assert alone.restarts_.size == 0
    first = min(alone.validation_curve_) if early_stopping else alone.loss_
    assert model.restarts_[0] == first
    merits = model.restarts_
    model.fit(table.X, y)
    assert model.n_iter_ > again.n_iter_ or model.stop_reason_ == "stalled"
    assert np.array_equal(model.restarts_, merits)


def test_restarts_go_by_the_evidence(table):
    """Where the solver finds the penalty, J with different penalties is no measure."""
    plan = SMALL | {"max_iter": 60, "hidden_layer_sizes": (6,)}
    model = FeedForwardRegressor(**plan, solver="bayesian_regularization", n_restarts=3)
    model.fit(table.X, table.y)
    assert -model.state_.memory["log_evidence"][0] == min(model.restarts_)


def test_restarts_need_a_rule_for_the_first_theta(table):
    """One given θ is one training; and parts of data are no place to begin anew."""
    theta = FeedForwardRegressor(**SMALL).fit(table.X, table.y).network_.theta
    model = FeedForwardRegressor(**SMALL, n_restarts=2, initialization=theta)
    with pytest.raises(InvalidValueError, match="initialization is one θ"):
        model.fit(table.X, table.y)
    with pytest.raises(InvalidValueError, match="cannot begin anew: n_restarts=1"):
        FeedForwardRegressor(**SMALL, n_restarts=2).partial_fit(table.X, table.y)
