"""Kills: the daemon ends without a warning, at a random moment of its load or right before the N-th call of a kind."""

import asyncio
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from torture_load import BROKEN
from torture_rounds import LOAD_SECONDS, Job, Outcome, Rounds

CALLS = {
    "pwrite64": 4000,
    "write": 700,
    "fdatasync": 180,
    "fsync": 60,
    "rename": 40,
    "ftruncate": 3,
    "unlink": 3,
    "mkdir": 5,
}
"""The system calls before which it dies, and how many of them one thread makes in the time of a round, as measured.

Those of the start count too: a daemon that dies while it mends what the kill before has left is among them.
"""
REACHED_SECONDS_MAX = 1.5
"""A call that does not come within this is not waited for: the daemon is killed where it is."""


def missing() -> str:
    """Return why nothing can be killed at its calls here, "" when it can."""
    return "" if shutil.which("strace") else "strace is not installed"


class Kills(Rounds):
    """Kills in one folder; a job without `calls` kills at random moments only."""

    calls = not missing()

    async def rounds(self) -> None:
        """Start, check, load, kill; once more start and check at the end."""
        for number in range(self.job.count):
            call = self._call() if self.calls and number else ()
            await self._round(number, call)
            self.figures["kills"] += 1
            self.progress(f"kill {self.job.number + number + 1}")
        await self.finish()

    def _call(self) -> tuple[str, int] | tuple[()]:
        """Return before which call to die, or nothing for a random moment; small numbers are as likely as large ones."""
        if self.rng.random() < 0.4:
            return ()
        name = self.rng.choice(list(CALLS))
        return name, int(math.exp(self.rng.uniform(0, math.log(CALLS[name] + 1))))

    async def _round(self, number: int, call: tuple[str, int] | tuple[()]) -> None:
        if not call:
            self.start()
        elif not await self._start_to_die(*call):
            return
        try:
            await (self.check(whole=False) if number else self.set_up())
        except BROKEN:
            if not call:
                raise
            await self._await_death()
            return
        loading = self.loading()
        if call:
            await self._await_death()
        else:
            await asyncio.sleep(self.rng.uniform(*LOAD_SECONDS))
            self.process.kill()
        await self.loaded(loading)

    async def _start_to_die(self, name: str, count: int) -> bool:
        """Start the daemon so that a thread's call number `count` kills it; return whether it lived to serve."""
        injected = ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={count}")
        self.process.launch("strace", "-D", "-f", "-qq", "-o", "/dev/null", *injected)
        process, deadline = self.process.process, time.monotonic() + 30
        assert process is not None
        while not self.process.serves():
            if process.poll() is not None:
                self._died(process.returncode, "kills_at_start")
                return False
            assert time.monotonic() < deadline, self.process.log.read_text()
            await asyncio.sleep(0.005)
        return True

    async def _await_death(self) -> None:
        """Wait until the call comes, during the check already or under load."""
        process, deadline = self.process.process, time.monotonic() + REACHED_SECONDS_MAX
        assert process is not None
        while process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        if process.poll() is None:
            self.process.kill()
        else:
            self._died(process.returncode, "kills_at_calls")

    def _died(self, code: int, name: str) -> None:
        self.figures[name] += 1
        if code != -9:
            self.findings.add("not_started", f"it ended with {code}: {self.process.log.read_text()[-500:]}")


def kill(folder: Path, job: Job, tell: Callable[[str], None]) -> Outcome:
    """Do the job."""
    kills = Kills(folder, job, tell)
    return kills.run(kills.rounds())
