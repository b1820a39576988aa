"""The Network itself: evaluation, what it accepts, what it refuses and with which words."""

import copy
import pickle

import numpy as np
import pytest

from lamina.exceptions import (
    InvalidTypeError,
    InvalidValueError,
    LaminaError,
    ShapeError,
    UnknownNameError,
)
from lamina.network.activations import ACTIVATIONS, get_activation
from lamina.network.errors import ERRORS, get_error
from lamina.network.network import Network

SIZES = [2, 3, 1]
X, T = np.random.default_rng(0).normal(size=(2, 5)), np.ones((1, 5))


@pytest.fixture(name="net")
def small_network():
    """Return a 2-3-1 network of tanh and identity."""
    return Network(SIZES, ["tanh"], random_state=0)


def test_output_is_the_last_activation(net):
    """net(X) is A_L of (1.4): here W_2 tanh(W_1 X + b_1) + b_2."""
    net.theta = np.linspace(-1, 1, 13)
    expected = net.W[2] @ np.tanh(net.W[1] @ X + net.b[1]) + net.b[2]
    np.testing.assert_allclose(net(X), expected, rtol=1e-14)
    np.testing.assert_array_equal(net(X), net.forward(X)[1][-1])


def test_vector_is_one_data_point(net):
    """A vector of S_0 inputs gives the vector of S_L outputs of that column."""
    assert net(X[:, 0]).shape == (1,)
    np.testing.assert_allclose(net(X[:, 0]), net(X)[:, 0], rtol=1e-14)
    assert net(X[:, 0].tolist()).shape == (1,)


def test_targets_of_one_output_may_be_a_vector(net):
    """For a single output T may be given as N numbers."""
    assert net.error(X, T[0]) == net.error(X, T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "given",
    [
        X,
        np.asfortranarray(X),
        X[:, ::-1][:, ::-1],
        X.astype(np.float32),
        X.astype(">f8"),
        X.tolist(),
    ],
    ids=["C", "Fortran", "negative strides", "float32", "big-endian", "lists"],
)
def test_layout_of_x_does_not_matter(given, dtype):
    """Any layout and real dtype of X gives the same output in the network's precision."""
    net = Network(SIZES, ["tanh"], random_state=0, dtype=dtype)
    assert net(given).dtype == dtype
    np.testing.assert_allclose(net(given), net(X), rtol=1e-5)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float16])
def test_whole_numbers_and_booleans_are_real_numbers(dtype, net):
    """Integers, booleans and half precision are evaluated as float64."""
    whole = np.array([[0, 1], [1, 0]])
    np.testing.assert_array_equal(net(whole.astype(dtype)), net(whole.astype(float)))


def test_evaluation_changes_nothing(net):
    """Neither X, T, ω nor θ is written to, read-only ones included."""
    arrays = [X.copy(), T.copy(), np.full(5, 0.2)]
    for array in arrays:
        array.flags.writeable = False
    theta = net.theta.copy()
    net.certify(*arrays)
    np.testing.assert_array_equal(net.theta, theta)
    np.testing.assert_array_equal(arrays[0], X)


def test_missing_output_activation_is_the_errors_own():
    """With L - 1 activations the output layer takes the natural one of the error."""
    for name in ERRORS._builtin:
        error = get_error(name)
        net = Network([2, 3, 2 * error.outputs_per_target], ["tanh"], error=name)
        assert net.recipe.activation(2) == get_activation(error.output_activation)


def test_repr_says_what_the_network_is(net):
    """Sizes, activations, error and the number of parameters."""
    assert repr(net) == "Network(2-3-1, ['tanh', 'identity'], error=squared, 13 parameters)"


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])  # noqa: S301 - our own bytes
@pytest.mark.parametrize("error", sorted(ERRORS._builtin))
def test_copy_is_the_same_network_with_its_own_theta(error, copier, draw_case):
    """A used network is pickled and copied whole: the same outputs, other memory, live views."""
    case = draw_case(3, error, sorted(ACTIVATIONS._builtin)[:4])
    J = case.net.objective(*case.data)
    again = copier(case.net)
    assert again.objective(*case.data) == J
    assert again.recipe == case.net.recipe
    again.W[1][...] = 0.0
    assert again.theta[0] == 0.0
    assert case.net.objective(*case.data) == J


def test_assigning_a_matrix_of_w_is_never_lost(net):
    """Writing `net.W[1] = ...` changes θ or is refused, but is not silently forgotten."""
    try:
        net.W[1] = np.full((3, 2), 7.0)
    except (TypeError, LaminaError):
        return
    assert np.all(net.W[1] == 7.0)


def test_constants_of_the_network_agree(net):
    """L, S and the number of parameters are those of the recipe."""
    assert (net.L, net.S, net.theta.size) == (2, SIZES, 13)
    assert net.recipe.size == 13
    assert net.dtype == np.float64


BAD_NETWORKS = [
    ({"sizes": [2]}, InvalidValueError, "two or more positive integers"),
    ({"sizes": []}, InvalidValueError, "two or more positive integers"),
    ({"sizes": [2, 0]}, InvalidValueError, "two or more positive integers"),
    ({"sizes": [2, -3]}, InvalidValueError, "two or more positive integers"),
    ({"sizes": [2.0, 1]}, InvalidValueError, "two or more positive integers"),
    ({"sizes": "31"}, InvalidValueError, "two or more positive integers"),
    ({"sizes": 3}, LaminaError, "two or more positive integers"),
    ({"sizes": None}, LaminaError, "two or more positive integers"),
    ({"activations": "tanh"}, InvalidTypeError, "a list, one for each layer"),
    ({"activations": None}, InvalidTypeError, "a list, one for each layer"),
    ({"activations": []}, InvalidValueError, "expected 2 activations for layers 1..2, got 0"),
    ({"activations": ["tanh"] * 3}, InvalidValueError, "got 3"),
    ({"activations": ["tanhh"]}, UnknownNameError, "activation 'tanhh'; known: blocks, elu"),
    ({"activations": [np.tanh]}, InvalidTypeError, "register_activation"),
    ({"activations": ["leaky_relu(a=1)"]}, InvalidTypeError, "does not take"),
    ({"error": "mse"}, UnknownNameError, "unknown error 'mse'; known: absolute"),
    ({"error": None}, InvalidTypeError, "register_error"),
    ({"error": "gaussian_nll"}, InvalidValueError, "multiple of 2 outputs, got 1"),
    ({"error": "quantile((0.1, 0.5))"}, InvalidValueError, "multiple of 2 outputs, got 1"),
    ({"dtype": "float16"}, InvalidValueError, "float32 or float64"),
    ({"dtype": complex}, InvalidValueError, "float32 or float64"),
    ({"dtype": "float99"}, LaminaError, "float32 or float64"),
    ({"random_state": -1}, LaminaError, "random_state"),
    ({"random_state": "zero"}, LaminaError, "random_state"),
]


@pytest.mark.parametrize(("changes", "kind", "words"), BAD_NETWORKS)
def test_bad_network_is_refused(changes, kind, words):
    """A recipe that does not fit together is refused with what was expected and what came."""
    arguments = {"sizes": SIZES, "activations": ["tanh"]} | changes
    with pytest.raises(kind, match=words):
        Network(**arguments)


BAD_INPUTS = [
    (np.zeros((5, 2)), ShapeError, r"X must be 2 × N.*got \(5, 2\).*did you mean X\.T\?"),
    (np.zeros((3, 4)), ShapeError, r"X must be 2 × N.*got \(3, 4\)$"),
    (np.zeros((2, 2, 2)), ShapeError, r"X must be 2 × N.*got \(2, 2, 2\)$"),
    (np.zeros(5), ShapeError, "X must be 2"),
    (3.0, ShapeError, "X must be 2"),
    (X * 1j, InvalidTypeError, "real numbers.*complex128"),
    (X.astype(object), InvalidTypeError, "real numbers.*object"),
    ([["1", "2"], ["3", "4"]], InvalidTypeError, "real numbers"),
    ([[1, 2], [3]], LaminaError, "X"),
    (np.zeros((2, 3), dtype="M8[s]"), InvalidTypeError, "real numbers.*datetime64"),
]


@pytest.mark.parametrize(("given", "kind", "words"), BAD_INPUTS)
def test_bad_x_is_refused(given, kind, words, net):
    """What cannot be S_0 × N real numbers is refused, with a hint where X.T would do."""
    with pytest.raises(kind, match=words):
        net(given)


def test_vector_is_no_matrix_of_data_points(net):
    """Where N points are needed a vector X is refused, without the advice to transpose it."""
    with pytest.raises(ShapeError, match=r"got \(2,\)") as caught:
        net.backpropagate(np.zeros(2), np.zeros((1, 1)))
    assert "X.T" not in str(caught.value)


BAD_DATA = [
    ((X, T[:, :4]), ShapeError, "X has 5 columns .data points. and T has 4"),
    ((X, T.T), ShapeError, r"T must be 1 × N.*did you mean T\.T\?"),
    ((X, np.ones((2, 5))), ShapeError, "T must be 1 × N"),
    ((X, T * np.nan), InvalidValueError, r"finite numbers; T\[0, 0\] is nan"),
    ((X, T * 1j), InvalidTypeError, "T must hold real numbers"),
    ((X, T, np.ones(4)), ShapeError, "one weight for each of the 5 data points"),
    ((X, T, np.ones((1, 5))), ShapeError, "one weight for each of the 5 data points"),
    ((X, T, ["a"] * 5), InvalidTypeError, "omega must hold real numbers"),
    ((X, T, np.ones(5) * 1j), InvalidTypeError, "omega must hold real numbers"),
    ((X[:, :0], T[:, :0]), LaminaError, "data point"),
]


@pytest.mark.parametrize(("data", "kind", "words"), BAD_DATA)
@pytest.mark.parametrize("method", ["backpropagate", "error", "objective", "certify"])
def test_bad_data_are_refused(method, data, kind, words, net):
    """X, T and ω that do not fit each other are refused by every method alike."""
    with pytest.raises(kind, match=words):
        getattr(net, method)(*data)


def test_nan_in_x_stays_visible(net):
    """A NaN among the inputs makes outputs, J and the certificate NaN or failed, never a number."""
    broken = X.copy()
    broken[0, 1] = np.nan
    assert np.isnan(net(broken)[0, 1])
    assert np.all(np.isfinite(net(broken)[0, [0, 2, 3, 4]]))
    assert np.isnan(net.error(broken, T))
    assert np.isnan(net.backpropagate(broken, T).J)
    assert not net.certify(broken, T).passed
