"""Every activation: its formula, its slope, its stability, its record."""

import copy
import pickle

import numpy as np
import pytest
from scipy import special as scipy_special

from lamina.exceptions import InvalidTypeError, InvalidValueError, UnknownNameError
from lamina.network.activation_families import Elu, InverseSquareRoot, LeakyRelu, Sine
from lamina.network.activations import ACTIVATIONS, Elementwise, get_activation
from lamina.network.initialization import INITIALIZERS

NAMES = sorted(ACTIVATIONS._builtin)
SPECS = [*NAMES, "leaky_relu(0.3)", "elu(0.5)", "sine(30.0)", "inverse_square_root(3.0)"]
ELEMENTWISE = [spec for spec in SPECS if isinstance(get_activation(spec), Elementwise)]
DTYPES = [np.float32, np.float64]
EXTREMES = [0.0, 1e-38, 1e-20, 1e-8, 1.0, 3.0, 6.0, 20.0, 80.0, 88.0, 89.0, 710.0, 745.0, 1e4]
EXTREMES = np.array([sign * z for z in EXTREMES for sign in (1.0, -1.0)])

GRID = np.linspace(-9.0, 9.0, 1801) + 1e-3  # off every kink
DEFINITIONS = {
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "elu(0.5)": lambda z: np.where(z > 0, z, 0.5 * (np.exp(z) - 1)),
    "exponential": np.exp,
    "gaussian": lambda z: np.exp(-(z**2)),
    "gelu": lambda z: z * (1 + scipy_special.erf(z / np.sqrt(2))) / 2,
    "gelu_tanh": lambda z: z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) / 2,
    "hard_sigmoid": lambda z: np.clip((z + 3) / 6, 0, 1),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "identity": lambda z: z,
    "inverse_square_root": lambda z: z / np.sqrt(1 + z**2),
    "inverse_square_root(3.0)": lambda z: z / np.sqrt(1 + 3 * z**2),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "leaky_relu(0.3)": lambda z: np.where(z > 0, z, 0.3 * z),
    "logistic": scipy_special.expit,
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "relu": lambda z: z * (z > 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    "selu": lambda z: 1.05070098735548 * np.where(z > 0, z, 1.67326324235437 * np.expm1(z)),
    "silu": lambda z: z * scipy_special.expit(z),
    "sine": np.sin,
    "sine(30.0)": lambda z: np.sin(30.0 * z),
    "softplus": lambda z: np.log1p(np.exp(z)),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "tanh": np.tanh,
    "tanh_scaled": lambda z: 1.7159 * np.tanh(2 * z / 3),
}


def test_definitions_cover_every_elementwise_activation():
    """No activation is without a formula of its own in this file."""
    assert sorted(DEFINITIONS) == sorted(ELEMENTWISE)


@pytest.mark.parametrize("spec", ELEMENTWISE)
def test_activation_is_its_definition(spec):
    """The value is the textbook's formula on moderate numbers, to 1e-12."""
    A = get_activation(spec)(GRID[np.newaxis])[0]
    np.testing.assert_allclose(A, DEFINITIONS[spec](GRID), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("spec", ELEMENTWISE)
def test_slope_is_the_complex_step_everywhere(spec):
    """The slope is that of the value at every z, to 1e-14 of the activation's largest slope."""
    Z, h = GRID[np.newaxis], 1e-20
    activation = get_activation(spec)
    slope = activation.pullback(Z, activation(Z), np.ones_like(Z))
    measured = np.imag(activation(Z + 1j * h)) / h
    assert np.max(np.abs(slope - measured)) <= 1e-14 * np.max(np.abs(measured))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", SPECS)
def test_activation_is_stable_at_extremes(spec, dtype):
    """At |z| up to 1e4 value and pullback are finite, silent, new arrays of the same precision."""
    activation = get_activation(spec)
    row = EXTREMES.astype(dtype)
    Z = np.stack([row, row[::-1], np.zeros_like(row)])
    before = Z.copy()
    A = activation(Z)
    H = activation.pullback(Z, A, np.ones_like(Z))
    for result in (A, H):
        assert result.dtype == dtype
        assert result.shape == Z.shape
        assert np.all(np.isfinite(result))
    np.testing.assert_array_equal(Z, before)
    assert not np.shares_memory(H, Z)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", ["gelu", "gelu_tanh", "mish", "silu", "relu"])
def test_gate_is_open_above_and_shut_below(spec, dtype):
    """The activations that gate their input are z far above 0, with slope 1, and 0 far below."""
    activation = get_activation(spec)
    Z = np.array([[1e4, 800.0, -800.0, -1e4]], dtype=dtype)
    A = activation(Z)
    np.testing.assert_array_equal(A, np.maximum(Z, 0))
    np.testing.assert_array_equal(activation.pullback(Z, A, np.ones_like(Z)), Z > 0)


@pytest.mark.parametrize(
    ("spec", "below", "above"),
    [("logistic", 0, 1), ("tanh", -1, 1), ("hard_tanh", -1, 1), ("hard_sigmoid", 0, 1)],
)
def test_saturation_is_exact(spec, below, above):
    """Far out the bounded activations are their bounds, with slope 0."""
    activation = get_activation(spec)
    Z = np.array([[-1e4, 1e4]])
    np.testing.assert_array_equal(activation(Z), [[below, above]])
    np.testing.assert_array_equal(activation.pullback(Z, activation(Z), np.ones_like(Z)), [[0, 0]])


@pytest.mark.parametrize("spec", SPECS)
def test_activation_keeps_nan_visible(spec):
    """A NaN in Z is a NaN in A."""
    Z = np.array([[np.nan, 1.0], [0.5, 2.0]])
    A = get_activation(spec)(Z)
    assert np.isnan(A[0, 0])
    assert np.all(np.isfinite(A[:, 1]))


@pytest.mark.parametrize(("spec", "sign"), [("softmax", 0), ("log_softmax", 1)])
def test_pullback_of_a_mixing_activation_is_its_jacobian(spec, sign):
    """H is Jᵗ Delta for each column, J = diag(a) - a aᵗ or I - 1 aᵗ written out."""
    random = np.random.default_rng(1)
    Z, Delta = random.normal(size=(4, 7)), random.normal(size=(4, 7))
    activation = get_activation(spec)
    H = activation.pullback(Z, activation(Z), Delta)
    for n in range(7):
        a = np.exp(Z[:, n]) / np.exp(Z[:, n]).sum()
        J = (np.diag(a) - np.outer(a, a), np.eye(4) - np.outer(np.ones(4), a))[sign]
        np.testing.assert_allclose(H[:, n], J.T @ Delta[:, n], rtol=1e-12, atol=1e-15)


def test_softmax_columns_are_distributions():
    """Each column is positive and sums to 1, and equals SciPy's softmax."""
    Z = np.random.default_rng(2).normal(scale=5, size=(4, 50))
    A = get_activation("softmax")(Z)
    np.testing.assert_allclose(A.sum(axis=0), 1.0, rtol=4e-15)
    np.testing.assert_allclose(A, scipy_special.softmax(Z, axis=0), rtol=1e-13)
    np.testing.assert_allclose(get_activation("log_softmax")(Z), np.log(A), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("spec", SPECS)
def test_pickle_and_copy_are_the_same_activation(spec):
    """Pickled and deeply copied activations are equal and can still be named."""
    activation = get_activation(spec)
    for again in (pickle.loads(pickle.dumps(activation)), copy.deepcopy(activation)):  # noqa: S301 - our own bytes
        assert again == activation
        assert ACTIVATIONS.spell(again) == ACTIVATIONS.spell(activation)


@pytest.mark.parametrize("name", NAMES)
def test_activation_shows_its_name(name):
    """The repr of an activation names it."""
    activation = get_activation(name)
    assert name.replace("_", "") in repr(activation).replace("_", "").lower()


@pytest.mark.parametrize("name", NAMES)
def test_initialization_is_known(name):
    """Every activation asks for an initializer that exists."""
    assert get_activation(name).initialization in INITIALIZERS


BAD_PARAMETERS = [
    (InverseSquareRoot, (0.0,)),
    (InverseSquareRoot, (-1.0,)),
    (InverseSquareRoot, (float("inf"),)),
    (LeakyRelu, ("0.2",)),
    (LeakyRelu, (float("nan"),)),
    (Elu, (None,)),
    (Sine, (float("inf"),)),
]


@pytest.mark.parametrize(("record", "parameters"), BAD_PARAMETERS)
def test_bad_parameter_is_refused(record, parameters):
    """A parameter that is no finite number, or outside its range, is refused when it is given."""
    with pytest.raises((InvalidTypeError, InvalidValueError)):
        record(*parameters)


@pytest.mark.parametrize("spec", [None, 3, np.tanh, LeakyRelu, ["tanh"]])
def test_spec_of_another_type_is_refused(spec):
    """What is neither a name nor an Activation is refused with the way to register it."""
    with pytest.raises(InvalidTypeError, match="register_activation"):
        get_activation(spec)


def test_unknown_name_lists_the_known_ones():
    """A misspelled name is answered with all names."""
    with pytest.raises(UnknownNameError, match=r"'rellu'.*leaky_relu.*relu"):
        get_activation("rellu")
