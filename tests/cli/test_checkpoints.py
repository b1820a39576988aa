"""`lamina train --checkpoints`: what a training wrote down, another process goes on from."""

import numpy as np
import pytest

import lamina
from lamina.cli.console import ERROR, USAGE


@pytest.fixture(name="train")
def train_fixture(run, tables, tmp_path, monkeypatch):
    """Return a function that trains on a table with more options, and the model file."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")
    out = tmp_path / "m.lamina"
    words = ["train", tables["iris"], "--target", "target", "-o", out, "--overwrite", "--quiet"]
    words += ["--hidden", "4", "--solver", "adam", "--max-iter", "12"]
    return lambda *more: run(*words, *more), out


def test_resumed_command_gives_the_same_model(train, tmp_path):
    """With its last checkpoints only, the command ends with the same bits as without any."""
    command, out = train
    kept = ("--checkpoints", tmp_path / "run", "--every", "0")
    thetas = []
    for options in ((), kept, (*kept, "--resume")):
        result = command(*options)
        assert (result.code, result.err) == (0, "")
        thetas.append(lamina.load(out).network_.theta)
    assert np.array_equal(thetas[0], thetas[1])
    assert np.array_equal(thetas[0], thetas[2])
    paths = sorted((tmp_path / "run").iterdir())
    assert [lamina.load(path).n_iter_ for path in paths] == [9, 10, 11]


def test_another_command_is_refused(train, tmp_path):
    """Neither an old folder without --resume nor other options with it are taken silently."""
    command, _ = train
    kept = ("--checkpoints", tmp_path / "run")
    assert command(*kept).code == 0
    again = command(*kept)
    assert (again.code, len(again.err.splitlines())) == (ERROR, 1)
    assert "holds checkpoints of an earlier training" in again.err
    other = command(*kept, "--resume", "--seed", "7")
    assert other.code == ERROR
    assert "the checkpoint is of another training; different are:" in other.err


@pytest.mark.parametrize("option", [("--resume",), ("--every", "5")])
def test_options_without_a_folder_are_refused(option, train):
    """What is about checkpoints needs their folder."""
    result = train[0](*option)
    assert result.code == USAGE
    assert "give their folder by --checkpoints FOLDER" in result.err
