"""Panels as SVG that a page can color: every color is a variable, text stays text."""

from __future__ import annotations

import re
import warnings
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from lamina.reports.base import require_matplotlib
from lamina.reports.palette import INK, NAMES

if TYPE_CHECKING:
    from lamina.reports.base import Panel

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 8,
    "ytick.color": INK,
    "ytick.labelsize": 8,
}


def to_svg(panel: Panel, number: int) -> str:
    """Return a panel as an SVG element for a page; the number tells its names from others'.

    Raises
    ------
    MissingDependencyError
        If Matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    text = StringIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": f"picture {number}"}), warnings.catch_warnings():
        # the browser has other fonts than Matplotlib
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure = Figure(figsize=(panel.width, panel.height))
        panel.draw(figure.add_subplot())
        figure.tight_layout(pad=0.4)  # once: as a layout engine it would draw everything twice
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _for_a_page(text.getvalue(), panel)


def _for_a_page(svg: str, panel: Panel) -> str:
    """Return Matplotlib's SVG without prolog, with the page's font and variables for colors."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[\w.]+_\d+"', "", svg)  # of groups, which every picture numbers alike
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)
    for color, variable in NAMES.items():
        svg = svg.replace(color, f"var({variable})")
    size = f'style="max-width:{panel.width:.2f}in" role="img" aria-label="{escape(panel.title)}"'
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', rf"<svg {size} \1", svg, count=1)
    return re.sub(r'<svg ([^>]*?) height="[^"]*"', r"<svg \1", svg, count=1)
