"""Stored files on their way out: whole or a range, always as an attachment, never for a browser to run."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType

from aiohttp import web

from kycmanager.domain.errors import KycError
from kycmanager.file_ports import FileStore, StoredFile
from kycmanager.transports.rest import ranges
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.readable import Readable
from kycmanager.transports.rest.routes import Route

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class DownloadDoor:
    """Answers GET and HEAD of /storage/{uuid} and /storage/{uuid}.{extension}."""

    def __init__(self, readable: Readable, storage: FileStore) -> None:
        self._readable = readable
        self._storage = storage

    def routes(self) -> Iterator[Route]:
        """Make the routes."""
        yield Route("GET", "/storage/{name}", self._handle)

    async def _handle(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        return await send(request, self._storage, await self._readable.find(request, name))


async def send(
    request: web.BaseRequest, storage: FileStore, file: StoredFile, around: Mapping[str, str] = NO_HEADERS
) -> web.StreamResponse:
    """Send a file the caller may read, as an attachment; raises KycError while nothing has gone out.

    `around` are further headers; those of a download go before them.
    """
    tag = f'"{file.checksum}"'
    headers = {**around, **_headers(file, tag)}
    if ranges.matches(request.headers.get("If-None-Match", ""), tag):
        return _bare(304, headers)
    part = None
    if request.headers.get("If-Range", tag) == tag:
        try:
            part = ranges.wanted(request.headers.get("Range", ""), file.file_size)
        except ranges.UnsatisfiableError:
            return _bare(416, {**headers, "Content-Range": f"bytes */{file.file_size}"})
    offset, length = part or (0, file.file_size)
    if part is not None:
        headers["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{file.file_size}"
    headers["Content-Length"] = str(length)
    headers["Content-Type"] = file.content_type
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    if request.method == "HEAD":
        await storage.check(file)
        return response
    return await _stream(request, response, await storage.read(file, offset, length))


async def _stream(
    request: web.BaseRequest, response: web.StreamResponse, opened: AbstractAsyncContextManager[AsyncIterator[bytes]]
) -> web.StreamResponse:
    async with opened as reading:
        await response.prepare(request)
        try:
            async for piece in reading:
                await response.write(piece)
        except KycError:
            # the head has gone out: only a broken connection tells the client that bytes are missing
            raise ConnectionAbortedError("the stored file cannot be read to its end") from None
        await response.write_eof()
    return response


def _headers(file: StoredFile, tag: str) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": file.disposition,
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "ETag": tag,
        "Server": "kycmanager",
        "X-Content-Type-Options": "nosniff",
    }


def _bare(status: int, headers: dict[str, str]) -> Answer:
    own = {name: value for name, value in headers.items() if name in {"Accept-Ranges", "Content-Range", "ETag"}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return Answer(status, b"", extra=lines.encode())
