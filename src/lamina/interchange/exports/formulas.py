"""What the tables of formulas of all languages share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lamina.interchange.exports.portable import Layer


@dataclass(frozen=True)
class Formulas:
    """The formulas of a language.

    Attributes
    ----------
    language : str
        As in messages.
    elementwise, columnwise : mappings of text by the name of an activation
        Of z; a parameter stands as its name in braces.
    helpers : mapping of text by name, optional
        Functions that formulas call, and each other; a later one may call those before it.
    """

    language: str
    elementwise: Mapping[str, str]
    columnwise: Mapping[str, str]
    helpers: Mapping[str, str] = field(default_factory=dict)

    def of(self, layer: Layer, spelled: Mapping[str, str]) -> str:
        """Return the formula of a layer's activation, with its parameters spelled in it.

        Raises
        ------
        InvalidValueError
            If the language has none, as for an activation of the user's own.
        """
        known = {**self.elementwise, **self.columnwise}
        require_known(layer.activation, known, self.language)
        formula = known[layer.activation]
        for name, text in spelled.items():
            formula = formula.replace("{" + name + "}", text)
        return formula

    def needed(self, texts: Iterable[str]) -> list[str]:
        """Return the helpers that some text calls, in an order in which they can be written."""
        everything = " ".join(texts)
        chosen: list[str] = []
        for name, body in reversed(list(self.helpers.items())):
            if re.search(rf"\b{name}\b", everything):
                chosen.append(body)
                everything += " " + body
        return chosen[::-1]


def require_known(activation: str, known: Mapping[str, Any], language: str) -> None:
    """Refuse an activation that a language has no formula for.

    Raises
    ------
    InvalidValueError
        If it has none.
    """
    if activation not in known:
        message = (
            f"there is no formula in {language} for the activation {activation!r}: exports know "
            f"Lamina's own, {', '.join(sorted(known))}; train with one of these to export"
        )
        raise InvalidValueError(message)


def identifier(text: str, otherwise: str = "model") -> str:
    """Return a name that C, Python and MATLAB accept, close to the text."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")
    if not name:
        return otherwise
    return f"{otherwise}_{name}" if name[0].isdigit() else name


class Numbers:
    """Spells numbers with the fewest digits that give back the same number of a precision."""

    def __init__(self, dtype: np.dtype[Any] | None, ending: str = "") -> None:
        """Spell numbers of a floating-point type, or integers if there is none."""
        self.dtype, self.ending = dtype, ending

    def __call__(self, value: Any) -> str:
        """Return the number as text."""
        if self.dtype is None:
            return str(int(value))
        number = self.dtype.type(value)
        text = np.format_float_scientific(number, trim="0")
        plain = repr(float(str(number)))
        return (plain if len(plain) <= len(text) else text) + self.ending
