"""NumPy's formulas. Helpers are the source of the library's own, so that there is one of each."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from lamina.data.calendar import PARTS, calendar
from lamina.interchange.exports.formulas import Formulas
from lamina.network import special
from lamina.network.activations import GELU_RATE, SELU_ALPHA, SELU_SCALE

if TYPE_CHECKING:
    from collections.abc import Callable


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function of ours, without types."""
    text = inspect.getsource(function).replace("tuple[float, ...]", "Any")
    text = re.sub(r"(?<=\w): (Any|Array)(?=[,)])", "", text)
    return re.sub(r"\) -> [\w\[\], ]+:", "):", text)


CONSTANTS = {
    "EXPONENT_LIMIT": f"EXPONENT_LIMIT = {special.EXPONENT_LIMIT!r}\n",
    "ERFC_SERIES": f"ERFC_SERIES = {special.ERFC_SERIES!r}\n",
    "PARTS": f"PARTS = {tuple(PARTS)!r}\n",
}
FUNCTIONS = ("logistic", "softplus", "tanh_softplus", "chebyshev", "normal_distribution", "bounded")

PYTHON = Formulas(
    "Python",
    elementwise={
        "identity": "z",
        "logistic": "logistic(z)",
        "tanh": "np.tanh(z)",
        "tanh_scaled": "1.7159 * np.tanh(z * (2.0 / 3.0))",
        "relu": "np.maximum(z, 0.0)",
        "relu6": "np.minimum(np.maximum(z, 0.0), 6.0)",
        "selu": (
            f"{SELU_SCALE!r} * np.where(z > 0, z, {SELU_ALPHA!r} * np.expm1(np.minimum(z, 0.0)))"
        ),
        "gelu": "z * normal_distribution(z)",
        "gelu_tanh": f"z * logistic({GELU_RATE!r} * (z + 0.044715 * z * z * z))",
        "silu": "z * logistic(z)",
        "mish": "z * tanh_softplus(z)",
        "softplus": "softplus(z)",
        "softsign": "z / (1.0 + np.abs(z))",
        "hard_tanh": "np.minimum(np.maximum(z, -1.0), 1.0)",
        "hard_sigmoid": "np.minimum(np.maximum(z / 6.0 + 0.5, 0.0), 1.0)",
        "gaussian": "np.exp(-z * z)",
        "exponential": "np.exp(bounded(z))",
        "leaky_relu": "np.where(z > 0, z, {slope} * z)",
        "elu": "np.where(z > 0, z, {alpha} * np.expm1(np.minimum(z, 0.0)))",
        "sine": "np.sin({frequency} * z)",
        "inverse_square_root": "z / np.sqrt(1.0 + {alpha} * z * z)",
    },
    columnwise={
        "softmax": "softmax(z)",
        "log_softmax": "log_softmax(z)",
    },
    helpers={
        **CONSTANTS,
        **{name: source_of(getattr(special, name)) for name in FUNCTIONS},
        "softmax": '''\
def softmax(z):
    """Return e^z / Σ e^z along each row."""
    small = np.exp(z - z.max(axis=1, keepdims=True))
    return small / small.sum(axis=1, keepdims=True)
''',
        "log_softmax": '''\
def log_softmax(z):
    """Return z - log Σ e^z along each row."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
''',
        "calendar": source_of(calendar),
    },
)

BACK = {
    "log": '''\
def back(v):
    """Return e^v."""
    return np.exp(v)
''',
    "box-cox": '''\
def back(v):
    """Return the inverse of the transform of Box and Cox; MAP has its exponents."""
    power = np.where(MAP[0] > 0, MAP[0], 1.0)
    with np.errstate(divide="ignore"):
        bent = np.exp(np.log1p(power * np.maximum(v, -1.0 / power)) / power)
        return np.where(MAP[0] > 0, bent, np.exp(v))
''',
    "quantile": '''\
def back(v):
    """Return the numbers at the probabilities Φ(v); MAP has those at (j + 1/2) / m."""
    levels = (np.arange(len(MAP)) + 0.5) / len(MAP)
    columns = zip(normal_distribution(v).T, MAP.T)
    return np.column_stack([np.interp(p, levels, known) for p, known in columns])
''',
}
"""From numbers that the network predicts to those in the units of the target."""
_AFFINE = "np.float64(a[:, :{outputs}]) * OUTPUT_SCALE + OUTPUT_CENTER"
HEADS = {
    "affine": _AFFINE,
    **dict.fromkeys(BACK, f"back({_AFFINE})"),
    "same": "a",
    "pair": "np.column_stack([1.0 - a[:, 0], a[:, 0]])",
    "exp": "np.exp(a)",
    "shares": "shares(a)",
    "shifted": "a - {middle}",
    "certain": "np.ones_like(a)",
}
"""What is made of the outputs a, one row for each data point."""
