"""The words between the pool and its processes: tasks, limits and failures."""

from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Raw, Struct

Request = TypeVar("Request")
Answer = TypeVar("Answer")

ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""A longer answer of a process is not taken."""

JOB_BYTES_MAX = 32 * 1024
"""A job must fit into the empty buffer of a socket, so that handing it over never waits."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one process may use, and how many there are."""

    processes_max: int = 2
    memory_bytes: int = 256 * 1024 * 1024
    """Address space beyond what the process has when it is ready."""
    seconds: float = 2.0
    """Processor time of one file; and time by the clock, without what the process waits for a processor."""
    wall_seconds_max: float = 10.0
    """Time by the clock at the most, however busy the machine is."""
    files_max: int = 500
    """After so many files a process is replaced: what leaks is bounded."""
    start_seconds: float = 30.0


class FailureKind(StrEnum):
    """How a process failed. UNAVAILABLE says nothing of the file; all others happened while it was worked on."""

    MEMORY = "memory"
    TIME = "time"
    CRASH = "crash"
    FAULT = "fault"
    """The task raised an exception that it does not know."""
    UNAVAILABLE = "unavailable"
    """No process could be started, or the pool is closed."""


class Failure(Struct, frozen=True):
    """A task that came to no answer; `detail` is for the log and holds nothing of the file's content."""

    kind: FailureKind
    detail: str

    def reason(self, work: str, limits: Limits) -> str:
        """Return what the sender of the file may be told; `work` is what was done to it ("decoding")."""
        if self.kind is FailureKind.TIME:
            return f"{work} it takes longer than {limits.seconds:g} s"
        if self.kind is FailureKind.MEMORY:
            return f"{work} it takes more than {limits.memory_bytes // 2**20} MiB of memory"
        return "the decoder broke down over it"


class Task(Struct, Generic[Request, Answer], frozen=True):
    """A kind of work: its name, the type that says what to do, and the type of the answer."""

    name: str
    request: type[Request]
    answer: type[Answer]


class Job(Struct, frozen=True, array_like=True):
    """A task and its encoded request, on the way to a process; the file's descriptor travels with it."""

    task: str
    request: Raw


class Outcome(Struct, frozen=True, array_like=True):
    """What a process sends back: an encoded answer, or why there is none. Also its first word: no failure, ready."""

    answer: Raw
    failure: Failure | None = None
