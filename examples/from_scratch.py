"""From scratch
============

A feed-forward network in NumPy and nothing else: the equations of the note, line by line.
Columns are data points: X is S[0] × N, the targets T are S[L] × N. Lists are indexed by
layer, so W[l] is the l of the note, and entry 0 of W and b stands empty. Numbers in
parentheses are the note's equations; the shape of what is computed stands beside them.

Run it: two hidden layers learn handwritten digits in a second or two.
"""

import time
from itertools import pairwise

import numpy as np
from sklearn.datasets import load_digits

# sphinx_gallery_thumbnail_path = "_static/equations.png"

Matrix = np.ndarray

# What a layer does with Z on the way forward, and the slope at A = sigma(Z) on the way back.
TANH = (np.tanh, lambda A: 1 - A**2)  # hidden layers
LOGISTIC = (lambda Z: (1 + np.tanh(Z / 2)) / 2, lambda A: A * (1 - A))  # output layer


def start(S: list[int], random: np.random.Generator) -> tuple[list[Matrix], list[Matrix]]:
    """Return random W and zero b for layers of S[0], ..., S[L] units."""
    W, b = [np.empty((0, 0))], [np.empty((0, 1))]
    for n_in, n_out in pairwise(S):
        W.append(random.normal(size=(n_out, n_in)) / np.sqrt(n_in))  #      S[l] × S[l-1]
        b.append(np.zeros((n_out, 1)))  #                                   S[l] × 1
    return W, b


def activation(l: int, L: int) -> tuple:
    """Return sigma of layer l and its slope."""
    return LOGISTIC if l == L else TANH


def forward(W: list[Matrix], b: list[Matrix], X: Matrix) -> list[Matrix]:
    """Return A[0], ..., A[L]: the inputs, then what each layer makes of the one before."""
    A, L = [X], len(W) - 1
    for l in range(1, L + 1):
        sigma, _ = activation(l, L)
        Z = W[l] @ A[l - 1] + b[l]  #                               (1.4)   S[l] × N
        A.append(sigma(Z))  #                                       (1.4)   S[l] × N
    return A


def error(T: Matrix, A_L: Matrix) -> float:
    """Return J: half the squared distance, summed over outputs, averaged over data points."""
    return np.sum((A_L - T) ** 2) / (2 * T.shape[1])  #             (2.18)  a number


def backward(W: list[Matrix], A: list[Matrix], T: Matrix) -> tuple[list[Matrix], list[Matrix]]:
    """Return dJ/dW[l] and dJ/db[l] of every layer, found from the last layer to the first."""
    L, N = len(W) - 1, T.shape[1]
    dW, db = [W[0]] * (L + 1), [W[0]] * (L + 1)
    Delta = (A[L] - T) / N  #                                       (2.23)  S[L] × N
    for l in range(L, 0, -1):
        _, slope = activation(l, L)
        H = Delta * slope(A[l])  #                                  (4.2)   S[l] × N
        dW[l] = H @ A[l - 1].T  #                                   (4.1)   S[l] × S[l-1]
        db[l] = H.sum(axis=1, keepdims=True)  #                     (4.1)   S[l] × 1
        Delta = W[l].T @ H  #                                       (4.2)   S[l-1] × N
    return dW, db


def train(W: list[Matrix], b: list[Matrix], X: Matrix, T: Matrix, epochs: int = 40) -> None:
    """Step W and b downhill, in place, by the gradient of 16 data points at a time."""
    random, N = np.random.default_rng(1), X.shape[1]
    for epoch in range(epochs):
        rate = 1.5 * (1 - epoch / epochs)
        for batch in np.array_split(random.permutation(N), N // 16):
            A = forward(W, b, X[:, batch])
            dW, db = backward(W, A, T[:, batch])
            for l in range(1, len(W)):
                W[l] -= rate * dW[l]
                b[l] -= rate * db[l]


def main() -> None:
    """Learn from 1,297 handwritten digits, then read 500 others."""
    began, random = time.perf_counter(), np.random.default_rng(0)
    images, digits = load_digits(return_X_y=True)
    order = random.permutation(len(digits))
    X = images[order].T / 16  #                                     (1.2)   64 × 1797
    T = np.eye(10)[:, digits[order]]  #                             (1.5)   10 × 1797
    W, b = start([64, 48, 24, 10], random)
    train(W, b, X[:, 500:], T[:, 500:])
    outputs = forward(W, b, X[:, :500])[-1]
    right = outputs.argmax(axis=0) == digits[order][:500]
    print(f"error {error(T[:, :500], outputs):.4f} on digits it has not seen")
    print(f"accuracy {right.mean():.1%} after {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
