"""What the figures were taken on: cores, kernel, CPU, and how much the machine wavers."""

import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path


def cores() -> tuple[int, int]:
    """The server's core and the load generator's; the same one where there is no second."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1] if len(usable) > 1 else usable[0]


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts to print beside every result."""

    cpu: str
    cores: int
    kernel: str
    python: str
    memory_gib: float

    def text(self) -> str:
        """One line."""
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib:.0f} GiB, {self.kernel}, CPython {self.python}; "
            "the server on one core, the load generator on another"
        )


def describe() -> Machine:
    """This machine."""
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return Machine(
        cpu=model,
        cores=len(os.sched_getaffinity(0)),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
    )


@dataclass(frozen=True, slots=True)
class Noise:
    """How the same piece of arithmetic varies in time, and how much of the cores others had meanwhile."""

    spread: float  # (slowest - fastest) / median
    others: float  # share of all cores busy while this process was idle
    load_average: float

    def text(self) -> str:
        """One line."""
        return (
            f"the same arithmetic varies by {self.spread:.0%}, other processes hold {self.others:.0%} of the cores, "
            f"load average {self.load_average:.1f}"
        )


def noise(rounds: int = 20) -> Noise:
    """About a second of looking."""
    before = _busy_ticks()
    time.sleep(0.4)
    after = _busy_ticks()
    total = after[1] - before[1]
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        sum(range(1_000_000))
        times.append(time.perf_counter() - start)
    return Noise(
        spread=(max(times) - min(times)) / statistics.median(times),
        others=(after[0] - before[0]) / total if total else 0.0,
        load_average=os.getloadavg()[0],
    )


def _busy_ticks() -> tuple[int, int]:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    total = sum(fields)
    return total - fields[3] - fields[4], total
