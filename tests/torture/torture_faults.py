"""Faults that end: a full disk, a failing one, no more files, short writes. Nothing is falsely acknowledged meanwhile."""

import asyncio
import contextlib
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from torture_clock import Clock
from torture_disk import SmallDisk
from torture_disk import missing as disks_missing
from torture_load import BROKEN, Line, Trouble
from torture_model import BRAND
from torture_rounds import Ended, Job, Outcome, Rounds

SMALL_BYTES = 96 << 20
FAULT_SECONDS = (0.7, 1.5)
ANSWER_SECONDS_MAX = 1.0
"""A refusal comes within this."""
AGAIN_SECONDS_MAX = 15.0
"""Writes are taken again within this after the end of a fault; measured: below one second."""
HEALTHY = 60
"""So many acknowledgements come before a fault, and again after it."""
LOOKS = 40
"""So often the open files are looked at, to tell those that stay open from the others."""
FILE_BYTES_MAX = 300_001
"""Where files end while writes are cut short: in the middle of a page."""


class Faults(Rounds):
    """One fault in one folder."""

    def __init__(self, folder: Path, job: Job, tell: Callable[[str], None], name: str, disk: SmallDisk | None) -> None:
        super().__init__(folder, job, tell, data=disk.mount / "data" if disk else None)
        self.name = name
        self.disk = disk

    async def rounds(self) -> None:
        """Load, let it fail, let it come back; look whether all that was acknowledged is there."""
        self.start()
        await self.set_up()
        loading = self.loading()
        if not await self._acknowledges():
            self.findings.add("refused", f"{self.name}: nothing is acknowledged before the fault")
        self.read_log()
        await self._suffer()
        self.load.over = True
        self.process.kill()
        await self.loaded(loading)
        self.read_log(until=0)
        self.load.trouble = None
        await self.finish()
        self.figures["faults"] += 1
        self.progress(f"fault {self.name}")

    async def _suffer(self) -> None:
        trouble = self.load.trouble = Trouble()
        over = asyncio.Event()
        line = await Line.open(self.process.tcp, packed=False)
        await line.call("ServerInfo", {}, self.token("manager", 0))  # so that it was taken
        reading = asyncio.create_task(self._read_on(line, over))
        with FAULTS[self.name](self):
            await asyncio.sleep(self.rng.uniform(*FAULT_SECONDS))
            over.set()
            await reading
        await line.close()
        began = time.monotonic()
        if not await self._acknowledges():
            self.findings.add("not_recovered", f"{self.name}: refused {dict(trouble.refused)}")
        self.greatest("again_seconds_max", time.monotonic() - began)
        self.greatest("refusal_seconds_max", trouble.seconds_max)
        self.figures["faults_felt"] += bool(trouble.refused)
        self.figures["refusals"] += trouble.refused.total()
        for text in trouble.wrong:
            self.findings.add("refused", f"{self.name}: {text}")
        if trouble.seconds_max > ANSWER_SECONDS_MAX:
            self.findings.add("late_refusals", f"{self.name}: a refusal took {trouble.seconds_max:.2f} s")

    async def _acknowledges(self) -> bool:
        """Wait until writes and uploads are acknowledged as they should."""
        writes, uploads = self.load.acknowledged + HEALTHY, self.load.uploaded + HEALTHY // 10
        deadline = time.monotonic() + AGAIN_SECONDS_MAX
        while self.load.acknowledged < writes or self.load.uploaded < uploads:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.005)
        return True

    async def _read_on(self, line: Line, over: asyncio.Event) -> None:
        """Read records, and files where they can be opened, until it is over."""
        known = [each for each in self.load.customers.values() if each.acknowledged]
        files = list(self.load.files)
        async with aiohttp.ClientSession("http://{}:{}".format(*self.process.http)) as rest:
            while not over.is_set():
                data = {"customer_id": self.rng.choice(known).number, "brand": BRAND}
                status, told = await line.call("MngGetKycProfile", data, self.token("manager", 0))
                if status != 200:
                    self.findings.add("reads_failed", f"{self.name}: {status} {told}")
                if self.name != "files":
                    await self._download(rest, self.rng.choice(files))
                self.figures["reads"] += 1
                await asyncio.sleep(0.005)

    async def _download(self, rest: aiohttp.ClientSession, uuid: str) -> None:
        headers = {"Authorization": self.token("manager", 0)}
        try:
            async with rest.get(f"/storage/{uuid}", headers=headers) as answer:
                content = await answer.read()
        except BROKEN as error:
            self.findings.add("reads_failed", f"{self.name}: {uuid} {error!r}")
            return
        if (answer.status, len(content)) != (200, self.load.files[uuid][1]):
            self.findings.add("reads_failed", f"{self.name}: {uuid} {answer.status} {content[:200]!r}")

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        assert self.process.process is not None
        return self.process.process.pid


@contextlib.contextmanager
def full(faults: Faults) -> Iterator[None]:
    """No byte is left on the disk."""
    assert faults.disk is not None
    faults.disk.fill()
    yield
    faults.disk.relieve()


def failing(*calls: str) -> Callable[[Faults], Any]:
    """Return the fault in which system calls answer EIO."""

    @contextlib.contextmanager
    def fault(faults: Faults) -> Iterator[None]:
        names = ",".join(calls)
        watched = ("-e", f"trace={names}", "-e", f"inject={names}:error=EIO")
        line = ["strace", "-f", "-qq", "-o", "/dev/null", *watched, "-p", str(faults.pid)]
        tracer = subprocess.Popen(line)
        try:
            while tracer.poll() is None and not _traced(faults.pid):
                time.sleep(0.005)
            if tracer.poll() is not None:
                raise Ended
            yield
        finally:
            tracer.terminate()
            tracer.wait()

    return fault


def _traced(pid: int) -> bool:
    """Tell whether every thread is watched."""
    states = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return all("TracerPid:\t0\n" not in state for state in states)


@contextlib.contextmanager
def no_files(faults: Faults) -> Iterator[None]:
    """No file can be opened and no connection taken."""
    used = _descriptors(faults.pid)
    for _ in range(LOOKS):  # what an upload has open at one look would be free for the next ones
        time.sleep(0.005)
        used &= _descriptors(faults.pid)
    free = next(number for number in range(len(used) + 1) if number not in used)
    with _limited(faults.pid, resource.RLIMIT_NOFILE, free):
        yield


def _descriptors(pid: int) -> set[int]:
    return {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}


@contextlib.contextmanager
def short(faults: Faults) -> Iterator[None]:
    """The write that reaches a certain size is cut short, and those behind it fail."""
    with _limited(faults.pid, resource.RLIMIT_FSIZE, FILE_BYTES_MAX):
        yield


@contextlib.contextmanager
def _limited(pid: int, what: int, value: int) -> Iterator[None]:
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (value, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, what, before)


FAULTS: dict[str, Callable[[Faults], Any]] = {
    "full": full,
    "eio": failing("pwrite64", "fsync", "fdatasync"),
    "flush": failing("fsync", "fdatasync"),
    "files": no_files,
    "short": short,
}
CLOCK = "clock"
KINDS = (*FAULTS, CLOCK)
"""One after the other, as often as it is asked for."""


def missing(name: str) -> str:
    """Return why a fault cannot be made here, "" when it can."""
    if name == "full":
        return disks_missing()
    if name in {"eio", "flush"} and shutil.which("strace") is None:
        return "strace is not installed"
    return ""


def fault(folder: Path, job: Job, tell: Callable[[str], None]) -> Outcome:
    """Do the job: the fault that is due by its number."""
    name = KINDS[job.number % len(KINDS)]
    if reason := missing(name):
        tell(f"left out fault {name}: {reason}")
        return Rounds(folder, job, tell).outcome()
    if name == CLOCK:
        clock = Clock(folder, job, tell)
        return clock.run(clock.rounds())
    disk = SmallDisk(folder, SMALL_BYTES) if name == "full" else None
    try:
        if disk:
            disk.make()
        faults = Faults(folder, job, tell, name, disk)
        return faults.run(faults.rounds())
    finally:
        if disk:
            disk.release()
