"""The operator's door: local commands over a socket in the data folder that only its owner can open."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from kycmanager.commands.execute import Codec, Executor, silently
from kycmanager.commands.model import Command, Kind
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError, forbidden
from kycmanager.domain.session import Session
from kycmanager.ports import Progress
from kycmanager.transports import json_wire
from kycmanager.transports.envelope import EnvelopeError, from_line

LINE_BYTES_MAX = 1 << 20
LOCAL = Session(sub=0, type=SessionType.SYSTEM, brands=None, local=True)
SOURCE = "control"

_OK = 200
_CODEC = Codec("json", json_wire.encode)

Run = Callable[[str, dict[str, Any], Progress], Awaitable[bytes]]
"""`run(command, data, report)` returns reply data as JSON, or raises KycError."""


async def run_local(
    executor: Executor, name: str, data: dict[str, Any], report: Progress = silently, *, source: str = SOURCE
) -> bytes:
    """Run a row no token reaches, or one that only reads; return its reply data, raise KycError.

    `source` is what the audit tells of the way in.
    """
    command = executor.find(name)
    if not _is_local(command):
        raise forbidden()
    call = executor.admit(command, LOCAL, data, source=source)
    answer: asyncio.Future[bytes | KycError] = asyncio.get_running_loop().create_future()

    def done(result: bytes | KycError) -> None:
        if not answer.done():  # whoever waited may be gone
            answer.set_result(result)

    executor.run(call, _CODEC, done, progress=report)
    result = await answer
    if isinstance(result, KycError):
        raise result
    return result


def _is_local(command: Command) -> bool:
    return not command.access.sessions or command.kind is not Kind.WRITE


class ControlServer:
    """Listens at a path, mode 0600, one JSON line per command: `{"command", "data"}`, answered as over TCP.

    Lines `{"progress": [what, done, total]}` may come before an answer. Whoever starts it holds the lock of the base,
    so a socket that is there already was left behind.
    """

    def __init__(self, path: Path, run: Run) -> None:
        self._path = path
        self._run = run
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; raises OSError."""
        self._path.unlink(missing_ok=True)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        mask = os.umask(0o177)
        try:
            # The system takes 108 bytes of a name: this one is short wherever the data folder lies.
            self._server = await asyncio.start_unix_server(
                self._serve, f"/proc/self/fd/{folder}/{self._path.name}", limit=LINE_BYTES_MAX
            )
        finally:
            os.umask(mask)
            os.close(folder)

    async def close(self) -> None:
        """Stop listening and cut off who is served; a second call does nothing."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._path.unlink(missing_ok=True)
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while line := await reader.readline():
                writer.write(await self._answer(line, writer))
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # gone, a line without end, or the daemon stops: nobody is left to be told
        finally:
            self._serving.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> bytes:
        def report(what: str, done: int, total: int) -> None:
            writer.write(json_wire.message({"progress": [what, done, total]}))

        ext = None
        try:
            envelope = from_line(line)
            ext = envelope.ext
            return json_wire.reply(ext, _OK, await self._run(envelope.command, envelope.data, report))
        except EnvelopeError as error:
            refusal = KycError(Code.INVALID_DATA, str(error))
            ext = error.ext
        except KycError as error:
            refusal = error
        return json_wire.error_reply(ext, refusal.code.status, refusal.code.wire_name, refusal.message, refusal.data)
