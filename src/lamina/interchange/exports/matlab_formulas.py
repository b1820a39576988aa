"""MATLAB's formulas, which Octave reads too."""

from __future__ import annotations

from lamina.interchange.exports.formulas import Formulas
from lamina.network.activations import GELU_RATE, SELU_ALPHA, SELU_SCALE
from lamina.network.special import EXPONENT_LIMIT

# max and min lose NaN in MATLAB; bounded and pick keep it.
MATLAB = Formulas(
    "MATLAB",
    elementwise={
        "identity": "z",
        "logistic": "logistic(z)",
        "tanh": "tanh(z)",
        "tanh_scaled": "1.7159 * tanh(z * (2 / 3))",
        "relu": "bounded(z, 0, Inf)",
        "relu6": "bounded(z, 0, 6)",
        "selu": f"{SELU_SCALE!r} * pick(z > 0, z, {SELU_ALPHA!r} * expm1(z))",
        "gelu": "0.5 * z .* erfc(-z / sqrt(2))",
        "gelu_tanh": f"z .* logistic({GELU_RATE!r} * (z + 0.044715 * z .^ 3))",
        "silu": "z .* logistic(z)",
        "mish": "z .* tanh_softplus(z)",
        "softplus": "bounded(z, 0, Inf) + log1p(exp(-abs(z)))",
        "softsign": "z ./ (1 + abs(z))",
        "hard_tanh": "bounded(z, -1, 1)",
        "hard_sigmoid": "bounded(z / 6 + 0.5, 0, 1)",
        "gaussian": "exp(-z .^ 2)",
        "exponential": f"exp(bounded(z, {-EXPONENT_LIMIT!r}, {EXPONENT_LIMIT!r}))",
        "leaky_relu": "pick(z > 0, z, {slope} * z)",
        "elu": "pick(z > 0, z, {alpha} * expm1(z))",
        "sine": "sin({frequency} * z)",
        "inverse_square_root": "z ./ sqrt(1 + {alpha} * z .^ 2)",
    },
    columnwise={"softmax": "softmax_of(z)", "log_softmax": "log_softmax_of(z)"},
    helpers={
        "bounded": """\
function a = bounded(a, low, high)
a(a < low) = low;
a(a > high) = high;
end
""",
        "pick": """\
function a = pick(chosen, a, b)
a(~chosen) = b(~chosen);
end
""",
        "logistic": """\
function a = logistic(z)
a = 1 ./ (1 + exp(-z));
end
""",
        "tanh_softplus": """\
function a = tanh_softplus(z)
small = exp(-abs(z));
above = pick(z > 0, 1 + 2 * small, small .* (small + 2));
a = above ./ (above + pick(z > 0, 2 * small .^ 2, 2 + 0 * z));
end
""",
        "softmax_of": """\
function a = softmax_of(z)
a = exp(z - max(z, [], 1));
a = a ./ sum(a, 1);
end
""",
        "log_softmax_of": """\
function a = log_softmax_of(z)
a = z - max(z, [], 1);
a = a - log(sum(exp(a), 1));
end
""",
        "back_log": """\
function y = back_log(v, ~)
y = exp(v);
end
""",
        "back_box_cox": """\
function y = back_box_cox(v, known)
y = exp(v);
for i = find(known(1, :) > 0)
    power = known(1, i);
    y(i, :) = exp(log1p(power * bounded(v(i, :), -1 / power, Inf)) / power);
end
end
""",
        "back_quantile": """\
function y = back_quantile(v, known)
m = size(known, 1);
place = bounded(0.5 * erfc(-v / sqrt(2)) * m - 0.5, 0, m - 1);
y = v;
for i = 1:size(v, 1)
    j = floor(place(i, :));
    j(isnan(j)) = 0;
    low = known(1 + j, i)';
    high = known(min(2 + j, m), i)';
    y(i, :) = low + (place(i, :) - j) .* (high - low);
end
end
""",
        "shares": """\
function y = shares(a)
total = sum(a, 1);
y = a ./ total;
y(:, total == 0) = 1 / size(a, 1);
end
""",
    },
)

_AFFINE = "double(a(1:{outputs}, :)) .* output_scale + output_center"
HEADS = {
    "affine": _AFFINE,
    "log": f"back_log({_AFFINE}, known)",
    "box-cox": f"back_box_cox({_AFFINE}, known)",
    "quantile": f"back_quantile({_AFFINE}, known)",
    "same": "a",
    "pair": "[1 - a; a]",
    "exp": "exp(a)",
    "shares": "shares(a)",
    "shifted": "a - {middle}",
    "certain": "ones(size(a))",
}
"""What is made of the outputs a, one column for each data point."""
