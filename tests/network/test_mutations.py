"""Planted bugs: each changes a formula in the source, and the certificate or a check finds it.

`plant` replaces text in a module's source, and the result stands in for the original.
"""

from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
import pytest

from lamina.network import (
    activation_families,
    activations,
    backpropagation,
    checks,
    error_families,
    error_kinds,
    errors,
    network,
    penalties,
)

SIZES, N = [4, 4, 4, 4], 4  # square, so that a transpose or another layer still has the right shape
OMEGA = np.array([0.2, 0.3, 0.6, 0.1])


@dataclass(frozen=True)
class Mutation:
    """Text of a module, what it becomes, and the network that shows it."""

    module: ModuleType
    old: str
    new: str
    layers: str = "tanh sine softsign"
    error: str = "squared"
    penalty: dict = field(default_factory=dict)


B, A, C = backpropagation, activations, activation_families
E, F, K, P = errors, error_families, error_kinds, penalties
PULLBACK = "pullback(Z[l - 1], A[l - 1], Delta[l - 1])"
SLOPES, PAIR_SLOPES = "recipe.error.slopes(T, A_L)", "recipe.pair.slopes(T, Z_L) * omega"

BACKWARD = {
    "transpose dropped in Delta = W^t H": Mutation(B, "W[l].T @ H[l]", "W[l] @ H[l]"),
    "W of the layer below in Delta": Mutation(B, "W[l].T @ H[l]", "W[max(l - 1, 1)].T @ H[l]"),
    "Delta for H in Delta = W^t H": Mutation(B, "W[l].T @ H[l]", "W[l].T @ Delta[l]"),
    "A_l for A_(l-1) in dW": Mutation(B, "H[l] @ masked(A[l - 1]", "H[l] @ masked(A[l]"),
    "Z_(l-1) for A_(l-1) in dW": Mutation(
        B, "H[l] @ masked(A[l - 1]", "H[l] @ masked(Z[l - 1] if l > 1 else A[0]"
    ),
    "Delta for H in dW": Mutation(B, "H[l] @ masked", "Delta[l] @ masked"),
    "bias sum over units": Mutation(B, "sum(axis=1, keepdims=True)", "sum(axis=0)[:, np.newaxis]"),
    "bias mean for sum": Mutation(B, "H[l].sum(axis=1", "H[l].mean(axis=1"),
    "slope of a hidden layer missing": Mutation(B, PULLBACK, "Delta[l - 1]"),
    "slope of the output layer missing": Mutation(
        B, "return recipe.activation(recipe.L).pullback(Z_L, A_L, Delta_L)", "return Delta_L"
    ),
    "slope of the layer above": Mutation(
        B, "recipe.activation(l - 1).pullback", "recipe.activation(l).pullback"
    ),
    "slope at Z of the layer above": Mutation(B, "pullback(Z[l - 1]", "pullback(Z[l]"),
    "activation of the layer below, forward": Mutation(
        B, "recipe.activation(l)(Z[l])", "recipe.activation(max(l - 1, 1))(Z[l])"
    ),
    "bias left out forward": Mutation(B, "+ b[l])", "+ 0 * b[l])"),
    "Delta_0 missing": Mutation(B, "masked(W[l].T @ H[l]", "(l > 1) * masked(W[l].T @ H[l]"),
    "Delta_0 is H_1": Mutation(
        B, "masked(W[l].T @ H[l]", "masked(H[1] if l == 1 else W[l].T @ H[l]"
    ),
    "omega left out of the slope": Mutation(B, f"{SLOPES} * omega", f"{SLOPES} / T.shape[1]"),
    "omega left out of the value": Mutation(
        B, "recipe.error.values(T, A_L) @ omega", "recipe.error.values(T, A_L).mean()"
    ),
    "omega left out of a pair": Mutation(
        B, PAIR_SLOPES, "recipe.pair.slopes(T, Z_L) / 4", "tanh sine softmax", "cross_entropy"
    ),
    "slope averaged over outputs": Mutation(B, f"{SLOPES} * omega", f"{SLOPES} * omega / len(T)"),
    "sign of Delta_L": Mutation(B, SLOPES, f"-{SLOPES}"),
    "pair and activation both": Mutation(
        B,
        f"return {PAIR_SLOPES}",
        f"Delta_L = {PAIR_SLOPES}",
        "tanh sine logistic",
        "binary_cross_entropy",
    ),
}

PENALTIES = {
    "penalty missing in the gradient": Mutation(
        B, "dW[l][...] += layer.penalty.derivative(W[l])", "pass", penalty={"l2": 0.1}
    ),
    "penalty of another layer": Mutation(
        B, "layer.penalty.derivative(W[l])", "layer.penalty.derivative(W[1])", penalty={"l2": 0.1}
    ),
    "penalty on exempt biases": Mutation(
        B,
        "if layer.penalty.biases:\n                db",
        "if layer.penalty:\n                db",
        penalty={"l2": 0.1},
    ),
    "penalty of biases not in the value": Mutation(
        B,
        "if layer.penalty.biases:\n                total",
        "if False:\n                total",
        penalty={"l1": 0.1, "biases": True},
    ),
    "l1 without its sign": Mutation(P, "np.sign(w)", "np.ones_like(w)", penalty={"l1": 0.1}),
    "l2 doubled": Mutation(P, "+ l2 * w\n", "+ 2 * l2 * w\n", penalty={"l2": 0.1}),
}

ACTIVATIONS = {
    "softmax pulled back number by number": Mutation(
        A, "a * (delta - mean)", "a * (1 - a) * delta", "tanh softmax tanh"
    ),
    "softmax pulled back across data points": Mutation(
        A, "A, Delta), axis=0)", "A, Delta), axis=1, keepdims=True)", "tanh softmax tanh"
    ),
    "log_softmax pulled back without e^a": Mutation(
        A, "np.exp(a) * mean", "a * mean", "tanh log_softmax tanh"
    ),
    "sides of leaky_relu swapped": Mutation(
        C, "np.where(z > 0, 1.0, slope)", "np.where(z < 0, 1.0, slope)", "leaky_relu sine tanh"
    ),
    "frequency left out of the sine's slope": Mutation(
        C, "frequency * np.cos(", "np.cos(", "sine(3.0) sine(2.0) tanh"
    ),
    "sign of the gaussian's slope": Mutation(
        A, "-2.0 * z * a", "2.0 * z * a", "tanh gaussian tanh"
    ),
    "upper edge of relu6 forgotten": Mutation(
        A, "np.where((z > 0) & (z < 6), 1.0, 0.0)", "np.where(z > 0, 1.0, 0.0)", "relu6 tanh tanh"
    ),
    "density left out of gelu's slope": Mutation(
        A, "z * special.normal_density(z)", "0.0 * z", "gelu gelu tanh"
    ),
}

ERRORS = {
    "square not halved": Mutation(E, "0.5 * (a - t) ** 2", "(a - t) ** 2"),
    "1/a left out of gamma": Mutation(
        E, "(1.0 - t / a) / a", "(1.0 - t / a)", "tanh sine softplus", "gamma"
    ),
    "targets left out of a pair": Mutation(
        E,
        "special.logistic(z) - t",
        "special.logistic(z)",
        "tanh sine logistic",
        "binary_cross_entropy",
    ),
    "hinge without its edge": Mutation(
        E, "np.where(t * a < 1, -t, 0.0)", "-t", "tanh sine identity", "hinge"
    ),
    "quantile on the wrong side": Mutation(
        F, "np.where(t > a, -q, 1.0 - q)", "np.where(t < a, -q, 1.0 - q)", error="quantile(0.9)"
    ),
    "huber without its edge": Mutation(
        F, "np.minimum(np.maximum(a - t, -delta), delta)", "a - t", error="huber(0.3)"
    ),
    "variance's slope not halved": Mutation(
        F, "0.5 * (1.0 - shrink)", "1.0 - shrink", error="gaussian_nll"
    ),
    "power of tweedie's slope": Mutation(
        F, "(a - t) * a**-p", "(a - t) * a ** (1 - p)", "tanh sine softplus", "tweedie"
    ),
}

CERTIFIED = BACKWARD | PENALTIES | ACTIVATIONS | ERRORS


def build(mutation, changed=penalties):
    """Return the network of a mutation, with data in the domain of its error."""
    random = np.random.default_rng(1)
    make_penalty = getattr(changed, "Penalty", penalties.Penalty)
    net = network.Network(
        SIZES,
        mutation.layers.split(),
        error=mutation.error,
        penalties=make_penalty(**mutation.penalty),
        random_state=random,
    )
    net.theta = net.theta + random.normal(scale=0.3, size=net.theta.shape)
    X = random.normal(size=(4, N)) * 4.0
    T = random.uniform(0.1, 0.9, size=(4 // net.recipe.error.outputs_per_target, N))
    return net, X, np.sign(T - 0.5) if mutation.error == "hinge" else T


@pytest.mark.parametrize("name", CERTIFIED)
def test_certificate_finds_planted_bug(name, plant):
    """The network is certified as it stands, and no longer when the bug is planted."""
    mutation = CERTIFIED[name]
    net, X, T = build(mutation)
    assert net.certify(X, T, OMEGA).passed
    changed = plant(mutation.module, (mutation.old, mutation.new))
    net, X, T = build(mutation, changed)
    found = net.certify(X, T, OMEGA)
    assert not found.passed
    assert max(found.differences) > 1e-3


DEFINITIONS = {
    "squared": lambda t, a: 0.5 * (a - t) ** 2,
    "binary_cross_entropy": lambda t, a: -t * np.log(a) - (1 - t) * np.log(1 - a),
    "poisson": lambda t, a: a - t + t * np.log(t / a),
}


def definition_holds(layers, error):
    """Return whether J is (2.18) or its like: of A_L, mean over points, sum over outputs."""
    random = np.random.default_rng(2)
    net = network.Network(SIZES, layers.split(), error=error, random_state=random)
    X, T = random.normal(size=(4, N)), random.uniform(0.1, 0.9, size=(4, N))
    return np.isclose(net.error(X, T), DEFINITIONS[error](T, net(X)).sum() / N, rtol=1e-10)


SLOPE_RETURNED = "as_matrix(self.derivative(T, a, *p), a)"
ANY_PAIR = ("activation == get_activation(self.output_activation)", "True")
CONSISTENT = {  # wrong alike in value and slope: no derivative can tell
    "mean over outputs": (
        *(K, "tanh sine softsign", "squared"),
        *(
            ("self.terms(T, A).sum(axis=0)", "self.terms(T, A).mean(axis=0)"),
            (SLOPE_RETURNED, f"{SLOPE_RETURNED} / len(A)"),
        ),
    ),
    "sum over data points": (checks, "tanh sine logistic", "squared", ("1.0 / N", "1.0")),
    "pair of logistic for gaussian": (E, "tanh sine gaussian", "binary_cross_entropy", ANY_PAIR),
    "pair of exponential for softplus": (E, "tanh sine softplus", "poisson", ANY_PAIR),
}


@pytest.mark.parametrize("name", CONSISTENT)
def test_definition_finds_planted_bug(name, plant):
    """What is wrong in value and slope alike is found by the definition of J."""
    module, layers, error, *replacements = CONSISTENT[name]
    assert definition_holds(layers, error)
    plant(module, *replacements)
    assert not definition_holds(layers, error)


def masks_are_differentiated(module):
    """Return whether backpropagation with masks on inputs and units is the complex step."""
    net, X, T = build(Mutation(B, "", ""))
    M = [2.0 * np.eye(4), 2.0 * np.eye(4)[::-1], None]
    result = module.backpropagate(net.recipe, net.theta, X, T, OMEGA, M)
    for claimed, point in ((result.Delta[0], X), (result.gradient, net.theta)):
        for index in np.ndindex(point.shape):
            step = point.astype(complex)
            step[index] += 1e-20j
            theta, inputs = (net.theta, step) if point is X else (step, X)
            J = module.objective(net.recipe, theta, inputs, T, OMEGA, M)
            if not np.isclose(claimed[index], np.imag(J) / 1e-20, rtol=1e-9, atol=1e-13):
                return False
    return True


MASKED = {
    "mask not applied backward": ("masked(W[l].T @ H[l], M, l - 1)", "W[l].T @ H[l]"),
    "mask of the layer above backward": ("@ H[l], M, l - 1)", "@ H[l], M, min(l, 2))"),
    "mask not applied in dW": ("masked(A[l - 1], M, l - 1).T", "A[l - 1].T"),
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_step_finds_planted_bug(name, mutant):
    """Dropout backward is checked by the complex step with masks."""
    assert masks_are_differentiated(backpropagation)
    assert not masks_are_differentiated(mutant(backpropagation, MASKED[name]))
