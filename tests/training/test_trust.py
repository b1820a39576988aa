"""The damping of a trust region, on models and values that are written down."""

import numpy as np
import pytest

from lamina.training.solvers.trust import LEAST_DAMPING, fresh, take_step
from lamina.training.state import TrainingState


def start(damping=1.0):
    """Return a state at θ = 0 with λ."""
    return TrainingState(np.zeros(1), 0, memory={"damping": fresh(damping)})


@pytest.mark.parametrize(
    ("ratio", "factor"),
    [(1e-4, 1.99940012), (0.25, 1.125), (0.5, 1.0), (0.75, 0.875), (1.0, 1 / 3), (1e300, 1 / 3)],
)
def test_damping_follows_the_ratio(ratio, factor):
    """A step is kept from ρ = 1e-4 on, and λ is multiplied by max(1/3, 1 - (2ρ - 1)³)."""
    state = start(3.0)
    found = take_step(state, 0.0, lambda _: -ratio, lambda _: (np.ones(1), 1.0), 3.0, 5)
    assert found == (-ratio, 3.0)
    np.testing.assert_allclose(state.memory["damping"], [3.0 * factor, 2.0], rtol=1e-7)
    assert (state.theta[0], state.step) == (1.0, 1)


@pytest.mark.parametrize("bad", [0.0, 1.0, -0.9e-4, np.nan, np.inf, -np.inf])
def test_damping_doubles_ever_faster(bad):
    """What does not fall as foretold, or is no number, raises λ by 2, 4, 8, and is not kept."""
    seen = []

    def propose(damping):
        seen.append(damping)
        return np.full(1, 1.0 / damping), 1.0

    state = start()
    found = take_step(state, 0.0, lambda theta: bad if theta[0] > 0.01 else -1.0, propose, 1.0, 9)
    assert seen == [1.0, 2.0, 8.0, 64.0, 1024.0]
    assert found == (-1.0, 1024.0)
    assert state.theta[0] == 1 / 1024


def test_model_without_a_step_is_damped():
    """Where the model has no step, or foretells no fall, λ grows until it does."""
    answers = iter([None, (np.ones(1), -1.0), (np.ones(1), np.nan), (np.ones(1), 1.0)])
    state = start()
    assert take_step(state, 0.0, lambda _: -1.0, lambda _: next(answers), 1.0, 9) == (-1.0, 64.0)


def test_step_that_rounds_to_nothing_ends_the_search():
    """A step too small for θ's precision is the last: θ is as it was, and λ as at first."""
    state, seen = start(), []
    state.theta += 1.0

    def propose(damping):
        seen.append(damping)
        return np.full(1, 1e-14 / damping), 1.0

    assert take_step(state, 0.0, lambda _: 1.0, propose, 1.0, 40) is None
    assert len(seen) < 6
    assert state.theta[0] == 1.0
    np.testing.assert_array_equal(state.memory["damping"], [1.0, 2.0])


def test_search_begins_again_where_it_was_damped_before():
    """With a λ from earlier failures the first λ is tried too before there is no step."""
    state, seen = start(1e6), []

    def propose(damping):
        seen.append(damping)
        return np.ones(1), 1.0

    assert take_step(state, 0.0, lambda _: 1.0, propose, 0.5, 3) is None
    assert seen == [1e6, 2e6, 8e6, 0.5, 1.0, 4.0]
    np.testing.assert_array_equal(state.memory["damping"], [0.5, 2.0])


def test_damping_has_a_least():
    """However often the model was right, λ stays a number that can grow again."""
    state = start()
    for _ in range(1000):
        take_step(state, 0.0, lambda _: -1.0, lambda _: (np.ones(1), 1.0), 1.0, 1)
    assert state.memory["damping"][0] == LEAST_DAMPING > 0.0
