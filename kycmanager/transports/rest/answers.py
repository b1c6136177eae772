"""Whole answers as bytes: status line, our own headers, content."""

import secrets
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from kycmanager.domain.errors import KycError
from kycmanager.transports import json_wire

JSON = b"application/json"
NO_STORE = b"no-store"
REQUEST_ID = "X-Request-ID"

_SERVER_FAULT = 500
_NO_BODY = frozenset({204, 304})


@lru_cache(maxsize=256)
def _opening(status: int, kind: bytes, caching: bytes, second: int) -> bytes:
    """Return the head up to the extra lines; `second` makes one per second of each."""
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(),
        b"Content-Type: " + kind,
        b"Cache-Control: " + caching,
        b"X-Content-Type-Options: nosniff",
        b"Server: kycmanager",
        b"Date: " + formatdate(second, usegmt=True).encode(),
        b"",
    )
    return b"\r\n".join(lines)


def success(body: bytes) -> bytes:
    """Return the whole answer 200 with JSON, for a connection that is kept."""
    return b"%bContent-Length: %d\r\n\r\n%b" % (
        _opening(200, JSON, NO_STORE, int(time.time())),
        len(body),
        body,
    )


class Answer(web.StreamResponse):
    """An answer whose bytes are all known. `extra` holds whole header lines of our own, each ended by CRLF."""

    def __init__(
        self, status: int, body: bytes, *, kind: bytes = JSON, caching: bytes = NO_STORE, extra: bytes = b""
    ) -> None:
        super().__init__(status=status)
        self.content = body
        self._kind = kind
        self._caching = caching
        self._extra = extra

    def add(self, lines: bytes) -> None:
        """Add whole header lines of our own, each ended by CRLF."""
        self._extra += lines

    def whole(self, *, head_only: bool, connection: bytes = b"") -> bytes:
        """Return the bytes of the answer; `connection` is a whole header line or empty."""
        body = self.content
        length = b"" if self.status in _NO_BODY else b"Content-Length: %d\r\n" % len(body)
        head = b"%b%b%b%b\r\n" % (
            _opening(self.status, self._kind, self._caching, int(time.time())),
            self._extra,
            connection,
            length,
        )
        return head if head_only or self.status in _NO_BODY else head + body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write everything at once; waits where the client does not read."""
        keep = self._keep_alive = request.keep_alive if self._keep_alive is None else self._keep_alive
        if not keep:
            connection = b"Connection: close\r\n"
        else:
            connection = b"" if request.version.minor else b"Connection: keep-alive\r\n"
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("The client has gone")
        transport.write(self.whole(head_only=request.method == "HEAD", connection=connection))
        self._eof_sent = True
        if request.protocol.writing_paused:
            await request.writer.drain()
        return None


def refusal(error: KycError) -> Answer:
    """Return a refusal as `{"error", "message"[, "data"]}` with the status of its code; 5xx carry X-Request-ID."""
    fields: dict[str, object] = {"error": error.code.wire_name, "message": error.message}
    if error.data is not None:
        fields["data"] = error.data
    status = error.code.status
    extra = b""
    if status >= _SERVER_FAULT:
        known = (error.data or {}).get("correlation_id")
        extra = f"{REQUEST_ID}: {known or secrets.token_hex(8)}\r\n".encode()
    return Answer(status, json_wire.encode(fields), extra=extra)
