"""C's formulas. R(...) is a constant, and functions in capitals are of math.h, in its precision."""

from __future__ import annotations

from lamina.interchange.exports.formulas import Formulas
from lamina.network.activations import GELU_RATE, SELU_ALPHA, SELU_SCALE
from lamina.network.special import EXPONENT_LIMIT

# Comparisons are written so that NaN goes through: it is neither below nor above anything.
C = Formulas(
    "C",
    elementwise={
        "identity": "z",
        "logistic": "logistic(z)",
        "tanh": "TANH(z)",
        "tanh_scaled": "R(1.7159) * TANH(z * R(2.0 / 3.0))",
        "relu": "z < R(0) ? R(0) : z",
        "relu6": "bounded(z, R(0), R(6))",
        "selu": f"R({SELU_SCALE!r}) * (z > R(0) ? z : R({SELU_ALPHA!r}) * EXPM1(z))",
        "gelu": "R(0.5) * z * ERFC(-z * R(0.70710678118654752))",
        "gelu_tanh": f"z * logistic(R({GELU_RATE!r}) * (z + R(0.044715) * z * z * z))",
        "silu": "z * logistic(z)",
        "mish": "z * tanh_softplus(z)",
        "softplus": "softplus(z)",
        "softsign": "z / (R(1) + FABS(z))",
        "hard_tanh": "bounded(z, R(-1), R(1))",
        "hard_sigmoid": "bounded(z / R(6) + R(0.5), R(0), R(1))",
        "gaussian": "EXP(-z * z)",
        "exponential": f"EXP(bounded(z, R({-EXPONENT_LIMIT!r}), R({EXPONENT_LIMIT!r})))",
        "leaky_relu": "z > R(0) ? z : {slope} * z",
        "elu": "z > R(0) ? z : {alpha} * EXPM1(z)",
        "sine": "SIN({frequency} * z)",
        "inverse_square_root": "z / SQRT(R(1) + {alpha} * z * z)",
    },
    columnwise={
        "softmax": """\
    real top = largest(a, n), total = R(0);
    int i;
    for (i = 0; i < n; i++) {
        a[i] = EXP(a[i] - top);
        total += a[i];
    }
    for (i = 0; i < n; i++) {
        a[i] /= total;
    }
""",
        "log_softmax": """\
    real top = largest(a, n), total = R(0);
    int i;
    for (i = 0; i < n; i++) {
        total += EXP(a[i] - top);
    }
    for (i = 0; i < n; i++) {
        a[i] = a[i] - top - LOG(total);
    }
""",
    },
    helpers={
        "bounded": """\
static real bounded(real z, real low, real high)
{
    return z < low ? low : z > high ? high : z;
}
""",
        "logistic": """\
static real logistic(real z)
{
    real small = EXP(-FABS(z));
    return (z > R(0) ? R(1) : small) / (R(1) + small);
}
""",
        "softplus": """\
static real softplus(real z)
{
    return (z < R(0) ? R(0) : z) + LOG1P(EXP(-FABS(z)));
}
""",
        "tanh_softplus": """\
static real tanh_softplus(real z)
{
    real small = EXP(-FABS(z));
    real above = z > R(0) ? R(1) + R(2) * small : small * (small + R(2));
    return above / (above + (z > R(0) ? R(2) * small * small : R(2)));
}
""",
        "largest": """\
static real largest(const real *a, int n)
{
    real top = a[0];
    int i;
    for (i = 1; i < n; i++) {
        if (a[i] > top) {
            top = a[i];
        }
    }
    return top;
}
""",
    },
)

FUNCTIONS = ("TANH", "EXP", "EXPM1", "ERFC", "LOG", "LOG1P", "SIN", "SQRT", "FABS")
"""Those of math.h that may be called, in capitals; float takes them with an f at the end."""

BACK = {
    "log": """\
static double back(double v, int i)
{
    (void)i;
    return exp(v);
}
""",
    "box-cox": """\
static double back(double v, int i)
{
    double power = map[i];
    if (power <= 0.0) {
        return exp(v);
    }
    return v <= -1.0 / power ? 0.0 : exp(log1p(power * v) / power);
}
""",
    "quantile": """\
static double back(double v, int i)
{
    double place = 0.5 * erfc(-v * 0.70710678118654752) * QUANTILES - 0.5;
    int j = place > 0.0 ? (int)place : 0;
    if (v != v) {
        return v;
    }
    if (place <= 0.0 || j >= QUANTILES - 1) {
        return map[(place <= 0.0 ? 0 : QUANTILES - 1) * OUTPUTS + i];
    }
    return map[j * OUTPUTS + i]
        + (place - j) * (map[(j + 1) * OUTPUTS + i] - map[j * OUTPUTS + i]);
}
""",
}
"""From a number that the network predicts to one in the units of the target, in double."""
HEADS = {
    "affine": "y[i] = a[i] * output_scale[i] + output_center[i];",
    **dict.fromkeys(BACK, "y[i] = (real)back(a[i] * output_scale[i] + output_center[i], i);"),
    "same": "y[i] = a[i];",
    "pair": "y[i] = i == 0 ? R(1) - a[0] : a[0];",
    "exp": "y[i] = EXP(a[i]);",
    "shares": "y[i] = total > R(0) ? a[i] / total : R(1) / R(OUTPUTS);",
    "shifted": "y[i] = a[i] - R({middle});",
    "certain": "y[i] = R(1);",
}
"""What is made of the outputs a, for each number y[i] of the answer."""
