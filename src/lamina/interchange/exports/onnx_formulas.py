"""ONNX's formulas, of operators that ONNX Runtime has in float32 and in float64.

It has none for Elu, Selu, Softplus, Erf and others in float64, nor has ONNX expm1 and log1p; these
are built here of what there is, without losing digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.network.activations import GELU_RATE, SELU_ALPHA, SELU_SCALE
from lamina.network.special import ERFC_SERIES, EXPONENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lamina.interchange.exports.onnx_graph import Graph
    from lamina.interchange.exports.portable import Head


INT64 = 7
"""ONNX's number of 64-bit integers."""


def expm1(g: Graph, z: str) -> str:
    """Return e^z - 1 for z <= 0, as tanh(z / 2) (e^z + 1)."""
    return g.times(g("Tanh", g.times(z, 0.5)), g.add(g("Exp", z), 1.0))


def log1p(g: Graph, x: str) -> str:
    """Return log(1 + x) for x >= -1: x log(u) / (u - 1) where u = 1 + x differs from 1, else x.

    Source: Goldberg 1991, theorem 4.
    """
    u = g.add(x, 1.0)
    same = g("Equal", u, g.scalar(1.0))
    slope = g.over(g("Log", u), g.choose(same, 1.0, g.subtract(u, 1.0)))
    return g.choose(same, x, g.times(x, slope))


def softplus(g: Graph, z: str) -> str:
    """Return log(1 + e^z)."""
    small = g("Exp", g("Neg", g("Abs", z)))
    return g.add(g.larger(z, 0.0), log1p(g, small))


def tanh_softplus(g: Graph, z: str) -> str:
    """Return tanh(log(1 + e^z)), from e^-|z| alone."""
    small, positive = g("Exp", g("Neg", g("Abs", z))), g.above(z, 0.0)
    square = g.times(small, small)
    twice = g.times(small, 2.0)
    above = g.choose(positive, g.add(twice, 1.0), g.add(square, twice))
    return g.over(above, g.add(above, g.choose(positive, g.times(square, 2.0), 2.0)))


def normal_distribution(g: Graph, z: str) -> str:
    """Return (1 + erf(z / √2)) / 2; in float64, where there is no Erf, by a Chebyshev series."""
    if g.dtype == np.float32:
        return g.times(g.add(g("Erf", g.times(z, float(np.sqrt(0.5)))), 1.0), 0.5)
    t = g.over(2.0, g.add(g.times(g("Abs", z), float(np.sqrt(0.5))), 2.0))
    u = g.subtract(g.times(t, 2.0), 1.0)
    twice = g.times(u, 2.0)
    last = before = g.scalar(0.0)
    for coefficient in ERFC_SERIES[:0:-1]:  # Clenshaw's rule
        last, before = g.add(g.times(twice, last), g.subtract(coefficient, before)), last
    series = g.add(g.times(u, last), g.subtract(ERFC_SERIES[0], before))
    density = g("Exp", g.times(g.times(z, z), -0.5))
    tail = g.times(g.times(g.times(t, 0.5), series), density)
    return g.choose(g.above(z, 0.0), g.subtract(1.0, tail), tail)


def _exponential_unit(g: Graph, z: str, alpha: float) -> str:
    """Return z above 0, and alpha (e^z - 1) elsewhere."""
    below = g.times(expm1(g, g.smaller(z, 0.0)), alpha)
    return g.choose(g.above(z, 0.0), z, below)


def _gelu_tanh(g: Graph, z: str) -> str:
    """Return z over 1 + e^-u of u = rate (z + 0.044715 z³)."""
    cube = g.times(g.times(g.times(z, 0.044715), z), z)
    return g.times(z, g("Sigmoid", g.times(g.add(z, cube), GELU_RATE)))


def _inverse_square_root(g: Graph, z: str, alpha: float) -> str:
    """Return z / √(1 + alpha z²)."""
    return g.over(z, g("Sqrt", g.add(g.times(g.times(z, alpha), z), 1.0)))


def _same(_g: Graph, z: str) -> str:
    """Return z."""
    return z


def _exponential(g: Graph, v: str, _known: Any) -> str:
    """Return e^v."""
    return g("Exp", v)


ELEMENTWISE: Mapping[str, Callable[..., str]] = {
    "identity": _same,
    "logistic": lambda g, z: g("Sigmoid", z),
    "tanh": lambda g, z: g("Tanh", z),
    "tanh_scaled": lambda g, z: g.times(g("Tanh", g.times(z, 2.0 / 3.0)), 1.7159),
    "relu": lambda g, z: g("Relu", z),
    "relu6": lambda g, z: g.bounded(z, 0.0, 6.0),
    "selu": lambda g, z: g.times(_exponential_unit(g, z, SELU_ALPHA), SELU_SCALE),
    "gelu": lambda g, z: g.times(z, normal_distribution(g, z)),
    "gelu_tanh": _gelu_tanh,
    "silu": lambda g, z: g.times(z, g("Sigmoid", z)),
    "mish": lambda g, z: g.times(z, tanh_softplus(g, z)),
    "softplus": softplus,
    "softsign": lambda g, z: g.over(z, g.add(g("Abs", z), 1.0)),
    "hard_tanh": lambda g, z: g.bounded(z, -1.0, 1.0),
    "hard_sigmoid": lambda g, z: g.bounded(g.add(g.over(z, 6.0), 0.5), 0.0, 1.0),
    "gaussian": lambda g, z: g("Exp", g("Neg", g.times(z, z))),
    "exponential": lambda g, z: g("Exp", g.bounded(z, -EXPONENT_LIMIT, EXPONENT_LIMIT)),
    "leaky_relu": lambda g, z, slope: g.choose(g.above(z, 0.0), z, g.times(z, slope)),
    "elu": _exponential_unit,
    "sine": lambda g, z, frequency: g("Sin", g.times(z, frequency)),
    "inverse_square_root": _inverse_square_root,
}
"""The nodes of an activation of z, with its parameters by name."""
COLUMNWISE: Mapping[str, str] = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}
"""The operator of an activation that mixes the outputs of a data point."""


def shares(g: Graph, a: str, n_outputs: int) -> str:
    """Return each number over the sum of its row, and equal shares where that is 0."""
    total = g("ReduceSum", a, g.constant(np.array([1]), "axes"), keepdims=1)
    positive = g.above(total, 0.0)
    return g.choose(positive, g.over(a, g.choose(positive, total, 1.0)), 1.0 / n_outputs)


def certain(g: Graph, a: str) -> str:
    """Return 1 for each row."""
    return g.add(g.times(a, 0.0), 1.0)


def box_cox(g: Graph, v: str, powers: Any) -> str:
    """Return (1 + λ max(v, -1 / λ))^(1 / λ), and e^v for λ = 0; one λ for each column."""
    curved = powers[0] > 0
    power = np.where(curved, powers[0], 1.0)
    least = g.numbers(-1.0 / power, "least")
    scale = g.numbers(power, "power")
    logarithm = g("Div", log1p(g, g("Mul", g("Max", v, least), scale)), scale)
    return g("Exp", g("Where", g.constant(curved, "curved"), logarithm, v))


def quantile(g: Graph, v: str, known: Any) -> str:
    """Return the numbers at the probabilities Φ(v), known at (j + 1/2) / m; one column each."""
    m, K = known.shape
    place = g.bounded(g.subtract(g.times(normal_distribution(g, v), m), 0.5), 0.0, m - 1.0)
    below = g.smaller(g("Floor", place), max(m - 2.0, 0.0))
    part = g.subtract(place, below)
    row = g("Cast", below, to=INT64)
    start = g("Mul", row, g.constant(np.array(K), "columns"))
    index = g("Add", start, g.constant(np.arange(K), "column"))
    low = g("Gather", g.numbers(known.ravel(), "known"), index, axis=0)
    steps = np.diff(known, axis=0).ravel() if m > 1 else np.zeros(K)
    return g("Add", low, g("Mul", part, g("Gather", g.numbers(steps, "steps"), index, axis=0)))


BACK: Mapping[str, Callable[[Graph, str, Any], str]] = {
    "log": _exponential,
    "box-cox": box_cox,
    "quantile": quantile,
}
"""The nodes that map numbers that the network predicts back to the units of the target."""


def answer(g: Graph, a: str, head: Head) -> str:
    """Return probabilities or scores made of the outputs a, by the form of a head."""
    if head.form == "pair":
        return g("Concat", g.subtract(1.0, a), a, axis=1)
    if head.form == "exp":
        return g("Exp", a)
    if head.form == "shares":
        return shares(g, a, head.n_outputs)
    if head.form == "shifted":
        return g.subtract(a, head.middle)
    return certain(g, a) if head.form == "certain" else a
