"""Kills: does a training that was killed at random moments end as one that was not, bit for bit?

Real processes, `lamina train TABLE --checkpoints FOLDER --every 0 --resume`, are killed with
SIGKILL and begun again, some times, until the last one may finish. Its model is compared with that
of a process that was never killed: the θ to use and the θ to go on from, the history but for its
seconds, and the reason to stop. Nine of ten kills are some milliseconds after a checkpoint of a
random number has appeared, so that they fall evenly on the training however busy the machine is;
the others at a random moment after the start of the process, which may be before it trains.

    python benchmarks/kill_and_resume.py [--kills 100] [--seed 0] [--fork] [--json FILE]

Each process begins with some seconds of imports; with --fork they are forked from this one, which
has done them, and run the same command.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import lamina
import lamina.engines.compiled.engine
import lamina.estimators.persistence
from lamina.cli import main as main_of_lamina

CASES = {
    "adam, early stopping": "--solver adam --early-stopping --max-iter 150",
    "adam, float32, dropout, 3 trainings": "--solver adam --dtype float32 --dropout 0.1 "
    "--restarts 3 --max-iter 50",
    "levenberg_marquardt": "--solver levenberg_marquardt --hidden 10 --max-iter 120",
    "lbfgs": "--solver lbfgs --hidden 20,10 --max-iter 120",
}
AT_MOST = 12  # kills of a training, before it may finish
PAUSE = 0.005  # seconds between two looks at a folder
SOON, START = 0.05, 5.0  # seconds until a kill: behind a checkpoint, and from the start


def write_table(path: Path) -> None:
    """Write numbers, words and gaps, and a target that depends on them."""
    rng = np.random.default_rng(0)
    x, word = rng.normal(size=(3000, 3)), rng.choice(["low", "middle", "high"], size=3000)
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + (word == "high") + 0.1 * rng.normal(size=3000)
    gaps = rng.random(3000) < 0.1
    lines = ["a,b,c,word,y"]
    for row, text, target, gap in zip(x, word, y, gaps, strict=True):
        cells = [f"{number:.6g}" for number in row]
        cells[1] = "" if gap else cells[1]
        lines.append(",".join([*cells, text, f"{target:.6g}"]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Spawned(subprocess.Popen):
    """A process with an interpreter of its own."""

    def __init__(self, words: list[str]) -> None:
        super().__init__([sys.executable, "-m", "lamina", *words])


class Forked(multiprocessing.get_context("fork").Process):
    """A process forked from this one."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(target=lambda: sys.exit(main_of_lamina(words)))
        self.start()

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self.exitcode

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        self.join()
        return self.exitcode


class Training:
    """A training by the command line that is killed now and then."""

    forked = False

    def __init__(self, options: str, table: Path, folder: Path) -> None:
        self.folder, self.model = folder / "checkpoints", folder / "model.lamina"
        words = ["train", str(table), "--target", "y", "--quiet", *options.split()]
        self.words = [*words, "--out", str(self.model), "--overwrite"]

    def start(self, *, kept: bool = True) -> Spawned | Forked:
        """Start a process."""
        options = ["--checkpoints", str(self.folder), "--every", "0", "--resume"] if kept else []
        return (Forked if self.forked else Spawned)([*self.words, *options])

    def finish(self, *, kept: bool = True) -> float:
        """Let a process run to its end, and return the seconds it took."""
        begun = time.perf_counter()
        if self.start(kept=kept).wait() != 0:
            raise SystemExit("a training failed")
        return time.perf_counter() - begun

    def number(self) -> int:
        """Return the number of the newest checkpoint, 0 if there is none."""
        paths = lamina.Checkpoints(self.folder).paths()
        return int(paths[-1].stem.rpartition("-")[2]) if paths else 0

    def kill(self, randomly: random.Random, epochs: int) -> bool:
        """Start a process and kill it; return whether it was still running."""
        now, process = self.number(), self.start()
        if randomly.random() < 0.1:
            time.sleep(randomly.uniform(0.0, START))
        else:
            last = now + randomly.randint(1, max(epochs // 6, 1))
            while self.number() < last and process.poll() is None:
                time.sleep(PAUSE)
            time.sleep(randomly.uniform(0.0, SOON))
        process.kill()
        return process.wait() == -9


def is_same(path: Path, other: Path) -> bool:
    """Return whether two model files hold the same estimator, to the last bit."""
    one, two = lamina.load(path), lamina.load(other)
    histories = [model.history_.columns() for model in (one, two)]
    same = one.stop_reason_ == two.stop_reason_ and histories[0].keys() == histories[1].keys()
    for name in histories[0].keys() - {"seconds"}:
        same = same and np.array_equal(*(h[name] for h in histories), equal_nan=True)
    pairs = [(one.network_.theta, two.network_.theta), (one.state_.theta, two.state_.theta)]
    return same and all(a.tobytes() == b.tobytes() for a, b in pairs)


def run(kills: int, seed: int, place: Path) -> dict[str, dict[str, int]]:
    """Kill so many times, the cases in turn; return what came of it."""
    table, randomly = place / "table.csv", random.Random(seed)  # noqa: S311 - no secret
    write_table(table)
    wholes, found = {}, {}
    for n, (name, options) in enumerate(CASES.items()):
        (place / f"whole-{n}").mkdir()
        wholes[name] = Training(options, table, place / f"whole-{n}")
        wholes[name].finish(kept=False)  # compiles, where that is not yet done
        found[name] = {"kills": 0, "trainings": 0, "same": 0}
    done = 0
    while done < kills:
        for name, options in CASES.items():
            folder = place / "run"
            folder.mkdir()
            training, count = Training(options, table, folder), found[name]
            whole = lamina.load(wholes[name].model)
            epochs, begun = whole.n_iter_ * max(len(whole.restarts_), 1), time.perf_counter()
            for _ in range(randomly.randint(2, AT_MOST)):
                if done == kills or not training.kill(randomly, epochs):
                    break
                count["kills"] += 1
                done += 1
            training.finish()
            count["trainings"] += 1
            count["same"] += is_same(wholes[name].model, training.model)
            shutil.rmtree(folder)
            print(f"{done:4} kills, {time.perf_counter() - begun:5.1f} s, {name}: {count}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    Training.forked = arguments.fork
    with tempfile.TemporaryDirectory() as place:
        found = run(arguments.kills, arguments.seed, Path(place))
    for name, count in found.items():
        print(f"{name:40} {count['kills']:4} kills, {count['same']} of {count['trainings']} same")
    total = {key: sum(count[key] for count in found.values()) for key in next(iter(found.values()))}
    print(f"{'all':40} {total['kills']:4} kills, {total['same']} of {total['trainings']} same")
    if arguments.json:
        machine = {"lamina": lamina.__version__, "numpy": np.__version__, "on": platform.machine()}
        content = {"machine": machine, "cases": found, "total": total}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if total["same"] != total["trainings"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
