"""What was found, as results.json, as the table of RESULTS.md and as its plot."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine, Noise
from benchmarks.model import PRODUCT, Benchmark, Figure, ratio

FOLDER = Path(__file__).parent
JSON, MARKDOWN, PLOT = FOLDER / "results.json", FOLDER / "RESULTS.md", FOLDER / "RESULTS.png"
NOT_MEASURED = "NOT MEASURED"


@dataclass(frozen=True, slots=True)
class Line:
    """The product beside one peer: a line of the table and an entry of results.json."""

    name: str
    unit: str
    product: Figure
    peer: str | None
    peer_figure: Figure | None
    target: str | None
    met: bool | None

    @property
    def ratio(self) -> float | None:
        """The product's value over the peer's."""
        return ratio(self.product, self.peer_figure)

    @property
    def reason(self) -> str:
        """Why something in this line was not measured."""
        reasons = [] if not self.product.reason else [f"{PRODUCT}: {self.product.reason}"]
        if self.peer_figure and self.peer_figure.reason:
            reasons.append(f"{self.peer}: {self.peer_figure.reason}")
        return "; ".join(reasons)

    def entry(self) -> dict[str, Any]:
        """The entry of results.json."""
        peer = self.peer_figure
        found: dict[str, Any] = {
            "value": self.product.value,
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": peer.value if peer else None,
            "ratio": self.ratio,
            "target": self.target,
            "met": self.met,
            "cpu_us": self.product.cpu_us,
            "peer_cpu_us": peer.cpu_us if peer else None,
            "p50_ms": self.product.p50_ms,
            "p99_ms": self.product.p99_ms,
            "peer_p99_ms": peer.p99_ms if peer else None,
            "runs": self.product.runs,
            "spread": self.product.spread,
        }
        if self.reason:
            found["not_measured"] = self.reason
        return found


def lines(benchmark: Benchmark, figures: dict[str, Figure]) -> list[Line]:
    """A line for each peer; the first is the benchmark's own and carries the targets on plain values."""
    found = []
    for number, peer in enumerate(benchmark.peers or (None,)):
        targets = [
            target
            for target in benchmark.targets
            if target.of == peer or (number == 0 and target.of in ("value", "p99_ms"))
        ]
        known = [target.met(figures) for target in targets]
        met = None if not known or None in known else all(known)
        if False in known:
            met = False
        found.append(
            Line(
                name=benchmark.name if number == 0 else f"{benchmark.name}:{peer}",
                unit=benchmark.unit,
                product=figures[PRODUCT],
                peer=peer,
                peer_figure=figures[peer] if peer else None,
                target="; ".join(target.text(benchmark.unit) for target in targets) or None,
                met=met,
            )
        )
    return found


def number(value: float | None) -> str:
    """Three significant figures, thousands set apart."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"


def cells(name: str, entry: Mapping[str, Any]) -> list[str]:
    """The cells of a table's row, but the time it was measured at."""
    missing = entry.get("not_measured")
    value, peer_value = entry["value"], entry["peer_value"]
    verdict = {True: "yes", False: "**no**", None: NOT_MEASURED if missing else "-"}[entry["met"]]
    return [
        name,
        NOT_MEASURED if value is None else f"{number(value)} {entry['unit']}",
        number(entry["cpu_us"]),
        number(entry["p50_ms"]),
        number(entry["p99_ms"]),
        entry["peer"] or "-",
        "-" if entry["peer"] is None else NOT_MEASURED if peer_value is None else number(peer_value),
        number(entry["peer_cpu_us"]),
        number(entry["ratio"]),
        entry["target"] or "-",
        verdict,
    ]


HEADERS = (
    "benchmark",
    "value",
    "CPU us",
    "p50 ms",
    "p99 ms",
    "peer",
    "peer's value",
    "peer's CPU us",
    "ratio",
    "target",
    "met",
)


@dataclass(frozen=True, slots=True)
class Report:
    """One session's findings."""

    lines: list[Line]
    machine: Machine
    noise_before: Noise
    noise_after: Noise
    runs: int
    quick: bool
    only: list[str]

    @property
    def incomplete(self) -> bool:
        """Whether anything was not measured."""
        return any(line.reason for line in self.lines)

    def write(self, known: Sequence[str]) -> None:
        """results.json, RESULTS.md and the plot; what others of the `known` benchmarks found before stays."""
        held = json.loads(JSON.read_text()) if self.only and JSON.exists() else {}
        entries = merged(held, self.entries(), known)
        JSON.write_text(json.dumps(entries, indent=1) + "\n")
        plotted = draw(entries)
        MARKDOWN.write_text(markdown(entries, plotted=plotted))

    def entries(self) -> dict[str, dict[str, Any]]:
        """The session's entries of results.json: each tells when and on what it was measured."""
        session = {
            "measured": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M"),
            "quick": self.quick,
            "machine": self.machine.text(),
            "noise": [self.noise_before.text(), self.noise_after.text()],
        }
        return {line.name: line.entry() | session for line in self.lines}


def merged(
    held: Mapping[str, dict[str, Any]], fresh: Mapping[str, dict[str, Any]], known: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The fresh entries and those of other known benchmarks, all in the order of the known ones.

    A benchmark that was measured anew keeps no line of its old ones: lines beside its peers belong to one session.
    """
    measured = {name.partition(":")[0] for name in fresh}
    others = {name: entry for name, entry in held.items() if name.partition(":")[0] not in measured}
    found = {name: entry for name, entry in (others | dict(fresh)).items() if name.partition(":")[0] in known}
    return dict(sorted(found.items(), key=lambda each: known.index(each[0].partition(":")[0])))


def markdown(entries: Mapping[str, dict[str, Any]], *, plotted: bool) -> str:
    """The whole of RESULTS.md."""
    text = [
        "# Results of `make bench`",
        "",
        "`make bench` replaces this file, results.json and the plot; `make bench ONLY=name,name` replaces the rows of",
        "what it measures and leaves the others (QUICK=1 is good for a look only).",
        "",
        "Ratios and CPU per request can be compared between machines, absolute rates cannot. CPU is that of the",
        "server and its children, in microseconds per request (uploads: per MB). A row's contenders ran in turns;",
        "PostgreSQL is asked over at most 64 connections, as through a pool.",
        "",
        "| " + " | ".join((*HEADERS, "measured (UTC)")) + " |",
        "|" + "---|" * (len(HEADERS) + 1),
        *(f"| {' | '.join(cells(name, entry))} | {entry.get('measured', '-')} |" for name, entry in entries.items()),
        "",
    ]
    reasons = [f"- {name}: {entry['not_measured']}" for name, entry in entries.items() if "not_measured" in entry]
    if reasons:
        text += [f"## {NOT_MEASURED}", "", *reasons, ""]
    if plotted:
        text += ["![The product's value over each peer's](RESULTS.png)", ""]
    return "\n".join([*text, *_sessions(entries)])


def _sessions(entries: Mapping[str, dict[str, Any]]) -> list[str]:
    """What is told of each session whose rows are here."""
    text = ["## Sessions", ""]
    for entry in {entry["measured"]: entry for entry in entries.values() if "measured" in entry}.values():
        length = "a QUICK session, good for a look only" if entry["quick"] else "a full session"
        before, after = entry["noise"]
        text += [
            f"- {entry['measured']} UTC: {length}, medians of {entry['runs']} alternating runs.",
            f"  - Machine: {entry['machine']}.",
            f"  - Noise before: {before}.",
            f"  - Noise after: {after}.",
        ]
    return [*text, ""]


def draw(entries: Mapping[str, dict[str, Any]]) -> bool:
    """The ratios as bars on a logarithmic scale; False when there is nothing to draw or nothing to draw with."""
    measured = [(name, entry["peer"], entry["ratio"]) for name, entry in entries.items() if entry["ratio"]]
    PLOT.unlink(missing_ok=True)
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import

        mpl.use("Agg")
        from matplotlib import pyplot as plt  # noqa: PLC0415
    except ImportError:
        return False
    if not measured:
        return False
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(measured) + 1.2))
    labels = [f"{name.partition(':')[0]}  / {peer}" for name, peer, _ in measured]
    values = [value or 0.0 for _, _, value in measured]
    bars = axes.barh(range(len(values)), values, color=["#3b7a57" if value >= 1 else "#a8b8c8" for value in values])
    axes.bar_label(bars, labels=[f"{value:.2g} x" for value in values], padding=3, fontsize=8)
    axes.set_yticks(range(len(values)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("the product's value / the peer's")
    axes.margins(x=0.15)
    figure.tight_layout()
    figure.savefig(PLOT, dpi=110)
    plt.close(figure)
    return True
