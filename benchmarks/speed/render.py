"""Results as Markdown tables, and as a dot plot."""

from __future__ import annotations

import math

from cases import BY_NAME
from measure import ratios
from peers import PEERS

TRAINED = ("lamina", "sklearn", "torch", "compiled_torch", "jax")


def number(seconds: float) -> str:
    """Return a time with its unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1.0 or unit == "µs":
            return f"{seconds * factor:.3g} {unit}"
    return ""


def cell(result: dict | None, *, micro: bool = False) -> str:
    """Return a median with its quartiles; each with its unit, or all in microseconds."""
    if result is None:
        return "–"
    low, middle, high = (digits(q * 1e6) if micro else number(q) for q in result["quartiles"])
    return f"{middle} ({low}–{high})"


def digits(value: float) -> str:
    """Return a number with three digits, or all before the point if there are more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def verdict(value: float, target: float | None, *, least: bool) -> str:
    """Return a ratio with its target and whether it was met."""
    if target is None:
        return f"{value:.2f}"
    met = value >= target if least else value <= target
    return f"{value:.2f} ({'≥' if least else '≤'} {target:g}{'' if met else ', missed'})"


def training(results: dict) -> str:
    """Return the table of times per step."""
    rows = []
    for name, result in results.items():
        task = BY_NAME[name]
        if task.kind != "train":
            continue
        found, peers = ratios(result, task.flops), result["peers"]
        row = [task.title, *(cell(peers.get(peer), micro=True) for peer in TRAINED)]
        row.append(digits(found["floor"] * 1e6) if "floor" in found else "–")
        if "best" in found:
            best = found["best"]
            text = verdict(found["peers"][best], task.against, least=True)
            row.append(f"{text} {PEERS[best].title}")
        else:
            row.append("–")
        over = found.get("over_floor")
        row.append("–" if over is None else verdict(over, task.floor, least=False))
        rows.append(row)
    titles = [PEERS[peer].title for peer in TRAINED]
    head = ["case, batch; µs a step", *titles, "floor", "best peer / ours", "ours / floor"]
    return table(head, rows)


def others(results: dict) -> str:
    """Return the table of everything else."""
    rows = []
    for name, result in results.items():
        task = BY_NAME[name]
        if task.kind == "train":
            continue
        found, peers = ratios(result, task.flops), result["peers"]
        theirs = [p for p in peers if p not in ("lamina", "numpy")]
        times = "; ".join(f"{PEERS[p].title} {cell(peers[p])}" for p in theirs) or "–"
        target = "–"
        judged = task.peer if task.peer in found.get("peers", {}) else found.get("best")
        if judged:
            text = verdict(found["peers"][judged], task.against, least=True)
            target = f"{text} {PEERS[judged].title}"
        if task.limit and "lamina" in peers:
            met = peers["lamina"]["quartiles"][1] <= task.limit
            target += f"; ≤ {number(task.limit)}{'' if met else ', missed'}"
        rows.append([f"{task.title}; per {task.unit}", cell(peers.get("lamina")), times, target])
    return table(["task", "Lamina", "peers", "peer / ours"], rows)


def first_use(found: dict) -> str:
    """Return the table of what the first step costs beyond the time of steps."""
    rows = [
        [PEERS[peer].title]
        + [f"{caches[c][w]:.2f}" for w, c in (("imported", "warm"), ("first_use", "empty"))]
        + [f"{caches['warm']['first_use']:.2f}"]
        for peer, caches in found.items()
        if set(caches) == {"empty", "warm"}
    ]
    return table(["seconds", "import", "first use, empty cache", "first use, warm cache"], rows)


def losses(results: dict) -> list[str]:
    """Return a line for each task in which we are slower than a peer."""
    lines = []
    for name, result in results.items():
        for peer, ratio in ratios(result).get("peers", {}).items():
            if ratio < 1.0:
                title = BY_NAME[name].title
                lines.append(f"- {title}: {PEERS[peer].title} takes {ratio:.2f} of our time")
    return lines or ["- nowhere, of what was measured"]


def markdown(report: dict) -> str:
    """Return the whole report."""
    machine, results = report["machine"], report["results"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    alone = [r for name, r in results.items() if BY_NAME[name].kind != "search"]  # its helpers
    shares = [s for r in alone for p in r["peers"].values() for s in p["others"]]
    shares = sorted(share for share in shares if not math.isnan(share))
    lines = [
        (
            f"{machine['cpu']}, {machine['processors']} processors, 2 used, 2 threads; "
            f"{machine['system']}; {machine['date']}."
        ),
        f"Python {machine['python']}, {versions}.",
        (
            f"`{report['command']}`: {report['rounds']} rounds over the peers of about "
            f"{report['seconds']:g} s each; medians and quartiles. Ratios are medians over rounds "
            "of quotients within a round."
        ),
    ]
    if shares:
        middle, worst = shares[len(shares) // 2], shares[-1]
        lines.append(
            f"Other processes took {middle:.1%} of the two processors in the middle measurement, "
            f"{worst:.1%} in the worst."
        )
    parts = ["\n".join(lines), training(results), others(results)]
    if report["first_uses"]:
        parts.append(first_use(report["first_uses"]))
    parts.append("Where we lose:\n\n" + "\n".join(losses(results)))
    if report["left_out"]:
        gone = [f"- {where}: {why}" for where, why in report["left_out"].items()]
        parts.append("Left out:\n\n" + "\n".join(gone))
    return "\n\n".join(parts) + "\n"


def plot(report: dict, path: str) -> None:
    """Write a dot plot: each peer's time over ours, a row for each task, 1 where we are alike."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    found = {name: ratios(result).get("peers", {}) for name, result in report["results"].items()}
    found = {name: peers for name, peers in found.items() if peers}
    names = [peer for peer in PEERS if any(peer in peers for peers in found.values())]
    rows = range(len(found), 0, -1)
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.42 * len(found)), layout="constrained")
    for peer, marker in zip(names, "osD^vP*", strict=False):
        places = [peers.get(peer, math.nan) for peers in found.values()]
        axes.plot(places, rows, marker, markersize=7, alpha=0.85, label=PEERS[peer].title)
    low, high = axes.get_xlim()
    axes.axvspan(min(low, 0.5), 1.0, color="0.93", zorder=0)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(0.5, 1.3 * high)
    ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 100) if t <= 1.3 * high]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_yticks(rows, [BY_NAME[name].title for name in found], fontsize=9)
    axes.grid(axis="both", color="0.85", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("a peer's time over Lamina's; in the gray we are slower")
    axes.set_title(f"{report['machine']['cpu']}, 2 threads", fontsize=10)
    figure.legend(loc="outside lower center", fontsize=9, ncols=len(names))
    figure.savefig(path, dpi=150)
