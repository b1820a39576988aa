"""Docstrings are plain text with `names` in backticks, written to be read in a terminal.

What reStructuredText would take for markup is escaped: the underscore at the end of `n_iter_`
(a link there) and bars around |w| (a substitution). An indented block after a colon is shown as it
is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
MARKUP = re.compile(r"(?<=\w)_(?!\w)|[|*]")


def escape(line: str) -> str:
    """Return a line without markup outside its backticks; a doctest is left alone."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = CODE.split(line)
    parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def indent(line: str) -> int:
    """Return the number of blanks that a line begins with."""
    return len(line) - len(line.lstrip())


def escaped(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a docstring, escaped, with blocks after a colon made literal."""
    literal: int | None = None
    in_doctest = False
    for number, line in enumerate(lines):
        in_doctest = bool(line.strip()) and (in_doctest or line.lstrip().startswith(">>>"))
        if literal is not None and line.strip() and indent(line) <= literal:
            literal = None
        opens = line.rstrip().endswith(":") and not line.rstrip().endswith("::")
        if literal is not None or in_doctest:
            yield line
        elif opens and _block_follows(lines, number):
            literal = indent(line)
            yield escape(line.rstrip()) + ":"
        else:
            yield escape(line)


def _block_follows(lines: list[str], number: int) -> bool:
    """Tell whether a blank line and then a deeper one come after the line of a number."""
    after = lines[number + 1 : number + 3]
    return len(after) == 2 and not after[0].strip() and indent(after[1]) > indent(lines[number])


def process(_app: Sphinx, kind: str, _name: str, _thing: Any, _options: Any, lines: Any) -> None:
    """Escape a docstring in place, as autodoc wants it."""
    lines[:] = list(escaped(list(lines)))
    if kind in ("attribute", "data", "property") and lines:
        lines[0] = f": {lines[0]}"  # napoleon takes what stands before the first colon for a type


def skip(_app: Sphinx, _kind: str, _name: str, thing: Any, skipped: bool, _options: Any) -> bool:  # noqa: FBT001 - called by Sphinx
    """Leave out what scikit-learn adds to every estimator, and describes itself."""
    homes = {str(getattr(part, "__module__", "")) for part in (thing, type(thing))}
    return skipped or any(home.startswith("sklearn.") for home in homes)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at docstrings before napoleon does."""
    app.connect("autodoc-process-docstring", process, priority=100)
    app.connect("autodoc-skip-member", skip)
    app.config.default_role = "literal"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
