"""Second derivatives as methods of a network: shapes, weights, penalties, precision, refusals."""

import numpy as np
import pytest

from lamina.exceptions import InvalidTypeError, ShapeError
from lamina.network.network import Network
from lamina.network.penalties import Penalty

random = np.random.default_rng(0)
X, T = random.normal(size=(2, 5)), random.normal(size=(3, 5))
OMEGA = np.array([0.3, 0.1, 0.2, 0.3, 0.1])


def make(dtype="float64", error="squared", **options):
    """Return a network of 2-4-3 with penalties of every kind."""
    penalties = [Penalty(l1=0.1, l2=0.2), Penalty(l2=0.3, biases=True)]
    net = Network(
        [2, 4, 3],
        ["tanh"],
        error=error,
        penalties=penalties,
        random_state=1,
        dtype=dtype,
        **options,
    )
    net.theta = net.theta + 0.3
    return net


@pytest.fixture(name="net")
def net_fixture():
    """Return the network in float64."""
    return make()


def test_hessian_is_that_of_the_objective(net):
    """Products with unit vectors are the differences of the gradient, penalties included."""
    P, h = net.theta.size, 1e-5
    H = np.stack([net.hessian_product(X, T, v, OMEGA) for v in np.eye(P)])
    theta, columns = net.theta.copy(), []
    for v in np.eye(P):
        gradients = []
        for step in (h, -h):
            net.theta = theta + step * v
            gradients.append(net.backpropagate(X, T, OMEGA).gradient)
        columns.append((gradients[0] - gradients[1]) / (2 * h))
    np.testing.assert_allclose(H, columns, atol=1e-8)
    np.testing.assert_allclose(H, H.T, atol=1e-13)


def test_gauss_newton_is_made_of_the_jacobian(net):
    """G is Σ ω 𝒥ᵗ𝒥 for the squared error, plus l2; J and gradient are those of J."""
    J, gradient, G = net.gauss_newton(X, T, OMEGA)
    jacobian = net.linearize(X).jacobian()
    expected = np.einsum("n,nkp,nkq->pq", OMEGA, jacobian, jacobian)
    expected += np.diag([0.2] * 8 + [0.0] * 4 + [0.3] * 15)
    np.testing.assert_allclose(G, expected, atol=1e-14)
    result = net.backpropagate(X, T, OMEGA)
    assert result.J == J
    np.testing.assert_array_equal(gradient, result.gradient)
    for v in np.eye(27)[:3]:
        np.testing.assert_allclose(net.gauss_newton_product(X, T, v, OMEGA), G @ v, atol=1e-14)


def test_omega_is_the_mean_by_default(net):
    """Without weights every data point counts 1/N."""
    v, omega = np.ones(27), np.full(5, 0.2)
    for product in (net.hessian_product, net.gauss_newton_product):
        np.testing.assert_array_equal(product(X, T, v), product(X, T, v, omega))
    np.testing.assert_array_equal(net.gauss_newton(X, T)[2], net.gauss_newton(X, T, omega)[2])


def test_linearization_is_of_what_the_error_sees():
    """Y is Z_L where error and output are a pair, and A_L elsewhere."""
    probabilities = T**2 / (T**2).sum(axis=0)
    net = make(error="cross_entropy")
    Z, A = net.forward(X)
    np.testing.assert_array_equal(net.linearize(X).Y, Z[-1])
    assert net.gauss_newton(X, probabilities)[2].shape == (27, 27)
    np.testing.assert_array_equal(make().linearize(X).Y, make().forward(X)[1][-1])
    assert not np.allclose(Z[-1], A[-1])


def test_linearization_does_not_follow_theta(net):
    """Later changes of θ are not seen."""
    here = net.linearize(X)
    before = here.jacobian()
    net.theta = net.theta * 2.0
    np.testing.assert_array_equal(here.jacobian(), before)


def test_products_are_in_float64_whatever_the_network():
    """θ, X and T are rounded to the network's precision, what follows is not."""
    single = make("float32")
    double = make(initialization=single.theta)
    double.theta = single.theta
    rounded = X.astype("float32"), T.astype("float32")
    v = np.linspace(-1, 1, 27)
    assert single.linearize(X).times(v).dtype == float
    for product in ("hessian_product", "gauss_newton_product"):
        found = getattr(single, product)(X, T, v, OMEGA.astype("float32"))
        expected = getattr(double, product)(*rounded, v, OMEGA.astype("float32"))
        np.testing.assert_array_equal(found, expected)


def test_input_jacobian_is_the_slope_of_every_output(net):
    """Entry n, k, i is how output k of data point n answers input i."""
    slopes = net.input_jacobian(X)
    assert slopes.shape == (5, 3, 2)
    for i, step in enumerate(np.eye(2) * 1e-6):
        change = (net(X + step[:, None]) - net(X - step[:, None])) / 2e-6
        np.testing.assert_allclose(slopes[:, :, i].T, change, atol=1e-8)
    assert make("float32").input_jacobian(X).dtype == np.float32


BAD_DIRECTIONS = [
    (np.ones(26), ShapeError, r"v must be a vector of 27 numbers.*\(26,\)"),
    (np.ones((27, 1)), ShapeError, r"v must be a vector of 27 numbers.*\(27, 1\)"),
    (1.0, ShapeError, "v must be a vector of 27"),
    (np.ones(27) * 1j, InvalidTypeError, "v must hold real numbers"),
    (["a"] * 27, InvalidTypeError, "v must hold real numbers"),
]


@pytest.mark.parametrize(("v", "kind", "words"), BAD_DIRECTIONS)
def test_bad_direction_is_refused(v, kind, words, net):
    """A v that is no vector in the space of θ is refused by every product alike."""
    for product in (
        net.linearize(X).times,
        lambda v: net.hessian_product(X, T, v),
        lambda v: net.gauss_newton_product(X, T, v),
    ):
        with pytest.raises(kind, match=words):
            product(v)


@pytest.mark.parametrize(
    ("U", "kind", "words"),
    [
        (np.ones((5, 3)), ShapeError, r"U must be 3 × N.*did you mean U\.T\?"),
        (np.ones((3, 4)), ShapeError, r"each of the 5 data points; got shape \(3, 4\)"),
        (np.ones(3), ShapeError, "U must be 3 × N"),
        (np.ones((3, 5)) * 1j, InvalidTypeError, "U must hold real numbers"),
    ],
)
def test_bad_u_is_refused(U, kind, words, net):
    """A U that has not the shape of Y is refused."""
    with pytest.raises(kind, match=words):
        net.linearize(X).transposed(U)


def test_bad_x_is_refused(net):
    """X is checked as everywhere."""
    for method in (net.linearize, net.input_jacobian):
        with pytest.raises(ShapeError, match=r"did you mean X\.T\?"):
            method(X.T)


def test_arguments_are_not_written_to(net):
    """Read-only arrays and lists are taken as they are."""
    arrays = [X.copy(), T.copy(), np.ones(27), OMEGA.copy()]
    for array in arrays:
        array.flags.writeable = False
    given = [array.tolist() for array in arrays]
    for product in (net.hessian_product, net.gauss_newton_product):
        np.testing.assert_array_equal(product(*arrays), product(*given))
