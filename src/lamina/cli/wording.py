"""What Python is told in messages, as the command line takes it."""

from __future__ import annotations

import re

_KIND = re.compile(
    r"column_kinds=\{(?P<name>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"): '(?P<kind>\w+)'\}"
)


def in_options(message: str) -> str:
    """Return a message with the options of the command line in place of parameters.

    Examples
    --------
    >>> in_options("leave it out with column_kinds={'my id': 'drop'}")
    "leave it out with --drop 'my id'"
    >>> in_options("or say column_kinds={'code': 'categorical'}")
    "or say --kind 'code'=categorical"
    """

    def option(found: re.Match[str]) -> str:
        name, kind = found["name"], found["kind"]
        return f"--drop {name}" if kind == "drop" else f"--kind {name}={kind}"

    return _KIND.sub(option, message)
