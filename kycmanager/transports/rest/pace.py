"""Reads the body of an upload in large pieces or where it is wanted, and gives up on a client that sends too slowly."""

import asyncio

from aiohttp import web

from kycmanager.transports.rest.body import TooSlowError
from kycmanager.transports.rest.connection import Connection
from kycmanager.transports.rest.direct import Receiver
from kycmanager.transports.rest.settings import RestSettings

PIECE_BYTES = 256 * 1024


class PacedBody:
    """The body of a request. Whoever has called `read_into` calls `close` at last.

    The client must send `upload_rate_min` bytes per second on average once `upload_grace_seconds` are over.
    """

    def __init__(self, request: web.BaseRequest, settings: RestSettings) -> None:
        self._request = request
        self._content = request.content
        self._early = memoryview(b"")
        self._receiver: Receiver | None = None
        self._rate = settings.upload_rate_min
        self._deadline = asyncio.get_running_loop().time() + settings.upload_grace_seconds
        self.received = 0

    async def read_into(self, room: memoryview, enough: int = 0) -> int:
        """Fill the room as far as the body goes, or until `enough` is there where that is not 0; return how far.

        Returns 0 at the end of the body. Raises TooSlowError, ConnectionError when the client goes.
        """
        enough = enough or len(room)
        if self._receiver is None and not self.received:
            self._begin()
        if self._receiver is None and not self._early:
            self._early = memoryview(await self._parsed())
        size = min(len(room), len(self._early))
        room[:size] = self._early[:size]
        self._early = self._early[size:]
        self.received += size
        if self._receiver is not None and size < enough:
            size += await self._receive(self._receiver, room[size:], enough - size)
        return size

    def close(self) -> None:
        """Want no more of the body."""
        if self._receiver is not None:
            self._receiver.give_up()

    def _begin(self) -> None:
        """Have the rest of the body received directly, where that can be done; what came with the head is here."""
        protocol = self._request.protocol
        if isinstance(protocol, Connection):
            self._early = memoryview(self._content.read_nowait())  # first: a stream that is full stops the transport
            self._receiver = protocol.receive_directly(self._request)

    async def _parsed(self) -> bytes:
        """Return the next piece, where only the parser can have the body; b"" at its end."""
        release(self._request)
        try:
            async with asyncio.timeout_at(self._deadline + self.received / self._rate):
                return await self._content.read(PIECE_BYTES)
        except TimeoutError:
            raise TooSlowError from None

    async def _receive(self, receiver: Receiver, room: memoryview, enough: int) -> int:
        loop = asyncio.get_running_loop()
        waiter, before = receiver.fill(room, enough), self.received
        while not waiter.done():
            patience = self._deadline + self.received / self._rate - loop.time()
            if patience <= 0:
                raise TooSlowError
            await asyncio.wait((waiter,), timeout=patience)
            self.received = before + receiver.filled
        if receiver.lost:
            raise ConnectionResetError("The client has gone")
        self.received = before + receiver.filled
        return receiver.filled


def release(request: web.BaseRequest) -> None:
    """Let the parser have the body of a request, where the connection holds it."""
    if isinstance(request.protocol, Connection):
        request.protocol.release()
