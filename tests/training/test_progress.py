"""The progress bar: what it shows, and that it costs little."""

import io

import numpy as np
import pytest
from rich.console import Console

import lamina
from lamina.training import progress
from lamina.training.settings import Settings


def row(epoch, **others):
    """Return a row of the history."""
    numbers = {"loss": 0.123456, "validation_loss": float("nan"), "learning_rate": 0.001}
    return {"epoch": float(epoch), **numbers, **others}


@pytest.fixture(name="shown")
def shown_fixture():
    """Return a function that shows rows of a training and returns what stands on the screen."""

    def shown(*rows, width=80, **settings):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
        bar = progress.make_bar(console)
        moving = progress.Moving(bar, Settings(**settings))
        for each in rows:
            moving(None, each)
        moving.draw()
        with console.capture() as capture:
            console.print(bar.get_renderable())
        return capture.get().rstrip("\n")

    return shown


def test_bar_shows_loss_validation_rate_and_time_left(shown):
    """All of it fits in a terminal of 80 columns, on one line."""
    text = shown(row(1, validation_loss=0.0234567), row(2, validation_loss=0.02), max_iter=200)
    assert text.startswith("epoch   2/200 ")
    assert "loss 0.123 validation 0.02 rate 0.001 " in text
    assert text.endswith(" left")
    assert len(text.splitlines()) == 1
    assert "…" not in text


def test_bar_shows_no_validation_without_any(shown):
    """What is NaN is not shown."""
    assert "loss 0.123 rate 0.001" in shown(row(1), max_iter=5)


def test_bar_of_several_trainings_begins_anew(shown):
    """Each training has the bar for itself, after its number."""
    text = shown(row(1, restart=1.0), row(2, restart=1.0), row(1, restart=2.0), n_restarts=3)
    assert text.startswith("training 2/3   1/200 ")


def test_bar_counts_the_epochs_of_this_call(shown):
    """A training that goes on begins at 0 of its own epochs."""
    assert shown(row(41), row(42), max_iter=10).startswith("epoch  2/10 ")


def test_bar_is_not_drawn_at_every_epoch(shown, monkeypatch):
    """Epochs of microseconds are drawn now and then, and the last one in any case."""
    drawn = []
    monkeypatch.setattr(progress, "in_words", lambda row: drawn.append(row["epoch"]) or "")
    clock = iter(np.arange(0.0, 10.0, 0.01))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    shown(*(row(epoch) for epoch in range(1, 101)))
    assert drawn[0] == 1
    assert drawn[-1] == 100
    assert len(drawn) < 30


def test_verbose_training_shows_the_bar_on_stderr(draw_problem, capsys, monkeypatch):
    """`verbose=True` shows all epochs done, and changes no bit; stdout stays empty."""
    monkeypatch.setenv("LAMINA_ENGINE", "reference")
    thetas = []
    for verbose in (False, True):
        problem = draw_problem("regression")
        options = {"solver": "adam", "max_iter": 30, "tol": -np.inf, "random_state": 0}
        lamina.train(problem.net, problem.X, problem.T, verbose=verbose, **options)
        thetas.append(problem.net.theta)
    assert np.array_equal(*thetas)
    out, err = capsys.readouterr()
    assert "30/30" in err
    assert out == ""
