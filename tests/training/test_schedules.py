"""Schedules beside their formulas, written in other words; and that training follows them."""

import math

import numpy as np
import pytest

import lamina
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import InvalidTypeError, InvalidValueError, LaminaError, UnknownNameError
from lamina.training.loop import train
from lamina.training.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Custom,
    Exponential,
    InverseTime,
    OneCycle,
    Schedule,
    Step,
    get_schedule,
)
from lamina.training.settings import Settings
from lamina.training.solvers import Adam
from lamina.training.state import TrainingState
from lamina.training.train import _data

TIMES = [0.0, 0.25, 1.0, 2.5, 5.999, 6.0, 9.0, 19.5, 20.0, 30.0, 59.9, 60.0, 100.0]


def cosine(t, length, final):
    """Return the way from 1 to `final`, with cos² for the half cosine."""
    return final + (1 - final) * math.cos(math.pi / 2 * min(t / length, 1)) ** 2


def one_cycle(t, length, rise, start, final):
    """Return the way from `start` up to 1 and down to `final`, with sin² and cos²."""
    done = min(t / length, 1)
    if done <= rise:
        return start + (1 - start) * math.sin(math.pi / 2 * done / rise) ** 2
    return cosine((done - rise) / (1 - rise), 1, final)


FORMULAS = [  # a schedule, and its factor at time t of n planned epochs
    (Constant(), lambda *_: 1.0),
    (Step(), lambda t, _: 0.1 ** math.floor(t / 30)),
    (Step(6, 0.5), lambda t, _: 2.0 ** -math.floor(t / 6)),
    (Step(2.5, 2.0), lambda t, _: 2.0 ** math.floor(t / 2.5)),
    (Exponential(), lambda t, _: math.exp(t * math.log(0.98))),
    (Exponential(0.5), lambda t, _: 2.0**-t),
    (InverseTime(), lambda t, _: 10 / (10 + t)),
    (InverseTime(2.0), lambda t, _: 0.5 / (0.5 + t)),
    (Cosine(), lambda t, n: cosine(t, n, 0.0)),
    (Cosine(final=0.2), lambda t, n: cosine(t, n, 0.2)),
    (Cosine(6, 0.1), lambda t, _: cosine(t, 6, 0.1)),
    (OneCycle(), lambda t, n: one_cycle(t, n, 0.3, 0.04, 1e-4)),
    (OneCycle(9, 0.5, 0.0, 0.25), lambda t, _: one_cycle(t, 9, 0.5, 0.0, 0.25)),
    (Custom(lambda t: 1 / (1 + t) ** 2), lambda t, _: (1 + t) ** -2.0),
]
IDS = [f"{type(schedule).__name__}{place}" for place, (schedule, _) in enumerate(FORMULAS)]


@pytest.mark.parametrize(("schedule", "formula"), FORMULAS, ids=IDS)
@pytest.mark.parametrize("epochs", [1, 20, 60])
def test_schedule_is_its_formula(epochs, schedule, formula):
    """At every time, the ends and what is beyond them included, the factor is the formula's."""
    expected = [formula(time, epochs) for time in TIMES]
    factors = [schedule(time, epochs) for time in TIMES]
    assert all(type(factor) is float for factor in factors)
    np.testing.assert_allclose(factors, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in FORMULAS], ids=IDS)
@pytest.mark.parametrize(("epoch", "steps"), [(0, 1), (3, 7), (19, 2)])
def test_factors_of_an_epoch_are_those_at_its_steps(epoch, steps, schedule):
    """Step k of n has the factor at the time epoch + k / n."""
    expected = [schedule(epoch + k / steps, 20) for k in range(steps)]
    np.testing.assert_array_equal(schedule.factors(epoch, steps, 20), expected)


def test_every_schedule_has_its_formula():
    """No schedule that has a name is missing in the list above."""
    tested = {type(schedule) for schedule, _ in FORMULAS}
    assert {type(SCHEDULES.make(name)) for name in SCHEDULES.names()} == tested - {Custom}


def test_one_cycle_has_its_summit_where_it_says():
    """It begins at `start`, reaches 1 at `rise`, ends at `final`, and never jumps."""
    schedule, times = OneCycle(rise=0.25, start=0.1, final=0.01), np.linspace(0, 40, 4001)
    factors = np.array([schedule(time, 40) for time in times])
    np.testing.assert_allclose(factors[[0, 1000, 4000]], [0.1, 1.0, 0.01], rtol=1e-12)
    assert np.argmax(factors) == 1000
    assert np.abs(np.diff(factors)).max() < 2e-3


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("constant", Constant()),
        ("step", Step(30, 0.1)),
        ("step(every=10)", Step(10, 0.1)),
        ("step(10, 0.5)", Step(10, 0.5)),
        ("exponential(0.9)", Exponential(0.9)),
        ("inverse_time(rate=0.5)", InverseTime(0.5)),
        ("cosine", Cosine(None, 0.0)),
        ("cosine(epochs=50, final=0.1)", Cosine(50, 0.1)),
        ("one_cycle(epochs=10)", OneCycle(10)),
    ],
)
def test_schedule_is_read_and_written(text, schedule):
    """A name with its parameters is that schedule, and is written so that it can be read."""
    assert get_schedule(text) == get_schedule(schedule) == schedule
    assert get_schedule(SCHEDULES.text(schedule)) == schedule


@pytest.mark.parametrize(
    ("spec", "kind", "words"),
    [
        ("linear", UnknownNameError, "unknown schedule 'linear'; known: constant, cosine"),
        ("step(10", UnknownNameError, "cannot read schedule"),
        ("step(size=10)", InvalidTypeError, "does not take"),
        ("step(1, 2, 3)", InvalidTypeError, "every, factor, once each"),
        (0.1, InvalidTypeError, "a schedule is a name, a Schedule or a function"),
        (None, InvalidTypeError, "a schedule is a name, a Schedule or a function"),
        *[(f"step(every={bad})", InvalidValueError, "every") for bad in (0, -1, "'a'", "None")],
        *[(f"step(factor={bad})", InvalidValueError, "factor") for bad in (0, -0.1, "1e999")],
        *[(f"exponential({bad})", InvalidValueError, "factor") for bad in (0, -1, "'x'")],
        *[(f"inverse_time({bad})", InvalidValueError, "rate") for bad in (0, -1, "1e999")],
        *[(f"cosine(epochs={bad})", InvalidValueError, "epochs") for bad in (0, -1, "'x'")],
        *[(f"cosine(final={bad})", InvalidValueError, "final") for bad in (-0.1, "1e999", None)],
        *[(f"one_cycle(epochs={bad})", InvalidValueError, "epochs") for bad in (0, -1)],
        *[(f"one_cycle(rise={bad})", InvalidValueError, "rise") for bad in (0, 1, -1, 2, "'x'")],
        *[(f"one_cycle(start={bad})", InvalidValueError, "start") for bad in (-1, "1e999")],
        *[(f"one_cycle(final={bad})", InvalidValueError, "final") for bad in (-1, "'x'")],
    ],
)
def test_bad_schedule_is_refused(spec, kind, words):
    """What is no schedule, or has a number outside its range, is refused by name."""
    with pytest.raises(kind, match=words) as caught:
        get_schedule(spec)
    assert isinstance(caught.value, LaminaError)


@pytest.mark.parametrize(
    ("factor", "kind"),
    [
        (-0.1, InvalidValueError),
        (np.nan, InvalidValueError),
        (np.inf, InvalidValueError),
        (None, InvalidTypeError),
        ("fast", InvalidTypeError),
        (np.ones(2), InvalidTypeError),
    ],
)
def test_function_that_gives_no_factor_is_refused(factor, kind, draw_problem):
    """Such a function is named with the epoch, and the network stays as it was before the call."""
    problem = draw_problem("regression")
    before, options = problem.net.theta.copy(), {"batch_size": 30, "max_iter": 9}
    schedule = lambda epoch: factor if epoch == 2.5 else 1.0  # noqa: E731 - passed on
    with pytest.raises(kind, match=r"at epoch 2\.5 it is"):
        lamina.train(problem.net, problem.X, problem.T, learning_rate=schedule, **options)
    np.testing.assert_array_equal(problem.net.theta, before)


class Recording(ReferenceEngine):
    """An engine that keeps the learning rates of its steps."""

    def __init__(self, recipe):
        super().__init__(recipe)
        self.rates = []

    def epoch(self, theta, memory, move, data, epoch):
        """Keep the rates."""
        self.rates.append(epoch.rates)
        return super().epoch(theta, memory, move, data, epoch)


@pytest.mark.parametrize(("schedule", "formula"), FORMULAS, ids=IDS)
def test_training_follows_the_schedule(schedule, formula, draw_problem):
    """Each step has the rate of its time, in epochs since training began, over a pause too."""
    problem = draw_problem("regression")
    engine, state = Recording(problem.net.recipe), TrainingState(problem.net.theta.copy(), 0)
    data = _data(problem.net, problem.X, problem.T, None)
    settings = Settings(
        solver=Adam(), schedule=schedule, learning_rate_init=0.02, batch_size=16, max_iter=4
    )
    train(engine, data, state, settings)
    train(engine, data, state, settings)
    times = np.arange(8 * 4) / 4  # four batches of at most 16 in 60 data points
    expected = np.reshape([0.02 * formula(time, 4) for time in times], (8, 4))
    np.testing.assert_allclose(engine.rates, expected, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(
        state.history["learning_rate"], expected[:, -1], rtol=1e-12, atol=1e-16
    )


def test_schedule_of_one_s_own_is_followed(draw_problem):
    """A subclass of Schedule gets the epoch and the number of epochs planned."""

    class Linear(Schedule):
        def __call__(self, epoch, epochs):
            return 1.0 - epoch / epochs

    problem = draw_problem("regression")
    history = lamina.train(
        problem.net, problem.X, problem.T, learning_rate=Linear(), max_iter=4, batch_size=60
    ).history
    np.testing.assert_allclose(history["learning_rate"], np.array([4, 3, 2, 1]) * 0.00025)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "one_cycle(rise=0.1)"])
def test_schedule_of_open_length_is_refused_where_it_would_stand_still(schedule, draw_problem):
    """Going on beyond the epochs of such a schedule raises instead of training at rate 0."""
    problem = draw_problem("regression")
    options = {"learning_rate": schedule, "max_iter": 3}
    state = lamina.train(problem.net, problem.X, problem.T, **options).state
    with pytest.raises(InvalidValueError, match=r"give its length.*cosine\(epochs=100\)"):
        lamina.train(problem.net, problem.X, problem.T, state=state, **options)
    longer = options | {"max_iter": 6}
    assert len(lamina.train(problem.net, problem.X, problem.T, state=state, **longer).history) == 9
