"""Every error: its definition, its targets, its record."""

import copy
import pickle

import numpy as np
import pytest
from scipy import special, stats
from sklearn import metrics

from lamina.exceptions import InvalidTypeError, InvalidValueError, UnknownNameError
from lamina.network.activations import get_activation
from lamina.network.error_kinds import DOMAINS
from lamina.network.errors import ERRORS, get_error

NAMES = sorted(ERRORS._builtin)
SPECS = [*NAMES, "huber(0.4)", "quantile(0.9)", "quantile((0.1, 0.8))", "tweedie(1.2)"]
DTYPES = [np.float32, np.float64]
ROWS, N = 2, 40


def huber(r, delta):
    """Return Huber's function of a residual."""
    return np.where(np.abs(r) <= delta, r**2 / 2, delta * np.abs(r) - delta**2 / 2)


def half_deviance(power):
    """Return half of scikit-learn's Tweedie deviance, which it names by power 1 and 2 too."""
    return lambda t, a: 0.5 * metrics.mean_tweedie_deviance([t], [a], power=power)


def pinball(q):
    """Return scikit-learn's pinball loss."""
    return lambda t, a: metrics.mean_pinball_loss([t], [a], alpha=q)


DEFINITIONS = {  # what one output adds to J_n
    "absolute": lambda t, a: abs(a - t),
    "binary_cross_entropy": lambda t, a: metrics.log_loss([t > 0.5], [a], labels=[False, True]),
    "cross_entropy": lambda t, a: -special.xlogy(t, a),
    "gamma": half_deviance(2),
    "hinge": lambda t, a: max(0.0, 1 - t * a),
    "huber": lambda t, a: huber(a - t, 1.0),
    "huber(0.4)": lambda t, a: huber(a - t, 0.4),
    "kl_divergence": special.rel_entr,
    "log_cosh": lambda t, a: np.log(np.cosh(a - t)),
    "negative_log_likelihood": lambda t, a: -t * a,
    "poisson": half_deviance(1),
    "quantile": pinball(0.5),
    "quantile(0.9)": pinball(0.9),
    "squared": lambda t, a: (a - t) ** 2 / 2,
    "squared_hinge": lambda t, a: max(0.0, 1 - t * a) ** 2,
    "tweedie": half_deviance(1.5),
    "tweedie(1.2)": half_deviance(1.2),
}


def draw(error, dtype=float):
    """Return targets and outputs in the error's domain; binary targets are 0 or 1."""
    random = np.random.default_rng(7)
    domain, blocks = get_error(error).targets, get_error(error).outputs_per_target
    A = random.uniform(0.02, 0.98, size=(blocks * ROWS, N))
    T = random.integers(2, size=(ROWS, N)).astype(float)
    if domain in {"real", "sign"}:
        A = random.normal(scale=2.0, size=A.shape)
        T = np.sign(T - 0.5) if domain == "sign" else random.normal(size=T.shape)
    if domain in {"nonnegative", "positive"}:
        T = T * random.gamma(2.0, size=T.shape) + (domain == "positive")
    if error in {"cross_entropy", "kl_divergence"}:
        T = random.uniform(size=T.shape) * T
    return T.astype(dtype), A.astype(dtype)


@pytest.mark.parametrize("spec", DEFINITIONS)
def test_error_is_its_definition(spec):
    """J_n is the textbook's formula summed over the outputs of data point n."""
    T, A = draw(spec)
    expected = [sum(DEFINITIONS[spec](T[k, n], A[k, n]) for k in range(ROWS)) for n in range(N)]
    np.testing.assert_allclose(get_error(spec).values(T, A), expected, rtol=1e-12, atol=1e-14)


def test_definitions_cover_every_error():
    """Every built-in error has a definition here, or a test of its own below or in test_parts."""
    assert {*DEFINITIONS, "gaussian_nll", "blocks", "weighted"} >= set(NAMES)


def test_gaussian_nll_is_the_normal_log_density():
    """The outputs are means, then log-variances, and J_n is minus the log density of t."""
    T, A = draw("gaussian_nll")
    mean, log_variance = A[:ROWS], A[ROWS:]
    expected = -stats.norm.logpdf(T, mean, np.exp(log_variance / 2)).sum(axis=0)
    np.testing.assert_allclose(get_error("gaussian_nll").values(T, A), expected, rtol=1e-12)
    np.testing.assert_array_equal(get_error("gaussian_nll").point(A), mean)


def test_several_quantiles_are_blocks_of_outputs():
    """With several q the outputs are one block of the rows of T for each q, in order."""
    T, A = draw("quantile((0.1, 0.8))")
    expected = get_error("quantile(0.1)").values(T, A[:ROWS])
    expected = expected + get_error("quantile(0.8)").values(T, A[ROWS:])
    np.testing.assert_allclose(get_error("quantile((0.1, 0.8))").values(T, A), expected, rtol=1e-14)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantile_error_is_least_at_the_quantile(q):
    """The constant that minimizes the error is the empirical quantile: q on the right side."""
    T = np.random.default_rng(0).normal(size=(1, 1001))
    constants = np.linspace(-2, 2, 801)
    record = get_error(f"quantile({q})")
    costs = [record.values(T, np.full_like(T, a)).sum() for a in constants]
    assert abs(constants[np.argmin(costs)] - np.quantile(T, q)) <= 0.01


@pytest.mark.parametrize("spec", SPECS)
def test_slope_is_the_complex_step(spec):
    """dJ_n/dA is that of the value for every output and data point, to 1e-13."""
    T, A = draw(spec)
    record, h = get_error(spec), 1e-20
    slopes = record.slopes(T, A)
    for i in range(len(A)):
        step = A.astype(complex)
        step[i] += 1j * h
        measured = np.imag(record.values(T, step)) / h
        assert np.max(np.abs(slopes[i] - measured)) <= 1e-13 * np.max(np.abs(measured))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", SPECS)
def test_error_keeps_shape_and_precision(spec, dtype):
    """N values and S_L × N slopes in the precision of A."""
    T, A = draw(spec, dtype)
    values, slopes = get_error(spec).values(T, A), get_error(spec).slopes(T, A)
    assert values.shape == (N,)
    assert slopes.shape == A.shape
    assert values.dtype == slopes.dtype == dtype


ROBUST = "absolute hinge huber log_cosh quantile squared squared_hinge".split()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a", [1e4, -1e4, 88.0, 0.0, 1e-20])
@pytest.mark.parametrize("spec", ROBUST)
def test_error_is_finite_and_not_negative(spec, a, dtype):
    """Errors of real outputs are finite, zero or more, at |a| = 1e4 in both precisions."""
    A, T = np.full((1, 1), a, dtype=dtype), np.ones((1, 1), dtype=dtype)
    assert 0 <= get_error(spec).values(T, A)[0] < np.inf
    assert np.isfinite(get_error(spec).slopes(T, A)[0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_cosh_is_half_the_square_of_small_residuals(dtype):
    """Near 0 log cosh r is r²/2 - r⁴/12 + r⁶/45 with all its digits, never below 0."""
    r = np.logspace(-15, -2, 200, dtype=dtype)[np.newaxis]
    r = np.concatenate([r, -r], axis=1)
    x = r[0].astype(float)
    exact = x**2 / 2 - x**4 / 12 + x**6 / 45
    values = get_error("log_cosh").values(np.zeros_like(r), r)
    np.testing.assert_allclose(values, exact, rtol=1e-13 + 8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("log_variance", [-80.0, -20.0, 0.0, 88.0, 1e4])
def test_gaussian_nll_is_stable(log_variance, dtype):
    """Extreme variances give finite values and slopes."""
    A, T = np.array([[1.0], [log_variance]], dtype=dtype), np.zeros((1, 1), dtype=dtype)
    record = get_error("gaussian_nll")
    assert np.all(np.isfinite(record.values(T, A)))
    assert np.all(np.isfinite(record.slopes(T, A)))


@pytest.mark.parametrize("spec", SPECS)
def test_natural_output_activation_exists(spec):
    """Every error names an output activation that suits it, and a domain of targets."""
    assert get_activation(get_error(spec).output_activation)
    assert get_error(spec).targets in DOMAINS


BAD_TARGETS = [
    ("squared", [[0.0, np.nan]], "finite"),
    ("absolute", [[0.0, np.inf]], "finite"),
    ("poisson", [[1.0, -1.0]], "zero or more"),
    ("tweedie", [[1.0, -1e-9]], "zero or more"),
    ("gamma", [[1.0, 0.0]], "above zero"),
    ("cross_entropy", [[1.0, 1.5]], "from 0 to 1"),
    ("binary_cross_entropy", [[1.0, -1.0]], "from 0 to 1"),
    ("kl_divergence", [[1.0, np.nan]], "from 0 to 1"),
    ("hinge", [[1.0, 0.0]], "-1 or 1"),
    ("squared_hinge", [[-1.0, 2.0]], "-1 or 1"),
]


@pytest.mark.parametrize(("spec", "targets", "words"), BAD_TARGETS)
def test_target_outside_the_domain_is_refused(spec, targets, words):
    """The message says what targets must be, and where the first bad one stands and what it is."""
    with pytest.raises(InvalidValueError, match=rf"{words}.*T\[0, 1\] is {targets[0][1]:g}"):
        get_error(spec).check_targets(np.array(targets))


BAD_SPECS = """
huber(0) huber(-1) huber(delta='a') tweedie(1) tweedie(2) tweedie(0.5) quantile(0) quantile(1)
quantile(()) quantile((0.5,2)) quantile('a') huber(1,2) quantile(0.1,0.9) quantile(q=0.1,p=3)
squared(2) huber(0.5,delta=1)
""".split()


@pytest.mark.parametrize("spec", BAD_SPECS)
def test_bad_parameter_of_an_error_is_refused(spec):
    """A parameter out of range, of another type, unknown, twice or one too many is refused."""
    with pytest.raises((InvalidTypeError, InvalidValueError, UnknownNameError)):
        get_error(spec)


@pytest.mark.parametrize("spec", [None, 3, np.abs, type(get_error("huber"))])
def test_error_of_another_type_is_refused(spec):
    """What is neither a name nor an Error is refused with the way to register it."""
    with pytest.raises(InvalidTypeError, match="register_error"):
        get_error(spec)


@pytest.mark.parametrize("spec", SPECS)
def test_pickle_and_copy_are_the_same_error(spec):
    """Pickled and deeply copied errors are equal, can be named, and still know their pair."""
    record = get_error(spec)
    natural = get_activation(record.output_activation)
    for again in (pickle.loads(pickle.dumps(record)), copy.deepcopy(record)):  # noqa: S301 - our own bytes
        assert again == record
        assert ERRORS.spell(again) == ERRORS.spell(record)
        assert (again.seen_from(natural) is None) == (record.seen_from(natural) is None)


def test_quantiles_are_one_record_however_they_are_given():
    """A list of quantiles, as JSON returns it, is the tuple that was stored."""
    record = get_error("quantile((0.1, 0.9))")
    assert get_error("quantile([0.1, 0.9])") == record
    assert hash(get_error("quantile([0.1, 0.9])")) == hash(record)
