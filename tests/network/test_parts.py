"""Errors with missing and weighted targets, and outputs in blocks: J and slopes from their sums."""

import numpy as np
import pytest

import lamina
from lamina.data.columns import Matrix
from lamina.engines.compiled.engine import CompiledEngine
from lamina.engines.protocol import Data
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidTypeError, InvalidValueError
from lamina.network.errors import ERRORS, get_error

WEIGHTS = (1.0, 0.0, 2.5)
INNER = ["squared", "huber(0.5)", "quantile((0.1, 0.9))", "gaussian_nll", "poisson", "gamma"]
SPECS = [f"weighted({inner!r}, {WEIGHTS})" for inner in INNER] + [
    "weighted('squared')",
    "blocks('cross_entropy', (1, 2))",
    "blocks('negative_log_likelihood', (1, 2))",
    "blocks('kl_divergence')",
]


def pose(spec, dtype="float64", n=23):
    """Return a network of three targets with this error, data with gaps if it has such, and ω."""
    random, error = np.random.default_rng(3), get_error(spec)
    T = np.abs(random.normal(size=(3, n))) + 0.1
    if spec.startswith("weighted"):
        T[random.uniform(size=T.shape) < 0.3] = np.nan
        T[:, 4] = np.nan
    else:
        T = np.eye(3)[random.integers(3, size=n)].T
    net = lamina.Network(
        [4, 5, 3 * error.outputs_per_target], ["tanh"], error=spec, random_state=0, dtype=dtype
    )
    X = random.normal(size=(4, n)).astype(dtype)
    return net, X, T.astype(dtype), random.uniform(0.5, 1.0, size=n)


@pytest.mark.parametrize("spec", SPECS)
def test_gradient_with_parts_is_exact(spec):
    """First and second derivatives agree with complex steps or differences."""
    net, X, T, omega = pose(spec)
    assert net.certify(X, T, omega).passed


@pytest.mark.parametrize("inner", INNER)
def test_missing_target_adds_nothing(inner):
    """J is the weighted sum of the inner error over the targets that are there, one by one."""
    _, _, T, _ = pose(f"weighted({inner!r}, {WEIGHTS})")
    error, single = get_error(f"weighted({inner!r}, {WEIGHTS})"), get_error(inner)
    B = error.outputs_per_target
    A = np.abs(np.random.default_rng(0).normal(size=(3 * B, T.shape[1]))) + 0.1
    J, slopes = np.zeros(T.shape[1]), np.zeros_like(A)
    for k, n in np.argwhere(~np.isnan(T)):
        t, a = T[k : k + 1, n : n + 1], A[k::3, n : n + 1]
        J[n] += WEIGHTS[k] * single.values(t, a)[0]
        slopes[k::3, n] = WEIGHTS[k] * single.slopes(t, a)[:, 0]
    np.testing.assert_allclose(error.values(T, A), J, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(error.slopes(T, A), slopes, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("inner", ["cross_entropy", "negative_log_likelihood"])
def test_blocks_are_networks_side_by_side(inner):
    """J_n, slopes and outputs of blocks are those of a softmax for each block."""
    random = np.random.default_rng(0)
    Z, T = random.normal(size=(5, 7)), np.repeat(np.eye(5)[:, [0]] + np.eye(5)[:, [3]], 7, axis=1)
    error = get_error(f"blocks({inner!r}, (2, 3))")
    sigma = lamina.network.activations.get_activation(error.output_activation)
    one = get_error(inner)
    alone = lamina.network.activations.get_activation(one.output_activation)
    pair, one_pair = error.seen_from(sigma), one.seen_from(alone)
    parts = [(T[:2], Z[:2]), (T[2:], Z[2:])]
    np.testing.assert_array_equal(sigma(Z), np.concatenate([alone(z) for _, z in parts]))
    np.testing.assert_array_equal(pair.values(T, Z), sum(one_pair.values(*p) for p in parts))
    slopes = np.concatenate([one_pair.slopes(*p) for p in parts])
    np.testing.assert_array_equal(pair.slopes(T, Z), slopes)
    np.testing.assert_allclose(error.values(T, sigma(Z)), pair.values(T, Z), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spec", SPECS)
def test_compiled_parts_are_the_reference(spec, dtype):
    """J, gradient, outputs and Gauss-Newton matrix agree to rounding, some hundred eps."""
    net, X, T, omega = pose(spec, dtype, n=300)
    data = Data(Matrix(X, dtype), Matrix(T, dtype), np.arange(300), omega)
    reference, compiled = ReferenceEngine(net.recipe), CompiledEngine(net.recipe, 1)
    eps = 200 * float(np.finfo(dtype).eps)
    (J, gradient), (ours, found) = (e.gradient(net.theta, data) for e in (reference, compiled))
    assert ours == pytest.approx(J, rel=eps)
    np.testing.assert_allclose(found, gradient, rtol=0, atol=eps * np.abs(gradient).max())
    assert compiled.error(net.theta, data) == pytest.approx(
        reference.error(net.theta, data), rel=eps
    )
    outputs = [e.outputs(net.theta, data.X, data.points) for e in (reference, compiled)]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=0, atol=eps * np.abs(outputs[0]).max())
    if dtype == "float64":
        G, ours = (e.gauss_newton(net.theta, data)[2] for e in (reference, compiled))
        np.testing.assert_allclose(ours, G, rtol=0, atol=eps * np.abs(G).max())


@pytest.mark.parametrize("spec", SPECS)
def test_error_of_parts_is_spelled_and_read(spec):
    """An error of parts has a line of text that makes it again."""
    assert get_error(ERRORS.text(get_error(spec))) == get_error(spec)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("weighted('squared', (1.0, -1.0))", InvalidValueError, "zero or more"),
        ("weighted('squared', (0.0, 0.0))", InvalidValueError, "not all zero"),
        ("weighted('blocks')", InvalidTypeError, "no sum over targets"),
        ("blocks('squared', (2, 2))", InvalidValueError, "errors of a softmax"),
        ("blocks('cross_entropy', (4, 0))", InvalidValueError, "positive sizes"),
    ],
)
def test_bad_parts_are_refused(spec, error, message):
    """What is no weight or size, and errors that cannot be parted, are refused in words."""
    with pytest.raises(error, match=message):
        lamina.Network([2, 4], [], error=spec)


def test_parts_must_fit_the_layer():
    """A network has as many outputs as its weights or blocks ask for."""
    for error in ("weighted('squared', (1.0, 2.0))", "blocks('cross_entropy', (1, 2))"):
        with pytest.raises(InvalidValueError, match=r"needs [23] targets"):
            lamina.Network([2, 4], ["identity"], error=error)
    with pytest.raises(InvalidValueError, match="layer 1 has 4 units"):
        lamina.Network([2, 4], ["blocks('softmax', (2, 3))"], error="squared")
