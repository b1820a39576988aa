r"""Equations as MathML, which browsers show without scripts, fonts or network.

docutils translates LaTeX; this module only hands it over. ``\tag{4.2}`` in a displayed equation is
its number: it stands at the right, and is the anchor ``eq-4.2``.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOG = logging.getLogger(__name__)
TAG = re.compile(r"\s*\\tag\{([^}]*)\}")


def numbers(latex: str) -> list[str]:
    """Return the numbers that the tags of an equation give it."""
    return TAG.findall(latex)


def translated(latex: str, node: nodes.Node, *, display: bool) -> str:
    """Return MathML, or warn and return the LaTeX where docutils does not know a command."""
    try:
        return tex2mathml(latex, as_block=display).strip()
    except MathError as problem:
        LOG.warning("%s", problem, location=node)
        return f"<code>{html.escape(latex)}</code>"


def visit_inline(writer: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    writer.body.append(translated(node.astext(), node, display=False))
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.math_block) -> None:
    """Write a displayed equation, with its number if it has one."""
    latex = node.astext()
    number = ", ".join(f"({number})" for number in numbers(latex))
    anchors = "".join(f'<span id="eq-{number}"></span>' for number in numbers(latex))
    formula = translated(TAG.sub("", latex), node, display=True)
    label = f'<span class="equation-number">{number}</span>' if number else ""
    writer.body.append(
        f'<div class="equation">{anchors}<div class="equation-body">{formula}</div>{label}</div>\n'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
