"""JAX: one jitted `lax.scan` over the steps of an epoch, its state donated."""

from __future__ import annotations

from functools import partial
from itertools import product

import jax
import numpy as np
from cases import data, weights
from jax import numpy as jnp

from peers import repeated

RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-8


def error(theta, X, y):
    """Return J."""
    *hidden, (W, b) = theta
    for W_l, b_l in hidden:
        X = jax.nn.relu(X @ W_l + b_l)
    logarithms = jax.nn.log_softmax(X @ W + b)
    return -jnp.mean(jnp.take_along_axis(logarithms, y[:, None], axis=1))


def move(theta, m, v, count, gradient):
    """Return Adam's state after a step."""
    count = count + 1
    rate, correction = RATE / (1 - BETA_1**count), 1 / (1 - BETA_2**count)
    m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, v, gradient)
    theta = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v * correction) + EPSILON), theta, m, v
    )
    return theta, m, v, count


def take(table, chosen):
    """Return rows by numbers that are known to be inside."""
    return table.at[chosen].get(mode="promise_in_bounds", unique_indices=True)


def make_epoch(X, y, *, gathered: bool, unroll: int):
    """Return the compiled epoch; rows are gathered in each step, or all of them before."""

    def step(state, batch):
        if gathered:
            batch = take(X, batch), take(y, batch)
        J, gradient = jax.value_and_grad(error)(state[0], *batch)
        return move(*state, gradient), J

    @partial(jax.jit, donate_argnums=0)
    def epoch(state, order):
        batches = order if gathered else (take(X, order), take(y, order))
        state, J = jax.lax.scan(step, state, batches, unroll=unroll)
        return state, J.mean()

    return epoch


def train(task):
    """Epochs; gathering and unrolling as it is fastest."""
    X, y = map(jnp.asarray, data(task))
    random = np.random.default_rng(0)

    def build(*, gathered: bool, unroll: int):
        epoch = make_epoch(X, y, gathered=gathered, unroll=unroll)
        theta = jax.tree.map(jnp.asarray, weights(task))
        state = theta, *(jax.tree.map(jnp.zeros_like, theta) for _ in range(2)), jnp.float32(0)

        def run(epochs: int) -> int:
            nonlocal state
            for _ in range(epochs):
                order = random.permutation(task.n).astype(np.int32).reshape(-1, task.batch)
                state, _ = epoch(state, order)
            jax.block_until_ready(state)
            return epochs * task.steps

        return run, lambda: float(error(state[0], X[:2000], y[:2000]))

    return {
        f"{'gathered in each step' if gathered else 'gathered before'}, unrolled {unroll}": partial(
            build, gathered=gathered, unroll=unroll
        )
        for gathered, unroll in product((True, False), (1, 4))
    }


def gradient(task):
    """The loss on all rows, and its gradient."""
    X, y = map(jnp.asarray, data(task))
    theta = jax.tree.map(jnp.asarray, weights(task))

    def build():
        both = jax.jit(jax.value_and_grad(error))
        return repeated(lambda: jax.block_until_ready(both(theta, X, y)))

    return {"": build}


MAKERS = {f.__name__: f for f in (train, gradient)}
