"""The malware scanner: clamd, which is sent every file over its socket before the file is registered."""

import asyncio
import re
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

from msgspec import Struct

from storagemanager.errors import MalwareError, StorageError, StorageErrorCode
from storagemanager.model import Owner

ANSWER_BYTES_MAX = 1024
_LENGTH = struct.Struct(">I")
_END = _LENGTH.pack(0)
_HIT = re.compile(rb"stream: ([ -~]{1,200}) FOUND")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.:/+-]")
_RAISE_LIMIT = "the file is larger than clamd takes: raise StreamMaxLength of clamd above the largest upload"
_LOOK = "look whether clamd runs, and at its log"


Infected = Callable[[Owner, str, str], Awaitable[None]]
"""Is told whose file was refused, the uuid it would have had, and the scanner's name for what it found."""


async def tell_nobody(_owner: Owner, _uuid: str, _signature: str) -> None:
    """Tell nobody of malware."""


class ScannerSettings(Struct, frozen=True, kw_only=True):
    """Where clamd listens: `unix` is the path of its socket, else `host` and `port`."""

    unix: str = ""
    host: str = ""
    port: int = 0
    seconds: float = 30.0
    """How long one file may take, waiting for its turn included."""
    scans_max: int = 4
    """Scans at once; clamd has ten threads unless it is told otherwise."""

    @property
    def address(self) -> str:
        """The address as people write it."""
        return f"unix:{self.unix}" if self.unix else f"{self.host}:{self.port}"


class Scanner:
    """Asks clamd (INSTREAM, PING). Whatever is not a clear answer is a refusal: UNSCANNED.

    `fault` tells why the last question had no answer, "" when it had one.
    """

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.scans_max)
        self.fault = ""
        self.scans = 0
        self.found = 0
        self.failures = 0
        self._asking: set[asyncio.Timeout] = set()
        self._closed = False

    def close(self) -> None:
        """Break off whatever is being asked: a stop does not wait for clamd."""
        self._closed = True
        for limit in self._asking:
            limit.reschedule(0)

    async def check(self) -> None:
        """Ask whether clamd is there, and remember the answer in `fault`."""
        try:
            async with self._limit(), self._asked(b"zPING\0") as (reader, _):
                answer = await _answer(reader)
        except (TimeoutError, OSError, EOFError) as error:
            self.fault = self._told(error)
            return
        self.fault = "" if answer == b"PONG" else self._odd(answer)

    async def scan(self, pieces: AsyncGenerator[bytes, None]) -> None:
        """Return when clamd has seen the whole file and found nothing.

        MALWARE with the name of what was found; UNSCANNED where clamd is away, too slow, refuses or says anything else.
        """
        self.scans += 1
        try:
            async with self._limit(), aclosing(pieces), self._turns, self._asked(b"zINSTREAM\0") as streams:
                answer = await _streamed(*streams, pieces)
        except (TimeoutError, OSError, EOFError) as error:
            raise self._unscanned(self._told(error)) from None
        if answer == b"stream: OK":
            self.fault = ""
            return
        hit = _HIT.fullmatch(answer)
        if hit is not None:
            self.fault = ""
            self.found += 1
            raise MalwareError(_NOT_A_NAME.sub("_", hit[1].decode("ascii")))
        if answer.startswith(b"INSTREAM size limit exceeded"):
            self.failures += 1  # clamd is well, and smaller files pass: no reason to be unready
            raise StorageError(StorageErrorCode.UNSCANNED, "file", _RAISE_LIMIT)
        raise self._unscanned(self._odd(answer))

    @asynccontextmanager
    async def _limit(self) -> AsyncIterator[None]:
        """Raise TimeoutError when the time of one question is over, or the scanner is closed."""
        if self._closed:
            raise TimeoutError
        async with asyncio.timeout(self._settings.seconds) as limit:
            self._asking.add(limit)
            try:
                yield
            finally:
                self._asking.discard(limit)

    @asynccontextmanager
    async def _asked(self, command: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self._settings.unix:
            reader, writer = await asyncio.open_unix_connection(self._settings.unix, limit=ANSWER_BYTES_MAX)
        else:
            host, port = self._settings.host, self._settings.port
            reader, writer = await asyncio.open_connection(host, port, limit=ANSWER_BYTES_MAX)
        try:
            writer.write(command)
            yield reader, writer
        finally:
            writer.transport.abort()

    def _unscanned(self, fault: str) -> StorageError:
        self.fault = fault
        self.failures += 1
        return StorageError(StorageErrorCode.UNSCANNED, "file", fault)

    def _told(self, error: Exception) -> str:
        address, seconds = self._settings.address, self._settings.seconds
        if isinstance(error, TimeoutError):
            return f"clamd at {address} did not answer within {seconds:g} s: {_LOOK}"
        if isinstance(error, EOFError | ConnectionResetError | BrokenPipeError):
            return f"clamd at {address} broke off without an answer: {_LOOK}"
        return f"clamd at {address} cannot be reached ({error}): {_LOOK}"

    def _odd(self, answer: bytes) -> str:
        shown = answer[:80].decode("ascii", "replace")
        return f"clamd at {self._settings.address} gave an answer that is none of its own, {shown!a}: {_LOOK}"


async def _streamed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: AsyncIterator[bytes]) -> bytes:
    """Send a file and return the answer; one that comes early ends the sending."""
    answering = asyncio.ensure_future(_answer(reader))
    try:
        async for piece in pieces:
            if answering.done():
                break
            writer.write(_LENGTH.pack(len(piece)) + piece)
            await writer.drain()
        else:
            writer.write(_END)
        return await answering
    except (ConnectionResetError, BrokenPipeError):
        return await answering  # it hangs up on a file that is too large, and says so before
    finally:
        answering.cancel()
        await asyncio.wait((answering,))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Read up to the NUL that ends every answer; EOFError without one, an endless one is cut."""
    try:
        return (await reader.readuntil(b"\0"))[:-1]
    except asyncio.LimitOverrunError:
        return await reader.read(ANSWER_BYTES_MAX)
