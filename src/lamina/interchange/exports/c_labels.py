"""Which class the answer of a model in C stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.interchange.exports.portable import Head, Portable

    Array = npt.NDArray[Any]


def c_labels(portable: Portable, name: str) -> str:
    """Return the functions that choose a class, or each label, from the answer of a model."""
    head = portable.head
    if head.several:
        return f"""\
/* Whether label k, 0 .. OUTPUTS - 1, is there, from the answer y. */
int {name}_has(const real *y, int k);

int {name}_has(const real *y, int k)
{{
    return y[k] > R({head.threshold!r});
}}
"""
    parts, start = [], 0
    for target, classes in enumerate(head.classes):
        ending = f"_{target}" if len(head.classes) > 1 else ""
        parts.append(
            _choose(head, classes, start, (f"{name}_labels{ending}", f"{name}_class{ending}"))
        )
        start += len(classes)
    return "\n".join(parts)


def _choose(head: Head, classes: Array, start: int, names: tuple[str, str]) -> str:
    """Return the labels of one target, and the function that chooses one of them."""
    if len(classes) == 1:
        body = "    (void)y;\n    return 0;\n"
    elif head.decision == "above":
        body = f"    return y[{int(head.form == 'pair')}] > R({head.threshold!r});\n"
    else:
        body = f"""\
    int i, best = {start};
    for (i = {start + 1}; i < {start + len(classes)}; i++) {{
        if (y[i] > y[best]) {{
            best = i;
        }}
    }}
    return best{f" - {start}" if start else ""};
"""
    texts = ",\n    ".join(quoted(str(label)) for label in classes.tolist())
    labels, function = names
    return f"""\
const char *const {labels}[{len(classes)}] = {{
    {texts}
}};

/* The class, a place in {labels}, from the answer y. */
int {function}(const real *y);

int {function}(const real *y)
{{
{body}}}
"""


def quoted(text: str) -> str:
    """Return a string of C with the text in UTF-8; what is not plain ASCII in octal digits."""
    plain = [
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "surrogatepass")
    ]
    return f'"{"".join(plain)}"'
