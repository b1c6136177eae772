"""The command: `[ONLY=name,name] [QUICK=1] python -m benchmarks`; exits 2 when something could not be measured."""

import os
import signal
import sys
from types import FrameType

from benchmarks import machine, results, session
from benchmarks.model import PRODUCT, Benchmark, Figure
from benchmarks.progress import Progress
from benchmarks.table import TABLE

INCOMPLETE = 2
USAGE = 64


def main() -> int:
    """Measure what was asked for and write it down."""
    only = [name for name in os.environ.get("ONLY", "").replace(",", " ").split() if name]
    quick = os.environ.get("QUICK", "") not in ("", "0")
    unknown = sorted(set(only) - {row.name for row in TABLE})
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(row.name for row in TABLE)}")
        return USAGE
    signal.signal(signal.SIGTERM, _stop)
    chosen = [row for row in TABLE if (row.name in only if only else not (quick and row.long))]
    before = machine.noise()
    found: list[results.Line] = []
    with Progress() as progress, session.opened(progress, quick=quick) as sitting:
        for row in chosen:
            progress.begin(row.name, row.summary)
            found += results.lines(row, _figures(row, sitting))
            for line in found[-max(1, len(row.peers)) :]:
                progress.line("  " + _spoken(line))
    report = results.Report(found, machine.describe(), before, machine.noise(), sitting.runs, quick, only)
    report.write([row.name for row in TABLE])
    print(f"written: {results.MARKDOWN.name}, {results.JSON.name} in {results.FOLDER.name}/")
    if report.incomplete:
        print(f"{results.NOT_MEASURED}: " + ", ".join(line.name for line in found if line.reason))
        return INCOMPLETE
    return 0


def _figures(row: Benchmark, sitting: session.Session) -> dict[str, Figure]:
    try:
        return row.measure(sitting)
    except Exception as error:
        reason = session.reason_of(error)
        return {name: Figure.missing(reason) for name in (PRODUCT, *row.peers)}


def _spoken(line: results.Line) -> str:
    name, value, cpu, p50, p99, peer, peer_value, peer_cpu, share, target, met = results.cells(line.name, line.entry())
    said = f"{name}: {value}"
    if line.product.cpu_us is not None:
        said += f", {cpu} us CPU, p50 {p50} ms, p99 {p99} ms"
    if line.peer:
        said += f" | {peer}: {peer_value}" + (f", {peer_cpu} us CPU, ratio {share}" if peer_cpu != "-" else "")
    if line.target:
        said += f" | target {target}: {met.strip('*')}"
    return said + (f" | {results.NOT_MEASURED}: {line.reason}" if line.reason else "")


def _stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds like Ctrl-C, so that every child is stopped."""
    del number, frame
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
