"""The disk by itself, as a child process: `sync` appends and fdatasyncs, `copy` is cp with SHA-256 and fsync."""

import hashlib
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.emptied import empty

BLOCK = 4096
CHUNK = 1 << 20


def sync(folder: Path, seconds: float) -> dict[str, float]:
    """Blocks of 4 KiB appended, each made durable before the next."""
    times = []
    before = _cpu()
    with (folder / "journal").open("wb", buffering=0) as journal:
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            journal.write(bytes(BLOCK))
            os.fdatasync(journal.fileno())
            times.append(time.perf_counter() - start)
    (folder / "journal").unlink()
    return _summary(times, sum(times), _cpu() - before)


def copy(folder: Path, seconds: float, threads: int) -> dict[str, float]:
    """Every file of `folder` copied again and again by that many threads: read, written, hashed, synced, renamed."""
    sources = sorted(path for path in folder.iterdir() if path.is_file())
    target = Path(tempfile.mkdtemp(dir=folder))
    numbers = itertools.count()
    times: list[float] = []
    before = _cpu()
    begin = time.perf_counter()

    def work() -> None:
        while (start := time.perf_counter()) < begin + seconds:
            number = next(numbers)
            _copy_one(sources[number % len(sources)], target / f"{number}.png")
            times.append(time.perf_counter() - start)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    elapsed = time.perf_counter() - begin
    cpu = _cpu() - before
    empty(target)
    return _summary(times, elapsed, cpu)


def _copy_one(source: Path, target: Path) -> None:
    part = target.with_suffix(".part")
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as reading, part.open("wb", buffering=0) as writing:
        while chunk := reading.read(CHUNK):
            writing.write(chunk)
            digest.update(chunk)
        os.fsync(writing.fileno())
    part.rename(target)


def _cpu() -> float:
    used = os.times()
    return used.user + used.system


def _summary(times: list[float], elapsed: float, cpu: float) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "rate": len(times) / elapsed,
        "cpu_us": cpu / len(times) * 1e6,
        "p50_ms": statistics.median(ordered) * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    what, where, how_long, *more = sys.argv[1:]
    found = sync(Path(where), float(how_long)) if what == "sync" else copy(Path(where), float(how_long), int(more[0]))
    print(json.dumps(found))
