"""Networks in the model file: every bit returns, and a forged one is refused in words."""

import copy
import os
import stat
import tracemalloc

import numpy as np
import pytest

import lamina
from lamina import Network, Penalty
from lamina.exceptions import (
    InvalidValueError,
    ModelExistsError,
    ModelFileError,
    UnknownNameError,
)
from lamina.interchange.container import Document, read, write
from lamina.network.activations import ACTIVATIONS
from lamina.network.errors import ERRORS, get_error

X = np.random.default_rng(0).normal(size=(3, 7))
PARAMETRIZED = ["leaky_relu(0.2)", "elu(alpha=0.5)", "sine(frequency=2.0)", "softmax", "identity"]


def deep(dtype="float64"):
    """Return a network with parametrized activations, penalties and a certificate."""
    penalties = [None, Penalty(l1=0.1), Penalty(0.0, 0.2, biases=True), Penalty(0.1, 0.2), None]
    net = Network(
        [3, 4, 5, 4, 3, 4], PARAMETRIZED, penalties=penalties, dtype=dtype, random_state=0
    )
    net.certify(X, np.ones((4, 7)))
    return net


def forged(path, change):
    """Write the file of a sound network after a change, every digest right, and return its path."""
    net = Network([3, 4, 2], ["tanh", "identity"], random_state=0)
    net.certify(X, np.ones((2, 7)))
    net.save(path / "sound")
    document = read(path / "sound")
    metadata, tensors = copy.deepcopy(document.metadata), dict(document.tensors)
    kind = change(metadata, tensors) or document.kind
    write(path / "forged", Document(kind, metadata, tensors))
    return path / "forged"


def refuse(path, message="model file"):
    """Assert that loading says what is wrong, in one line, and allocates next to nothing."""
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=message) as caught:
        lamina.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(str(caught.value).splitlines()) == 1
    assert peak < 2**22
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_network_returns_bit_for_bit(dtype, tmp_path):
    """θ, recipe and certificate return, and so does every output."""
    net = deep(dtype)
    net.save(tmp_path / "net.lamina")
    loaded = lamina.load(tmp_path / "net.lamina")
    assert isinstance(loaded, Network)
    assert loaded.recipe == net.recipe
    assert loaded.certificate == net.certificate
    assert loaded.theta.dtype == net.theta.dtype == np.dtype(dtype)
    assert np.array_equal(loaded.theta, net.theta)
    assert np.array_equal(loaded(X), net(X))
    loaded.theta[:] = 0.0  # its memory is its own
    assert np.array_equal(lamina.load(tmp_path / "net.lamina").theta, net.theta)


@pytest.mark.parametrize("name", sorted(ERRORS.names()))
def test_every_error_returns(name, tmp_path):
    """Every error function, with parameters, is named in the file and comes back equal."""
    given = {
        "quantile": "quantile((0.1, 0.5, 0.9))",
        "huber": "huber(0.3)",
        "tweedie": "tweedie(1.2)",
    }
    error = get_error(given.get(name, name))
    net = Network([3, 2 * error.outputs_per_target], [error.output_activation], error=error)
    net.save(tmp_path / "net")
    assert lamina.load(tmp_path / "net").recipe == net.recipe


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.names()))
def test_every_activation_returns(name, tmp_path):
    """Every activation is named in the file and comes back with the same outputs."""
    net = Network([3, 4, 2], [name, name], random_state=1)
    net.save(tmp_path / "net")
    assert np.array_equal(lamina.load(tmp_path / "net")(X), net(X))


def test_certificate_that_failed_or_is_not_a_number_returns(tmp_path):
    """A certificate with differences that are no numbers keeps them."""
    net = deep()
    worse = (float("nan"), *net.certificate.differences[1:])
    object.__setattr__(net.certificate, "differences", worse)
    net.save(tmp_path / "net")
    loaded = lamina.load(tmp_path / "net").certificate
    assert np.array_equal(loaded.differences, worse, equal_nan=True)
    assert not loaded.passed


def test_own_formulas_must_be_registered_to_load(tmp_path):
    """An activation and error of one's own are stored by name; without them the file is refused."""
    lamina.register_activation("wave", np.sin, lambda z, _: np.cos(z))
    lamina.register_error("fourth", lambda t, a: (a - t) ** 4, lambda t, a: 4 * (a - t) ** 3)
    net = Network([3, 4, 2], ["wave", "identity"], error="fourth", random_state=0)
    net.save(tmp_path / "net")
    assert np.array_equal(lamina.load(tmp_path / "net")(X), net(X))
    del ERRORS._makers["fourth"]
    assert "'fourth'" in refuse(tmp_path / "net", "Register your own first")
    del ACTIVATIONS._makers["wave"]
    assert "'wave'" in refuse(tmp_path / "net", "Register your own first")


def test_unregistered_formulas_are_refused_at_save(tmp_path):
    """What no file could name is refused before anything is written."""
    activation = lamina.register_activation("wave", np.sin, lambda z, _: np.cos(z))
    del ACTIVATIONS._makers["wave"]
    net = Network([3, 4, 2], [activation, "identity"])
    with pytest.raises(UnknownNameError, match=r"call lamina.register_activation\(name"):
        net.save(tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_existing_file_is_kept_unless_told(tmp_path):
    """A file is replaced only with overwrite=True; what was there stays readable."""
    path = tmp_path / "net"
    first, second = deep(), Network([3, 1], ["identity"])
    first.save(path)
    with pytest.raises(ModelExistsError, match="overwrite=True"):
        second.save(path)
    assert lamina.load(path).S == first.S
    second.save(path, overwrite=True)
    assert lamina.load(path).S == [3, 1]
    assert stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - the mode is all it is about


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_network_that_could_not_be_loaded_is_not_saved(tmp_path, value):
    """A θ that is not finite is refused before anything is written."""
    net = Network([3, 4, 2], ["tanh", "identity"])
    net.theta[5] = value
    with pytest.raises(InvalidValueError, match="θ holds infinity or NaN"):
        net.save(tmp_path / "net")
    assert not list(tmp_path.iterdir())


FORGERIES = {  # what is changed, and what the message names
    "no network": (lambda m, _: m.pop("network"), "network"),
    "a network of text": (lambda m, _: m.update(network="x"), "network"),
    "no layers": (lambda m, _: m["network"].update(layers=[]), "sizes"),
    "layers of numbers": (lambda m, _: m["network"].update(layers=[1, 2]), "TypeError"),
    "no inputs": (lambda m, _: m["network"].pop("inputs"), "inputs"),
    "units below 0": (lambda m, _: m["network"]["layers"][0].update(units=-4), "positive"),
    "units of text": (lambda m, _: m["network"]["layers"][0].update(units="4"), "sizes"),
    "half a unit": (lambda m, _: m["network"]["layers"][0].update(units=4.5), "positive"),
    "other units": (lambda m, _: m["network"]["layers"][0].update(units=5), "parameters; got"),
    "10^15 units": (lambda m, _: m["network"]["layers"][0].update(units=10**15), "parameters; got"),
    "10^600 inputs": (lambda m, _: m["network"].update(inputs=10**600), ""),
    "a layer more": (lambda m, _: m["network"]["layers"].append(m["network"]["layers"][0]), ""),
    "an unknown activation": (
        lambda m, _: m["network"]["layers"][0].update(activation={"name": "os.system"}),
        "unknown activation 'os.system'; known: ",
    ),
    "an activation of text": (lambda m, _: m["network"]["layers"][0].update(activation="tanh"), ""),
    "an activation too many": (
        lambda m, _: m["network"]["layers"][0].update(activation={"name": "relu", "slope": 1}),
        "takes no parameters",
    ),
    "an activation's text": (
        lambda m, _: m["network"]["layers"][0].update(activation={"name": "elu", "alpha": "x"}),
        "alpha",
    ),
    "a name that is a list": (lambda m, _: m["network"].update(error={"name": ["squared"]}), ""),
    "an unknown error": (lambda m, _: m["network"].update(error={"name": "eval"}), "'eval'; known"),
    "outputs that do not divide": (
        lambda m, _: m["network"].update(error={"name": "quantile", "q": [0.1, 0.5, 0.9]}),
        "needs a multiple of 3 outputs",
    ),
    "no penalty": (lambda m, _: m["network"]["layers"][1].pop("penalty"), "penalty"),
    "a penalty below 0": (
        lambda m, _: m["network"]["layers"][1].update(penalty=[-1, 0, False]), "penalty"
    ),
    "a penalty of two": (lambda m, _: m["network"]["layers"][1].update(penalty=[0.0, 0.0]), ""),
    "a penalty of text": (
        lambda m, _: m["network"]["layers"][1].update(penalty=["a", 0, False]), ""
    ),
    "biases of text": (
        lambda m, _: m["network"]["layers"][1].update(penalty=[0, 0, "no"]), "true or false"
    ),
    "a certificate of text": (lambda m, _: m["network"].update(certificate="passed"), ""),
    "a certificate cut": (lambda m, _: m["network"]["certificate"].pop("method"), "method"),
    "a certificate too long": (
        lambda m, _: m["network"]["certificate"]["differences"].append(0.0), "3 differences"
    ),
    "a comparison of words": (
        lambda m, _: m["network"]["certificate"]["second"][0].update(difference="no"), "two numbers"
    ),
    "a comparison without a name": (
        lambda m, _: m["network"]["certificate"]["second"][0].pop("name"), "name"
    ),
    "a comparison that is named by a number": (
        lambda m, _: m["network"]["certificate"]["second"][0].update(name=3), "a name and two"
    ),
    "a certificate of words": (
        lambda m, _: m["network"]["certificate"].update(tolerance="large"), "other numbers"
    ),
    "no θ": (lambda _, t: t.pop("theta"), "theta"),
    "a short θ": (lambda _, t: t.update(theta=t["theta"][:-1]), "26 parameters; got"),
    "a square θ": (lambda _, t: t.update(theta=np.zeros((13, 2))), "26 parameters; got"),
    "a whole θ": (lambda _, t: t.update(theta=np.zeros(26, int)), "float64"),
    "a complex θ": (lambda _, t: t.update(theta=np.zeros(26, "c8")), "float64"),
    "a θ with NaN": (lambda _, t: t["theta"].__setitem__(3, np.nan), "finite"),
    "an infinite θ": (lambda _, t: t["theta"].__setitem__(0, -np.inf), "finite"),
    "another kind": (lambda *_: None, "this version knows: network"),
    "an estimator's kind": (lambda *_: None, "parameters"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_network_is_refused(name, tmp_path):
    """A document with right digests and wrong contents is refused; the message names what."""
    change, names = FORGERIES[name]

    kinds = {"another kind": "RandomForest", "an estimator's kind": "FeedForwardRegressor"}
    path = forged(tmp_path, lambda m, t: (change(m, t), kinds.get(name))[1])
    message = refuse(path)
    assert names in message


def test_deep_nesting_is_refused(tmp_path):
    """Lists in lists, as deep as a file may hold them, are no layers."""
    nested = []
    for _ in range(90):
        nested = [nested]
    refuse(forged(tmp_path, lambda m, _: m["network"].update(layers=nested)))


def test_loading_opens_nothing_else(tmp_path, monkeypatch):
    """Names in a file are never taken for paths: only the file itself is opened."""
    path = forged(tmp_path, lambda m, _: m.update(lamina="/etc/passwd"))
    opened = []
    original = os.open
    monkeypatch.setattr(
        os, "open", lambda name, *a, **k: opened.append(name) or original(name, *a, **k)
    )
    assert lamina.load(path).S == [3, 4, 2]
    assert {os.fspath(name) for name in opened} == {str(path)}
