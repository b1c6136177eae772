"""Reads the body of an upload in large pieces, and gives up on a client that sends too slowly."""

import asyncio

from aiohttp import web

from kycmanager.transports.rest.body import TooSlowError
from kycmanager.transports.rest.settings import RestSettings

PIECE_BYTES = 256 * 1024


class PacedBody:
    """The body of a request; `read` gives b"" at its end.

    The client must send `upload_rate_min` bytes per second on average once `upload_grace_seconds` are over.
    """

    def __init__(self, request: web.BaseRequest, settings: RestSettings) -> None:
        self._content = request.content
        self._rate = settings.upload_rate_min
        self._deadline = asyncio.get_running_loop().time() + settings.upload_grace_seconds
        self.received = 0

    async def read(self) -> bytes:
        """Return the next piece; raises TooSlowError, ConnectionError when the client goes."""
        try:
            async with asyncio.timeout_at(self._deadline + self.received / self._rate):
                piece = await self._content.read(PIECE_BYTES)
        except TimeoutError:
            raise TooSlowError from None
        self.received += len(piece)
        return piece
