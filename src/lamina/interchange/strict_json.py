"""JSON that gives back exactly what it was given, and takes nothing that is ambiguous."""

from __future__ import annotations

import json
import math
from typing import Any

from lamina.exceptions import InvalidTypeError, InvalidValueError

_DEPTH_LIMIT = 100  # levels of lists and objects
_BITS_LIMIT = 2048  # of an integer: every Python prints and parses that


def check(value: object, place: str, depth: int = 0) -> None:
    """Raise unless JSON gives the value back exactly.

    Parameters
    ----------
    value : object
        What is to be written as JSON, or was read from it.
    place : str
        Where the value stands, for the message: `metadata['layers'][0]`.
    depth : int, default=0
        How many lists and dicts the value stands in.

    Raises
    ------
    InvalidTypeError
        If a value is not a dict, list, str, int, float, bool or None, or a key not a str.
    InvalidValueError
        If a float is not finite, an integer too long, or the nesting too deep (or endless).
    """
    if depth > _DEPTH_LIMIT:
        raise InvalidValueError(f"{place[:60]}... has over {_DEPTH_LIMIT} levels; flatten it")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidTypeError(f"{place}: expected keys of type str, got {key!r}; use str")
            check(item, f"{place}[{key!r}]", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check(item, f"{place}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidValueError(f"{place}: JSON knows no {value}; use None, a str or a tensor")
    elif isinstance(value, int) and value.bit_length() > _BITS_LIMIT:
        raise InvalidValueError(
            f"{place}: an integer may have {_BITS_LIMIT} bits, got {value.bit_length()}; use a str"
        )
    elif value is not None and not isinstance(value, (str, int, float)):
        raise InvalidTypeError(
            f"{place}: expected dict, list, str, int, float, bool or None, "
            f"got {type(value).__name__}; convert it (list, .item(), .tolist()) or use a tensor"
        )


def dump(value: object) -> str:
    """Return the value as JSON in ASCII, keys sorted, floats exact; `check` it before."""
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))


def parse(text: str | bytes, place: str) -> dict[str, Any]:
    """Parse a JSON object.

    Parameters
    ----------
    text : str or bytes
        JSON, in UTF-8 if it is bytes.
    place : str
        Where the text stands, for the message.

    Returns
    -------
    dict
        The object; `check` still has to look for floats like 1e999 and for depth.

    Raises
    ------
    InvalidValueError
        If the text is not JSON in UTF-8 or not an object, if a key occurs twice in one object,
        or if it holds NaN or Infinity.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise InvalidValueError(f"{place}: has far over {_DEPTH_LIMIT} levels") from error
    except ValueError as error:
        raise InvalidValueError(f"{place}: expected strict JSON, but {error}") from error
    if not isinstance(value, dict):
        raise InvalidValueError(f"{place}: expected a JSON object, got {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
