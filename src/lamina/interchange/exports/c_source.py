"""A model as one file of C99 that needs nothing but the standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.interchange.exports.c_formulas import BACK, FUNCTIONS, HEADS, C
from lamina.interchange.exports.c_labels import c_labels
from lamina.interchange.exports.formulas import Numbers, identifier
from lamina.interchange.exports.words import description

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.interchange.exports.portable import Layer, Portable

    Array = npt.NDArray[Any]

DENSE = """\
static void dense(const real *W, const real *b, int units, int inputs, const real *x, real *a)
{
    int i, j;
    for (i = 0; i < units; i++) {
        a[i] = b[i];
        for (j = 0; j < inputs; j++) {
            a[i] += W[i * inputs + j] * x[j];
        }
    }
}
"""


def c_source(portable: Portable, name: str) -> str:
    """Return the source of a model as C99, its functions and constants beginning with `name`.

    `void NAME_predict(const real *x, real *y)` answers for one row x of cells. With -DNAME_TEST
    the file is a program that compares itself with the model's answers for some rows and exits
    with 0 or 1.

    Raises
    ------
    InvalidValueError
        If an activation is none of Lamina's own.
    """
    name = identifier(name)
    numbers = Numbers(portable.dtype, "f" if portable.dtype == np.float32 else "")
    sigmas = [_sigma(layer, l, numbers) for l, layer in enumerate(portable.layers, start=1)]
    steps = [
        *_expand(portable, numbers),
        _answer(portable, name, numbers),
        c_labels(portable, name),
    ]
    helpers = C.needed(sigmas)
    parts = [
        _head(portable, name),
        *helpers,
        DENSE,
        *sigmas,
        *steps,
        _test(portable, name, numbers),
    ]
    return "\n".join(part for part in parts if part)


def _head(portable: Portable, name: str) -> str:
    """Return the comment at the top, and the types and sizes."""
    real, ending = ("double", "") if portable.dtype == np.float64 else ("float", "f")
    functions = "\n".join(f"#define {f} {f.lower()}{ending}" for f in FUNCTIONS)
    lines = "\n".join(f" * {_comment(line)}".rstrip() for line in description(portable))
    return f"""\
/*
{lines}
 *
 * void {name}_predict(const {real} *x, {real} *y) answers for one row.
 * To test it: cc -std=c99 -D{name.upper()}_TEST FILE.c -lm && ./a.out
 */
#include <math.h>

typedef {real} real;

#define R(x) ((real)(x))
{functions}

#define INPUTS {len(portable.cells)}
#define FEATURES {portable.sizes[0]}
#define WIDEST {max(portable.sizes)}
#define OUTPUTS {portable.head.n_outputs}
"""


def _comment(text: str) -> str:
    """Return text for a comment, without what would end it or be read as something else."""
    for word in ("*/", "/*", "??"):
        text = text.replace(word, " ".join(word))
    return text


def _array(kind: str, name: str, values: Array, numbers: Numbers) -> str:
    """Return the definition of a constant array, some numbers on each line."""
    texts = [numbers(value) for value in np.ravel(values)]
    lines = [", ".join(texts[start : start + 6]) for start in range(0, len(texts), 6)]
    body = ",\n    ".join(lines)
    return f"static const {kind} {name}[{len(texts)}] = {{\n    {body}\n}};\n"


def _sigma(layer: Layer, l: int, numbers: Numbers) -> str:
    """Return weights and biases of layer l, and the function that computes it."""
    parameters = {key: numbers(value) for key, value in layer.parameters.items()}
    formula = C.of(layer, parameters)
    units, inputs = layer.W.shape
    arrays = _array("real", f"W{l}", layer.W, numbers) + _array("real", f"b{l}", layer.b, numbers)
    call = f"    dense(W{l}, b{l}, {units}, {inputs}, x, a);\n"
    if layer.activation in C.columnwise:
        inner = f"static void sigma{l}(real *a, int n)\n{{\n{formula}}}\n\n"
        starts = np.cumsum(layer.blocks) - layer.blocks
        for start, width in zip(starts, layer.blocks, strict=True):
            call += f"    sigma{l}(a{f' + {start}' if start else ''}, {width});\n"
    else:
        inner = f"static real sigma{l}(real z)\n{{\n    return {formula};\n}}\n\n"
        call = f"    int i;\n{call}"
        call += f"    for (i = 0; i < {units}; i++) {{\n        a[i] = sigma{l}(a[i]);\n    }}\n"
    return f"{arrays}\n{inner}static void layer{l}(const real *x, real *a)\n{{\n{call}}}\n"


EXPAND = """\
/* Numbers are scaled, categories become one-hot. */
static void expand(const real *x, real *u)
{
    int i, k, j = 0;
    for (i = 0; i < INPUTS; i++) {
        int missing = x[i] != x[i];
        real v;
        for (k = 0; k < levels[i]; k++) {
            u[j++] = x[i] == R(k) ? R(1) : R(0);
        }
        if (levels[i] > 0) {
            continue;
        }
        v = (x[i] - center[j] - rest[j]) / scale[j];<clip>
        u[j++] = <number>;
        if (flags[i]) {
            u[j++] = missing ? R(1) : R(0);
        }
    }
}
"""


def _expand(portable: Portable, numbers: Numbers) -> list[str]:
    """Return the constants and the function that make features of cells."""
    expansion, clip = portable.expansion, ""
    near, rest = portable.centers
    if expansion.clip < float("inf"):
        bound = numbers(portable.limit)
        clip = f"""
        v /= {numbers(expansion.clip)};
        v = v < -{bound} ? -{bound} : v > {bound} ? {bound} : v;
        v = {numbers(expansion.clip)} * v / SQRT(R(1) + v * v);"""
    fill = "missing ? R(0) : v" if portable.fills else "v"
    return [
        _array("real", "center", near, numbers),
        _array("real", "rest", rest, numbers),
        _array("real", "scale", expansion.scaling.scale.astype(portable.dtype), numbers),
        _array("int", "levels", expansion.levels, Numbers(None)),
        _array("int", "flags", expansion.indicator, Numbers(None)),
        EXPAND.replace("<clip>", clip).replace("<number>", fill),
    ]


def _answer(portable: Portable, name: str, numbers: Numbers) -> str:
    """Return the function that answers."""
    head, L = portable.head, len(portable.layers)
    arrays = ""
    if head.output == "variable":
        spell, kind = (Numbers(np.dtype(float)), "double") if head.is_mapped else (numbers, "real")
        arrays = _array(kind, "output_center", head.center, spell)
        arrays += _array(kind, "output_scale", head.scale, spell) + "\n"
    if head.is_mapped:
        if head.map.size:
            arrays += f"#define QUANTILES {len(head.map)}\n" + _array(
                "double", "map", head.map, spell
            )
        arrays += BACK[head.form] + "\n"
    calls = "".join(f"    layer{l}({'uv'[(l - 1) % 2]}, {'uv'[l % 2]});\n" for l in range(1, L + 1))
    total = ""
    if head.form == "shares":
        total = "    for (i = 0; i < OUTPUTS; i++) {\n        total += a[i];\n    }\n"
    unused = "    (void)a;\n" if head.form == "certain" else ""
    return f"""{arrays}\
void {name}_predict(const real *x, real *y);

void {name}_predict(const real *x, real *y)
{{
    real u[WIDEST], v[WIDEST];
    const real *a = {"uv"[L % 2]};
    {"real total = R(0);" if total else ""}
    int i;
    expand(x, u);
{calls}{unused}{total}    for (i = 0; i < OUTPUTS; i++) {{
        {HEADS[head.form].replace("{middle}", numbers(head.middle))}
    }}
}}
""".replace("    \n", "")


def _test(portable: Portable, name: str, numbers: Numbers) -> str:
    """Return the program that compares the function with the model's own answers."""
    cells, answers = portable.samples
    finite = np.isfinite(cells)
    spelled = [
        numbers(value) if ok else "NAN" for value, ok in zip(cells.flat, finite.flat, strict=True)
    ]
    rows = ",\n    ".join(spelled)
    largest = np.maximum(np.abs(answers).max(axis=0), np.finfo(portable.dtype).tiny)
    return f"""\
#ifdef {name.upper()}_TEST
#include <stdio.h>

#define ROWS {len(cells)}

static const real test_x[{cells.size}] = {{
    {rows}
}};

{_array("real", "test_y", answers, numbers)}
{_array("real", "test_size", largest, numbers)}
int main(void)
{{
    real y[OUTPUTS], worst = R(0);
    int n, i;
    for (n = 0; n < ROWS; n++) {{
        {name}_predict(test_x + n * INPUTS, y);
        for (i = 0; i < OUTPUTS; i++) {{
            real gap = FABS(y[i] - test_y[n * OUTPUTS + i]) / test_size[i];
            worst = gap <= worst ? worst : gap;
        }}
    }}
    printf("%d rows, largest relative difference %.3g\\n", ROWS, (double)worst);
    return worst <= R({portable.eps!r}) ? 0 : 1;
}}
#endif
"""
