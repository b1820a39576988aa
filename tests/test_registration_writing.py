"""Formulas that would change what they are given."""

import numpy as np
import pytest

from lamina.exceptions import FormulaError
from lamina.network.activations import ACTIVATIONS, Activation
from lamina.network.errors import ERRORS
from lamina.registration import register_activation, register_error


class Greedy(Activation):
    """An activation that scales Delta where it stands."""

    def __call__(self, Z):
        """Return A."""
        return 2.0 * Z

    def pullback(self, Z, A, Delta):
        """Return H."""
        del Z, A
        Delta *= 2.0
        return Delta


WRITERS = {
    "second argument of a NumPy function": (register_activation, (np.sin, np.cos)),
    "in place": (register_activation, (lambda z: np.square(z, out=z), lambda z, _: 2 * z)),
    "Delta of an object": (register_activation, (Greedy(),)),
    "outputs of an error": (register_error, (lambda t, a: (a - t) ** 2, np.square)),
    "targets of an error": (register_error, (lambda t, a: np.subtract(a, t, t), np.add)),
}


@pytest.mark.parametrize("case", WRITERS)
def test_formula_that_writes_into_its_arguments_is_refused(case):
    """A formula that would change Z, A, T or Delta is refused with what to write instead."""
    register, formulas = WRITERS[case]
    with pytest.raises(FormulaError, match=r"must not write into its arguments.*lambda z, a"):
        register("writer", *formulas)
    assert "writer" not in {*ACTIVATIONS.names(), *ERRORS.names()}
