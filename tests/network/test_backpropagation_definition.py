"""What backpropagation returns, against the note's sums over indices written out."""

from itertools import product
from math import tanh

import numpy as np
import pytest

from lamina.network import backpropagation
from lamina.network.network import Network
from lamina.network.penalties import Penalty

RANDOM = np.random.default_rng(20)
S, N = [2, 3, 2], 4
X, T = RANDOM.normal(size=(S[0], N)), RANDOM.normal(size=(S[2], N))


@pytest.fixture(name="net")
def tanh_network():
    """Return a network of two tanh layers with (2.18) as its error."""
    net = Network(S, ["tanh", "tanh"], random_state=3)
    net.theta = net.theta + np.random.default_rng(4).normal(size=net.theta.shape)
    return net


def passed_forward(net):
    """Return A_0, A_1, A_2 by (1.1), one number at a time."""
    A = [X]
    for l in (1, 2):
        W, b = net.W[l].tolist(), net.b[l].tolist()
        columns = [
            [tanh(sum(w * a for w, a in zip(W[k], x, strict=True)) + b[k][0]) for k in range(S[l])]
            for x in A[l - 1].T.tolist()
        ]
        A.append(np.array(columns).T)
    return A


def test_output_layer_is_the_sum_of_2_1(net):
    """dJ/dW_L is (2.1) with the derivatives (2.3) and (2.6), Kronecker deltas and all."""
    A = passed_forward(net)
    expected = np.zeros((S[2], S[1]))
    for i, j in product(range(S[2]), range(S[1])):
        for k, n in product(range(S[2]), range(N)):
            dJ_dA = (A[2][k, n] - T[k, n]) / N  #                     (2.22)
            dA_dZ = 1 - A[2][k, n] ** 2  #                            (2.3)
            dZ_dW = (i == k) * A[1][j, n]  #                          (2.6)
            expected[i, j] += dJ_dA * dA_dZ * dZ_dW  #                (2.1)
    np.testing.assert_allclose(net.backpropagate(X, T).dW[2], expected, rtol=1e-12)


def sum_of_3_1(net, dz_dparameter):
    """Return (3.1) for a parameter of layer 1, given dZ_1[k', n'] / dparameter."""
    A, W = passed_forward(net), net.W[2]
    total = 0.0
    for k, n, k1, n1 in product(range(S[2]), range(N), range(S[1]), range(N)):
        H = (A[2][k, n] - T[k, n]) / N * (1 - A[2][k, n] ** 2)  #      (2.10)
        dZ_dA = W[k, k1] * (n == n1)  #                                (3.4)
        total += H * dZ_dA * (1 - A[1][k1, n1] ** 2) * dz_dparameter(A, k1, n1)
    return total


def test_hidden_weights_are_the_sum_of_3_1(net):
    """dJ/dW_(L-1) is the fourfold sum (3.1)."""
    dW = net.backpropagate(X, T).dW[1]
    for i, j in product(range(S[1]), range(S[0])):
        expected = sum_of_3_1(net, lambda A, k, n, i=i, j=j: (i == k) * A[0][j, n])
        np.testing.assert_allclose(dW[i, j], expected, rtol=1e-12)


def test_hidden_biases_are_the_sum_of_3_14(net):
    """dJ/db_(L-1) is the same sum with (3.14): over data points, not over units."""
    db = net.backpropagate(X, T).db[1]
    for i in range(S[1]):
        expected = sum_of_3_1(net, lambda A, k, n, i=i: i == k)  # noqa: ARG005 - one signature
        np.testing.assert_allclose(db[i, 0], expected, rtol=1e-12)


def test_objective_is_mean_over_points_and_sum_over_outputs(net):
    """J is (2.18): halved squares, summed over the outputs, averaged over the data points."""
    A = passed_forward(net)[2]
    expected = sum((A[j, m] - T[j, m]) ** 2 / (2 * N) for m, j in product(range(N), range(S[2])))
    for J in (net.backpropagate(X, T).J, net.error(X, T), net.objective(X, T)):
        np.testing.assert_allclose(J, expected, rtol=1e-13)


def test_delta_of_a_layer_is_the_input_slope_of_the_rest(draw_case):
    """Delta_l is dJ/dA_l, (4.3): the input derivative of the network that begins after l."""
    case = draw_case(5, "cross_entropy", ["gelu", "softmax", "tanh", "sine"])
    net, result = case.net, case.net.backpropagate(*case.data)
    for l in range(net.L):
        after = Network(net.S[l:], net.recipe.activations[l:], error="cross_entropy")
        after.theta = net.theta[-after.theta.size :]
        rest = after.backpropagate(result.A[l], case.T, case.omega)
        np.testing.assert_allclose(result.Delta[l], rest.Delta[0], rtol=1e-13)


def test_derivatives_are_views_of_the_gradient(net):
    """The matrices dW and db are the gradient itself, laid out as W and b are in θ."""
    result = net.backpropagate(X, T)
    flat = [part for l in (1, 2) for part in (result.dW[l].T.ravel(), result.db[l].ravel())]
    np.testing.assert_array_equal(np.concatenate(flat), result.gradient)
    assert all(np.shares_memory(part, result.gradient) for part in (*result.dW[1:], *result.db[1:]))


def test_lists_are_indexed_by_layer(net):
    """Every list has L + 1 entries of S_l × N; entry 0 is X, dJ/dX, or empty."""
    result = net.backpropagate(X, T)
    assert result.A[0] is X
    for l, (A, Delta) in enumerate(zip(result.A, result.Delta, strict=True)):
        assert A.shape == Delta.shape == (S[l], N)
    for Z, H, l in zip(result.Z[1:], result.H[1:], (1, 2), strict=True):
        assert Z.shape == H.shape == (S[l], N)
    assert [len(M) for M in (result.Z, result.H, result.dW, result.db)] == [3] * 4
    assert [M[0].size for M in (result.Z, result.H, result.dW, result.db)] == [0] * 4


ERRORS_WEIGHTED = ["squared", "cross_entropy", "poisson", "quantile((0.2, 0.7))", "gaussian_nll"]


@pytest.mark.parametrize("error", ERRORS_WEIGHTED)
def test_integer_weights_equal_repeated_points(error, draw_case):
    """ω_n = k/K gives J and every derivative of a table that holds data point n k times."""
    case = draw_case(8, error, ["tanh", "softmax"])
    counts = np.array([3, 0, 1, 2, 1])
    weighted = case.net.backpropagate(case.X, case.T, counts / counts.sum())
    X, T = (np.repeat(M, counts, axis=1) for M in (case.X, case.T))
    repeated = case.net.backpropagate(X, T)
    np.testing.assert_allclose(weighted.J, repeated.J, rtol=1e-13)
    np.testing.assert_allclose(weighted.gradient, repeated.gradient, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("error", ERRORS_WEIGHTED)
def test_zero_weight_removes_a_point(error, draw_case):
    """A data point of weight 0 changes nothing, and its own derivatives are 0."""
    case = draw_case(9, error, ["tanh"])
    omega = np.array([0.1, 0.4, 0.0, 0.2, 0.3])
    left = [0, 1, 3, 4]
    whole = case.net.backpropagate(case.X, case.T, omega)
    rest = case.net.backpropagate(case.X[:, left], case.T[:, left], omega[left])
    np.testing.assert_allclose(whole.J, rest.J, rtol=1e-14)
    np.testing.assert_allclose(whole.gradient, rest.gradient, rtol=1e-13, atol=1e-16)
    np.testing.assert_array_equal(whole.Delta[0][:, 2], 0.0)


def test_default_weights_are_one_over_n(draw_case):
    """Without weights every data point has 1/N."""
    case = draw_case(10, "huber", ["tanh"])
    plain = case.net.backpropagate(case.X, case.T)
    equal = case.net.backpropagate(case.X, case.T, np.full(5, 0.2))
    np.testing.assert_array_equal(plain.gradient, equal.gradient)


def test_j_is_the_error_plus_the_penalties():
    """J exceeds the error by Σ_l R_l, biases only where asked, whatever the weights of points."""
    weights, both = Penalty(l1=0.3), Penalty(l2=0.2, biases=True)
    net = Network(S, ["tanh", "tanh"], penalties=[weights, both], random_state=3)
    net.theta = net.theta + 0.5
    R = 0.3 * np.abs(net.W[1]).sum() + 0.1 * (np.sum(net.W[2] ** 2) + np.sum(net.b[2] ** 2))
    for omega in (None, np.array([0.5, 1.0, 0.0, 7.0])):
        excess = net.objective(X, T, omega) - net.error(X, T, omega)
        np.testing.assert_allclose(excess, R, rtol=1e-13)


def masked_slope_gaps(module, net, masks):
    """Return how far masked backpropagation is from the complex step: inputs, then θ."""
    omega = np.full(N, 1 / N)
    result = module.backpropagate(net.recipe, net.theta, X, T, omega, masks)
    h = 1e-20
    gaps = []
    for k, claimed in enumerate((result.Delta[0], result.gradient)):
        point = (X, net.theta)[k]
        measured = np.empty(point.shape)
        for index in np.ndindex(point.shape):
            step = point.astype(complex)
            step[index] += 1j * h
            x, theta = ((step, net.theta), (X, step))[k]
            J = module.objective(net.recipe, theta, x, T, omega, masks)
            measured[index] = np.imag(J) / h
        gaps.append(np.max(np.abs(claimed - measured)) / np.max(np.abs(measured)))
    return gaps


@pytest.mark.parametrize("layers", [(0,), (1,), (0, 1)])
def test_masked_gradient_is_exact(layers, net):
    """Dropping units of A_l forward drops them backward: in dW, Delta_l and all below."""
    random = np.random.default_rng(6)
    masks = [2.0 * random.integers(2, size=(S[l], N)) if l in layers else None for l in (0, 1)]
    assert max(masked_slope_gaps(backpropagation, net, masks)) <= 1e-13


def test_masks_of_ones_change_nothing(net):
    """A mask of ones gives the very same numbers as no mask."""
    omega = np.full(N, 1 / N)
    arguments = net.recipe, net.theta, X, T, omega
    masks = [np.ones((S[0], N)), np.ones((S[1], N))]
    masked = backpropagation.backpropagate(*arguments, masks)
    plain = backpropagation.backpropagate(*arguments)
    np.testing.assert_array_equal(masked.gradient, plain.gradient)


def test_input_slope_is_left_out_on_request(net):
    """`to_inputs=False` spares Delta_0 and leaves everything else as it is."""
    omega = np.full(N, 1 / N)
    arguments = net.recipe, net.theta, X, T, omega
    spared = backpropagation.backpropagate_error(*arguments, to_inputs=False)
    assert spared.Delta[0].size == 0
    np.testing.assert_array_equal(spared.gradient, net.backpropagate(X, T).gradient)
