"""Training that breaks off, whatever the cause: the state is that of the last whole epoch."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

import lamina
from lamina.engines.reference import ReferenceEngine
from lamina.training import solvers
from lamina.training.loop import chosen, train
from lamina.training.settings import Settings
from lamina.training.solvers import get_solver
from lamina.training.state import TrainingState
from lamina.training.train import _data

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
SOLVERS = ["sgd", "adam", "adamw", *FULL_BATCH]


class Breaking(ReferenceEngine):
    """An engine that raises after some steps, or evaluations of the gradient, amid an epoch."""

    def __init__(self, recipe, problem, steps):
        super().__init__(recipe)
        self.problem, self.steps = problem, steps

    def tick(self):
        """Count one, and raise after the last."""
        self.steps -= 1
        if self.steps == 0:
            raise self.problem

    def gradient(self, theta, data):
        """Count an evaluation."""
        self.tick()
        return super().gradient(theta, data)

    def gauss_newton(self, theta, data):
        """Count an evaluation."""
        self.tick()
        return super().gauss_newton(theta, data)

    def epoch(self, theta, memory, move, data, epoch):
        """Count the steps; θ and memory have moved by those before the one that raises."""

        def breaking(*step):
            self.tick()
            return move(*step)

        return super().epoch(theta, memory, breaking, data, epoch)


def plan(solver, **options):
    """Return settings with every source of state that the solver has: order, dropout, schedule."""
    solver = get_solver(solver)
    if solver.minibatch:
        options = {"batch_size": 13, "dropout": (0.1, 0.2)} | options
    return Settings(solver=solver, **({"tol": -np.inf, "max_iter": 12} | options))


def start(problem):
    """Return data, validation data and a state to begin with."""
    data = _data(problem.net, problem.X, problem.T, None)
    watched = _data(problem.net, *problem.validation, None)
    return data, watched, TrainingState(problem.net.theta.copy(), 7)


def uninterrupted(problem, settings, epochs):
    """Return the state after so many epochs without a break."""
    data, watched, state = start(problem)
    record = Settings(**(vars(settings) | {"max_iter": epochs}))
    train(ReferenceEngine(problem.net.recipe), data, state, record, validation=watched)
    return state


def assert_same(one, other):
    """Assert that two states are the same to the last bit, but for the time they took."""
    first, second = one.to_arrays(), other.to_arrays()
    assert first.keys() == second.keys()
    for name in first.keys() - {"history.seconds"}:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert len(one.history["seconds"]) == len(one.history)


def at_epoch(number, problem):
    """Return an observer that raises once, in that epoch."""

    def observe(_, row):
        if row["epoch"] == number:
            raise problem

    return observe


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", [1, 3, 7, 12])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_keyboard_interrupt_amid_an_epoch_keeps_the_last(
    solver, steps, early_stopping, draw_problem
):
    """Ctrl-C amid an epoch leaves the state of the epoch before, from which training goes on."""
    problem, settings = draw_problem("regression"), plan(solver, early_stopping=early_stopping)
    data, watched, state = start(problem)
    place = state.theta
    engine = Breaking(problem.net.recipe, KeyboardInterrupt(), steps)
    assert train(engine, data, state, settings, validation=watched) == "interrupted"
    kept = state.epoch
    assert state.theta is place
    assert state.scratch == {}
    if kept:
        assert_same(state, uninterrupted(problem, settings, kept))
    else:
        np.testing.assert_array_equal(chosen(state, settings), problem.net.theta)
    rest = Settings(**(vars(settings) | {"max_iter": 12 - kept}))
    train(ReferenceEngine(problem.net.recipe), data, state, rest, validation=watched)
    assert_same(state, uninterrupted(problem, settings, 12))


@pytest.mark.parametrize("solver", SOLVERS)
def test_keyboard_interrupt_between_epochs_keeps_the_epoch(solver, draw_problem):
    """Ctrl-C after an epoch, as in an observer, keeps that epoch."""
    problem, settings = draw_problem("regression"), plan(solver)
    data, watched, state = start(problem)
    observers = [at_epoch(4, KeyboardInterrupt())]
    engine = ReferenceEngine(problem.net.recipe)
    train(engine, data, state, settings, validation=watched, observers=observers)
    assert_same(state, uninterrupted(problem, settings, 4))


def test_keyboard_interrupt_returns_the_best_so_far(draw_problem):
    """With early stopping the network after Ctrl-C is the best one, not the last."""
    problem = draw_problem("regression")
    settings = plan("sgd", early_stopping=True, learning_rate_init=0.1, dropout=())
    whole = uninterrupted(problem, settings, 60)
    best, errors = whole.best_epoch, whole.history["validation_loss"]
    assert best == 1 + np.argmin(errors) < 60
    data, watched, state = start(problem)
    longer = Settings(**(vars(settings) | {"max_iter": 99}))
    observers = [at_epoch(60, KeyboardInterrupt())]
    engine = ReferenceEngine(problem.net.recipe)
    train(engine, data, state, longer, validation=watched, observers=observers)
    problem.net.theta = chosen(state, settings)
    np.testing.assert_allclose(problem.net.error(*problem.validation), min(errors), rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("problem_of", ["observer", "engine", "metric"])
def test_exception_restores_the_state(solver, problem_of, draw_problem):
    """What an observer, an engine or a metric raises comes out; the state is of a whole epoch."""
    problem, settings = draw_problem("regression"), plan(solver)
    data, watched, state = start(problem)
    engine, observers, metrics = ReferenceEngine(problem.net.recipe), [], {}
    if problem_of == "observer":
        observers = [at_epoch(3, ZeroDivisionError("ours"))]
    elif problem_of == "metric":
        metrics = {"ratio": lambda T, A: 1.0 if state.epoch < 3 else T.size // (A.size - A.size)}
    else:
        engine = Breaking(problem.net.recipe, ZeroDivisionError("ours"), 13)
    with pytest.raises(ZeroDivisionError):
        train(
            engine, data, state, settings, validation=watched, metrics=metrics, observers=observers
        )
    assert state.epoch >= 2
    assert state.scratch == {}
    arrays, clean = state.to_arrays(), uninterrupted(problem, settings, state.epoch).to_arrays()
    for name in clean.keys() - {"history.seconds"}:
        np.testing.assert_array_equal(arrays[name], clean[name], err_msg=name)
    assert {len(column) for column in state.history.columns().values()} == {state.epoch}


SCRIPT = """
import json, signal, sys, warnings
import numpy as np
import lamina
from lamina.training.solvers import get_solver

signal.signal(signal.SIGINT, signal.default_int_handler)
kind = type(get_solver(sys.argv[1]))

class Endless(kind):
    "The solver, but its fourth epoch never ends."
    def advance(self, engine, data, state, settings):
        if state.epoch == 3:
            print("ready", flush=True)
        while state.epoch == 3:
            super().advance(engine, data, state, settings)
        return super().advance(engine, data, state, settings)

def problem():
    X = np.linspace(-2.0, 2.0, 600).reshape(3, 200)
    net = lamina.Network([3, 20, 1], ["tanh"], random_state=0)
    return net, X, np.sin(X.sum(axis=0, keepdims=True))

net, X, T = problem()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    training = lamina.train(net, X, T, solver=Endless(), random_state=0)
twin, _, _ = problem()
lamina.train(twin, X, T, solver=sys.argv[1], random_state=0, max_iter=3)
print(json.dumps({
    "reason": training.stop_reason,
    "epochs": len(training.history),
    "warning": [str(warning.message) for warning in caught],
    "same": bool((net.theta == twin.theta).all()),
    "finite": bool(np.isfinite(net(X)).all()),
}))
"""


@pytest.mark.parametrize("solver", SOLVERS)
def test_signal_returns_the_network_so_far(solver):
    """A real SIGINT amid an epoch ends `lamina.train` with the network of the epoch before."""
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, solver], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n", process.stderr.read()
        process.send_signal(signal.SIGINT)
        answer, problems = process.communicate(timeout=120)
    assert (process.returncode, problems) == (0, b"")
    assert json.loads(answer) == {
        "reason": "interrupted",
        "epochs": 3,
        "warning": ["training was interrupted; the network of epoch 3 was kept"],
        "same": True,
        "finite": True,
    }


@pytest.mark.parametrize("solver", SOLVERS)
def test_data_are_never_written_to(solver, draw_problem):
    """X, T and ω may be read-only, and are the same afterwards."""
    problem, omega = draw_problem("counts"), np.arange(1.0, 61.0)
    arrays = [problem.X, problem.T, omega]
    copies = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    lamina.train(problem.net, problem.X, problem.T, omega=omega, solver=solver, max_iter=3)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
