"""The gradient of hundreds of random networks, (4.1) and (4.2), against measured derivatives."""

from itertools import pairwise, product

import numpy as np
import pytest

from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS, get_error
from lamina.network.network import Network

PARTED = {"blocks", "weighted"}  # made of others: in test_parts
ACTIVATION_SPECS = [
    *sorted(ACTIVATIONS._builtin - PARTED),
    *["leaky_relu(0.3)", "elu(0.5)", "sine(2.5)", "inverse_square_root(3.0)"],
]
ERROR_SPECS = [
    *sorted(ERRORS._builtin - PARTED),
    *["huber(0.4)", "tweedie(1.2)", "quantile(0.9)", "quantile((0.1, 0.8))"],
    *["quantile((0.2, 0.5, 0.9))", "quantile((0.1, 0.5, 0.7, 0.9))"],
]
ABOVE_ZERO = ["exponential", "gaussian", "logistic", "softmax", "softplus"]
OUTPUTS = {  # which output layers stay where the error's logarithms and powers are real
    "binary_cross_entropy": ["gaussian", "logistic", "softmax"],
    **dict.fromkeys(["cross_entropy", "gamma", "kl_divergence", "poisson"], ABOVE_ZERO),
    **dict.fromkeys(["tweedie", "tweedie(1.2)"], ABOVE_ZERO),
}

CENTRAL_TOLERANCE = 1e-6
STEPS = (1e-4, 1e-5, 1e-6)


def hidden_pairs():
    """Yield every activation × every error: a seed, the error, 1 to 5 hidden layers."""
    for seed, (activation, error) in enumerate(product(ACTIVATION_SPECS, ERROR_SPECS)):
        random = np.random.default_rng(seed)
        hidden = [str(name) for name in random.choice(ACTIVATION_SPECS, size=1 + seed % 5)]
        hidden[random.integers(len(hidden))] = activation
        yield pytest.param(seed, error, hidden, None, id=f"{activation}-{error}")


def output_pairs():
    """Yield every error × every output layer it allows: depth 1 and 2, composed and fused."""
    pairs = ((e, a) for e in ERROR_SPECS for a in OUTPUTS.get(e, ACTIVATION_SPECS))
    for seed, (error, output) in enumerate(pairs, start=10_000):
        hidden = [ACTIVATION_SPECS[seed % len(ACTIVATION_SPECS)]] * (seed % 2)
        yield pytest.param(seed, error, hidden, output, id=f"{error}-of-{output}")


def output_counts():
    """Yield every error with every number of outputs, 1 to 4, that it allows."""
    for seed, (error, outputs) in enumerate(product(ERROR_SPECS, range(1, 5)), start=20_000):
        if outputs % get_error(error).outputs_per_target == 0:
            yield pytest.param(seed, error, outputs, id=f"{error}-{outputs}")


def copy_with(net, theta, dtype="float64"):
    """Return the network with another θ."""
    layers = net.recipe.layers
    return Network(
        net.S,
        net.recipe.activations,
        error=net.recipe.error,
        penalties=[layer.penalty for layer in layers],
        initialization=theta,
        dtype=dtype,
    )


def smallest_gap(f, x, v, claimed):
    """Return the smallest |claimed - (f(x + hv) - f(x - hv)) / 2h| over three steps h."""
    return min(abs(claimed - (f(x + h * v) - f(x - h * v)) / (2 * h)) for h in STEPS)


def unit_vector(random, shape, block=slice(None)):
    """Return a random direction of length 1 within a block of an array."""
    v = np.zeros(shape)
    v[block] = random.normal(size=v[block].shape)
    return v / np.linalg.norm(v)


def central_difference_gaps(case, seed):
    """Return, for the inputs and each layer, the gap in a random direction over the slope's norm.

    Written without lamina.network.differences, on the public `objective` alone.
    """
    random = np.random.default_rng(seed)
    net, X, T, omega = case.net, *case.data
    result = net.backpropagate(X, T, omega)
    v = unit_vector(random, X.shape)
    claimed = float(np.sum(v * result.Delta[0]))
    gaps = [smallest_gap(lambda x: net.objective(x, T, omega), X, v, claimed)]
    norms = [np.linalg.norm(result.Delta[0])]
    ends = np.cumsum([0, *(n_out * (n_in + 1) for n_in, n_out in pairwise(net.S))])
    for block in (slice(start, stop) for start, stop in pairwise(ends)):
        v = unit_vector(random, net.theta.shape, block)
        claimed = float(v @ result.gradient)

        def of_theta(theta):
            return copy_with(net, theta).objective(X, T, omega)

        gaps.append(smallest_gap(of_theta, net.theta, v, claimed))
        norms.append(np.linalg.norm(result.gradient[block]))
    return np.array(gaps) / np.maximum(norms, np.finfo(float).tiny)


def assert_exact(case, seed):
    """Assert both measures: complex step to 1e-11, central differences to 1e-6."""
    certificate = case.net.certify(*case.data)
    assert certificate.method == "complex step"
    assert certificate.tolerance == 1e-11
    assert certificate.passed, certificate
    assert np.all(central_difference_gaps(case, seed) <= CENTRAL_TOLERANCE)


@pytest.mark.parametrize(("seed", "error", "hidden", "output"), list(hidden_pairs()))
def test_gradient_is_exact_for_every_hidden_activation(seed, error, hidden, output, draw_case):
    """Random depth 2 to 6, weights and penalties: both measures agree with backpropagation."""
    assert_exact(draw_case(seed, error, hidden, output), seed)


@pytest.mark.parametrize(("seed", "error", "hidden", "output"), list(output_pairs()))
def test_gradient_is_exact_for_every_output_activation(seed, error, hidden, output, draw_case):
    """Every pair of error and output layer that makes sense, matched or not, is differentiated."""
    assert_exact(draw_case(seed, error, hidden, output), seed)


@pytest.mark.parametrize(("seed", "error", "outputs"), list(output_counts()))
def test_gradient_is_exact_for_every_number_of_outputs(seed, error, outputs, draw_case):
    """One to four outputs are summed over as the error defines."""
    case = draw_case(seed, error, ["tanh"], outputs=outputs)
    assert case.net.S[-1] == outputs
    assert_exact(case, seed)


def test_gradients_measured_are_seldom_zero(draw_case):
    """The networks above are no empty claim: 19 of 20 layers have a slope to measure."""
    nonzero = []
    for parameters in hidden_pairs():
        case = draw_case(*parameters.values)
        nonzero += [np.any(dW != 0) for dW in case.net.backpropagate(*case.data).dW[1:]]
    assert np.mean(nonzero) >= 0.95


def rounding_differences(case):
    """Return how far each derivative in float32 is from float64, over the sum that it is.

    A sum H Aᵗ is known to rounding relative to |H| |A|ᵗ, however much of it cancels.
    """
    data = [np.asarray(values, dtype=np.float32) for values in case.data]
    theta = case.net.theta.astype(np.float32)
    single = copy_with(case.net, theta, "float32").backpropagate(*data)
    double = copy_with(case.net, theta).backpropagate(*data)
    assert {M.dtype for M in (*single.Z, *single.A, *single.Delta, *single.H)} == {theta.dtype}
    assert np.asarray(single.J).dtype == single.gradient.dtype == np.float32
    W, H, A = case.net.W, [np.abs(M) for M in double.H], [np.abs(M) for M in double.A]
    compared = [(single.Delta[0], double.Delta[0], np.abs(W[1]).T @ H[1])]
    for l in range(1, case.net.L + 1):
        compared.append((single.A[l], double.A[l], A[l]))
        compared.append((single.dW[l], double.dW[l], H[l] @ A[l - 1].T))
        compared.append((single.db[l], double.db[l], H[l].sum(axis=1)))
    tiny = np.finfo(np.float32).tiny
    return [
        np.max(np.abs(a - b)) / max(np.max(size), np.max(np.abs(b)), tiny)
        for a, b, size in compared
    ]


def test_float32_agrees_with_float64_within_rounding(draw_case):
    """Over 500 networks float32 stays float32, within 5e-5 always and 5e-6 in 99 of 100 arrays.

    Rounding is 6e-8 per operation. A pass makes about ten operations per layer, forward and
    backward, and a slope that cancels in one layer costs the layers below a digit or two.
    """
    differences = []
    for parameters in hidden_pairs():
        differences += rounding_differences(draw_case(*parameters.values))
    assert max(differences) <= 5e-5
    assert np.quantile(differences, 0.99) <= 5e-6
