"""Checkpoints: a training that is broken off and goes on is the training without a break."""

import warnings

import numpy as np
import pytest

import lamina
from lamina.exceptions import (
    CheckpointError,
    CheckpointWarning,
    InvalidTypeError,
    InvalidValueError,
    ModelFileError,
    UnknownNameError,
)
from lamina.interchange import checkpoints as module
from lamina.interchange.container import read, write
from lamina.training import solvers

SOLVERS = solvers.SOLVERS.names()
WAYS = [{}, {"early_stopping": True}, {"n_restarts": 3}]


class BrokenError(Exception):
    """What breaks a training off."""


@pytest.fixture(autouse=True)
def reference(monkeypatch):
    """Let the reference engine evaluate: nothing here depends on the engine."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")


@pytest.fixture(name="problem")
def problem_fixture(draw_problem):
    """Return a small problem."""
    return draw_problem("regression")


def breaking(after):
    """Return an observer that breaks off after so many epochs."""
    left = [after]

    def observe(state, row):
        del state, row
        left[0] -= 1
        if left[0] == 0:
            raise BrokenError

    return observe


def run(problem, folder=None, after=(), **options):
    """Train a copy of the network, with breaks; return it and what `train` returned."""
    options = {"solver": "adam", "max_iter": 14, "random_state": 3, "tol": -np.inf} | options
    options = {"validation": problem.validation} | options
    kept = {}
    if folder is not None:
        kept = {"checkpoints": lamina.Checkpoints(folder, every_epochs=2, resume=True)}
    for epochs in after:
        with pytest.raises(BrokenError):
            lamina.train(fresh(problem), problem.X, problem.T, observers=[breaking(epochs)],
                         **kept, **options)  # fmt: skip
    net = fresh(problem)
    return net, lamina.train(net, problem.X, problem.T, **kept, **options)


def fresh(problem):
    """Return a copy of the network."""
    net = problem.net
    return lamina.Network(
        net.S, net.recipe.activations, error=net.recipe.error, initialization=net.theta,
        dtype=net.dtype,
    )  # fmt: skip


def assert_same(one, other):
    """Assert that two trainings are the same to the last bit, but for the time they took."""
    (net, training), (twin, again) = one, other
    assert np.array_equal(net.theta, twin.theta)
    assert training.stop_reason == again.stop_reason
    first, second = training.state.to_arrays(), again.state.to_arrays()
    assert first.keys() == second.keys()
    for name in first.keys() - {"history.seconds"}:
        assert np.array_equal(first[name], second[name], equal_nan=True), name


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("way", WAYS, ids=["plain", "early_stopping", "restarts"])
def test_resumed_training_is_the_uninterrupted_one(solver, way, problem, tmp_path):
    """Broken off three times and resumed, every solver gives the same bits, in every way."""
    whole = run(problem, solver=solver, **way)
    parts = run(problem, tmp_path, after=(5, 4, 1), solver=solver, **way)
    assert_same(whole, parts)


def test_resumed_training_in_float32_is_the_uninterrupted_one(draw_problem, tmp_path):
    """So it is in single precision, with dropout, a schedule and an order of its own each epoch."""
    problem = draw_problem("classes", dtype="float32")
    options = {"dropout": (0.1, 0.2), "learning_rate": "cosine", "batch_size": 7}
    options["dropout"] = (0.1,) * problem.net.L
    whole = run(problem, **options)
    assert_same(whole, run(problem, tmp_path, after=(3, 6), **options))


def test_resumed_training_stops_where_the_uninterrupted_one_does(problem, tmp_path):
    """A training that ended for want of progress ends there again, however often it is resumed."""
    options = {"tol": 0.5, "n_iter_no_change": 4, "max_iter": 50}
    whole = run(problem, **options)
    assert whole[1].stop_reason == "no_change"
    for _ in range(3):
        assert_same(whole, run(problem, tmp_path, **options))


def test_resumed_training_diverges_as_the_uninterrupted_one(problem, tmp_path):
    """Where J becomes infinite right after a break, the epoch that is kept is the same."""
    options = {"solver": "sgd", "learning_rate_init": 30.0, "batch_size": 60, "shuffle": False}
    options |= {"learning_rate": lamina.training.schedules.Step(every=100), "max_iter": 400}
    problem.T = problem.T * 1e3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = run(problem, **options)
        epochs = whole[1].state.epoch
        assert whole[1].stop_reason == "diverged"
        assert epochs >= 3
        assert_same(whole, run(problem, tmp_path, after=(epochs,), **options))


def test_last_checkpoints_stay(problem, tmp_path):
    """The last three stay by default, others are deleted, and nothing else in the folder is."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".lamina-0.tmp").write_text("left by a process that was killed")
    run(problem, tmp_path, max_iter=12)
    names = sorted(path.name for path in tmp_path.iterdir())
    # 1 is the start, 2 to 6 are of epochs 2, 4, ..., 10: there is no epoch behind the twelfth
    assert names == [*(f"checkpoint-{n:08}.lamina" for n in (4, 5, 6)), "notes.txt"]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_checkpoint_gives_way_to_the_one_before(damage, problem, tmp_path):
    """The newest that is sound is taken, with a warning, and the result is the same."""
    whole = run(problem)
    with pytest.raises(BrokenError):
        run(problem, tmp_path, max_iter=14, observers=[breaking(9)])
    newest = lamina.Checkpoints(tmp_path).paths()[-1]
    data = bytearray(newest.read_bytes())
    data[-5] ^= 1
    newest.write_bytes({"cut": data[:-9], "flip": data, "empty": b""}[damage])
    with pytest.warns(CheckpointWarning, match="The checkpoint before it is taken"):
        parts = run(problem, tmp_path)
    assert_same(whole, parts)


def test_damaged_checkpoints_are_refused(problem, tmp_path):
    """If none is sound, nothing is begun anew silently."""
    run(problem, tmp_path)
    for path in lamina.Checkpoints(tmp_path).paths():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"every checkpoint in .* is damaged"):
        run(problem, tmp_path)


def test_old_checkpoints_are_refused_unless_resumed(problem, tmp_path):
    """A folder of an earlier training is not written to without `resume=True`."""
    run(problem, tmp_path)
    kept = lamina.Checkpoints(tmp_path)
    with pytest.raises(CheckpointError, match=r"resume=True"):
        lamina.train(fresh(problem), problem.X, problem.T, checkpoints=kept)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"learning_rate_init": 0.01}, "learning_rate_init"),
        ({"solver": "sgd"}, "solver"),
        ({"solver": lamina.Adam(beta_1=0.8)}, "solver"),
        ({"max_iter": 15}, "max_iter"),
        ({"random_state": 4}, "seed"),
        ({"validation": None}, "validation X"),
        ({"omega": np.linspace(1, 2, 60)}, "weights"),
    ],
)
def test_other_settings_are_refused(options, name, problem, tmp_path):
    """Whatever would make it another training is refused, and named."""
    run(problem, tmp_path)
    with pytest.raises(CheckpointError, match=rf"different are: .*\b{name}"):
        run(problem, tmp_path, **options)


@pytest.mark.parametrize(("part", "name"), [("X", "X"), ("T", "y"), ("net", "the first θ")])
def test_other_data_are_refused(part, name, problem, tmp_path):
    """One other number in X or T is seen, and so is another first θ."""
    run(problem, tmp_path)
    if part == "net":
        problem.net.theta[3] += 1e-9
    else:
        setattr(problem, part, getattr(problem, part).copy())
        getattr(problem, part)[0, 17] += 1e-9
    with pytest.raises(CheckpointError, match=rf"different are: {name}\."):
        run(problem, tmp_path)


def test_seed_that_nobody_gave_is_that_of_the_checkpoint(problem, tmp_path):
    """With random_state=None the seed that was drawn at first goes on."""
    options = {"random_state": None, "batch_size": 7}
    parts = run(problem, tmp_path, after=(5,), **options)
    assert_same(run(problem, **options | {"random_state": parts[1].state.seed}), parts)


def test_checkpoint_is_a_model_file(problem, tmp_path):
    """`lamina.load` gives the network as it stood; with early stopping that of the best epoch."""
    seen = {}

    def note(state, _):
        seen[state.epoch] = state.best_theta.copy()

    run(problem, tmp_path, early_stopping=True, observers=[note])
    loaded = lamina.load(lamina.Checkpoints(tmp_path).paths()[-1])
    assert np.array_equal(loaded.theta, seen[12])
    assert loaded.recipe == problem.net.recipe


def test_full_disk_does_not_end_a_training(problem, tmp_path, monkeypatch):
    """If a checkpoint cannot be written there is a warning, and training goes on."""
    whole = run(problem)

    def refuse(path, document):
        if path.name != "checkpoint-00000001.lamina":
            raise OSError(28, "no space left")
        write(path, document)

    monkeypatch.setattr(module, "write", refuse)
    with pytest.warns(CheckpointWarning, match="training goes on: .*no space left"):
        assert_same(whole, run(problem, tmp_path))


def test_what_no_file_can_name_is_refused_at_the_start(problem, tmp_path):
    """A schedule that is a function has no name to compare later."""
    with pytest.raises(UnknownNameError, match="not registered"):
        run(problem, tmp_path, learning_rate=lambda epoch: 1.0 / (1.0 + epoch))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"every_epochs": 0}, InvalidValueError),
        ({"every_epochs": 1.5}, InvalidTypeError),
        ({"every_seconds": -1.0}, InvalidValueError),
        ({"every_seconds": None}, InvalidTypeError),
        ({"keep": 0}, InvalidValueError),
    ],
)
def test_options_out_of_range_are_refused(options, kind, tmp_path):
    """Each option has a range, and either epochs or seconds are needed."""
    with pytest.raises(kind, match=next(iter(options))):
        lamina.Checkpoints(tmp_path, **options)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 99), ("epochs", "3"), ("seconds", None), ("solver", "Other"), ("best", {"x": 1})],
)
def test_forged_stage_is_refused(name, value, problem, tmp_path):
    """A checkpoint whose digests are right and whose stage makes no sense is refused."""
    run(problem, tmp_path)
    path = lamina.Checkpoints(tmp_path).paths()[-1]
    document = read(path)
    document.metadata["checkpoint"][name] = value
    write(path, document, overwrite=True)
    with pytest.raises(ModelFileError, match="its stage"):
        run(problem, tmp_path)
