"""Stored files on their way out: whole or a range, always as an attachment, never for a browser to run."""

import re
from collections.abc import Iterator

from aiohttp import web

from kycmanager.domain.errors import KycError
from kycmanager.domain.files import check_readable, is_public
from kycmanager.ports import FileStore, StoredFile
from kycmanager.transports.rest import ranges
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.gate import Gate
from kycmanager.transports.rest.routes import Route
from kycmanager.transports.rest.settings import RestSettings

_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([a-z0-9]{1,8}))?")


class DownloadDoor:
    """Answers GET and HEAD of /storage/{uuid} and /storage/{uuid}.{extension}."""

    def __init__(self, gate: Gate, storage: FileStore, settings: RestSettings) -> None:
        self._gate = gate
        self._storage = storage
        self._public = settings.public_scope

    def routes(self) -> Iterator[Route]:
        """Make the routes."""
        yield Route("GET", "/storage/{name}", self._handle)

    async def _handle(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        return await self._answer(request, await self._find(request, name))

    async def _find(self, request: web.BaseRequest, name: str) -> StoredFile:
        """Return the file the caller may read; nothing is looked up for a stranger where no file is public."""
        if self._public and "Authorization" not in request.headers:
            file = await self._named(name)
            if file is not None and is_public(file.scope, public=self._public):
                return file
        session = self._gate.session(request)
        file = await self._named(name)
        check_readable(session, None if file is None else file.owner)
        assert file is not None
        return file

    async def _named(self, name: str) -> StoredFile | None:
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        file = await self._storage.find(match[1])
        return file if file is not None and match[2] in {None, file.extension} else None

    async def _answer(self, request: web.BaseRequest, file: StoredFile) -> web.StreamResponse:
        tag = f'"{file.checksum}"'
        headers = _headers(file, tag)
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
            await self._storage.check(file)
            return response
        return await self._stream(request, response, file, offset, length)

    async def _stream(
        self, request: web.BaseRequest, response: web.StreamResponse, file: StoredFile, offset: int, length: int
    ) -> web.StreamResponse:
        async with await self._storage.read(file, offset, length) as reading:
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
