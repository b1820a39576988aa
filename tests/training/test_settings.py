"""Settings: every bad one is refused with its name, what was expected, and what came."""

from dataclasses import FrozenInstanceError, fields
from fractions import Fraction

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidTypeError, InvalidValueError, LaminaError, UnknownNameError
from lamina.training.schedules import Cosine
from lamina.training.settings import Settings
from lamina.training.solvers import SOLVERS, Adam, Lbfgs, Sgd, get_solver

Type, Value = InvalidTypeError, InvalidValueError
NO_NUMBERS = [(bad, Type, "must be a number, got") for bad in ("1", [0.1], True, 1j)]
NO_INTEGERS = [(bad, Type, "must be an integer, got") for bad in ("1", 1.0, 1.5, True, [1], np.inf)]
NO_FLAGS = [(bad, Type, "must be True or False, got") for bad in (0, 1, "yes", None)]

BAD = {
    "learning_rate_init": [
        *NO_NUMBERS,
        *[(bad, Value, "must be > 0.0, got") for bad in (0.0, -1e-3)],
        *[(bad, Value, "must be > 0.0 and finite, got") for bad in (np.inf, np.nan)],
        (10**400, Value, "must be > 0.0 and finite, got 1000"),
    ],
    "batch_size": [*NO_INTEGERS, (0, Value, "must be >= 1, got 0"), (-5, Value, ">= 1, got -5")],
    "max_gradient_norm": [
        *NO_NUMBERS,
        (None, Type, "must be a number, got None"),
        *[(bad, Value, "must be > 0.0, got") for bad in (0.0, -1.0, np.nan, -np.inf)],
    ],
    "max_iter": [
        *NO_INTEGERS,
        (None, Type, "must be an integer, got None"),
        *[(bad, Value, "must be >= 1, got") for bad in (0, -1)],
        (10**400, Value, "must be >= 1 and finite, got 1000"),
    ],
    "tol": [*NO_NUMBERS, (np.nan, Value, "must be >= -inf, got nan")],
    "n_iter_no_change": [*NO_INTEGERS, (0, Value, "must be >= 1, got 0"), (None, Type, "integer")],
    "gradient_tol": [
        *NO_NUMBERS,
        (-1e-9, Value, "must be >= 0.0, got -1e-09"),
        *[(bad, Value, "must be >= 0.0 and finite, got") for bad in (np.inf, np.nan)],
    ],
    "goal": [*NO_NUMBERS, (np.nan, Value, "must be >= -inf, got nan"), (None, Type, "a number")],
    "max_time": [
        *NO_NUMBERS,
        *[(bad, Value, "must be > 0.0, got") for bad in (0, -3.0, np.nan)],
    ],
    "n_restarts": [*NO_INTEGERS, (0, Value, "must be >= 1, got 0"), (None, Type, "integer")],
    "shuffle": NO_FLAGS,
    "early_stopping": NO_FLAGS,
    "dropout": [
        *[(bad, Type, "is a tuple of rates for A_0") for bad in (0.5, "0.5", None, {0.5})],
        *[((0.0, bad), Type, "must be a number, got") for bad in ("0.5", None, True)],
        *[((bad, 0.0), Value, "must be >= 0.0 and < 1.0") for bad in (-0.1, 1.0, np.nan, np.inf)],
        *[((0.1,) * n, Value, r"a rate for each of A_0, ..., A_1, 2 in all") for n in (1, 3)],
    ],
}
CASES = [(name, *case) for name, cases in BAD.items() for case in cases]


@pytest.mark.parametrize(("name", "bad", "kind", "words"), CASES)
def test_bad_setting_is_refused(name, bad, kind, words, draw_problem):
    """What is no such number, or outside its range, is refused by name before anything moves."""
    problem = draw_problem("regression")
    before = problem.net.theta.copy()
    with pytest.raises(kind, match=rf"(?s)^{name} .*{words}") as caught:
        lamina.train(problem.net, problem.X, problem.T, **{name: bad})
    assert isinstance(caught.value, LaminaError)
    np.testing.assert_array_equal(problem.net.theta, before)


def test_every_setting_is_checked():
    """The table of bad values has an entry for every setting but solver and schedule."""
    assert {field.name for field in fields(Settings)} == BAD.keys() | {"solver", "schedule"}


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("learning_rate_init", np.float32(0.1)),
        ("learning_rate_init", Fraction(1, 10)),
        ("learning_rate_init", 1),
        ("batch_size", np.int64(10**6)),
        ("max_gradient_norm", np.inf),
        ("max_iter", np.uint8(2)),
        ("tol", -np.inf),
        ("tol", None),
        ("goal", -np.inf),
        ("goal", np.inf),
        ("max_time", np.inf),
        ("shuffle", np.False_),
        ("dropout", [0.0, np.float64(0.5)]),
        ("dropout", ()),
    ],
)
def test_number_of_any_type_is_taken(name, good, draw_problem):
    """NumPy's numbers, fractions, and infinities where they mean "never", are honored."""
    problem = draw_problem("regression")
    training = lamina.train(problem.net, problem.X, problem.T, **({"max_iter": 2} | {name: good}))
    assert len(training.history) in (1, 2)


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ({"learning_rate_init": 0.1}, "learning_rate_init"),
        ({"learning_rate": "cosine"}, "learning_rate"),
        ({"learning_rate": lambda epoch: 1.0 / (1 + epoch)}, "learning_rate"),
        ({"batch_size": 10}, "batch_size"),
        ({"shuffle": False}, "shuffle=False"),
        ({"dropout": (0.0, 0.2)}, "dropout"),
        ({"max_gradient_norm": 1.0}, "max_gradient_norm"),
        ({"max_gradient_norm": 1.0, "batch_size": 60}, "batch_size, max_gradient_norm"),
    ],
)
@pytest.mark.parametrize(
    "solver", [name for name in SOLVERS.names() if not get_solver(name).minibatch]
)
def test_full_batch_solver_refuses_what_it_would_ignore(solver, option, word, draw_problem):
    """An option of minibatches is refused by name where all data are used in every step."""
    problem = draw_problem("regression")
    with pytest.raises(InvalidValueError, match=rf"cannot honor {word};.*such as 'adam'"):
        lamina.train(problem.net, problem.X, problem.T, solver=solver, **option)


def test_full_batch_solver_takes_defaults_that_are_written_out():
    """What asks for nothing is no option that would be ignored."""
    options = {"learning_rate_init": None, "batch_size": None, "shuffle": True}
    Settings(solver=Lbfgs(), dropout=(0.0, 0.0), max_gradient_norm=np.inf, **options)


@pytest.mark.parametrize("name", ["learning_rates", "epochs", "schedule", "momentum"])
def test_unknown_setting_is_refused(name, draw_problem):
    """A setting that there is not is refused with those that there are."""
    problem = draw_problem("regression")
    with pytest.raises(InvalidTypeError, match=rf"no setting {name}; .*batch_size.*max_time"):
        lamina.train(problem.net, problem.X, problem.T, **{name: 1})


@pytest.mark.parametrize(
    ("spec", "kind", "words"),
    [
        ("adamm", UnknownNameError, "unknown solver 'adamm'; known: adam, adamw, .*lbfgs, .*sgd"),
        ("adam(0.9, 0.9, 1e-8, 3)", InvalidTypeError, "solver 'adam' .*take"),
        ("adam(beta=0.9)", InvalidTypeError, "does not take"),
        ("adam(beta_1=2)", InvalidValueError, "0 <= beta_1, beta_2 < 1"),
        ("import os", UnknownNameError, "cannot read solver"),
        ("", UnknownNameError, "cannot read solver ''"),
        (None, InvalidTypeError, "a solver is a name or a Solver"),
        (Adam, InvalidTypeError, "a solver is a name or a Solver"),
        (0.01, InvalidTypeError, "a solver is a name or a Solver"),
    ],
)
def test_bad_solver_is_refused(spec, kind, words, draw_problem):
    """What is no solver is refused with what one looks like."""
    problem = draw_problem("regression")
    with pytest.raises(kind, match=words):
        lamina.train(problem.net, problem.X, problem.T, solver=spec)


@pytest.mark.parametrize(
    ("spec", "solver"),
    [
        ("adam", Adam()),
        ("adam(0.8)", Adam(beta_1=0.8)),
        ("sgd(momentum=0.5, nesterov=False)", Sgd(0.5, nesterov=False)),
        (" lbfgs( memory = 3 ) ", Lbfgs(3)),
        (Sgd(0.1), Sgd(0.1)),
    ],
)
def test_solver_is_read(spec, solver):
    """A solver is spelled as a name, a call, or given as its record."""
    assert get_solver(spec) == solver


def test_settings_are_frozen():
    """Settings are not changed after they were checked."""
    settings = Settings(schedule=Cosine())
    with pytest.raises(FrozenInstanceError):
        settings.max_iter = 0
