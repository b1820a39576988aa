"""Every first-order update beside its paper's formula, number by number."""

import math

import numpy as np
import pytest

import lamina
from lamina.exceptions import InvalidValueError
from lamina.network.penalties import Penalty
from lamina.training.solvers import SOLVERS, Adam, AdamW, FirstOrder, Sgd, get_solver

P, STEPS = 7, 9


def scalar_sgd(theta, gradients, rates, momentum):
    """Classical momentum, Sutskever et al. 2013, eqs. 1 and 2, for one number."""
    velocity = 0.0
    for gradient, rate in zip(gradients, rates, strict=True):
        velocity = momentum * velocity - rate * gradient
        theta = theta + velocity
    return theta


def scalar_adam(theta, gradients, rates, beta_1, beta_2, epsilon, decay=0.0):
    """Kingma and Ba 2015, algorithm 1, for one number; decayed as in Loshchilov and Hutter."""
    m = v = 0.0
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        theta = theta - rate * (m_hat / (math.sqrt(v_hat) + epsilon) + decay * theta)
    return theta


def steps(seed=0):
    """Return θ, gradients of very different sizes, and learning rates."""
    random = np.random.default_rng(seed)
    sizes = 10.0 ** random.integers(-6, 6, size=P)
    return random.normal(size=P), random.normal(size=(STEPS, P)) * sizes, np.geomspace(0.5, 0.01, 9)


def run(solver, theta, gradients, rates, memory):
    """Return θ after the solver's own updates."""
    for step, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        theta, memory = solver.move(theta, gradient, memory, solver.coefficients(rate, step))
    return theta


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_sgd_is_its_formula(momentum):
    """Plain and with classical momentum, θ is what the scalar formula gives."""
    theta, gradients, rates = steps()
    ours = run(Sgd(momentum, nesterov=False), theta, gradients, rates, np.zeros((1, P)))
    columns = zip(theta, gradients.T, strict=True)
    expected = [scalar_sgd(number, column, rates, momentum) for number, column in columns]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_nesterov_is_the_paper_at_its_lookahead():
    """Our θ is θ + μ v of eqs. 3 and 4, whose gradient is taken at that lookahead."""
    curvature, mu, rate = np.array([0.3, 1.0, 4.0]), 0.9, 0.05
    theta, velocity = np.array([1.0, -2.0, 3.0]), np.zeros(3)
    ours, memory = theta.copy(), np.zeros((1, 3))
    for step in range(1, 20):
        solver = Sgd(mu)
        ours, memory = solver.move(ours, curvature * ours, memory, solver.coefficients(rate, step))
        velocity = mu * velocity - rate * curvature * (theta + mu * velocity)
        theta = theta + velocity
        np.testing.assert_allclose(ours, theta + mu * velocity, rtol=1e-12)


def test_nesterov_without_momentum_is_gradient_descent():
    """With momentum 0 both variants take the same plain steps."""
    theta, gradients, rates = steps()
    plain = run(Sgd(0.0, nesterov=False), theta, gradients, rates, np.zeros((1, P)))
    nesterov = run(Sgd(0.0, nesterov=True), theta, gradients, rates, np.zeros((1, P)))
    np.testing.assert_array_equal(plain, nesterov)


@pytest.mark.parametrize(
    "solver", [Adam(), Adam(0.5, 0.9, 1e-3), Adam(0.0, 0.0, 1e-8), Adam(0.99, 0.5, 1e-10)]
)
def test_adam_is_its_formula(solver):
    """Over gradients from 1e-6 to 1e5 θ is what algorithm 1 gives for each number."""
    theta, gradients, rates = steps()
    ours = run(solver, theta, gradients, rates, np.zeros((2, P)))
    settings = (solver.beta_1, solver.beta_2, solver.epsilon)
    expected = [
        scalar_adam(number, column, rates, *settings)
        for number, column in zip(theta, gradients.T, strict=True)
    ]
    np.testing.assert_allclose(ours, expected, rtol=1e-11)


def test_adamw_decays_weights_beside_the_step():
    """Weights decay by rate · weight_decay · θ apart from the means; other numbers do not."""
    theta, gradients, rates = steps()
    decays = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    memory = np.vstack([np.zeros((2, P)), decays])
    ours = run(AdamW(0.3), theta, gradients, rates, memory)
    expected = [
        scalar_adam(number, column, rates, 0.9, 0.999, 1e-8, decay=0.3 * decay)
        for number, column, decay in zip(theta, gradients.T, decays, strict=True)
    ]
    np.testing.assert_allclose(ours, expected, rtol=1e-11)
    plain = run(Adam(), theta, gradients, rates, np.zeros((2, P)))
    np.testing.assert_array_equal(ours[decays == 0], plain[decays == 0])


def test_adamw_knows_weights_from_biases(draw_problem):
    """What decays is every weight and no bias, at the places that the network has them."""
    net = draw_problem("two outputs").net
    marks = AdamW().start(net.recipe, float)["slots"][2]
    net.theta = marks
    assert all((net.W[l] == 1).all() and (net.b[l] == 0).all() for l in range(1, net.L + 1))


def test_adamw_is_not_adam_with_a_penalty(draw_problem):
    """Decay beside the step differs from decay inside the gradient."""
    problem = draw_problem("regression")
    recipe = {"error": "squared", "initialization": problem.net.theta}
    penalized = lamina.Network([3, 6, 1], ["tanh"], penalties=Penalty(l2=0.1), **recipe)
    plain = lamina.Network([3, 6, 1], ["tanh"], **recipe)
    lamina.train(penalized, problem.X, problem.T, solver="adam", max_iter=5)
    lamina.train(plain, problem.X, problem.T, solver="adamw(weight_decay=0.1)", max_iter=5)
    assert np.abs(penalized.theta - plain.theta).max() > 1e-5


@pytest.mark.parametrize(
    "solver", ["sgd", "sgd(nesterov=False)", "sgd(momentum=0)", "adam", "adamw(weight_decay=0.2)"]
)
def test_training_takes_the_solver_s_steps(solver, draw_problem):
    """An epoch of one batch is one update with the network's own gradient, counted from 1."""
    problem = draw_problem("two outputs")
    by_hand = problem.net.theta.copy()
    twin = lamina.Network([3, 6, 6, 2], ["relu", "tanh"], error="huber(0.5)")
    record, recipe = get_solver(solver), problem.net.recipe
    memory = record.start(recipe, float)["slots"]
    for step in range(1, 7):
        twin.theta = by_hand
        gradient = twin.backpropagate(problem.X, problem.T).gradient
        by_hand, memory = record.move(by_hand, gradient, memory, record.coefficients(0.02, step))
    options = {"batch_size": 60, "shuffle": False, "learning_rate_init": 0.02, "max_iter": 6}
    lamina.train(problem.net, problem.X, problem.T, solver=solver, **options)
    np.testing.assert_allclose(problem.net.theta, by_hand, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(SOLVERS._builtin))
def test_solver_keeps_float32(name, draw_problem):
    """θ and the memory of a first-order solver stay in the network's precision."""
    problem = draw_problem("classes", dtype="float32")
    state = lamina.train(problem.net, problem.X, problem.T, solver=name, max_iter=3).state
    assert problem.net.theta.dtype == state.theta.dtype == np.float32
    if isinstance(get_solver(name), FirstOrder):
        assert all(array.dtype == np.float32 for array in state.memory.values())


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_default_rate_is_the_solver_s_own(name, draw_problem):
    """Without learning_rate_init the history shows the solver's own default."""
    problem = draw_problem("regression")
    history = lamina.train(problem.net, problem.X, problem.T, solver=name, max_iter=1).history
    assert history["learning_rate"] == [{"sgd": 0.01}.get(name, 0.001)]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *[(Sgd, {"momentum": bad}) for bad in (-0.1, 1.0, 1.5, np.nan, "0.9", None)],
        *[(Adam, {"beta_1": bad}) for bad in (-0.1, 1.0, np.nan, "a", None)],
        *[(Adam, {"beta_2": bad}) for bad in (-0.1, 1.0, np.inf, [0.9])],
        *[(Adam, {"epsilon": bad}) for bad in (0.0, -1e-8, np.inf, np.nan)],
        *[(AdamW, {"weight_decay": bad}) for bad in (-0.1, np.inf, np.nan, "a")],
        (AdamW, {"beta_1": 1.0}),
    ],
)
def test_bad_setting_is_refused(kind, settings):
    """A number outside its range, or no number, is refused when the solver is made."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        kind(**settings)
