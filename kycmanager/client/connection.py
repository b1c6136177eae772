"""One TCP connection of a client: calls in flight by extID, and what the daemon pushes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from kycmanager.client.errors import ClientError, ConnectionLost, RemoteError
from kycmanager.client.wire import Answer, Notice, Push, Request, Wire

PushTaker = Callable[[Push | Notice], None]

_OK = 200


class Connection:
    """Sends requests, gives every answer to the call that waits for it. Ends once, for one reason."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        wire: Wire,
        take_push: PushTaker,
        ended: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._wire = wire
        self._take_push = take_push
        self._ended = ended
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._complaint = ""
        self.lost: ConnectionLost | None = None
        self._task = asyncio.create_task(self._read())

    async def call(self, command: str, data: dict[str, Any], token: str, reply: Any) -> Any:
        """Send a request and wait for its reply. Raises RemoteError, ConnectionLost, BadReply, BadRequest."""
        if self.lost is not None:
            raise self._again(self.lost)
        ext_id = str(next(self._numbers))
        request = self._wire.request(Request(command, data, ext_id, token))
        future = asyncio.get_running_loop().create_future()
        self._waiting[ext_id] = future
        try:
            self._writer.write(request)
            with suppress(OSError):  # the reader meets the same end and knows more of it
                await self._writer.drain()
            answer = await future
        finally:
            # a call given up is forgotten: a late answer meets nobody
            self._waiting.pop(ext_id, None)
        return self._result(answer, reply)

    def _result(self, answer: Answer, reply: Any) -> Any:
        if answer.status == _OK:
            return self._wire.data(answer, reply)
        details = self._wire.data(answer, dict[str, Any]) if answer.data else {}
        raise RemoteError(answer.status, answer.error, answer.message, details)

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._wire.read(self._reader))
        except ClientError as error:
            self.end(f"{error}{self._complaint}")
        except OSError as error:
            self.end(f"the connection broke: {error}")

    def _take(self, message: Answer | Push | Notice) -> None:
        if not isinstance(message, Answer):
            self._take_push(message)
            return
        future = self._waiting.get(message.ext_id) if isinstance(message.ext_id, str) else None
        if future is not None and not future.done():
            future.set_result(message)
        elif message.ext_id is None:
            # an answer to nobody in particular explains the end that follows it
            self._complaint = f", after {message.status} {message.error}: {message.message}"

    def end(self, reason: str) -> None:
        """End the connection: every waiting call fails for this reason."""
        if self.lost is not None:
            return
        self.lost = ConnectionLost(reason)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._again(self.lost))
        self._writer.close()
        self._ended()

    @staticmethod
    def _again(lost: ConnectionLost) -> ConnectionLost:
        """Make an error of its own for every call: one raised twice would carry both tracebacks."""
        return ConnectionLost(str(lost))

    async def close(self) -> None:
        """End the connection and wait until it is gone."""
        self.end("this client closed the connection")
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        with suppress(OSError):
            await self._writer.wait_closed()
