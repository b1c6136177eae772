"""The client over TCP: many calls in flight on one connection, and pushes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any, Self

from kycmanager.client.caller import TIMEOUT_SECONDS, ReplyT
from kycmanager.client.connection import Connection, PushTaker
from kycmanager.client.errors import ClientError, ConnectionLost, ReplyTimeout
from kycmanager.client.generated.methods import Commands
from kycmanager.client.sendable import REQUEST_BYTES_MAX
from kycmanager.client.wire import Encoding, Notice, Push, Wire


class TcpClient(Commands):
    """One connection to the daemon; `async with` opens and closes it. Connecting again is the caller's: `open()`.

    `token` may be replaced at any time; it travels with every request. Pushes go to `on_push` when it is given, else
    they wait for `pushes()`, at most `pushes_max` of them: more end the connection, because a gap in them must not go
    unnoticed (`subscribe` with `after_seq` brings back what was missed). At most `calls_max` calls are in flight,
    further ones wait for their turn within their `timeout_seconds`. A message from the daemon over `message_bytes_max`
    ends the connection; a request over `request_bytes_max`, the limit the daemon is configured with, is not sent.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        token: str,
        encoding: Encoding = Encoding.JSON,
        tls: ssl.SSLContext | None = None,
        on_push: PushTaker | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        calls_max: int = 1024,
        pushes_max: int = 10_000,
        message_bytes_max: int = 64 << 20,
        request_bytes_max: int = REQUEST_BYTES_MAX,
    ) -> None:
        self.token = token
        self._address = (host, port)
        self._wire = Wire(encoding, message_bytes_max, request_bytes_max)
        self._tls = tls
        self._on_push = on_push
        self._timeout_seconds = timeout_seconds
        self._calls = asyncio.Semaphore(calls_max)
        self._pushes_max = pushes_max
        self._message_bytes_max = message_bytes_max
        self._pushes: asyncio.Queue[Push | Notice | None] = _queue()
        self._connection: Connection | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether there is a connection that has not ended."""
        return self._connection is not None and self._connection.lost is None

    async def open(self) -> None:
        """Connect, after an end as well. Raises ConnectionLost when that fails, ReplyTimeout when it takes too long."""
        await self.close()
        host, port = self._address
        try:
            async with asyncio.timeout(self._timeout_seconds):
                reader, writer = await asyncio.open_connection(host, port, ssl=self._tls, limit=self._message_bytes_max)
        except TimeoutError:
            raise ReplyTimeout(f"no connection to {host}:{port} within {self._timeout_seconds:g} s") from None
        except OSError as error:
            raise ConnectionLost(f"no connection to {host}:{port}: {error}") from error
        self._closed = False
        # a queue for each connection: what the old one left unread is of the old one
        self._pushes = pushes = _queue()
        self._connection = Connection(reader, writer, self._wire, self._take_push, lambda: pushes.put_nowait(None))

    async def close(self) -> None:
        """Close the connection if there is one; calls that still wait fail with ConnectionLost."""
        self._closed = True
        if self._connection is not None:
            await self._connection.close()

    async def call(
        self,
        command: str,
        data: dict[str, Any],
        reply: type[ReplyT],
        *,
        idempotency_key: str | None = None,
    ) -> ReplyT:
        """Call a command; see Caller."""
        if self._connection is None:
            raise ConnectionLost("this client is not open")
        sent = data if idempotency_key is None else data | {"idempotency_key": idempotency_key}
        try:
            async with asyncio.timeout(self._timeout_seconds), self._calls:
                answered: ReplyT = await self._connection.call(command, sent, self.token, reply)
        except TimeoutError:
            raise ReplyTimeout(f"{command} was not answered within {self._timeout_seconds:g} s") from None
        return answered

    async def pushes(self) -> AsyncIterator[Push | Notice]:
        """Yield what is pushed, in order; ends when this client closes. Raises ConnectionLost at another end."""
        connection, queue = self._connection, self._pushes
        if connection is None:
            raise ConnectionLost("this client is not open")
        while (push := await queue.get()) is not None:
            yield push
        queue.put_nowait(None)  # the end is there for every reader
        if not self._closed and connection.lost is not None:
            raise ConnectionLost(str(connection.lost))

    def _take_push(self, push: Push | Notice) -> None:
        if self._on_push is not None:
            self._hand_over(push, self._on_push)
        elif self._pushes.qsize() < self._pushes_max:
            self._pushes.put_nowait(push)
        else:
            raise ClientError(f"more than {self._pushes_max} pushes wait to be read; subscribe again with after_seq")

    @staticmethod
    def _hand_over(push: Push | Notice, on_push: PushTaker) -> None:
        try:
            on_push(push)
        except Exception as error:  # noqa: BLE001 - a fault of the callback must not end the connection
            context = {"message": "the callback for pushes failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


def _queue() -> asyncio.Queue[Push | Notice | None]:
    return asyncio.Queue()
