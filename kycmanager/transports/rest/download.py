"""Stored files on their way out: whole or a range, always as an attachment, never for a browser to run."""

import re
from collections.abc import Iterator

from aiohttp import web

from kycmanager.transports.rest import ranges
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.files import PUBLIC_SCOPE, Faults, readable, refused
from kycmanager.transports.rest.gate import Gate
from kycmanager.transports.rest.routes import Route
from kycmanager.transports.rest.settings import RestSettings
from storagemanager import FileMeta, StorageError, StorageManager, content_disposition

_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([a-z0-9]{1,8}))?")


class DownloadDoor:
    """Answers GET and HEAD of /storage/{uuid} and /storage/{uuid}.{extension}."""

    def __init__(self, gate: Gate, storage: StorageManager, settings: RestSettings, faults: Faults) -> None:
        self._gate = gate
        self._storage = storage
        self._public = settings.public_scope
        self._faults = faults

    def routes(self) -> Iterator[Route]:
        """Make the routes."""
        yield Route("GET", "/storage/{name}", self._handle)

    async def _handle(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        try:
            return await self._answer(request, await self._find(request, name))
        except StorageError as error:
            raise refused(error, self._faults) from None

    async def _find(self, request: web.BaseRequest, name: str) -> FileMeta:
        """Return the file the caller may read; without a token only a public one, where there are public ones."""
        if self._public and "Authorization" not in request.headers:
            meta = await self._named(name)
            if meta is not None and meta.scope == PUBLIC_SCOPE:
                return meta
        session = self._gate.session(request)
        return readable(session, await self._named(name))

    async def _named(self, name: str) -> FileMeta | None:
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        meta = await self._storage.get(match[1])
        return meta if meta is not None and match[2] in {None, meta.extension} else None

    async def _answer(self, request: web.BaseRequest, meta: FileMeta) -> web.StreamResponse:
        tag = f'"{meta.checksum}"'
        headers = _headers(meta, tag)
        if ranges.matches(request.headers.get("If-None-Match", ""), tag):
            return _bare(304, headers)
        part = None
        if request.headers.get("If-Range", tag) == tag:
            try:
                part = ranges.wanted(request.headers.get("Range", ""), meta.file_size)
            except ranges.UnsatisfiableError:
                return _bare(416, {**headers, "Content-Range": f"bytes */{meta.file_size}"})
        offset, length = part or (0, meta.file_size)
        if part is not None:
            headers["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{meta.file_size}"
        headers["Content-Length"] = str(length)
        headers["Content-Type"] = meta.content_type
        response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
        if request.method == "HEAD":
            await self._storage.check(meta)
            return response
        return await self._stream(request, response, meta, offset, length)

    async def _stream(
        self, request: web.BaseRequest, response: web.StreamResponse, meta: FileMeta, offset: int, length: int
    ) -> web.StreamResponse:
        async with await self._storage.open_read(meta, offset, length) as reading:
            await response.prepare(request)
            try:
                async for piece in reading:
                    await response.write(piece)
            except StorageError as error:
                # the head has gone out: only a broken connection tells the client that bytes are missing
                self._faults("storage", error)
                raise ConnectionAbortedError("the stored file cannot be read to its end") from None
            await response.write_eof()
        return response


def _headers(meta: FileMeta, tag: str) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": content_disposition(meta.original_name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "ETag": tag,
        "Server": "kycmanager",
        "X-Content-Type-Options": "nosniff",
    }


def _bare(status: int, headers: dict[str, str]) -> Answer:
    own = {name: value for name, value in headers.items() if name in {"Accept-Ranges", "Content-Range", "ETag"}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return Answer(status, b"", extra=lines.encode())
