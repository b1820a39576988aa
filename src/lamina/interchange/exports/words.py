"""What an export says of itself at its top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lamina

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lamina.interchange.exports.portable import Cell, Portable

MOST = 200
"""Columns, and levels of each, that are listed."""


def description(portable: Portable, *, codes: bool = True) -> Iterator[str]:
    """Yield lines of text: what the model is, takes and answers.

    Parameters
    ----------
    codes : bool
        Whether categories are given as codes, which are then listed.
    """
    head = portable.head
    shape, version = "-".join(map(str, portable.sizes)), lamina.__version__
    yield f"A feed-forward network, {shape}, in {portable.dtype}; written by lamina {version}."
    yield f"Layers: {', '.join(layer.activation for layer in portable.layers)}."
    yield ""
    yield "It takes, in this order:"
    for number, cell in enumerate(portable.cells[:MOST]):
        yield f"  {number}  {_cell(cell, codes=codes)}"
    if len(portable.cells) > MOST:
        yield f"  ... and so on, {len(portable.cells)} in all."
    if portable.fills:
        yield "A missing number is NaN."
    yield ""
    if not head.classes:
        yield f"It answers with {head.n_outputs} predicted number{'s' * (head.n_outputs > 1)}."
        return
    what = "label" if head.several else "class"
    kind = "the probability" if head.output == "probabilities" else "the score"
    single = head.output == "scores" and head.n_outputs == 1
    yield f"It answers with {kind} of {'the second' if single else 'each'} {what}:"
    for target, classes in enumerate(head.classes):
        start = f"target {target}: " if len(head.classes) > 1 else ""
        shown = ", ".join(map(str, classes.tolist()[:MOST]))
        yield f"  {start}{_one_line(shown)}{', ...' * (len(classes) > MOST)}"


def _cell(cell: Cell, *, codes: bool) -> str:
    """Return a cell in words."""
    name = _one_line(cell.name)
    if not cell.codes or not codes:
        return name
    listed = ", ".join(f"{code} {_one_line(text)}" for code, text in enumerate(cell.codes[:MOST]))
    return f"{name}, a code: {listed}{', ...' * (len(cell.codes) > MOST)}"


def _one_line(text: str) -> str:
    """Return text without anything that ends a line or cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
