"""The colors of plots: of middle lightness, so that they can be told apart on white and on black.

A page replaces each of them by a variable, which has another value in the dark.
"""

from __future__ import annotations

INK, FAINT, PAPER = "#24292f", "#8a929b", "#fefefe"
BLUE, ORANGE, GREEN, RED = "#2f72b5", "#c9661a", "#2c8c5a", "#c23b4e"
PURPLE, CYAN, BROWN, PINK = "#7d57b8", "#1f8a99", "#8c6239", "#b8499b"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, CYAN, BROWN, PINK)
"""For curves that stand beside each other, in this order."""
POSITIVE, NEGATIVE = BLUE, ORANGE
"""Of weights and slopes by their sign."""

DARK = {
    INK: "#e3e7eb",
    FAINT: "#8d96a0",
    PAPER: "#16191d",
    BLUE: "#6aa9ea",
    ORANGE: "#f0a05a",
    GREEN: "#5cc08c",
    RED: "#f0798a",
    PURPLE: "#b599e8",
    CYAN: "#5cc3d1",
    BROWN: "#c79b6e",
    PINK: "#e58acb",
}
"""What each color is in the dark."""
NAMES = {color: f"--plot-{place}" for place, color in enumerate(DARK)}
"""The variable of each color in a page."""
