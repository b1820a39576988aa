"""Nonlinear regressions whose answers NIST certifies, each written as a network of that form.

Data and certified values: Statistical Reference Datasets, National Institute of Standards and
Technology, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml. A model is a network where a
change of variables makes it one:

    DanWood   b1 x^b2                         exp of a line over log x
    Misra1d   b1 b2 x / (1 + b2 x)            1/z of a line over 1/x
    Rat42     b1 / (1 + exp(b2 - b3 x))       1/z of a line over exp of a line
    Rat43     b1 / (1 + exp(b2 - b3 x))^1/b4  exp of a line over softplus of a line
    MGH10     b1 exp(b2 / (x + b3))           exp of a line over 1/z of a line
    MGH17     b1 + Σ b_k exp(-b_m x)          a line over two exp of lines

A network may have a weight more than the model: the size of what a hidden unit gives can be moved
into the weight behind it. What the model's parameters are is the same for all of these.
"""

from pathlib import Path

import numpy as np
import pytest

import lamina

FOLDER = Path(__file__).parent / "strd"
SOLVER = lamina.LevenbergMarquardt(scaling="marquardt")  # the parameters' units differ by 10⁷
DIGITS = 1e-6
"""Relative; J is known to 16 digits and flat at the minimum, so parameters to about 8."""


def danwood():
    """Return the network at NIST's second start, its inputs in x, and its b1, b2."""
    net = lamina.Network([1, 1], ["exponential"], error="squared")
    net.W[1][...], net.b[1][...] = 4.0, np.log(0.7)
    return net, np.log, lambda: [np.exp(net.b[1]), net.W[1]]


def misra1d():
    """Return the network at NIST's second start, its inputs in x, and its b1, b2."""
    net = lamina.Network([1, 1], ["reciprocal"], error="squared")
    net.W[1][...], net.b[1][...] = 1 / (450.0 * 0.0003), 1 / 450.0
    return net, lambda x: 1 / x, lambda: [1 / net.b[1], net.b[1] / net.W[1]]


def rat42():
    """Return the network at NIST's second start, its inputs in x, and its b1, b2, b3."""
    net = lamina.Network([1, 1, 1], ["exponential", "reciprocal"], error="squared")
    net.W[1][...], net.b[1][...] = -0.07, 2.5
    net.W[2][...], net.b[2][...] = 1 / 75.0, 1 / 75.0
    return (
        net,
        lambda x: x,
        lambda: [1 / net.b[2], net.b[1] + np.log(net.W[2] / net.b[2]), -net.W[1]],
    )


def rat43():
    """Return the network at NIST's second start, its inputs in x, and its b1 to b4."""
    net = lamina.Network([1, 1, 1], ["softplus", "exponential"], error="squared")
    net.W[1][...], net.b[1][...] = -0.75, 5.0
    net.W[2][...], net.b[2][...] = -1 / 1.3, np.log(700.0)
    return net, lambda x: x, lambda: [np.exp(net.b[2]), net.b[1], -net.W[1], -1 / net.W[2]]


def mgh10():
    """Return the network at NIST's second start, its inputs in x, and its b1, b2, b3."""
    net = lamina.Network([1, 1, 1], ["reciprocal", "exponential"], error="squared")
    net.W[1][...], net.b[1][...] = 1 / 250.0, 1.0
    net.W[2][...], net.b[2][...] = 4000.0 / 250.0, np.log(0.02)
    return (
        net,
        lambda x: x,
        lambda: [np.exp(net.b[2]), net.W[2] / net.W[1], net.b[1] / net.W[1]],
    )


def mgh17():
    """Return the network at NIST's second start, its inputs in x, and its b1 to b5."""
    net = lamina.Network([1, 2, 1], ["exponential", "identity"], error="squared")
    net.W[1][...], net.b[1][...] = [[-0.01], [-0.02]], 0.0
    net.W[2][...], net.b[2][...] = [[1.5, -1.0]], 0.5
    return (
        net,
        lambda x: x,
        lambda: [net.b[2], *(net.W[2][0] * np.exp(net.b[1][:, 0])), *(-net.W[1][:, 0])],
    )


CERTIFIED = {  # residual sum of squares, then b1, b2, ...
    danwood: (4.3173084083e-03, 7.6886226176e-01, 3.8604055871e00),
    misra1d: (5.6419295283e-02, 4.3736970754e02, 3.0227324449e-04),
    rat42: (8.0565229338e00, 7.2462237576e01, 2.6180768402e00, 6.7359200066e-02),
    rat43: (8.7864049080e03, 6.9964151270e02, 5.2771253025e00, 7.5962938329e-01, 1.2792483859e00),
    mgh10: (8.7945855171e01, 5.6096364710e-03, 6.1813463463e03, 3.4522363462e02),
    mgh17: (
        *(5.4648946975e-05, 3.7541005211e-01, 1.9358469127e00),
        *(-1.4646871366e00, 1.2867534640e-02, 2.2122699662e-02),
    ),
}


@pytest.mark.parametrize("model", CERTIFIED, ids=lambda model: model.__name__)
def test_certified_regression_is_reproduced(model):
    """Levenberg-Marquardt ends at the certified residual sum of squares and parameters."""
    lamina.register_activation("reciprocal", lambda z: 1.0 / z, lambda z, a: -a * a + 0 * z)
    x, y = np.loadtxt(FOLDER / f"{model.__name__}.csv", delimiter=",", skiprows=2).T
    net, inputs, parameters = model()
    X, T = inputs(x)[np.newaxis], y[np.newaxis]
    lamina.train(net, X, T, solver=SOLVER, max_iter=1000, tol=-np.inf)
    found = np.array([float(np.squeeze(b)) for b in parameters()])
    squares, *expected = CERTIFIED[model]
    assert np.sum((net(X) - T) ** 2) == pytest.approx(squares, rel=DIGITS)
    np.testing.assert_allclose(found, expected, rtol=DIGITS)
