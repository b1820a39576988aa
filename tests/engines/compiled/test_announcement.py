"""The line that says why the first use takes some seconds: who sees it, and how often."""

import io
import logging
import os
import subprocess
import sys

import pytest

from lamina.engines.compiled import kernels

OutStream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
Terminal = type("Terminal", (io.StringIO,), {"isatty": lambda _: True})
OnlyWrites = type("OnlyWrites", (), {"write": lambda *_: None})


def closed():
    """Return a stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS = {  # what stderr is, and whether a person sees it
    "terminal": (Terminal, True),
    "notebook": (OutStream, True),
    "redirected": (io.StringIO, False),
    "closed": (closed, False),
    "only writes": (OnlyWrites, False),
    "none": (lambda: None, False),  # as of pythonw
}


@pytest.mark.parametrize("kind", STREAMS)
def test_person_is_seen_on_terminals_and_in_notebooks(kind, monkeypatch):
    """A terminal or a notebook has a reader; a file, a pipe or nothing at all has none."""
    make, watched = STREAMS[kind]
    monkeypatch.setattr(sys, "stderr", make())
    assert kernels.is_watched() is watched


@pytest.mark.parametrize("kind", STREAMS)
def test_announcement_is_loud_only_before_a_person(kind, monkeypatch, caplog):
    """It is logged once: as a warning where somebody reads it, as information elsewhere."""
    make, watched = STREAMS[kind]
    caplog.set_level(logging.INFO, "lamina")
    monkeypatch.setattr(sys, "stderr", make())
    kernels.announce.cache_clear()
    kernels.announce()
    kernels.announce()
    assert [record.levelno for record in caplog.records] == [
        logging.WARNING if watched else logging.INFO
    ]
    assert str(kernels.cache_folder()) in caplog.text


FIRST = """
import io, sys
import numpy as np
OutStream = type("OutStream", (io.TextIOWrapper,), {"__module__": "MODULE"})
sys.stderr = OutStream(sys.stderr.buffer, line_buffering=True)
from lamina.engines.compiled.kernels import kernels
def nothing(address: int) -> float:
    return 0.0
def another(address: int) -> float:
    return 1.0
for template in (nothing, another):
    kernels(np.dtype("float64")).make(template)
"""


@pytest.mark.parametrize(("module", "lines"), [("ipykernel.iostream", 1), ("io", 0)])
def test_one_line_is_seen_while_the_cache_is_empty(module, lines, tmp_path):
    """A notebook shows a single line when the first kernel is compiled; a pipe stays empty."""
    command = [sys.executable, "-W", "error", "-c", FIRST.replace("MODULE", module)]
    ours = {"LAMINA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    said = []
    for _ in range(2):  # the second time all is loaded
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | ours, check=True, timeout=120
        )
        said.append(done.stderr.splitlines())
    assert [len(words) for words in said] == [lines, 0]
    assert all("compiling for the first time" in words for words in said[0])
