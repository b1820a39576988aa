"""`solver="auto"`: a table of problems and what is chosen for them."""

from dataclasses import replace

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidValueError
from lamina.network.recipe import make_recipe
from lamina.training.choice import BUDGET, Choice, Problem, choose_solver, is_convex, resolve
from lamina.training.settings import Settings
from lamina.training.solvers import Lbfgs, get_solver
from lamina.training.state import TrainingState

BAYES, LM, ADAM = "bayesian_regularization", "levenberg_marquardt", "adam"
USUAL = {"N": 500, "sizes": [5, 10, 1], "error": "squared", "dtype": "float64", "open": True}


def problem(settings=None, *, in_parts=False, **changes):
    """Return a problem like the usual one."""
    p = USUAL | changes
    recipe = make_recipe(p["sizes"], ["tanh"] * (len(p["sizes"]) - 2), p["error"], None)
    plan = Settings(**(settings or {}))
    return Problem(
        recipe, p["N"], np.dtype(p["dtype"]), plan, open_penalty=p["open"], in_parts=in_parts
    )


CASES = {  # what is not usual, what is chosen, a word of the sentence
    "small table": ({}, BAYES, "finds the penalty"),
    "small table of classes": ({"sizes": [5, 10, 3], "error": "cross_entropy"}, BAYES, "93 param"),
    "counts": ({"error": "poisson"}, BAYES, "penalty"),
    "few data points": ({"N": 141}, ADAM, "71 parameters are many for 141 target numbers"),
    "enough": ({"N": 142}, BAYES, "142 data points"),
    "several targets": ({"N": 90, "sizes": [5, 10, 3]}, BAYES, "93 parameters"),
    "float32": ({"dtype": "float32"}, ADAM, "float32"),
    "no second derivative": ({"error": "absolute"}, ADAM, "no second derivative"),
    "quantiles": ({"error": "quantile((0.1, 0.9))", "sizes": [5, 10, 2]}, ADAM, "no second"),
    "not convex": ({"error": "gaussian_nll", "sizes": [5, 10, 2]}, ADAM, "a negative one"),
    "many rows": ({"N": 10**7}, ADAM, "10,000,000 data points"),
    "many units": ({"sizes": [5, 300, 300, 1]}, ADAM, "92,401 parameters"),
    "many outputs": ({"sizes": [20, 100, 1000]}, ADAM, "103,100 parameters"),
    "digits": ({"sizes": [64, 100, 10], "N": 1437, "error": "cross_entropy"}, ADAM, "7,510"),
    "wine": ({"sizes": [13, 100, 3], "N": 142, "error": "cross_entropy"}, ADAM, "426 target"),
    "wine, 10 units": ({"sizes": [13, 10, 3], "N": 142, "error": "cross_entropy"}, BAYES, "173"),
    "diabetes": ({"sizes": [10, 100, 1], "N": 353}, ADAM, "353 target numbers"),
    "diabetes, 10 units": ({"sizes": [10, 10, 1], "N": 353}, BAYES, "121 parameters"),
    "abalone": ({"sizes": [8, 100, 1], "N": 3341}, ADAM, "would take about 15 s"),
    "power plant": ({"sizes": [4, 100, 1], "N": 7654}, ADAM, "would take about 10 s"),
    "power plant, 50 units": ({"sizes": [4, 50, 1], "N": 8611}, BAYES, "about 3 s"),
}


@pytest.mark.parametrize(("changes", "solver", "words"), CASES.values(), ids=CASES.keys())
def test_problem_has_its_solver(changes, solver, words):
    """Size, error and precision decide, and the sentence has the reason."""
    choice = choose_solver(problem(**changes))
    assert (choice.name, choice.solver) == (solver, get_solver(solver))
    assert choice.sentence.startswith(f"{solver} was chosen: ")
    assert words in choice.sentence
    assert "\n" not in choice.sentence


OPTIONS = {  # settings, what is chosen, a word of the sentence
    "dropout": ({"dropout": (0.0, 0.3)}, ADAM, "dropout"),
    "batch_size": ({"batch_size": 10}, ADAM, "batch_size"),
    "learning_rate_init": ({"learning_rate_init": 0.1}, ADAM, "learning_rate_init"),
    "shuffle": ({"shuffle": False}, ADAM, "shuffle=False"),
    "max_gradient_norm": ({"max_gradient_norm": 1.0}, ADAM, "max_gradient_norm"),
    "little time": ({"max_time": 1e-3}, ADAM, "would take"),
    "time enough": ({"max_time": 5.0}, BAYES, "penalty"),
    "many restarts": ({"n_restarts": 10**5}, ADAM, "would take"),
    "few steps": ({"max_iter": 3, "n_restarts": 1000}, BAYES, "penalty"),
}


@pytest.mark.parametrize(("settings", "solver", "words"), OPTIONS.values(), ids=OPTIONS.keys())
def test_options_count(settings, solver, words):
    """What only some solvers honor, and what makes training longer, decides too."""
    choice = choose_solver(problem(settings))
    assert choice.name == solver
    assert words in choice.sentence
    replace(problem(settings).settings, solver=choice.solver)  # honors all options


def test_data_in_parts_are_for_minibatches():
    """A part of the data is no place for steps to the end of J."""
    assert choose_solver(problem(in_parts=True)).name == ADAM


@pytest.mark.parametrize(
    ("N", "early_stopping", "solver"),
    [(500, False, ADAM), (500, True, ADAM), (710, False, LM), (710, True, LM)],
)
def test_given_penalty_is_respected(N, early_stopping, solver):
    """With a penalty that is given J is minimized where that does not fit the noise."""
    choice = choose_solver(problem({"early_stopping": early_stopping}, N=N, open=False))
    assert choice.name == solver
    assert ("penalty that is given" if solver == ADAM else "penalty is given") in choice.sentence


def test_cost_grows_as_its_formula():
    """Seconds are steps times a constant and N K P² + P³ operations."""
    usual = problem().seconds
    assert problem(N=5000).seconds > usual
    assert problem(sizes=[5, 20, 1]).seconds > usual
    assert problem({"n_restarts": 3}).seconds == pytest.approx(3 * usual)
    assert problem({"max_iter": 10}).seconds == pytest.approx(usual / 10)
    large = [problem(sizes=[99, 100, 1], N=N).seconds for N in (10**6, 10**7)]
    assert large[1] == pytest.approx(10 * large[0], rel=0.02)
    assert large[0] > BUDGET


@pytest.mark.parametrize(
    ("error", "convex"),
    [
        ("squared", True),
        ("huber", True),
        ("log_cosh", True),
        ("squared_hinge", True),
        ("cross_entropy", True),
        ("binary_cross_entropy", True),
        ("kl_divergence", True),
        ("poisson", True),
        ("gamma", True),
        ("tweedie(1.5)", True),
        ("absolute", False),
        ("quantile(0.3)", False),
        ("hinge", False),
        ("gaussian_nll", False),
    ],
)
def test_errors_are_told_apart(error, convex):
    """Errors with second derivatives that are nowhere negative are those that G is exact for."""
    assert is_convex(make_recipe([3, 2, 2], ["tanh"], error, None)) == convex


def test_solver_that_was_asked_for_is_honored():
    """Whatever would be chosen, a name or an object is what trains, and the sentence says so."""
    for spec in ("lbfgs", "lbfgs(memory=3)", Lbfgs(memory=3)):
        choice = resolve(spec, None, problem())
        assert choice.solver == get_solver(spec)
        assert (choice.sentence.endswith("was asked for"), choice.automatic) == (True, False)


def test_what_was_chosen_stays():
    """A state whose solver was chosen keeps it, and one whose solver was asked for is no place."""
    state = TrainingState(np.zeros(3), 0, solver="Lbfgs", choice="lbfgs was chosen: so")
    assert resolve("auto", state, problem()) == Choice(
        Lbfgs(), "lbfgs", "lbfgs was chosen: so", automatic=True
    )
    state.choice = ""
    with pytest.raises(InvalidValueError, match="give Lbfgs again instead of solver='auto'"):
        resolve("auto", state, problem())


def test_train_goes_on_with_its_choice(draw_problem):
    """Two calls of `lamina.train` have the solver of the first, and the bits of one long call."""
    whole, parts = draw_problem("regression"), draw_problem("regression")
    options = {"random_state": 0, "tol": -np.inf}
    first = lamina.train(whole.net, whole.X, whole.T, max_iter=6, **options)
    training = lamina.train(parts.net, parts.X, parts.T, max_iter=4, **options)
    del options["random_state"]
    training = lamina.train(
        parts.net, parts.X, parts.T, max_iter=2, state=training.state, **options
    )
    assert training.solver_choice == first.solver_choice
    assert "was chosen: " in first.solver_choice
    np.testing.assert_array_equal(parts.net.theta, whole.net.theta)
