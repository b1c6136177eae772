"""One process of the pool, as the daemon sees it."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from storagemanager.sandbox.child import HEADER
from storagemanager.sandbox.model import ANSWER_BYTES_MAX, Failure, FailureKind, Job, Limits, Outcome

_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",  # each further arena would take 64 MiB of the address space
    "PYTHONDONTWRITEBYTECODE": "1",
}
_OUT_OF_TIME = frozenset({signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU})
_NANOSECONDS = 1_000_000_000
_MOMENT_SECONDS, _END_SECONDS_MAX = 0.002, 1.0
_STAT_BYTES, _PIECE_BYTES = 256, 4096


class Process:
    """A child that works on one file at a time. Made by `start`; after a failure `dead` is true: throw it away."""

    def __init__(self, child: "subprocess.Popen[bytes]", channel: socket.socket, limits: Limits) -> None:
        self._child = child
        self._channel = channel
        self._limits = limits
        self._waits = _opened(Path(f"/proc/{child.pid}/schedstat"))
        self._ready = False
        self.files = 0
        self.dead = False

    @classmethod
    def start(cls, command: Sequence[str], limits: Limits) -> "Process":
        """Start a child; takes about a millisecond, whatever the size of the daemon. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [*command, str(theirs.fileno()), msgspec.json.encode(limits).decode()],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                )
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        return cls(child, ours, limits)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs: somebody else may have ended it between two files."""
        return not self.dead and self._child.poll() is None

    async def get_ready(self) -> Failure | None:
        """Return when the child has imported its decoders and given up its rights, or why it has not."""
        if self._ready:
            return None
        try:
            async with asyncio.timeout(self._limits.start_seconds):
                await self._receive()
        except (TimeoutError, OSError, ValueError) as error:
            return Failure(FailureKind.UNAVAILABLE, f"a process did not start: {await self._end(error)}")
        self._ready = True
        return None

    async def run(self, job: bytes, descriptor: int) -> Outcome | Failure:
        """Hand a job over, wait for its outcome or its end. The child gets a reading descriptor of its own."""
        self.files += 1
        try:
            # A second description of the same file: read-only, and with an offset of its own.
            readable = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:  # too many files are open here: neither the file nor the child is to blame
            return Failure(FailureKind.UNAVAILABLE, f"the file cannot be handed over: {error.strerror}")
        try:
            self._hand_over(job, readable)
            outcome = await self._in_time()
        except TimeoutError:
            await self.kill()
            return Failure(FailureKind.TIME, "the clock")
        except (OSError, ValueError) as error:
            return await self._end(error)
        if outcome.failure is not None:
            self.dead = self.dead or outcome.failure.kind is FailureKind.MEMORY
            return outcome.failure
        return outcome

    async def kill(self) -> None:
        """End the child now and return when it is gone; who waits for its answer hears that it has ended."""
        self.dead = True
        self._child.kill()
        await self._gone()

    def close(self) -> None:
        """Close what belongs to a child that is gone and that nobody waits for any more."""
        self._channel.close()
        waits, self._waits = self._waits, -1
        if waits >= 0:
            os.close(waits)

    def _hand_over(self, job: bytes, readable: int) -> None:
        """Send a descriptor with its job, and close it here."""
        try:
            socket.send_fds(self._channel, [HEADER.pack(len(job)) + job], [readable])
        finally:
            os.close(readable)

    async def _in_time(self) -> Outcome:
        """Wait for the outcome; TimeoutError when the time of one file is over."""
        loop = asyncio.get_running_loop()
        began, waited = loop.time(), self._waited()
        last = began + self._limits.wall_seconds_max
        receiving = loop.create_task(self._receive())
        try:
            while True:
                # What the child spends in the queue for a processor is the machine's fault, not the file's.
                until = min(last, began + self._limits.seconds + self._waited() - waited)
                if loop.time() >= until:
                    raise TimeoutError
                await asyncio.wait((receiving,), timeout=until - loop.time())
                if receiving.done():
                    return receiving.result()
        finally:
            if not receiving.done():
                receiving.cancel()
                await asyncio.wait((receiving,))  # the socket may be closed only when the loop has let go of it

    def _waited(self) -> float:
        """Return how long the child has waited for a processor so far, in seconds; 0 where the kernel does not say."""
        try:
            return int(os.pread(self._waits, _STAT_BYTES, 0).split()[1]) / _NANOSECONDS
        except (OSError, IndexError):
            return 0.0

    async def _receive(self) -> Outcome:
        """Read one word of the child; EOFError becomes ConnectionError, a word that is none a ValueError."""
        loop = asyncio.get_running_loop()
        data, end = bytearray(), HEADER.size
        while len(data) < end:
            piece = await loop.sock_recv(self._channel, min(max(end - len(data), _PIECE_BYTES), 1 << 20))
            if not piece:
                raise ConnectionError("the process has ended")
            data += piece
            if end == HEADER.size <= len(data):
                (length,) = HEADER.unpack_from(data)
                if length > ANSWER_BYTES_MAX:
                    raise ValueError("the answer is too long")
                end += length
        if len(data) > end:
            raise ValueError("more than one answer")
        return msgspec.msgpack.decode(memoryview(data)[HEADER.size :], type=Outcome)

    async def _end(self, error: Exception) -> Failure:
        """Take leave of a child that failed, and tell how it ended."""
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            # It hung up: its own end is near, and its exit code tells why.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone(), _END_SECONDS_MAX)
        code = self._child.poll()
        await self.kill()
        if code is not None and -code in _OUT_OF_TIME:
            return Failure(FailureKind.TIME, signal.Signals(-code).name)
        name = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return Failure(FailureKind.CRASH, name if code is not None else str(error))

    async def _gone(self) -> None:
        while self._child.poll() is None:  # noqa: ASYNC110 - a child that ends sets no event; it takes milliseconds
            await asyncio.sleep(_MOMENT_SECONDS)


def encoded(task: str, request: object) -> bytes:
    """Return a job as it is handed over."""
    return msgspec.msgpack.encode(Job(task, msgspec.Raw(msgspec.msgpack.encode(request))))


def _opened(path: Path) -> int:
    """Return a descriptor to read from, -1 where the system has no such file."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
