"""The certificate: what it says, when it passes, and that it never raises a false alarm."""

import numpy as np
import pytest

from lamina.certification.certificate import Certificate, Comparison
from lamina.network.network import Network
from lamina.network.penalties import Penalty
from lamina.registration import register_activation, register_error

XOR = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])


@pytest.fixture(name="net")
def small_network():
    """Return a 2-3-1 network."""
    return Network([2, 3, 1], ["tanh"], random_state=0)


def test_certificate_says_it_in_plain_words(net):
    """The verdict, the counts, the method and the figure of every layer are in one sentence."""
    text = str(net.certify(XOR, np.ones((1, 4))))
    assert text.startswith("The gradient is exact: ")
    for words in ("4 data points", "complex step", "allowed 1e-11", "inputs", "layer 1", "layer 2"):
        assert words in text


def test_failed_certificate_says_so():
    """A difference above the tolerance fails and is shouted; a NaN fails too."""
    for difference in (2e-11, 1.0, np.nan, np.inf):
        failed = Certificate("complex step", (1e-16, difference), 1e-11, 3, 2)
        assert not failed.passed
        assert str(failed).startswith("THE GRADIENT IS WRONG")
        second = (Comparison("G", 0.0, 1e-11), Comparison("H", difference, 1e-11))
        failed = Certificate("complex step", (1e-16,), 1e-11, 3, 2, second=second)
        assert not failed.passed
        assert str(failed).startswith("The gradient is exact")
        assert "WRONG ARE: H, " in str(failed)


def test_network_keeps_its_last_certificate(net):
    """`certify` returns the certificate and leaves it on the network; θ stays as it is."""
    assert net.certificate is None
    theta = net.theta.copy()
    certificate = net.certify(XOR, np.ones((1, 4)))
    assert net.certificate is certificate
    np.testing.assert_array_equal(net.theta, theta)


def test_certificate_is_reproducible(net):
    """The same network and data give the same figures."""
    T = np.ones((1, 4))
    assert net.certify(XOR, T) == net.certify(XOR, T)


def test_every_derivative_of_a_small_network_is_measured(net):
    """Inputs 2 × 4, layers of 9 and 4 parameters: 21 derivatives, one difference for each block."""
    certificate = net.certify(XOR, np.ones((1, 4)))
    assert (certificate.n_derivatives, certificate.n_points) == (21, 4)
    assert len(certificate.differences) == 3


def test_large_layer_is_measured_by_choice():
    """A layer of 10,100 parameters takes 64 derivatives, one of them across all."""
    net = Network([100, 100, 1], ["tanh"], random_state=0)
    certificate = net.certify(np.random.default_rng(0).normal(size=(100, 3)), np.ones((1, 3)))
    assert certificate.passed
    assert certificate.n_derivatives == 3 * 64


def test_float32_network_is_certified_in_float64():
    """The formulas are measured in float64, whatever the network computes in."""
    net = Network([2, 3, 1], ["gelu"], random_state=0, dtype="float32")
    certificate = net.certify(XOR + 0.1, np.ones((1, 4)))
    assert certificate.method == "complex step"
    assert certificate.passed


SATURATED = "tanh logistic tanh_scaled softmax elu selu gaussian inverse_square_root".split()


@pytest.mark.parametrize("scale", [10.0, 100.0, 1000.0])
@pytest.mark.parametrize("activation", SATURATED)
def test_saturated_network_passes(activation, scale):
    """Inputs as they come from a raw table saturate a layer; rounding of 1 - a² is no mistake."""
    net = Network([2, 3, 2], [activation, activation], random_state=0)
    X = np.random.default_rng(0).normal(size=(2, 5)) * scale
    certificate = net.certify(X, np.ones((2, 5)))
    assert certificate.passed, certificate


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu(0.5)", "hard_tanh", "relu6"])
def test_network_that_starts_on_a_kink_passes(activation, seed):
    """Biases start at 0, so a data point of zeros puts every unit on its kink: no false alarm."""
    net = Network([2, 6, 1], [activation], random_state=seed)
    certificate = net.certify(XOR, np.ones((1, 4)))
    assert certificate.passed, certificate


@pytest.mark.parametrize("error", ["absolute", "huber", "hinge", "quantile"])
def test_error_on_its_kink_passes(error):
    """Outputs that equal their targets, or margins of exactly 1, are no false alarm."""
    net = Network([2, 3, 1], ["tanh", "identity"], error=error, initialization="zeros")
    certificate = net.certify(XOR, np.ones((1, 4)))
    assert certificate.passed, certificate
    net.b[2][...] = 1.0
    certificate = net.certify(XOR, np.ones((1, 4)))
    assert certificate.passed, certificate


def test_weights_of_zero_under_l1_pass():
    """The kink of |w| at 0 is no false alarm."""
    net = Network([2, 3, 1], ["tanh"], penalties=Penalty(l1=0.1), initialization="zeros")
    assert net.certify(XOR, np.ones((1, 4))).passed


def test_formula_without_complex_form_is_measured_by_differences():
    """A user's np.abs loses the imaginary part: central differences, tolerance 1e-6, passed."""
    register_activation(
        "my_softsign",
        lambda z: z / (1 + np.abs(z)),
        lambda z, a: 1 / (1 + np.abs(z)) ** 2,  # noqa: ARG005 - every slope is given both
    )
    register_error("my_absolute", lambda t, a: np.abs(a - t), lambda t, a: np.sign(a - t))
    X, T = np.random.default_rng(0).normal(size=(2, 4)), np.ones((1, 4))
    for arguments in ({"activations": ["my_softsign"]}, {"error": "my_absolute"}):
        net = Network([2, 3, 1], **({"activations": ["tanh"]} | arguments), random_state=0)
        certificate = net.certify(X, T)
        assert certificate.method == "central differences"
        assert certificate.tolerance == 1e-6
        assert certificate.passed, certificate


def test_abs_formula_on_its_kink_passes():
    """A relu written with np.abs is measured by differences, on its kink too."""
    register_activation(
        "my_relu",
        lambda z: (z + np.abs(z)) / 2,
        lambda z, a: (z > 0) * 1.0,  # noqa: ARG005 - every slope is given both
    )
    for seed in range(5):
        net = Network([2, 6, 1], ["my_relu"], random_state=seed)
        certificate = net.certify(XOR, np.ones((1, 4)))
        assert certificate.passed, certificate
