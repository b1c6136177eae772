"""Three times the load the daemon can carry: `overload.py --seconds 300`.

First its capacity is found, by so many writes under way at once that more bring nothing. Then three times as many
writes a second leave by the clock, whatever comes back. In the end half of what it can carry, until it is as before.
Two cores and a C compiler are needed. The last line has the figures; the exit code is 0 only when every zero is none.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE / "support"), str(HERE.parent / "e2e" / "support")]

from report import Report, command  # noqa: E402 - found by the line above
from talk import Talk  # noqa: E402
from target import BRAND, MIB, Target  # noqa: E402

CUSTOMERS = 1000
CONNECTIONS = 100
WAITING = 2048
"""Writes under way while the capacity is found: two batches."""

TIMES = 3
GOODPUT_MIN = 0.8
LATE_SHARE_MAX = 0.01
GROWTH_BYTES_MAX = 8 * MIB
RECOVERY_SECONDS_MAX = 5
CALM_SECONDS = 10
CALM_P99_MS = 100.0

ZEROS = ("too_little_goodput", "late_refusals", "grown", "not_recovered", "other_answers", "unsent", "errors_logged")


class Overload:
    """One daemon on one core, the load on another."""

    def __init__(self, target: Target, generator: Path, args: argparse.Namespace) -> None:
        self.target = target
        self.generator = generator
        self.args = args
        self.report = Report(*ZEROS)
        self.token = target.token()

    def run(self) -> int:
        """Measure, overload, look at the recovery; return the exit code."""
        self._fill()
        # the first second writes what was never set before, which is less work
        capacity = statistics.median(each["taken"] for each in list(self._load(f"@{WAITING}:7"))[1:])
        self.report.say(f"capacity: {capacity:,.0f} writes a second")
        rate, seconds = TIMES * capacity, self.args.seconds
        told = []
        rss: list[int] = []
        for second in self._load(f"{rate:.0f}:{seconds}", f"{capacity / 2:.0f}:{CALM_SECONDS}"):
            told.append(second)
            rss.append(self.target.rss_bytes)
            self.report.progress(f"{len(told)} s: {second['taken']} taken, {second['refused']} refused")
        # the queue fills in the first second
        flooded = [each for each in told if each["phase"] == 0][1:]
        calm = [each for each in told if each["phase"] == 1]
        return self._judge(capacity, flooded, calm, rss[: len(flooded)])

    def _judge(self, capacity: float, flooded: list[Any], calm: list[Any], rss: list[int]) -> int:
        report = self.report
        goodput = statistics.mean(each["taken"] for each in flooded) / capacity
        report.demand(goodput >= GOODPUT_MIN, "too_little_goodput", f"{goodput:.3f} of the capacity")
        refused = sum(each["refused"] for each in flooded)
        late = sum(each["late"] for each in flooded) / max(refused, 1)
        report.demand(late <= LATE_SHARE_MAX, "late_refusals", f"{late:.4f} of them came after 50 ms")
        growth = rss[-1] - rss[len(rss) // 4]
        report.demand(growth <= GROWTH_BYTES_MAX, "grown", f"{growth:,} bytes")
        recovery = recovered(calm, capacity / 2)
        report.demand(recovery <= RECOVERY_SECONDS_MAX, "not_recovered", f"{recovery} s")
        for each in (*flooded, *calm):
            report.demand(not each["other"], "other_answers", f"{each['other']} in one second")
            report.demand(not each["unsent"], "unsent", f"{each['unsent']} in one second")
        for line in self.target.faults():
            report.demand(line.get("status") == 503, "errors_logged", str(line))
        return report.tell(
            seconds=self.args.seconds,
            capacity=round(capacity),
            offered=round(TIMES * capacity),
            goodput_share=round(goodput, 3),
            refused=refused,
            refused_p50_ms=statistics.median(each["refused_p50_ms"] for each in flooded),
            refused_p99_ms=statistics.median(each["refused_p99_ms"] for each in flooded),
            late_share=round(late, 5),
            taken_p99_ms=statistics.median(each["taken_p99_ms"] for each in flooded),
            growth_mib=round(growth / MIB, 2),
            rss_mib=round(rss[-1] / MIB, 1),
            recovery_seconds=recovery,
            wal_mib=round(self.target.wal_bytes / MIB, 1),
        )

    def _fill(self) -> None:
        with Talk(self.target.tcp) as talk:
            template = {"brand": BRAND, "code": "a", "level": 1, "name": "A", "step_type": 4}
            talk.good("MngAddKycStepTemplate", template, self.token)
            for customer in range(1, CUSTOMERS + 1):
                data = {"customer_id": customer, "brand": BRAND, "level": 1}
                talk.good("MngSetKycRequiredLevel", data, self.token)

    def _load(self, *phases: str) -> Iterator[dict[str, Any]]:
        line = [str(self.generator), "-p", str(self.target.tcp[1]), "-k", self.token, "-n", str(CUSTOMERS)]
        line += ["-c", str(CONNECTIONS), *phases]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for text in process.stdout:
                yield json.loads(text)
        assert process.returncode == 0, "the load generator failed"


def recovered(calm: list[Any], rate: float) -> int:
    """Return after how many seconds of half the load it is carried as if nothing had been."""
    for number, each in enumerate(calm):
        if not each["refused"] and each["taken"] >= 0.9 * rate and each["taken_p99_ms"] <= CALM_P99_MS:
            return number
    return len(calm)


def compiled(folder: Path) -> Path:
    """Build the load generator."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("overload: a C compiler is needed; on Debian and Ubuntu: apt install gcc libc6-dev")
    subprocess.run([compiler, "-O2", "-o", str(folder / "flood"), str(HERE / "flood.c")], check=True)
    return folder / "flood"


def favour() -> None:
    """Have what runs here go before other work of the machine, where that is allowed."""
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("-15")


def main(folder: Path, args: argparse.Namespace) -> int:
    """Start the daemon on one core, then be on the other."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("overload: two cores are needed, one for the daemon and one for the load")
    if args.favour:
        favour()
    os.sched_setaffinity(0, {cores[0]})
    with Target(folder) as target:
        os.sched_setaffinity(0, {cores[1]})
        return Overload(target, compiled(folder), args).run()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--favour", action="store_true", help="go before other work of this machine, as root")


if __name__ == "__main__":
    sys.exit(command(__doc__.splitlines()[0], options, main))
