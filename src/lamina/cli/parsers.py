"""What the text of an option means; text that means nothing is refused with a hint."""

from __future__ import annotations

from typing import Any

from typer import BadParameter

KINDS = ("numeric", "boolean", "categorical", "datetime")
"""What a column may be told to be; `lamina.data.kinds` cannot be imported before it is needed."""


def sizes(text: str) -> tuple[int, ...]:
    """Return the sizes of the hidden layers, from text as `64,32` or `none`."""
    words = [] if text.strip() == "none" else text.split(",")
    if not all(word.strip().isdecimal() and int(word) > 0 for word in words):
        message = f"{text!r} is no list of layer sizes; write 64,32 for two hidden layers, or none"
        raise BadParameter(message)
    return tuple(int(word) for word in words)


def names(text: str) -> str | list[str]:
    """Return one name, or a list of them where commas stand outside of parentheses."""
    words, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    names = [word.strip() for word in words]
    return names[0] if len(names) == 1 else names


def rate(text: str) -> str | float:
    """Return a positive number, or "auto"."""
    try:
        return text if text == "auto" else float(text)
    except ValueError as problem:
        raise BadParameter(f"{text!r} is neither a number nor auto") from problem


def fraction(value: float) -> float:
    """Refuse what is not from 0 to below 1."""
    if not 0.0 <= value < 1.0:
        raise BadParameter(f"{value:g} is not from 0 to below 1")
    return value


def validation(text: str) -> str | float:
    """Return which rows are watched: auto, block, interleave, or a fraction."""
    if text in {"auto", "block", "interleave"}:
        return text
    try:
        fraction = float(text)
    except ValueError:
        fraction = 0.0
    if not 0.0 < fraction < 1.0:
        message = f"{text!r} is none of auto, block, interleave, nor a fraction between 0 and 1"
        raise BadParameter(message)
    return fraction


def name(text: str) -> str:
    """Return the name of a column without the spaces around it."""
    return text.strip()


def kind(text: str) -> tuple[str, str]:
    """Return name and kind of a column, from text as `code=categorical`."""
    name, sign, kind = text.rpartition("=")
    if not sign or not name.strip() or kind.strip() not in KINDS:
        message = f"{text!r} is no kind of a column; write NAME=KIND, with {', '.join(KINDS)}"
        raise BadParameter(message)
    return name.strip(), kind.strip()


def check_names(hidden: Any, activation: Any, loss: str, solver: str) -> None:
    """Refuse names that nothing has, and a wrong number of activations, before work is done.

    Raises
    ------
    BadParameter
        If one is unknown, or cannot be read.
    """
    from lamina.exceptions import LaminaError
    from lamina.network.activations import get_activation
    from lamina.network.errors import get_error
    from lamina.training.choice import asked_solver

    names = [activation] if isinstance(activation, str) else activation
    checks: list[Any] = [("activation", get_activation, name) for name in names]
    checks += [("solver", asked_solver, solver)]
    checks += [("loss", get_error, loss)] if loss != "auto" else []
    for option, get, name in checks:
        try:
            get(name)
        except LaminaError as problem:
            raise BadParameter(str(problem), param_hint=f"--{option}") from problem
    if len(names) != len(hidden) and not isinstance(activation, str):
        message = f"{len(hidden)} hidden layers need one name, or one for each; got {len(names)}"
        raise BadParameter(message, param_hint="--activation")
