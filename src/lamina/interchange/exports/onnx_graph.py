"""An ONNX graph while it is built: nodes, constants, and names for everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

ML = "ai.onnx.ml"
"""The operators of ONNX for tables, such as the one that numbers strings."""


class Graph:
    """Nodes and constants; calling it adds an operator and returns the name of what it computes.

    Parameters
    ----------
    dtype : data type
        Of the numbers, float32 or float64.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        """Start without nodes."""
        self.dtype = dtype
        self.nodes: list[tuple[str, list[str], list[str], str, dict[str, Any]]] = []
        self.constants: dict[str, Array] = {}
        self._scalars: dict[tuple[float, str], str] = {}

    def __call__(
        self, op: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any
    ) -> str:
        """Add an operator and return the name of its output."""
        output = output or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append((op, list(inputs), [output], domain, attributes))
        return output

    def constant(self, values: Any, name: str = "constant") -> str:
        """Add an array as it is and return its name."""
        name = f"{name}_{len(self.constants)}"
        self.constants[name] = np.asarray(values)
        return name

    def numbers(self, values: Any, name: str = "numbers") -> str:
        """Add an array in the precision of the graph and return its name."""
        return self.constant(np.asarray(values, dtype=self.dtype), name)

    def scalar(self, value: float) -> str:
        """Return the name of a number, which is added once."""
        key = value, self.dtype.name
        if key not in self._scalars:
            self._scalars[key] = self.numbers(value, "number")
        return self._scalars[key]

    # Operators with numbers as arguments ------------------------------------------------

    def _pair(self, op: str, a: str | float, b: str | float) -> str:
        return self(op, *(x if isinstance(x, str) else self.scalar(float(x)) for x in (a, b)))

    def add(self, a: str | float, b: str | float) -> str:
        """Return a + b."""
        return self._pair("Add", a, b)

    def subtract(self, a: str | float, b: str | float) -> str:
        """Return a - b."""
        return self._pair("Sub", a, b)

    def times(self, a: str | float, b: str | float) -> str:
        """Return a b."""
        return self._pair("Mul", a, b)

    def over(self, a: str | float, b: str | float) -> str:
        """Return a / b."""
        return self._pair("Div", a, b)

    def above(self, a: str | float, b: str | float) -> str:
        """Return whether a > b."""
        return self._pair("Greater", a, b)

    def larger(self, a: str | float, b: str | float) -> str:
        """Return the larger of a and b."""
        return self._pair("Max", a, b)

    def smaller(self, a: str | float, b: str | float) -> str:
        """Return the smaller of a and b."""
        return self._pair("Min", a, b)

    def bounded(self, z: str, low: float, high: float) -> str:
        """Return z cut at low and high."""
        return self.smaller(self.larger(z, low), high)

    def choose(self, condition: str, a: str | float, b: str | float) -> str:
        """Return a where the condition holds, and b elsewhere."""
        a, b = (x if isinstance(x, str) else self.scalar(float(x)) for x in (a, b))
        return self("Where", condition, a, b)
