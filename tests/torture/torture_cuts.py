"""Power cuts: the disk loses what was not flushed, at a random moment or right after something was acknowledged."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from torture_disk import Disk
from torture_rounds import LOAD_SECONDS, Job, Outcome, Rounds

ROUNDS = 5
"""Cuts of one disk; the two kinds of disks take turns."""

ANSWERS_MAX = 300
"""A cut right after an answer comes after one of the first so many of its round."""
ANSWERS_SECONDS_MAX = 5.0


class Cuts(Rounds):
    """Power cuts of one disk."""

    def __init__(self, folder: Path, job: Job, tell: Callable[[str], None], disk: Disk) -> None:
        super().__init__(folder, job, tell, data=disk.mount)
        self.disk = disk

    async def rounds(self) -> None:
        """Start, check, load, cut; once more start and check at the end."""
        for number in range(self.job.count):
            self.start()
            await (self.check(whole=False) if number else self.set_up())
            self.read_log()
            await self._load_and_cut()
            self.figures["cuts"] += 1
            self.figures[f"cuts_{self.disk.kind}"] += 1
            self.progress(f"cut {self.job.number + number + 1} ({self.disk.kind})")
        await self.finish()

    async def _load_and_cut(self) -> None:
        cut = asyncio.Event()

        def power_off() -> None:
            self.load.over = True
            self._freeze()
            logged = self.process.log.stat().st_size
            self.disk.stop()
            self.process.kill()
            self.read_log(until=logged)
            cut.set()

        loading = self.loading()
        if self.rng.random() < 0.5:
            await asyncio.sleep(self.rng.uniform(*LOAD_SECONDS))
        else:
            await self._after_an_answer(self.rng.randint(1, ANSWERS_MAX), power_off, cut)
        if not cut.is_set():
            power_off()
        await self.loaded(loading)
        self.disk.restart()
        self.forget_files()

    def _freeze(self) -> None:
        """Return when the daemon answers no more: what was answered until now is what must have been flushed.

        Else it would go on for a moment on a disk without power, where the kernel may call a flush done that was cut
        off (a commit of the journal that is aborted while it is waited for), and answer on the strength of that.
        """
        assert self.process.process is not None
        pid = self.process.process.pid
        os.kill(pid, signal.SIGSTOP)
        answering = Path(f"/proc/{pid}/task/{pid}/stat")  # of all threads the first alone writes to sockets
        while answering.read_text().rpartition(")")[2].split()[0] not in {"T", "Z"}:
            time.sleep(0)

    async def _after_an_answer(self, count: int, power_off: Callable[[], None], cut: asyncio.Event) -> None:
        """Cut in the very moment in which the answer is read."""
        left = count

        def told() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                power_off()

        self.load.told = told
        try:
            async with asyncio.timeout(ANSWERS_SECONDS_MAX):
                await cut.wait()
        except TimeoutError:
            pass
        finally:
            self.load.told = lambda: None


def cut(folder: Path, job: Job, tell: Callable[[str], None]) -> Outcome:
    """Do the job on a new disk."""
    disk = Disk(folder, ("bare", "journal")[job.number // ROUNDS % 2])
    try:
        disk.make()
        cuts = Cuts(folder, job, tell, disk)
        return cuts.run(cuts.rounds())
    finally:
        disk.release()
