"""Random networks with data that suit their error, and modules with planted bugs."""

import inspect
from dataclasses import dataclass
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina.certification import first_order
from lamina.network import backpropagation, error_kinds, network, recipe, trials
from lamina.network.errors import get_error
from lamina.network.network import Network
from lamina.network.penalties import Penalty

N = 5  # data points

PENALTIES = [
    None,
    Penalty(l1=0.02),
    Penalty(l2=0.1),
    Penalty(l1=0.01, l2=0.05, biases=True),
]


@dataclass(frozen=True)
class Case:
    """A network, and data to evaluate it on."""

    net: Network
    X: Any
    T: Any
    omega: Any

    @property
    def data(self):
        """The arguments of backpropagate, error, objective and certify."""
        return self.X, self.T, self.omega


def draw_targets(random, domain, shape):
    """Return targets in the domain of an error."""
    if domain == "real":
        return random.normal(size=shape)
    if domain == "sign":
        return random.choice([-1.0, 1.0], size=shape)
    if domain == "nonnegative":
        return random.poisson(1.5, size=shape).astype(float)
    if domain == "positive":
        return random.gamma(2.0, size=shape)
    return random.uniform(size=shape) * random.integers(2, size=shape)  # zeros among them


def draw_case(seed, error, hidden=(), output=None, outputs=None):
    """Return a network with these hidden layers, random θ, weights and penalties, and its data."""
    random = np.random.default_rng(seed)
    error = get_error(error)
    blocks = error.outputs_per_target
    fewest = 2 if output == "softmax" and blocks == 1 else 1  # a softmax of one output is 1
    rows = random.integers(fewest, 4 // blocks + 1) if outputs is None else outputs // blocks
    sizes = [*random.integers(2, 5, size=len(hidden) + 1), rows * blocks]
    penalties = [PENALTIES[k] for k in random.integers(len(PENALTIES), size=len(sizes) - 1)]
    activations = [*hidden, error.output_activation if output is None else output]
    net = Network(sizes, activations, error=error, penalties=penalties, random_state=random)
    net.theta = net.theta + random.normal(scale=0.2, size=net.theta.shape)
    T = draw_targets(random, error.targets, (rows, N))
    return Case(net, random.normal(size=(sizes[0], N)), T, random.dirichlet(np.ones(N)))


@pytest.fixture(name="draw_case", scope="session")
def draw_case_fixture():
    """Give tests the function that draws a network and its data."""
    return draw_case


def mutant(module, *replacements):
    """Return a module made of the source of another with each old text replaced by the new."""
    source = inspect.getsource(module)
    for old, new in replacements:
        assert old in source, f"{module.__name__} no longer contains {old!r}"
        source = source.replace(old, new)
    changed = ModuleType(module.__name__)
    exec(compile(source, f"<mutant of {module.__name__}>", "exec"), changed.__dict__)  # noqa: S102 - the source is ours
    return changed


STANDING_IN = (
    "Activation get_activation get_error per_layer backpropagate objective check_data".split()
)


def plant(monkeypatch, module, *replacements):
    """Let a mutant stand in for the module wherever a network is built, run and certified."""
    changed = mutant(module, *replacements)  # families register themselves again
    if module is backpropagation:
        monkeypatch.setattr(network, "backpropagation", changed)
    for name in ("values", "slopes") if module is error_kinds else ():
        method = getattr(changed.ElementwiseError, name)
        monkeypatch.setattr(error_kinds.ElementwiseError, name, method)
    for place, name in product((network, recipe, trials, first_order), STANDING_IN):
        found = getattr(changed, name, None)
        if hasattr(place, name) and found is not getattr(module, name, None):
            monkeypatch.setattr(place, name, found)
    return changed


@pytest.fixture(name="mutant", scope="session")
def mutant_fixture():
    """Give tests the function that makes a module of a changed source."""
    return mutant


@pytest.fixture(name="plant")
def plant_fixture(monkeypatch):
    """Give tests the function that lets a changed module stand in for the original."""
    return partial(plant, monkeypatch)
