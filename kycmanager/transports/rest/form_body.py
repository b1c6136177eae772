"""Reads a form as it comes: bounded in size and time, taken apart, nothing kept."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from kycmanager.domain.errors import Code, KycError
from kycmanager.transports.rest import body
from kycmanager.transports.rest.multipart import PARTS_MAX, Event, Multipart, MultipartError, boundary_of
from kycmanager.transports.rest.pace import PIECE_BYTES, PacedBody
from kycmanager.transports.rest.settings import MIB, RestSettings

BESIDES_BYTES_MAX = MIB
"""What a form may hold besides its files: heads, fields, parts nobody asked for."""


class FormBody:
    """The form a request carries, with at most `files_max` files; raises FILE_TOO_LARGE when it says it is longer.

    Whoever has read of it calls `close` at last.
    """

    def __init__(
        self, request: web.BaseRequest, settings: RestSettings, *, files_max: int = 1, parts_max: int = PARTS_MAX
    ) -> None:
        self._request = request
        self._file_bytes_max = settings.file_bytes_max
        self._bytes_max = files_max * settings.file_bytes_max + BESIDES_BYTES_MAX
        self._parts_max = parts_max
        if (request.content_length or 0) > self._bytes_max:
            raise self._too_large()
        self._content = PacedBody(request, settings)
        self._room = memoryview(bytearray(min(PIECE_BYTES, request.content_length or PIECE_BYTES)))

    async def read(self, take: Callable[[Event], Awaitable[None]]) -> None:
        """Hand every event of the form to `take`; the views among them are good until it returns.

        Raises KycError INVALID_DATA or FILE_TOO_LARGE, TooSlowError, ConnectionError when the client goes, and what
        `take` does.
        """
        content = self._content
        try:
            parser = Multipart(boundary_of(self._request.headers.get("Content-Type", "")), parts_max=self._parts_max)
            body.begin(self._request)
            while piece := await self._next():
                if content.received > self._bytes_max:
                    raise self._too_large()
                for event in parser.feed(piece):
                    await take(event)
            parser.close()
        except MultipartError as error:
            raise body.bad_body(f"multipart: {error}") from None

    async def skip(self) -> None:
        """Read what is left, within the bound, for a client that sees no answer while it still sends."""
        while self._content.received <= self._bytes_max and await self._next():
            pass

    def close(self) -> None:
        """Want no more of it."""
        self._content.close()

    async def _next(self) -> memoryview:
        """Return what is there as soon as anything is, good until the next call; it is empty at the end."""
        return self._room[: await self._content.read_into(self._room, enough=1)]

    def _too_large(self) -> KycError:
        return KycError(Code.FILE_TOO_LARGE, f"file: the file is larger than {self._file_bytes_max} bytes")
