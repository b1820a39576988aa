"""The certificate of second derivatives: what it compares, what it finds, no false alarm."""

import inspect
from types import ModuleType

import numpy as np
import pytest

import lamina
from lamina.certification import second_order
from lamina.engines.reference import ReferenceEngine
from lamina.network import curvature
from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS, get_error
from lamina.network.network import Network
from lamina.network.penalties import Penalty

PRODUCTS = list(second_order.PRODUCTS)
JACOBIAN, TRANSPOSED, HESSIAN, GAUSS_NEWTON = PRODUCTS
MATRIX, GRADIENT = "Gauss-Newton matrix", "the engine's gradient"
POSITIVE = {
    *("binary_cross_entropy", "blocks", "cross_entropy", "gamma"),
    *("kl_divergence", "poisson", "tweedie"),
}
"""Errors whose outputs must stay where logarithms and powers are real."""
XOR = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])


def posed(layers="tanh sine softsign", error="squared", seed=0, scale=1.0, **options):
    """Return a network of 4 units in each layer, with 6 data points that suit its error."""
    random = np.random.default_rng(seed)
    layers = layers.split() if isinstance(layers, str) else layers
    error = get_error(error)
    net = Network([4] * (len(layers) + 1), layers, error=error, random_state=random, **options)
    net.theta = net.theta + random.normal(scale=0.3, size=net.theta.shape)
    T = random.uniform(0.1, 0.9, size=(4 // error.outputs_per_target, 6))
    X = random.normal(size=(4, 6)) * scale
    return net, X, np.sign(T - 0.5) if error.targets == "sign" else T


def names_of(certificate):
    """Return what was compared."""
    return [comparison.name for comparison in certificate.second]


def wrong(certificate):
    """Return what did not pass."""
    return {comparison.name for comparison in certificate.second if not comparison.passed}


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS._builtin))
@pytest.mark.parametrize("error", sorted(ERRORS._builtin))
def test_second_derivatives_are_certified(error, activation):
    """Every activation with every error passes, by the complex step and to 1e-11."""
    other = "logistic" if error in POSITIVE else "tanh"
    penalty = Penalty(l1=0.01, l2=0.1, biases=True)
    for output in (get_error(error).output_activation, other):
        net, X, T = posed([activation, output], error, penalties=penalty)
        certificate = net.certify(X, T)
        assert certificate.passed, certificate
        assert names_of(certificate) == [*PRODUCTS, MATRIX]
        assert all(comparison.tolerance == 1e-11 for comparison in certificate.second)
        assert certificate.n_smooth == 6


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [10.0, 100.0, 1000.0])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS._builtin))
def test_saturated_network_passes(activation, scale, seed):
    """Inputs as they come from a raw table are no false alarm, whatever they saturate."""
    if activation == "exponential":
        scale = 10.0  # beyond, J is infinite
    net, X, T = posed(f"{activation} {activation}", scale=scale, seed=seed)
    certificate = net.certify(X, T)
    assert wrong(certificate) == set(), certificate


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu(0.5)", "relu6"])
def test_points_on_a_kink_are_counted_not_compared(activation):
    """Biases start at 0, so a data point of zeros is on every kink: it is left out."""
    for seed in range(5):
        net = Network([2, 6, 1], [activation], random_state=seed)
        certificate = net.certify(XOR, np.ones((1, 4)))
        assert certificate.passed, certificate
        assert certificate.n_smooth < 4
    assert certificate.n_smooth == 3
    assert "on 3 points without kinks" in str(certificate)


def test_nothing_is_compared_where_all_is_kink():
    """An error on its kink everywhere leaves no second derivative to speak of."""
    net = Network([2, 3, 1], ["tanh"], error="absolute", initialization="zeros")
    certificate = net.certify(XOR, np.zeros((1, 4)))
    assert (certificate.second, certificate.n_smooth) == ((), 0)
    assert certificate.passed
    assert "kinks" not in str(certificate)


MUTATIONS = {
    "W transposed in 𝒥 v": (JACOBIAN, "self.W[l] @ dA", "self.W[l].T @ dA"),
    "W dA left out of 𝒥 v": (JACOBIAN, "+ self.W[l] @ dA[l - 1] +", "+"),
    "bias left out of 𝒥 v": (JACOBIAN, "dA[l - 1] + v_b[l])", "dA[l - 1] + 0 * v_b[l])"),
    "A squared in 𝒥 v": (JACOBIAN, "V[l] @ self.A[l - 1]", "V[l] @ self.A[l - 1] ** 2"),
    "slope left out of 𝒥 v": (JACOBIAN, "return sigma.pullback(Z, A, dZ)", "return dZ"),
    "W not transposed in 𝒥ᵗ u": (TRANSPOSED, "U = self.W[l].T @ H[l]", "U = self.W[l] @ H[l]"),
    "A of the layer above in 𝒥ᵗ u": (TRANSPOSED, "H[l] @ self.A[l - 1].T", "H[l] @ self.A[l].T"),
    "bias mean in 𝒥ᵗ u": (TRANSPOSED, "= H[l].sum(axis=1", "= H[l].mean(axis=1"),
    "slope left out of 𝒥ᵗ u": (TRANSPOSED, "pullback(self.Z[l], self.A[l], U)", "U"),
    "H dA left out of H v": (HESSIAN, "+ H @ dA[l - 1].T", ""),
    "V H left out of H v": (HESSIAN, "V[l].T @ H + W[l].T @ dH", "W[l].T @ dH"),
    "W dH left out of H v": (HESSIAN, "V[l].T @ H + W[l].T @ dH", "V[l].T @ H"),
    "bend left out of H v": (HESSIAN, "dH = dH + bend(", "dH = dH + 0 * bend("),
    "slope of dDelta left out of H v": (
        HESSIAN,
        "dH = sigma.pullback(Z[l], A[l], dDelta)",
        "dH = dDelta",
    ),
    "ω left out of H v": (HESSIAN, "T, Y, dY) * omega", "T, Y, dY) / 6"),
    "bias of H v": (HESSIAN, "= dH.sum(axis=1", "= H.sum(axis=1"),
    "ω left out of G v": (GAUSS_NEWTON, "here.times(v)) * omega", "here.times(v)) / 6"),
    "C left out of G v": (
        GAUSS_NEWTON,
        "error_product(here.recipe, T, here.Y, here.times(v))",
        "here.times(v)",
    ),
    "root of ω left out of G": (
        MATRIX,
        "* np.sqrt(omega)[:, None, None]",
        "* omega[:, None, None]",
    ),
    "root of C left out of G": (MATRIX, "return np.sqrt(np.maximum(C, 0.0))", "return C"),
    "bias left out of G": (MATRIX, "out[:, biases] = H_l", "out[:, biases] = 0.0"),
    "penalty left out of G": (MATRIX, "np.diag(penalty_diagonal(recipe))", "0.0"),
    "l2 doubled": (HESSIAN, "= layer.penalty.l2\n", "= 2 * layer.penalty.l2\n"),
    "l1 counted": (HESSIAN, "= layer.penalty.l2\n", "= layer.penalty.l2 + layer.penalty.l1\n"),
    "l2 of biases where there is none": (HESSIAN, "l2 * layer.penalty.biases", "l2"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_certificate_finds_planted_bug(name, monkeypatch):
    """What is planted in `curvature` is found, under the name of what it spoils."""
    spoiled, old, new = MUTATIONS[name]
    net, X, T = posed(error="log_cosh", penalties=Penalty(l1=0.05, l2=0.1))
    omega = np.array([0.2, 0.3, 0.1, 0.2, 0.1, 0.1])
    assert net.certify(X, T, omega).passed
    source = inspect.getsource(curvature)
    assert old in source
    changed = ModuleType(curvature.__name__)
    exec(compile(source.replace(old, new), "<mutant>", "exec"), changed.__dict__)  # noqa: S102 - the source is ours
    monkeypatch.setattr(second_order, "curvature", changed)
    monkeypatch.setattr(second_order, "Linearization", changed.Linearization)
    found = net.certify(X, T, omega)
    assert spoiled in wrong(found)
    assert not found.passed
    assert found.gradient_passed
    assert f"WRONG ARE: {', '.join(n for n in names_of(found) if n in wrong(found))}" in str(found)
    worst = {comparison.name: comparison.difference for comparison in found.second}
    assert worst[spoiled] > 1e-3


def test_small_layer_is_not_lost_beside_a_large_one(monkeypatch):
    """A bug in a layer whose derivatives are a millionth of another's is found nevertheless."""
    net, X, T = posed("tanh tanh identity")
    net.W[3][...] *= 1e-6
    assert net.certify(X, T).passed
    true = curvature.Linearization.transposed

    def spoiled(here, U):
        result = true(here, U)
        result[3] *= 1.5
        return result

    monkeypatch.setattr(curvature.Linearization, "transposed", spoiled)
    assert TRANSPOSED in wrong(net.certify(X, T))


def test_large_matrix_is_not_made():
    """G of many parameters is not made only to be certified; products are compared all the same."""
    net = Network([50, 60, 10], ["tanh"], random_state=0)
    certificate = net.certify(np.random.default_rng(0).normal(size=(50, 3)), np.ones((10, 3)))
    assert certificate.passed, certificate
    assert names_of(certificate) == PRODUCTS


@pytest.mark.parametrize("factor", [1.0 + 1e-9, np.nan])
def test_answer_of_an_engine_is_compared(factor):
    """A gradient or a G that is wrong in its ninth digit, or NaN, does not pass."""
    net, X, T = posed(error="cross_entropy", layers="tanh softmax")
    right = net.certify(X, T, answer=lambda points, _: engine(net, X, T, points))
    assert right.passed, right
    assert names_of(right) == [*PRODUCTS, MATRIX, GRADIENT]
    for spoiled in (MATRIX, GRADIENT):
        factors = {MATRIX: 1.0, GRADIENT: 1.0} | {spoiled: factor}

        def answer(points, _, factors=factors):
            gradient, G = engine(net, X, T, points)
            return gradient * factors[GRADIENT], G * factors[MATRIX]

        found = net.certify(X, T, answer=answer)
        assert wrong(found) == {spoiled}
        assert not found.passed


def engine(net, X, T, points):
    """Return the gradient and G of the mean over some data points."""
    return net.gauss_newton(X[:, points], T[:, points])[1:]


def test_engine_is_asked_for_points_without_kinks():
    """Points on a kink are not asked for, and the mean is over the others."""
    net = Network([2, 6, 1], ["relu"], random_state=0)
    asked = []

    def answer(points, small):
        asked.append((points.tolist(), small))
        return engine(net, XOR, np.ones((1, 4)), points)

    assert net.certify(XOR, np.ones((1, 4)), answer=answer).passed
    assert asked == [([1, 2, 3], True)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("solver", ["adam", "levenberg_marquardt", "bayesian_regularization"])
@pytest.mark.parametrize("kind", ["FeedForwardRegressor", "FeedForwardClassifier"])
def test_estimator_certifies_its_engine(kind, solver, dtype, monkeypatch):
    """The gradient, and G where it trained with it, are those of the engine; lies are seen."""
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3))
    y = np.sin(X[:, 0]) if kind == "FeedForwardRegressor" else (X[:, 0] > 0).astype(int)
    options = {"activation": "tanh", "dtype": dtype, "max_iter": 5, "random_state": 0}
    model = getattr(lamina, kind)((6,), solver=solver, **options)
    certificate = model.fit(X, y).certify(X, y)
    assert certificate.passed, certificate
    matrix = [] if solver == "adam" else [MATRIX]
    assert names_of(certificate) == [*PRODUCTS, *matrix, GRADIENT]
    assert certificate.second[-1].tolerance == (1e-11 if dtype == "float64" else 1e-4)
    monkeypatch.setenv("LAMINA_ENGINE", "reference")
    true = ReferenceEngine.gradient
    monkeypatch.setattr(ReferenceEngine, "gradient", lambda *a: (0.0, 1.01 * true(*a)[1]))
    assert wrong(model.certify(X, y)) == {GRADIENT}


def test_formula_without_complex_form_is_measured_by_differences():
    """What loses the imaginary part is compared by central differences, to 1e-6."""
    lamina.register_activation(
        "abs_softsign",
        lambda z: z / (1 + np.abs(z)),
        lambda z, a: 1 / (1 + np.abs(z)) ** 2,  # noqa: ARG005 - every slope is given both
    )
    lamina.register_error(
        "abs_quartic", lambda t, a: np.abs(a - t) ** 4, lambda t, a: 4 * (a - t) ** 3
    )
    for seed in range(10):
        for options in ({"layers": "abs_softsign tanh"}, {"error": "abs_quartic"}):
            net, X, T = posed(seed=seed, **options)
            certificate = net.certify(X, T)
            assert certificate.passed, certificate
            assert all(comparison.tolerance == 1e-6 for comparison in certificate.second)
