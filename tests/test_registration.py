"""Formulas of a user's own: measured, then believed; refused with the figure and the place."""

import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from lamina.exceptions import FormulaError, InvalidTypeError, InvalidValueError, LaminaError
from lamina.network.activations import ACTIVATIONS, Activation, Elementwise, get_activation
from lamina.network.error_kinds import Error
from lamina.network.errors import ERRORS, get_error
from lamina.network.network import Network
from lamina.registration import register_activation, register_error

X, T = np.random.default_rng(0).normal(size=(2, 4)), np.ones((1, 4))


def cube(z):
    """Return z³."""
    return z**3


def cube_slope(z, a):
    """Return 3z²."""
    del a
    return 3 * z**2


def exact(net):
    """Return whether the network is certified by the complex step."""
    certificate = net.certify(X, T)
    return certificate.passed and certificate.method == "complex step"


def test_formula_is_registered_and_used():
    """Two formulas make an activation that networks know by name and certify."""
    activation = register_activation("cube", cube, cube_slope, initialization="zeros")
    assert get_activation("cube") is activation
    assert ACTIVATIONS.spell(activation) == {"name": "cube"}
    net = Network([2, 3, 1], ["cube"], random_state=0)
    assert np.all(net.theta[:9] == 0)
    net.theta = np.linspace(-1, 1, 13)
    assert exact(net)


def test_error_formula_is_registered_and_used():
    """Two formulas make an error with its own output activation and targets."""
    register_error(
        "quartic",
        lambda t, a: (a - t) ** 4,
        lambda t, a: 4 * (a - t) ** 3,
        output_activation="softplus",
        targets="positive",
    )
    net = Network([2, 3, 1], ["tanh"], error="quartic", random_state=0)
    assert repr(net.recipe.activation(2)) == "softplus"
    assert exact(net)
    with pytest.raises(InvalidValueError, match="above zero"):
        net.error(X, -T)


class Normalized(Activation):
    """Each column divided by the root of its mean square plus 1."""

    def __call__(self, Z):
        """Return A."""
        return Z / np.sqrt(1.0 + np.mean(Z * Z, axis=0))

    def pullback(self, Z, A, Delta):
        """Return H."""
        del A
        r = np.sqrt(1.0 + np.mean(Z * Z, axis=0))
        return Delta / r - Z * np.sum(Delta * Z, axis=0) / (len(Z) * r**3)


class CorrelatedError(Error):
    """Residuals with a common part: Σ r² / 2 + (Σ r)² / 2."""

    def values(self, T, A):
        """Return N numbers."""
        r = A - T
        return 0.5 * (r * r).sum(axis=0) + 0.5 * r.sum(axis=0) ** 2

    def slopes(self, T, A):
        """Return S_L × N."""
        return A - T + (A - T).sum(axis=0)


def test_objects_with_the_two_methods_are_registered():
    """An object that mixes columns, or couples outputs, is measured and certified."""
    register_activation("normalized", Normalized())
    register_error("correlated", CorrelatedError())
    net = Network([2, 3, 1], ["normalized"], error="correlated", random_state=0)
    assert exact(net)
    assert ACTIVATIONS.spell(net.recipe.activation(1)) == {"name": "normalized"}


def test_objects_need_no_base_class():
    """Any object with the same two methods is an activation or an error."""

    class Duck:
        __call__, pullback = Normalized.__call__, Normalized.pullback

    class Goose:
        values, slopes = CorrelatedError.values, CorrelatedError.slopes

    register_activation("duck", Duck())
    register_error("goose", Goose())
    assert exact(Network([2, 3, 1], ["duck"], error="goose", random_state=0))


@dataclass(frozen=True)
class Power(Elementwise):
    """Return sign(z) |z|^p for an odd power p."""

    p: int = 3

    @staticmethod
    def value(z, p):
        """Return a."""
        return z**p

    @staticmethod
    def derivative(z, a, p):
        """Return da/dz."""
        del a
        return p * z ** (p - 1)


def test_record_with_parameters_is_registered_by_class():
    """A frozen dataclass is a family: spelled, parsed and pickled with its parameters."""
    register_activation("power", Power)
    assert get_activation("power") == Power(3)
    assert get_activation("power(5)") == get_activation("power(p=5)") == Power(5)
    assert ACTIVATIONS.spell(Power(5)) == {"name": "power", "p": 5}
    assert exact(Network([2, 3, 1], ["power(2)"], random_state=0))


def test_pickled_formula_can_still_be_named():
    """An activation that went through pickle is the registered one: a file can name it."""
    activation = register_activation("cube", cube, cube_slope)
    again = pickle.loads(pickle.dumps(activation))  # noqa: S301 - our own bytes
    assert again == activation
    assert ACTIVATIONS.spell(again) == {"name": "cube"}


def test_own_name_may_be_registered_again():
    """A user's name is replaced by the next registration."""
    register_activation("mine", np.tanh, lambda z, a: 1 - a * a)
    register_activation("mine", cube, cube_slope)
    assert get_activation("mine")(np.array([[2.0]]))[0, 0] == 8.0


def test_wrong_slope_is_refused_with_figure_and_place():
    """The message gives the claimed slope of the formula itself, z, and the measured slope."""
    with pytest.raises(FormulaError) as caught:
        register_activation("wrong", np.sin, lambda z, a: -np.cos(z))
    words = str(caught.value).replace(",", "").replace(";", "").split()
    claimed, z = float(words[words.index("is") + 1]), float(words[words.index("at") + 1])
    assert claimed == pytest.approx(-math.cos(z), rel=1e-4)
    assert f"{math.cos(z):.3g}"[:5] in str(caught.value)
    assert "wrong" not in ACTIVATIONS.names()


WRONG = {
    "slope of another formula": (np.tanh, lambda z, a: 1 - a),
    "factor": (cube, lambda z, a: 3.001 * z**2),
    "small offset beside steep slopes": (np.exp, lambda z, a: a + 1e-3),
    "sign on one side": (lambda z: np.maximum(z, -z), lambda z, a: np.ones_like(z)),
    "not a number": (lambda z: z**2, lambda z, a: z * np.nan),
    "scalar value": (lambda z: 1.0, lambda z, a: 0.0 * z),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_formula_is_refused(case):
    """Nothing is registered whose slope is not the value's, or whose value has another shape."""
    with pytest.raises(FormulaError, match="'wrong'"):
        register_activation("wrong", *WRONG[case])
    assert "wrong" not in ACTIVATIONS.names()


def test_wrong_error_is_refused():
    """Errors are measured in the domain of their targets."""
    with pytest.raises(FormulaError, match="error 'wrong'"):
        register_error("wrong", lambda t, a: (a - t) ** 2, lambda t, a: a - t)
    with pytest.raises(FormulaError, match="error 'wrong'"):
        register_error(
            "wrong", lambda t, a: t * np.log(t / a), lambda t, a: t / a, targets="positive"
        )


SCALAR = {
    "math function": (math.tanh, lambda z, a: 1 - a * a),
    "if": (lambda z: z if z > 0 else 0.0, lambda z, a: z > 0),
    "no such argument": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
}


@pytest.mark.parametrize("case", SCALAR)
def test_formula_for_single_numbers_is_refused_with_advice(case):
    """A formula that cannot take a matrix is refused, and NumPy's functions are recommended."""
    with pytest.raises(FormulaError, match=r"cannot be evaluated on a matrix.*np\.where"):
        register_activation("scalar", *SCALAR[case])


FALLBACKS = {  # right, though the complex step does not see their slope
    "soft shrink": (
        lambda z: np.sign(z) * np.maximum(np.abs(z) - 1, 0),
        lambda z, a: (np.abs(z) > 1) * 1.0,
    ),
    "logarithm above 1": (
        lambda z: np.where(z > 1, 1 + np.log(np.maximum(np.abs(z), 1)), z),
        lambda z, a: np.where(z > 1, 1 / np.maximum(z, 1), 1.0),
    ),
    "real part only": (lambda z: np.real(z) ** 2, lambda z, a: 2 * np.real(z)),
    "cast": (lambda z: np.asarray(z).astype(float) ** 2, lambda z, a: 2 * z),
}


@pytest.mark.parametrize("case", FALLBACKS)
def test_right_formula_without_complex_form_is_accepted(case):
    """What has no complex form is measured by central differences, here and in certificates."""
    register_activation("own", *FALLBACKS[case])
    certificate = Network([2, 3, 1], ["own"], random_state=0).certify(X, T)
    assert certificate.method == "central differences"
    assert certificate.passed, certificate


BAD_CALLS = [
    (register_activation, ("mine", np.tanh), {}, InvalidTypeError, "two functions"),
    (register_activation, ("mine", 3, 4), {}, InvalidTypeError, "two functions"),
    (register_activation, ("mine", Power(2), cube), {}, InvalidTypeError, "two functions"),
    (register_error, ("mine", cube), {}, InvalidTypeError, "two functions"),
    (register_activation, ("tanh", cube, cube_slope), {}, InvalidValueError, "built-in"),
    (register_activation, ("my cube", cube, cube_slope), {}, InvalidValueError, "identifier"),
    (
        *(register_activation, ("mine", cube, cube_slope), {"initialization": "xavier"}),
        *(LaminaError, "glorot_uniform"),
    ),
    (
        *(register_error, ("mine", lambda t, a: a - t, lambda t, a: 1.0 + 0 * a)),
        *({"targets": "counts"}, LaminaError, "nonnegative"),
    ),
    (
        *(register_error, ("mine", lambda t, a: a - t, lambda t, a: 1.0 + 0 * a)),
        *({"output_activation": "tanhh"}, LaminaError, "tanhh"),
    ),
]


@pytest.mark.parametrize(("register", "arguments", "options", "kind", "words"), BAD_CALLS)
def test_bad_registration_is_refused(register, arguments, options, kind, words):
    """What cannot be registered is refused at once, not when a network is built from it."""
    with pytest.raises(kind, match=words):
        register(*arguments, **options)
    assert "mine" not in {*ACTIVATIONS.names(), *ERRORS.names()}


def test_class_that_is_no_record_is_refused():
    """A class that could not be written to a file, or made without arguments, is refused."""

    class Demanding(Normalized):
        def __init__(self, size):
            self.size = size

    for maker in (Normalized, Demanding):
        with pytest.raises(LaminaError, match="frozen dataclass"):
            register_activation("mine", maker)


def test_registered_error_is_found_by_name():
    """A user's error is known by name as an activation is."""
    error = register_error("mine", lambda t, a: (a - t) ** 2, lambda t, a: 2 * (a - t))
    assert get_error("mine") is error
