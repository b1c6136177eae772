"""The pool: a few warm processes, started when they are first needed, replaced when they are worn or dead."""

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from storagemanager.sandbox.model import (
    JOB_BYTES_MAX,
    Answer,
    Failure,
    FailureKind,
    Limits,
    Outcome,
    Request,
    Task,
)
from storagemanager.sandbox.process import Process, encoded

COMMAND = (sys.executable, "-m", "storagemanager.decoders")
_KILLED = Failure(FailureKind.CRASH, "SIGKILL")


class Sandbox:
    """Runs tasks on untrusted files, each in a process of its own that has next to no rights.

    Belongs to one event loop. `run` may be called by many tasks at once: they wait their turn in the order they came.
    """

    def __init__(self, limits: Limits | None = None, command: Sequence[str] = COMMAND) -> None:
        """`command` starts a process; the pool adds the descriptor of its socket and the limits."""
        self._limits = limits or Limits()
        self._command = command
        self._turns = asyncio.Semaphore(self._limits.processes_max)
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._closed = False

    @property
    def limits(self) -> Limits:
        """What one process may use."""
        return self._limits

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes there are."""
        return sorted(process.pid for process in self._all)

    async def run(self, task: Task[Request, Answer], descriptor: int, request: Request) -> Answer | Failure:
        """Return the answer of a task about the file behind `descriptor`, or how it failed.

        The file is one that can be read at any offset, a file or a memfd; the process gets a reading descriptor of its
        own, so the caller may close or go on writing, though what is judged should not change meanwhile. ValueError for
        a request over `JOB_BYTES_MAX`. Whoever is cancelled in here loses the process, not the pool.
        """
        job = encoded(task.name, request)
        if len(job) > JOB_BYTES_MAX:
            raise ValueError(f"a request of {len(job)} bytes is over {JOB_BYTES_MAX}")
        async with self._turns:
            outcome = await self._run(job, descriptor)
            if outcome == _KILLED:  # nothing in a file does that: the system was short of memory, or somebody did it
                outcome = await self._run(job, descriptor)
        if isinstance(outcome, Failure):
            return outcome
        try:
            return msgspec.msgpack.decode(outcome.answer, type=task.answer)
        except msgspec.ValidationError:
            return Failure(FailureKind.FAULT, "an answer of another type")

    async def close(self) -> None:
        """End all processes and return when they are gone; who still waits gets a failure. Once more does nothing."""
        self._closed = True
        for process in tuple(self._all):
            await process.kill()
        for _ in range(self._limits.processes_max):  # those whose process was just ended say so first
            await self._turns.acquire()
        for process in tuple(self._all):
            await self._drop(process)
        for _ in range(self._limits.processes_max):
            self._turns.release()

    async def _run(self, job: bytes, descriptor: int) -> Outcome | Failure:
        process = await self._ready()
        if isinstance(process, Failure):
            return process
        try:
            outcome = await process.run(job, descriptor)
        except BaseException:
            await self._drop(process)
            raise
        if process.dead or process.files >= self._limits.files_max:
            await self._drop(process)
        else:
            self._idle.append(process)
        return outcome

    async def _ready(self) -> Process | Failure:
        """Return a process that is ready for a file."""
        while self._idle and not self._closed:
            process = self._idle.pop()  # the one used last is the warmest
            if process.alive:
                return process
            await self._drop(process)
        if self._closed:
            return Failure(FailureKind.UNAVAILABLE, "the pool is closed")
        try:
            process = Process.start(self._command, self._limits)
        except OSError as error:
            return Failure(FailureKind.UNAVAILABLE, f"a process did not start: {error}")
        self._all.add(process)
        try:
            failure = await process.get_ready()
        except BaseException:
            await self._drop(process)
            raise
        if failure is None and self._closed:
            failure = Failure(FailureKind.UNAVAILABLE, "the pool is closed")
        if failure is not None:
            await self._drop(process)
            return failure
        return process

    async def _drop(self, process: Process) -> None:
        self._all.discard(process)
        await process.kill()
        process.close()
