"""A process may die, race or read at any moment of a saving: the model file stays whole."""

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from lamina.exceptions import ModelExistsError
from lamina.interchange.container import Document, read, write

KILLS = int(os.environ.get("LAMINA_TEST_KILLS", "40"))
RACES = 15
SEED = 11

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forked")

START = """
import json, os, random, signal, sys, time
from pathlib import Path
import numpy as np
from lamina.exceptions import ModelExistsError
from lamina.interchange.container import Document, read, write

path, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random = random.Random(seed)
documents = [
    Document("network", {"number": k}, {"W": np.full(50_000 * (k + 1), float(k))}) for k in range(4)
]

def number(document):
    k = document.metadata["number"]
    assert np.array_equal(document.tensors["W"], documents[k].tensors["W"])
    return k
"""

KILL = """
def save_forever(pipe):
    while True:
        for k in range(4):
            write(path, documents[k], overwrite=True)
            os.write(pipe, b"x")

found = [0] * 4
write(path, documents[0])
for _ in range(count):
    source, pipe = os.pipe()
    if (child := os.fork()) == 0:
        try:
            save_forever(pipe)
        finally:
            os._exit(1)
    os.close(pipe)
    assert os.read(source, 1)  # it has begun
    time.sleep(random.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    os.close(source)
    found[number(read(path))] += 1
left = [other.name for other in path.parent.iterdir() if other != path]
assert all(name.startswith(".lamina-") and name.endswith(".tmp") for name in left), left
print(json.dumps({"found": found, "left": len(left)}))
"""

RACE = """
def refuse(*args, **kwargs):
    raise PermissionError(1, "no hard links here")

if sys.argv[4] == "no links":
    os.link = refuse
winners = []
for _ in range(count):
    source, pipe = os.pipe()
    children = []
    for k in range(4):
        if (child := os.fork()) == 0:
            code = 2
            try:
                os.close(pipe)
                os.read(source, 1)  # returns in all children at once, when the pipe is closed
                write(path, documents[k])
                code = 0
            except ModelExistsError:
                code = 1
            finally:
                os._exit(code)
        children.append(child)
    os.close(pipe)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    os.close(source)
    assert sorted(codes) == [0, 1, 1, 1], codes
    assert codes[number(read(path))] == 0
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    winners.append(codes.index(0))
    path.unlink()
print(json.dumps(winners))
"""


def run(script, *arguments):
    """Run a script in a fresh process, which may fork as it likes; return what it prints."""
    command = [sys.executable, "-c", START + script, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, check=False, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_killed_saving_leaves_whole_file(tmp_path):
    """After kill -9 at random moments of an overwriting, the file is one of the saved models."""
    outcome = run(KILL, tmp_path / "m", KILLS, SEED)
    assert sum(outcome["found"]) == KILLS
    assert outcome["left"] > 0, outcome  # some were killed before the new name was given


@pytest.mark.parametrize("way", ["links", "no links"])
def test_racing_savings_have_one_winner(tmp_path, way):
    """Of four processes that save to one new path at once, one succeeds and three are told so."""
    winners = run(RACE, tmp_path / "m", RACES, SEED, way)
    assert len(winners) == RACES


def test_reading_during_overwriting_finds_whole_file(tmp_path):
    """A reader sees the model from before or after an overwriting, never a mixture or nothing."""
    documents = [Document("network", {"k": k}, {"W": np.full(9999, float(k))}) for k in range(2)]
    write(tmp_path / "m", documents[0])

    def overwrite():
        for k in range(100):
            write(tmp_path / "m", documents[k % 2], overwrite=True)

    writer = threading.Thread(target=overwrite)
    writer.start()
    while writer.is_alive():
        document = read(tmp_path / "m")
        assert (document.tensors["W"] == document.metadata["k"]).all()
    writer.join()


def test_racing_threads_have_one_winner(tmp_path):
    """Of eight threads that save to one new path at once, exactly one succeeds."""
    barrier = threading.Barrier(8)
    outcomes = []

    def save(k):
        barrier.wait()
        try:
            write(tmp_path / "m", Document("network", {"k": k}, {}))
        except ModelExistsError:
            outcomes.append(None)
        else:
            outcomes.append(k)

    threads = [threading.Thread(target=save, args=[k]) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(k is None for k in outcomes) == [False] + 7 * [True]
    assert read(tmp_path / "m").metadata["k"] in outcomes
