"""The gallery: each example runs as it stands, draws, and shows what its text says."""

import runpy
from pathlib import Path

import numpy as np
import pytest

plt = pytest.importorskip("matplotlib.pyplot", reason="the gallery draws with matplotlib")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(name="example")
def run_of_example(monkeypatch, tmp_path):
    """Return a function that runs an example, in an empty folder, and returns its names."""
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")

    def run(name):
        names = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert plt.get_fignums()
        assert list(tmp_path.iterdir()) == []
        return names

    yield run
    plt.close("all")


def test_examples_are_tested():
    """Every example has a test here, or one of its own."""
    tested = Path(__file__).read_text("utf-8")
    missing = [p.stem for p in EXAMPLES.glob("*.py") if f'example("{p.stem}")' not in tested]
    assert missing == ["from_scratch"]


def test_sine_bars_grow_where_there_are_no_data(example):
    """Bars are wider in the gap than among the data, and hold the truth there nearly always."""
    names = example("sine_error_bars")
    x, std, error = names["grid"], names["std"], names["mean"] - np.sin(2 * names["grid"])
    among = ((x > 0.3) & (x < 2)) | ((x > 4) & (x < 5.7))
    assert std[(x > 2.7) & (x < 3.3)].mean() > 1.5 * std[among].mean()
    assert np.mean(np.abs(error) < 2 * std) > 0.9


def test_spirals_are_told_apart(example):
    """All points but a few of both spirals are on their side."""
    names = example("two_spirals")
    assert names["model"].score(names["X"], names["labels"]) > 0.99


def test_digits_are_read(example):
    """More than nine of ten unseen digits are read right."""
    assert example("digits")["accuracy"] > 0.92


def test_rosenbrock_is_learned_by_levenberg_marquardt(example):
    """J ends well below that of Adam, and the surface is close on a grid of its own."""
    names = example("rosenbrock")
    ends = {name: model.loss_curve_[-1] for name, model in names["models"].items()}
    assert ends["levenberg_marquardt"] < ends["adam"] / 5
    assert names["error"] < 0.3


def test_quantiles_hold_their_share(example):
    """Between the quantiles of 10 and 90 % lie about 80 % of the points: 4 % are allowed."""
    assert abs(example("quantiles")["inside"] - 0.8) < 0.04


def test_custom_activation_goes_on_outside_the_data(example):
    """Beyond the data, snake is nearer to the truth than tanh."""
    names = example("custom_activation")
    x = np.linspace(4, 8, 100)
    errors = {
        name: np.mean((model.predict(x[:, np.newaxis]) - np.sin(1.5 * x) - 0.3 * x) ** 2)
        for name, model in names["models"].items()
    }
    assert errors["snake"] < errors["tanh"] / 10


def test_diabetes_intervals_cover(example):
    """Of 177 unseen patients about 80 % are inside; five standard errors, 15 %, are allowed."""
    assert abs(np.mean(example("diabetes_intervals")["inside"]) - 0.8) < 0.15


def test_reports_are_drawn(example):
    """Each of the four reports is a picture of its own, of a model that predicts."""
    names = example("reports")
    assert len(plt.get_fignums()) >= 4
    assert names["model"].score(names["X_test"], names["y_test"]) > 0.2
