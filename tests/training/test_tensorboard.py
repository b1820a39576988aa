"""TensorBoard: the events in the folder are the history."""

import pickle
import struct
import sys

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_score

import lamina
from lamina.exceptions import MissingDependencyError


@pytest.fixture(autouse=True)
def reference(monkeypatch):
    """Let the reference engine evaluate: nothing here depends on the engine."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")


def events(folder):
    """Return tag, epoch and value of every scalar in a folder's event file.

    A record is its length, 8 bytes, a checksum, 4, the event, and another checksum.
    """
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.iterdir()
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
        data = data[16 + length :]
    return found


def in_float32(history, *names):
    """Return what events there must be of columns of a history: TensorBoard has float32."""
    epochs = [int(epoch) for epoch in history["epoch"]]
    return {(n, e, float(np.float32(v))) for n in names for e, v in zip(epochs, history[n])}  # noqa: B905 - columns are equally long


NAMES = ["loss", "gradient_norm", "learning_rate", "seconds"]


def test_callback_writes_the_history_of_an_estimator(tmp_path):
    """Every number of every epoch is in the event file, NaN left out."""
    X, y = load_diabetes(return_X_y=True)
    model = lamina.FeedForwardRegressor((3,), solver="adam", max_iter=5, random_state=0)
    model.set_callbacks(lamina.TensorBoard(tmp_path / "runs")).fit(X, y)
    (folder,) = (tmp_path / "runs").iterdir()
    assert set(events(folder)) == in_float32(model.history_, *NAMES)
    assert len(events(folder)) == 5 * len(NAMES)


def test_callback_keeps_trainings_and_fits_apart(tmp_path):
    """Each fit has a folder of its own, and each of several trainings a group of its own."""
    X, y = load_diabetes(return_X_y=True)
    model = lamina.FeedForwardRegressor((3,), solver="adam", max_iter=2, n_restarts=2)
    model.set_callbacks(lamina.TensorBoard(tmp_path))
    cross_val_score(model, X, y, cv=3)
    folders = list(tmp_path.iterdir())
    assert len(folders) == 3
    tags = {tag for tag, *_ in events(folders[0])}
    assert tags == {f"training_{k}/{name}" for k in (1, 2) for name in NAMES}


def test_observer_writes_the_history_of_a_network(draw_problem, tmp_path):
    """It is an observer of `lamina.train` too, validation and all."""
    problem = draw_problem("regression")
    with lamina.TensorBoard(tmp_path) as board:
        training = lamina.train(
            problem.net, problem.X, problem.T, validation=problem.validation,
            solver="lbfgs", max_iter=4, observers=[board],
        )  # fmt: skip
    (folder,) = tmp_path.iterdir()
    assert set(events(folder)) == in_float32(training.history, *NAMES, "validation_loss")


def test_board_can_be_pickled(tmp_path):
    """Searches send callbacks to other processes, while files are open."""
    board = lamina.TensorBoard(tmp_path)
    board(None, {"epoch": 1.0, "loss": 0.5})
    assert pickle.loads(pickle.dumps(board)).folder == tmp_path  # noqa: S301 - our own
    board.close()


def test_missing_library_is_named(tmp_path, monkeypatch):
    """Without tensorboardX the message says what to install, before training begins."""
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    model = lamina.FeedForwardRegressor((3,)).set_callbacks(lamina.TensorBoard(tmp_path))
    with pytest.raises(MissingDependencyError, match=r"pip install 'lamina\[tensorboard\]'"):
        model.fit([[0.0], [1.0]], [0.0, 1.0])
    assert list(tmp_path.iterdir()) == []
