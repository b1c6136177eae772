"""What was found, as results.json, as the table of RESULTS.md and as its plot."""

import datetime as dt
import json
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


def cells(line: Line) -> list[str]:
    """The cells of a table's row."""
    peer = line.peer_figure
    verdict = {True: "yes", False: "**no**", None: "-" if not line.reason else NOT_MEASURED}[line.met]
    return [
        line.name,
        number(line.product.value) + f" {line.unit}" if line.product.value is not None else NOT_MEASURED,
        number(line.product.cpu_us),
        number(line.product.p50_ms),
        number(line.product.p99_ms),
        line.peer or "-",
        "-" if peer is None else number(peer.value) if peer.value is not None else NOT_MEASURED,
        number(peer.cpu_us) if peer else "-",
        number(line.ratio),
        line.target or "-",
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

    def write(self) -> None:
        """results.json, RESULTS.md and the plot."""
        entries = {line.name: line.entry() for line in self.lines}
        JSON.write_text(json.dumps(entries, indent=1) + "\n")
        plotted = draw(self.lines)
        MARKDOWN.write_text(self.markdown(plotted=plotted))

    def markdown(self, *, plotted: bool) -> str:
        """The whole of RESULTS.md."""
        when = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
        length = "a QUICK session, good for a look only" if self.quick else "a full session"
        chosen = f", only {', '.join(self.only)}" if self.only else ""
        text = [
            "# Results of `make bench`",
            "",
            f"{when}; {length}{chosen}; medians of {self.runs} alternating runs.",
            "",
            "`make bench [ONLY=name,name] [QUICK=1]` replaces this file, results.json and the plot.",
            "",
            f"- Machine: {self.machine.text()}.",
            f"- Noise before: {self.noise_before.text()}.",
            f"- Noise after: {self.noise_after.text()}.",
            "",
            "Ratios and CPU per request can be compared between machines, absolute rates cannot. CPU is that of the",
            "server and its children, in microseconds per request (uploads: per MB). A row's contenders ran in turns;",
            "PostgreSQL is asked over at most 64 connections, as through a pool.",
            "",
            "| " + " | ".join(HEADERS) + " |",
            "|" + "---|" * len(HEADERS),
            *("| " + " | ".join(cells(line)) + " |" for line in self.lines),
            "",
        ]
        reasons = [f"- {line.name}: {line.reason}" for line in self.lines if line.reason]
        if reasons:
            text += [f"## {NOT_MEASURED}", "", *reasons, ""]
        if plotted:
            text += ["![The product's value over each peer's](RESULTS.png)", ""]
        return "\n".join(text)


def draw(found: list[Line]) -> bool:
    """The ratios as bars on a logarithmic scale; False when there is nothing to draw or nothing to draw with."""
    measured = [(line.name, line.peer, line.ratio) for line in found if line.ratio]
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
