"""A citation such as (4.2), in a page or a docstring, leads to the equation.

Where a page displays an equation under that number (see `mathml`), the number in parentheses
becomes a link to it; a number that no page displays stays text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from mathml import numbers
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

CITATION = re.compile(r"(?<![\w)\]])\(([1-4]\.[1-9]\d?|[cu]\d)\)")
NOT_PROSE = (nodes.literal, nodes.literal_block, nodes.doctest_block, nodes.reference)
NOT_PROSE += (nodes.math, nodes.math_block, nodes.raw, nodes.title)


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Remember which equations a page displays."""
    homes = _homes(app.env)
    for block in doctree.findall(nodes.math_block):
        homes.update(dict.fromkeys(numbers(block.astext()), app.env.docname))


def forget(_app: Sphinx, env: Any, page: str) -> None:
    """Forget a page that is read again."""
    for number in [number for number, home in _homes(env).items() if home == page]:
        del _homes(env)[number]


def merge(_app: Sphinx, env: Any, _pages: Any, other: Any) -> None:
    """Add what another process has read."""
    _homes(env).update(_homes(other))


class Cite(SphinxPostTransform):
    """Turn citations into links."""

    default_priority: ClassVar[int] = 900

    def run(self, **_options: Any) -> None:
        """Look at all prose of a page."""
        for text in list(self.document.findall(nodes.Text)):
            if not _is_prose(text) or not CITATION.search(text):
                continue
            text.parent.replace(text, list(self._linked(str(text))))

    def _linked(self, text: str) -> Iterator[nodes.Node]:
        """Yield the parts of a text, with its citations as links."""
        end = 0
        for match in CITATION.finditer(text):
            home = _homes(self.env).get(match[1])
            if home is None:
                continue
            yield nodes.Text(text[end : match.start()])
            page = self.app.builder.get_relative_uri(self.env.docname, home)
            link = nodes.reference("", match[0], internal=True, refuri=f"{page}#eq-{match[1]}")
            link["classes"].append("equation-link")
            yield link
            end = match.end()
        yield nodes.Text(text[end:])


def _is_prose(node: nodes.Node) -> bool:
    """Tell whether a text stands in no code, formula, link or heading."""
    while node is not None:
        if isinstance(node, NOT_PROSE):
            return False
        node = node.parent
    return True


def _homes(env: Any) -> dict[str, str]:
    """Return the page of each equation."""
    if not hasattr(env, "lamina_equations"):
        env.lamina_equations = {}
    return env.lamina_equations  # type: ignore[no-any-return]  # an environment holds anything


def setup(app: Sphinx) -> dict[str, bool]:
    """Collect while pages are read, link while they are written."""
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.add_post_transform(Cite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
