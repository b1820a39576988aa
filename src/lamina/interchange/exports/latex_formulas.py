"""LaTeX's formulas, for readers; <z> is z of a unit, <z_j> of the others that are summed over j."""

from __future__ import annotations

from lamina.interchange.exports.formulas import Formulas
from lamina.network.activations import SELU_ALPHA, SELU_SCALE
from lamina.network.special import EXPONENT_LIMIT

_UNIT = r"\begin{cases} <z> & <z> > 0 \\ {alpha} \left(e^{<z>} - 1\right) & \text{else} \end{cases}"

LATEX = Formulas(
    "LaTeX",
    elementwise={
        "identity": r"<z>",
        "logistic": r"\frac{1}{1 + e^{-<z>}}",
        "tanh": r"\tanh <z>",
        "tanh_scaled": r"1.7159 \tanh \frac{2 <z>}{3}",
        "relu": r"\max(0, <z>)",
        "relu6": r"\min(6, \max(0, <z>))",
        "selu": f"{SELU_SCALE:.5g} " + _UNIT.replace("{alpha}", f"{SELU_ALPHA:.5g}"),
        "gelu": r"<z> \, \Phi(<z>)",
        "gelu_tanh": (
            r"\frac{<z>}{2} \left(1 + \tanh\left(\sqrt{\frac{2}{\pi}} "
            r"\left(<z> + 0.044715 (<z>)^3\right)\right)\right)"
        ),
        "silu": r"\frac{<z>}{1 + e^{-<z>}}",
        "mish": r"<z> \tanh\left(\log\left(1 + e^{<z>}\right)\right)",
        "softplus": r"\log\left(1 + e^{<z>}\right)",
        "softsign": r"\frac{<z>}{1 + |<z>|}",
        "hard_tanh": r"\min(1, \max(-1, <z>))",
        "hard_sigmoid": r"\min\left(1, \max\left(0, \frac{<z>}{6} + \frac{1}{2}\right)\right)",
        "gaussian": r"e^{-(<z>)^2}",
        "exponential": rf"e^{{\min({EXPONENT_LIMIT:g}, \max(-{EXPONENT_LIMIT:g}, <z>))}}",
        "leaky_relu": r"\begin{cases} <z> & <z> > 0 \\ {slope} \, <z> & \text{else} \end{cases}",
        "elu": _UNIT,
        "sine": r"\sin({frequency} \, <z>)",
        "inverse_square_root": r"\frac{<z>}{\sqrt{1 + {alpha} (<z>)^2}}",
    },
    columnwise={
        "softmax": r"\frac{e^{<z>}}{\sum_{<j>} e^{<z_j>}}",
        "log_softmax": r"<z> - \log \sum_{<j>} e^{<z_j>}",
    },
)

HEADS = {
    "exp": r"e^{a_i}",
    "shares": r"\frac{a_i}{\sum_j a_j}",
    "certain": r"1",
}
"""What is made of the outputs a_i, for each number y_i of the answer; others are spelled out."""
