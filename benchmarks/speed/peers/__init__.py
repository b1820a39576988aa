"""The peers: each module has `MAKERS`, from kinds of task to functions that set one up.

A maker takes the task and returns functions by name, ways that the peer's own experts might
choose among; each builds and returns `run`. `run(k)` does the task k times, an epoch being one
time, and returns the units it did. A second function may be returned that gives the loss then.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec


@dataclass(frozen=True)
class Peer:
    """How a peer is called, what it needs, and whose versions count."""

    title: str
    packages: tuple[str, ...]
    needs_compiler: bool = False

    def missing(self) -> str:
        """Return why the peer cannot be measured here; empty if it can."""
        absent = [name for name in self.packages if not find_spec(name)]
        if absent:
            return f"{', '.join(absent)} not installed"
        if self.needs_compiler and not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
            return "no C++ compiler found"
        return ""

    def versions(self) -> dict[str, str]:
        """Return the version of each package."""
        names = {"sklearn": "scikit-learn"}
        return {name: version(names.get(name, name)) for name in self.packages}


PEERS = {
    "lamina": Peer("Lamina", ("lamina", "numba", "numpy", "scipy")),
    "sklearn": Peer("scikit-learn", ("sklearn",)),
    "torch": Peer("PyTorch", ("torch",)),
    "compiled_torch": Peer("torch.compile", ("torch",), needs_compiler=True),
    "jax": Peer("JAX", ("jax", "jaxlib")),
    "onnx": Peer("ONNX Runtime", ("onnx", "onnxruntime")),
    "numpy": Peer("NumPy GEMM", ("numpy",)),
}


class Unable(Exception):
    """What a peer cannot do here, and why."""


def repeated(once, units: int = 1):
    """Return `run` of something that is done one time after the other."""

    def run(times: int) -> int:
        for _ in range(times):
            once()
        return times * units

    return run
