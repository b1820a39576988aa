"""Checkpoints of processes that are killed."""

import os
import subprocess
import sys

import pytest

KILLED = """
import os, signal, sys
import numpy as np
import lamina

folder, last = sys.argv[1], int(sys.argv[2])
X = np.random.default_rng(0).normal(size=(3, 90))
net = lamina.Network([3, 6, 1], ["tanh", "identity"], random_state=1)

def kill(state, row):
    if state.epoch == last:
        os.kill(os.getpid(), signal.SIGKILL)

kept = lamina.Checkpoints(folder, every_seconds=0.0, resume=True) if folder else None
options = {"batch_size": 8, "max_iter": 20, "tol": -np.inf, "random_state": 5, "solver": "adam"}
lamina.train(net, X, np.sin(X[:1]), observers=[kill], checkpoints=kept, **options)
sys.stdout.write(net.theta.tobytes().hex())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_process_resumes_bit_for_bit(tmp_path, monkeypatch):
    """After kill -9 in three processes, a fourth ends with the θ of one that was never killed."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")  # quick to begin

    def process(folder, last):
        command = [sys.executable, "-c", KILLED, str(folder), str(last)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    killed = [process(tmp_path / "run", last).returncode for last in (1, 8, 17)]
    assert killed == [-9, -9, -9]
    resumed, whole = process(tmp_path / "run", 0), process("", 0)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert resumed.stdout == whole.stdout != ""
