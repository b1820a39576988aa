"""Lamina beside scikit-learn, PyTorch, JAX and ONNX Runtime: the same tasks, in one run.

    python benchmarks/speed [--rounds 7] [--seconds 0.5] [--only tiny,tab] [--peers lamina,jax]
                            [--json FILE] [--markdown FILE] [--plot FILE]

Prints Markdown. Peers that are not installed are left out, and named. `make bench` installs
them first.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shlex
import sys
from pathlib import Path

from cases import BY_NAME, TASKS
from measure import Patience, compare, first_uses
from peers import PEERS
from render import markdown, plot
from workers import hold_to_two, working


def say(line: str) -> None:
    """Show what is going on, apart from the results."""
    print(line, file=sys.stderr, flush=True)


def machine() -> dict:
    """Describe processor and system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    read = [line.split(":", 1) for line in lines if ":" in line]
    read = {key.strip(): value.strip() for key, value in read}
    cpu = read.get("model name", platform.processor() or platform.machine())
    if "cpu family" in read:
        cpu += f" (family {read['cpu family']}, model {read['model']})"
    return {
        "cpu": cpu,
        "processors": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "load_before": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/speed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each peer in a round")
    parser.add_argument(
        "--patience", type=float, default=300.0, help="seconds to wait in all for a quiet machine"
    )
    parser.add_argument("--only", default=",".join(BY_NAME), help="tasks, by comma")
    parser.add_argument("--peers", default=",".join(PEERS), help="peers, by comma")
    parser.add_argument("--first-use", default="tab", help="the task of first uses; '' for none")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--plot", type=Path, help="a PNG file")
    options = parser.parse_args()
    for given, known in ((options.only, BY_NAME), (options.peers, PEERS)):
        if unknown := set(given.split(",")) - set(known):
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return options


def measure(options: argparse.Namespace) -> dict:
    """Return the report as it is written to JSON."""
    hold_to_two()
    asked = options.peers.split(",")
    left_out = {PEERS[p].title: why for p in asked if (why := PEERS[p].missing())}
    peers = [p for p in asked if not PEERS[p].missing()]
    report = {"machine": machine(), "versions": {}, "results": {}}
    for peer in peers:
        report["versions"] |= PEERS[peer].versions()
    command = shlex.join(["python", "benchmarks/speed", *sys.argv[1:]])
    report |= {"command": command, "rounds": options.rounds, "seconds": options.seconds}
    report["first_uses"], patience = {}, Patience(options.patience)
    if options.first_use:
        say(f"first use: {options.first_use}")
        usable = [p for p in peers if p not in ("numpy", "onnx")]
        report["first_uses"] = first_uses(BY_NAME[options.first_use], usable, patience)
    with working(peers) as workers:
        for peer in [p for p in peers if "left_out" in workers[p].answer]:
            left_out[PEERS[peer].title] = workers.pop(peer).answer["left_out"]
        for task in [task for task in TASKS if task.name in options.only.split(",")]:
            say(task.title)
            result = compare(task, workers, options.rounds, options.seconds, patience)
            report["results"][task.name] = result
            for peer, why in result["left_out"].items():
                left_out[f"{PEERS[peer].title}, {task.title}"] = why
    report["left_out"] = left_out
    if hasattr(os, "getloadavg"):
        report["machine"]["load_after"] = list(os.getloadavg())
    return report


def main() -> None:
    """Measure, print, and write what was asked for."""
    options = arguments()
    report = measure(options)
    text = markdown(report)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.plot:
        plot(report, str(options.plot))


if __name__ == "__main__":
    main()
