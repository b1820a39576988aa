"""How closely exports answer as the models they were made of, on 1,000 rows.

    python benchmarks/exports.py [--rows 1000] [--octave]

For every activation and kind of output a network of random weights is exported to ONNX (run by
ONNX Runtime), C (compiled by cc with -Wall -Wextra -Werror -pedantic), Python and, with --octave,
MATLAB, in float64 and float32. A figure is the largest difference to `predict`, `predict_proba` or
`decision_function`, relative to the largest number of the column; promised are 1e-12 and 1e-6.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("LAMINA_ENGINE", "reference")

import numpy as np
import onnxruntime

import lamina
from lamina import FeedForwardClassifier as Classifier
from lamina import FeedForwardRegressor as Regressor
from lamina.estimators.exporting import describe_model
from lamina.interchange.exports.files import content
from lamina.network.activations import ACTIVATIONS

STRICT = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC"]
WORDS = np.array(["ant", "bee", "cat"])
PROMISED = {"float64": 1e-12, "float32": 1e-6}
HEADS = {
    "numbers": (Regressor, {}, lambda y: y),
    "quantiles": (Regressor, {"loss": "quantile((0.1, 0.9))"}, lambda y: y),
    "mean, variance": (Regressor, {"loss": "gaussian_nll"}, lambda y: y),
    "counts": (Regressor, {"loss": "poisson"}, lambda y: np.exp(y).round()),
    "log": (Regressor, {"target_transform": "log"}, np.exp),
    "box-cox": (Regressor, {"target_transform": "box-cox"}, np.exp),
    "quantile map": (Regressor, {"target_transform": "quantile"}, lambda y: y),
    "robust": (Regressor, {"scale_inputs": "robust"}, lambda y: y),
    "two classes": (Classifier, {}, lambda y: y[:, 0] > 0),
    "three classes": (Classifier, {}, lambda y: WORDS[np.digitize(y[:, 0], [-0.5, 0.5])]),
    "log-softmax": (
        Classifier,
        {"loss": "negative_log_likelihood"},
        lambda y: np.digitize(y[:, 0], [-0.5, 0.5]),
    ),
    "each by itself": (
        Classifier,
        {"loss": "binary_cross_entropy"},
        lambda y: np.digitize(y[:, 0], [-0.5, 0.5]),
    ),
    "several labels": (Classifier, {}, lambda y: (y > 0).astype(int)),
    "several targets": (Classifier, {}, lambda y: np.digitize(y, [-0.5, 0.5])),
    "hinge": (Classifier, {"loss": "hinge"}, lambda y: np.digitize(y[:, 0], [-0.5, 0.5])),
}


def trained(head: str, dtype: str, rows: int):
    """Return an estimator with a kind of output, and rows in its precision."""
    random = np.random.default_rng(0)
    X = (random.normal(size=(rows, 5)) * [1, 30, 0.1, 1, 5] + [0, 2020, -3, 1, 0]).astype("f4")
    y = np.column_stack([X[:, 0], np.sin(X[:, 3]) + X[:, 4] / 5.0]).astype(float)
    kind, options, make = HEADS[head]
    model = kind((8,), max_iter=1, dtype=dtype, random_state=0, **options)
    return model.fit(X.astype(dtype), make(y)), X.astype(dtype)


def with_activation(model, activation: str):
    """Give an estimator another activation, and random weights."""
    recipe = model.network_.recipe
    model.network_ = lamina.Network(
        recipe.S,
        [activation, recipe.activation(recipe.L)],
        error=recipe.error,
        dtype=model.network_.dtype,
        initialization=np.random.default_rng(1).normal(size=recipe.size) * 0.5,
    )


def answer_of(model, X):
    """Return the numbers of a model, N × outputs."""
    if hasattr(model, "predict_proba"):
        answer = model.predict_proba(X)
        return np.concatenate(answer, axis=1) if isinstance(answer, list) else answer
    answer = model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)
    return answer.reshape(len(X), -1)


def by_onnx(models, X, _folder):
    for portable in models.values():
        session = onnxruntime.InferenceSession(content(portable, "onnx", "it"))
        yield session.run([portable.head.output], {"X": X})[0]


def by_python(models, X, _folder):
    known = {"variable": "predict", "probabilities": "predict_proba"}
    for portable in models.values():
        names: dict = {}
        exec(content(portable, "python", "it"), names)  # noqa: S102 - what was written here
        answer = names[known.get(portable.head.output, "decision_function")](X)
        yield np.concatenate(answer, axis=1) if isinstance(answer, list) else answer


def by_c(models, X, folder):
    for name, portable in models.items():
        (folder / f"{name}.c").write_bytes(content(portable, "c", name))
    sources, library = map(str, folder.glob("*.c")), str(folder / "all.so")
    subprocess.run([*STRICT, *sources, "-o", library, "-lm"], check=True)  # noqa: S603 - ours
    loaded = ctypes.CDLL(library)
    for name, portable in models.items():
        predict = getattr(loaded, f"{name}_predict")
        Y = np.empty((len(X), portable.head.n_outputs), X.dtype)
        for x, y in zip(X, Y, strict=True):
            predict(x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
        yield Y


def by_octave(models, X, folder):
    np.savetxt(folder / "x", X.T, fmt="%.17g")
    script = ["warning('off', 'all'); x = load('x');"]
    for name, portable in models.items():
        (folder / f"of_{name}.m").write_bytes(content(portable, "matlab", f"of_{name}"))
        script.append(f"y = of_{name}(x); save('-text', 'y_{name}', 'y');")
    command = ["octave-cli", "--no-init-file", "--eval", " ".join(script)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 - ours
    for name in models:
        yield np.loadtxt(folder / f"y_{name}", ndmin=2).T


def expected_and_models(head: str, dtype: str, rows: int, names):
    """Return rows, and for each activation what the model answers and how exports see it."""
    model, X = trained(head, dtype, rows)
    models, expected = {}, {}
    for name in names:
        with_activation(model, name)
        models[name], expected[name] = describe_model(model), answer_of(model, X)
    return np.ascontiguousarray(X), models, expected


def gap(found, expected):
    """Return the largest difference relative to the largest number of each column."""
    found = np.asarray(found, dtype=float).reshape(expected.shape)
    return float(np.max(np.abs(found - expected).max(axis=0) / np.abs(expected).max(axis=0)))


def show(title, worst, formats):
    """Print the largest gap for each row of a table, in each format and precision."""
    print(f"\n{title:24}" + "".join(f"{f:>10} {d[-2:]}" for f in formats for d in PROMISED))
    for row, gaps in worst.items():
        print(f"{row:24}" + "".join(f"{gaps[f, d]:13.1e}" for f in formats for d in PROMISED))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--octave", action="store_true")
    asked = parser.parse_args()
    formats = {"onnx": by_onnx, "c": by_c, "python": by_python}
    if asked.octave:
        formats["matlab"] = by_octave
    names = [name for name in ACTIVATIONS.names() if name != "blocks"]  # of an output, see HEADS
    print(f"lamina {lamina.__version__}, numpy {np.__version__}, onnxruntime", end=" ")
    print(f"{onnxruntime.__version__}, Python {platform.python_version()}, {asked.rows} rows")
    by_activation, by_head = defaultdict(lambda: defaultdict(float)), {}
    for head in HEADS:
        by_head[head] = defaultdict(float)
        for dtype in PROMISED:
            X, models, expected = expected_and_models(head, dtype, asked.rows, names)
            for form, answers in formats.items():
                with tempfile.TemporaryDirectory() as folder:
                    found = answers(models, X, Path(folder))
                    for name, answer in zip(names, found, strict=True):
                        for table in (by_activation[name], by_head[head]):
                            table[form, dtype] = max(
                                table[form, dtype], gap(answer, expected[name])
                            )
    show("activation", by_activation, formats)
    show("output", by_head, formats)
    gaps = [(pair[1], g) for table in by_head.values() for pair, g in table.items()]
    broken = sum(g > PROMISED[dtype] for dtype, g in gaps)
    print(
        f"\n{len(HEADS) * len(names) * 2 * len(formats)} exports, {broken} rows beyond the promise"
    )


if __name__ == "__main__":
    main()
