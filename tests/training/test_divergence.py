"""J that ceases to be finite: where is said, and what is kept is finite."""

import numpy as np
import pytest

import lamina
from lamina.exceptions import DivergenceError, DivergenceWarning
from lamina.training import solvers
from lamina.training.solvers import Sgd, get_solver

FULL_BATCH = [name for name in solvers.SOLVERS.names() if not solvers.get_solver(name).minibatch]
SOLVERS = ["sgd", "adam", "adamw", *FULL_BATCH]
FIRST_ORDER = SOLVERS[:3]


def jump(after, size=1e200):
    """Return a schedule whose factor is 1 for some epochs and enormous from then on."""
    return lambda epoch: 1.0 if epoch < after else size


def overflowing(layer):
    """Return a network of three layers whose first infinite activation is that of a layer."""
    net = lamina.Network([2, 3, 3, 1], ["identity", "identity", "identity"], random_state=0)
    for l in range(1, layer + 1):
        net.W[l][...] = 1e300 ** (1.0 / layer)
    for l in range(layer + 1, 4):
        net.W[l][...] = 0.0
    return net


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_first_layer_that_overflowed_is_named(layer, solver):
    """The error names epoch and layer, and the network is as it was."""
    net, X = overflowing(layer), np.full((2, 9), 1e20)
    before = net.theta.copy()
    words = rf"not finite in epoch 1: the activations of layer {layer} overflowed.*scale the data"
    with pytest.raises(DivergenceError, match=words):
        lamina.train(net, X, np.zeros((1, 9)), solver=solver)
    np.testing.assert_array_equal(net.theta, before)


@pytest.mark.parametrize("solver", SOLVERS)
def test_error_at_the_output_is_named(solver):
    """Where outputs are finite and their error is not, the message says so."""
    net = lamina.Network([2, 3, 1], ["tanh"], random_state=0)
    words = "epoch 1: the error or its gradient at the output overflowed.*'?[Ss]quared"
    with pytest.raises(DivergenceError, match=words):
        lamina.train(net, np.ones((2, 9)), np.full((1, 9), 1e200), solver=solver)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("dtype", "number"), [("float64", np.nan), ("float32", 1e300)])
def test_bad_number_in_X_is_named(number, dtype, solver):
    """NaN in X, or a number that the precision cannot hold, is said to be in X."""
    net, X = lamina.Network([2, 3, 1], ["tanh"], random_state=0, dtype=dtype), np.ones((2, 900))
    X[1, 777] = number
    with pytest.raises(DivergenceError, match=f"epoch 1: X holds NaN.*infinite in {dtype}"):
        lamina.train(net, X, np.zeros((1, 900)), solver=solver)


def test_biases_that_no_penalty_has_are_not_blamed():
    """A penalty that is not asked of biases is not named where they are huge; the error is."""
    net = lamina.Network([2, 3, 1], ["tanh"], penalties=lamina.Penalty(l2=1.0), random_state=0)
    net.b[2][...] = 1e200
    with pytest.raises(DivergenceError, match="epoch 1: the error or its gradient at the output"):
        lamina.train(net, np.ones((2, 4)), np.ones((1, 4)))


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_step_that_overflows_names_the_weights(solver, draw_problem):
    """A learning rate that sends θ to infinity is named, with the layer, and nothing is changed."""
    problem = draw_problem("regression")
    problem.net.theta *= 1e3
    before = problem.net.theta.copy()
    options = {"solver": solver, "learning_rate_init": 1e308, "random_state": 0, "batch_size": 5}
    words = r"epoch 1: the (weights|activations) of layer [12] overflowed at learning_rate_init"
    with pytest.raises(DivergenceError, match=words):
        lamina.train(problem.net, problem.X, problem.T, **options)
    np.testing.assert_array_equal(problem.net.theta, before)


class Breaking(Sgd):
    """A solver that leaves θ infinite from some place on."""

    def advance(self, engine, data, state, settings):
        """Spoil θ after the epoch."""
        advance = super().advance(engine, data, state, settings)
        state.theta[6:] = np.inf
        return advance


def test_first_layer_with_weights_that_overflowed_is_named():
    """Of several layers with infinite weights the first is named, and no such θ comes out."""
    net = lamina.Network([2, 2, 2, 1], ["tanh", "tanh", "identity"], random_state=0)
    before = net.theta.copy()
    with pytest.raises(DivergenceError, match="epoch 1: the weights of layer 2 overflowed"):
        lamina.train(net, np.ones((2, 4)), np.ones((1, 4)), solver=Breaking())
    np.testing.assert_array_equal(net.theta, before)


@pytest.mark.parametrize("penalty", [lamina.Penalty(l2=1.0), lamina.Penalty(l1=1.0)])
@pytest.mark.parametrize("solver", [s for s in SOLVERS if s != "bayesian_regularization"])
def test_penalty_that_overflowed_is_named(solver, penalty):
    """Where weights are finite and their penalty is not, the layer of the penalty is named."""
    net = lamina.Network([2, 3, 1], ["tanh", "tanh"], penalties=penalty, random_state=0)
    net.W[2][...] = 1e308
    words = "epoch 1: the penalty of layer 2 overflowed"
    with pytest.raises(DivergenceError, match=words):
        lamina.train(net, np.ones((2, 4)), np.ones((1, 4)), solver=solver)


@pytest.mark.parametrize("solver", FIRST_ORDER)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_last_good_epoch_is_kept(dtype, solver, draw_problem):
    """After good epochs a warning says which one was kept, and every bit of it is there."""
    problem = draw_problem("regression", dtype=dtype)
    twin = draw_problem("regression", dtype=dtype)
    options = {"solver": solver, "batch_size": 7, "random_state": 0, "tol": -np.inf}
    schedule = jump(4, 1e308)
    with pytest.warns(DivergenceWarning, match=r"in epoch 5: .*The network of epoch 4 was kept"):
        training = lamina.train(
            problem.net, problem.X, problem.T, learning_rate=schedule, **options
        )
    expected = lamina.train(twin.net, twin.X, twin.T, max_iter=4, **options)
    assert (training.stop_reason, training.state.epoch, len(training.history)) == ("diverged", 4, 4)
    np.testing.assert_array_equal(problem.net.theta, twin.net.theta)
    for name, array in expected.state.memory.items():
        np.testing.assert_array_equal(training.state.memory[name], array)
    again = lamina.train(
        problem.net, problem.X, problem.T, state=training.state, **options | {"random_state": None}
    )
    assert again.history["loss"][:4] == expected.history["loss"]
    assert np.isfinite(again.history["loss"]).all()


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_full_batch_solver_keeps_the_last_good_epoch_too(solver, draw_problem):
    """Continued on data that overflow, it warns and keeps every bit of its network."""
    problem = draw_problem("regression")
    state = lamina.train(problem.net, problem.X, problem.T, solver=solver, max_iter=5).state
    before, wild = problem.net.theta.copy(), problem.T * 1e200
    with pytest.warns(DivergenceWarning, match=r"in epoch 6: .*The network of epoch 5 was kept"):
        training = lamina.train(problem.net, problem.X, wild, solver=solver, state=state)
    assert (training.stop_reason, len(training.history)) == ("diverged", 5)
    np.testing.assert_array_equal(problem.net.theta, before)


@pytest.mark.parametrize("penalties", [None, lamina.Penalty(l2=1.0)])
def test_epoch_that_ended_beyond_reach_is_not_kept(penalties, draw_problem):
    """An epoch whose last step left J infinite is no good epoch; the one before is kept."""
    problem = draw_problem("regression")
    output = "identity" if penalties is None else "tanh"
    nets = [
        lamina.Network([3, 6, 1], ["tanh", output], penalties=penalties, random_state=0)
        for _ in range(2)
    ]
    options = {"solver": "sgd", "batch_size": 60, "shuffle": False, "tol": -np.inf}
    with pytest.warns(DivergenceWarning, match=r"in epoch 4: .*The network of epoch 2 was kept"):
        lamina.train(nets[0], problem.X, problem.T, learning_rate=jump(2, 1e307), **options)
    lamina.train(nets[1], problem.X, problem.T, max_iter=2, **options)
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)
    assert np.isfinite(nets[0].objective(problem.X, problem.T))


@pytest.mark.parametrize("solver", FIRST_ORDER)
def test_best_network_is_returned_after_divergence(solver, draw_problem):
    """With early stopping the network after a divergence is the best one of the good epochs."""
    problem = draw_problem("regression")
    options = {"solver": solver, "learning_rate_init": 0.3, "batch_size": 10, "random_state": 3}
    watch = {"validation": problem.validation, "early_stopping": True, "n_iter_no_change": 99}
    with pytest.warns(DivergenceWarning, match="epoch 40 was kept"):
        training = lamina.train(
            problem.net, problem.X, problem.T, learning_rate=jump(40, 1e307), **options, **watch
        )
    errors = training.history["validation_loss"]
    assert np.argmin(errors) < len(errors) - 1
    np.testing.assert_allclose(problem.net.error(*problem.validation), min(errors), rtol=1e-12)


def test_warning_points_at_the_caller(draw_problem):
    """The warning is shown at the line that called `train`, not at one of ours."""
    problem = draw_problem("regression")
    with pytest.warns(DivergenceWarning) as caught:
        lamina.train(problem.net, problem.X, problem.T, solver="sgd", learning_rate=jump(3))
    assert caught[0].filename == __file__


def test_advice_fits_the_solver():
    """Only a solver that has a learning rate is told to lower it."""
    messages = {}
    for solver in SOLVERS:
        net = overflowing(2)
        with pytest.raises(DivergenceError) as caught:
            lamina.train(net, np.full((2, 9), 1e20), np.zeros((1, 9)), solver=solver)
        messages[solver] = str(caught.value)
    for solver, message in messages.items():
        told = "lower the learning rate" in message and "max_gradient_norm" in message
        assert told == get_solver(solver).minibatch
