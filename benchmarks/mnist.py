"""MNIST to an accuracy: wall time of training until the test images are known so well.

784-256-128-10, relu, Adam at 0.001, batches of 128, float32, two threads: the same first weights
and hyper-parameters for everyone. After each epoch the test accuracy is computed, outside the
clock. Compiling (of an epoch on other data) is outside it too, and printed apart. Peers that are
not installed are left out.

    python benchmarks/mnist.py FOLDER [--accuracy 0.98] [--seeds 5]

FOLDER holds the four files of MNIST, `train-images-idx3-ubyte.gz` and so on.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

import lamina

SIZES, BATCH, MOST = (784, 256, 128, 10), 128, 40


def images(folder: Path, kind: str):
    """Return images as rows, float32 in 0..1, and labels."""
    with gzip.open(folder / f"{kind}-images-idx3-ubyte.gz") as file:
        X = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / f"{kind}-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    return (X / np.float32(255)).astype(np.float32), y.astype(np.int64)


def first(seed: int):
    """Return W, inputs × outputs, and b of each layer."""
    random = np.random.default_rng(seed)
    return [
        ((random.normal(size=p) * np.sqrt(2 / p[0])).astype("f"), np.zeros(p[1], "f"))
        for p in pairwise(SIZES)
    ]


def by_lamina(X, y, seed: int):
    """Return a function that trains an epoch, and one of images that predicts."""
    names = ["relu", "relu", "softmax"]
    net = lamina.Network(SIZES, names, error="cross_entropy", dtype="float32", random_state=0)
    for W, b, (start, _) in zip(net.W[1:], net.b[1:], first(seed), strict=True):
        W[:], b[:] = start.T, 0.0
    T, state = np.eye(10, dtype=np.float32)[y].T, None

    def epoch() -> None:
        nonlocal state
        state = lamina.train(
            net,
            X.T,
            T,
            batch_size=BATCH,
            max_iter=1,
            n_iter_no_change=10**9,
            n_threads=2,
            state=state,
            random_state=seed if state is None else None,
        ).state

    return epoch, lambda images: net(images.T).argmax(axis=0)


def by_jax(X, y, seed: int):
    """The same in JAX: one jitted scan an epoch."""
    sys.path.insert(0, str(Path(__file__).parent / "speed"))
    import jax
    from jax import numpy as jnp
    from peers.jax import make_epoch

    compiled = make_epoch(jnp.asarray(X), jnp.asarray(y), gathered=True, unroll=1)
    theta = jax.tree.map(jnp.asarray, first(seed))
    state = theta, *(jax.tree.map(jnp.zeros_like, theta) for _ in range(2)), jnp.float32(0)
    random, whole = np.random.default_rng(seed), len(X) // BATCH * BATCH

    def epoch() -> None:
        nonlocal state
        order = random.permutation(len(X))[:whole].astype(np.int32).reshape(-1, BATCH)
        state, _ = compiled(state, order)
        jax.block_until_ready(state)

    def predict(images):
        *hidden, (W, b) = jax.tree.map(np.asarray, state[0])
        for W_l, b_l in hidden:
            images = np.maximum(images @ W_l + b_l, 0)
        return (images @ W + b).argmax(axis=1)

    return epoch, predict


def by_torch(X, y, seed: int):
    """The same in PyTorch, eager, with fused Adam."""
    import torch

    torch.set_num_threads(2)
    layers = []
    for W, b in first(seed):
        layer = torch.nn.Linear(*W.shape)
        layer.weight.data, layer.bias.data = torch.from_numpy(W.T.copy()), torch.from_numpy(b)
        layers += [layer, torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    adam, J = torch.optim.Adam(net.parameters(), fused=True), torch.nn.CrossEntropyLoss()
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    random = torch.Generator().manual_seed(seed)

    def epoch() -> None:
        for batch in torch.randperm(len(X), generator=random).split(BATCH):
            adam.zero_grad(set_to_none=True)
            J(net(X[batch]), y[batch]).backward()
            adam.step()

    def predict(images):
        with torch.no_grad():
            return net(torch.from_numpy(images)).argmax(dim=1).numpy()

    return epoch, predict


def until(make, X, y, X_test, y_test, seed: int, accuracy: float):
    """Return seconds and epochs until the accuracy is reached, or infinity."""
    epoch, predict = make(X, y, seed)
    seconds = 0.0
    for number in range(1, MOST + 1):
        begun = time.perf_counter()
        epoch()
        seconds += time.perf_counter() - begun
        if (predict(X_test) == y_test).mean() >= accuracy:
            return seconds, number
    return np.inf, MOST


def main() -> None:
    """Train by everyone in turn, seed by seed, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accuracy", type=float, default=0.98)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "2"))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    (X, y), (X_test, y_test) = images(given.folder, "train"), images(given.folder, "t10k")
    makers = {"lamina": by_lamina, "jax": by_jax, "torch": by_torch}
    for name in list(makers):
        begun = time.perf_counter()
        try:
            makers[name](X, y, 0)[0]()
        except ImportError as problem:
            print(f"{name} left out: {problem}")
            del makers[name]
            continue
        print(f"{name}: first epoch with imports and compiling {time.perf_counter() - begun:.1f} s")
    found = {name: [] for name in makers}
    for seed in range(given.seeds):
        for name, make in makers.items():
            found[name].append(until(make, X, y, X_test, y_test, seed, given.accuracy))
    for name, results in found.items():
        seconds, epochs = np.array(results).T
        each = np.median(seconds / epochs)
        print(
            f"{name:8s} median {np.median(seconds):6.2f} s to {given.accuracy:.1%}, "
            f"{np.median(epochs):.0f} epochs of {each:.2f} s; seconds {np.round(seconds, 1)}"
        )


if __name__ == "__main__":
    main()
