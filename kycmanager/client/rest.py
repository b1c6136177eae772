"""The client over REST: commands through their routes, and files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import msgspec

from kycmanager.client import transfer
from kycmanager.client.caller import TIMEOUT_SECONDS, ReplyT
from kycmanager.client.errors import BadReply, ConnectionLost, RemoteError, ReplyTimeout
from kycmanager.client.generated.methods import Commands
from kycmanager.client.routes import RestRequest, request_of
from kycmanager.client.sendable import (
    REQUEST_BYTES_MAX,
    check_data,
    check_header,
    check_size,
    check_surrogates,
    check_text,
)
from kycmanager.contract.shapes import Refusal, UploadReply

_OK = 200
_SHOWN_BYTES = 200


class RestClient(Commands):
    """The daemon under one URL; `async with` opens and closes the connections.

    `token` may be replaced at any time. Files may take `transfer_seconds`, everything else `timeout_seconds`. A body
    over `request_bytes_max`, the limit the daemon is configured with, is not sent; files have no limit here.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transfer_seconds: float = 600.0,
        connections_max: int = 100,
        request_bytes_max: int = REQUEST_BYTES_MAX,
    ) -> None:
        self.token = token
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._transfer_seconds = transfer_seconds
        self._connections_max = connections_max
        self._request_bytes_max = request_bytes_max
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Make ready; connections are made when they are needed."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=self._connections_max))

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        command: str,
        data: dict[str, Any],
        reply: type[ReplyT],
        *,
        idempotency_key: str | None = None,
    ) -> ReplyT:
        """Call a command through its route; see Caller. Raises NoRoute for a command without one."""
        check_data(data)
        request = request_of(command, data, idempotency_key)
        check_size(len(request.body or b""), self._request_bytes_max)
        async with self._sent(request, self._timeout_seconds) as response:
            return _decoded(await response.read(), reply)

    async def upload(
        self,
        source: bytes | Path,
        *,
        filename: str | None = None,
        purpose: str | None = None,
        brand: str | None = None,
        scope: int | None = None,
        raw: bool = False,
    ) -> UploadReply:
        """Store a file; its name is that of the path unless given. `raw` sends the body without a form, the fast way.

        `brand` is for managers whose token has more than one; `scope` 3 publishes the file where that is allowed.
        Raises as `call` does, and OSError for the path.
        """
        named = _named(purpose, brand, scope)
        check_data(named)
        async with transfer.opened(source, filename) as file:
            check_surrogates(file.name, "filename")
            request = (transfer.raw if raw else transfer.form)(file, named)
            async with self._sent(request, self._transfer_seconds) as response:
                return _decoded(await response.read(), UploadReply)

    async def download(self, name: str) -> bytes:
        """Return the content of a stored file, by its uuid with or without extension."""
        async with self._sent(_storage(name), self._transfer_seconds) as response:
            return await response.read()

    async def download_to(self, name: str, path: Path) -> int:
        """Write the content of a stored file to a path, without holding it in memory; return its size in bytes."""
        async with self._sent(_storage(name), self._transfer_seconds) as response:
            return await transfer.save(response.content, path)

    async def rendition(self, name: str, *, kind: str = "view", page: int = 1) -> transfer.Rendition:
        """Return what a browser may be shown of a stored file; `kind` is thumb, view or full, `page` counts from 1."""
        request = _storage(name, "/rendition", {"kind": kind, "page": str(page)})
        check_text(kind, "kind")
        async with self._sent(request, self._transfer_seconds) as response:
            pages = response.headers.get("X-Page-Count", "")
            if not pages.isdecimal():
                raise BadReply("a rendition came without its number of pages")
            return transfer.Rendition(await response.read(), response.content_type, int(pages))

    @asynccontextmanager
    async def _sent(self, request: RestRequest, seconds: float) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise ConnectionLost("this client is not open")
        headers = {"Authorization": self.token, **request.headers}
        for name, value in headers.items():
            check_header(value, name)
        try:
            async with self._session.request(
                request.method,
                self._url + request.path,
                params=request.query,
                data=request.body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,  # a token goes to the daemon and nowhere else
            ) as response:
                if response.status != _OK:
                    raise _refusal(response.status, await response.read())
                yield response
        except TimeoutError:
            raise ReplyTimeout(f"{request.method} {request.path} was not answered within {seconds:g} s") from None
        except aiohttp.ClientError as error:
            raise ConnectionLost(f"{request.method} {request.path}: {error}") from error


def _named(purpose: str | None, brand: str | None, scope: int | None) -> dict[str, str]:
    fields = {"purpose": purpose, "brand": brand, "scope": scope}
    return {name: str(value) for name, value in fields.items() if value is not None}


def _storage(name: str, place: str = "", query: dict[str, str] | None = None) -> RestRequest:
    check_text(name, "name")
    return RestRequest("GET", f"/storage/{quote(name, safe='')}{place}", query=query or {})


def _decoded(body: bytes, reply: type[ReplyT]) -> ReplyT:
    try:
        return msgspec.json.decode(body, type=reply)
    except msgspec.DecodeError as error:
        raise BadReply(f"a reply is not what was expected: {error}") from error


def _refusal(status: int, body: bytes) -> RemoteError | BadReply:
    try:
        told = msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        shown = body[:_SHOWN_BYTES].decode(errors="replace")
        return BadReply(f"status {status} without a reason the daemon would give: {shown}")
    return RemoteError(status, told.error, told.message, told.data or {})
