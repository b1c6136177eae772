"""Reading what clients send: bounded in size and time, decoded strictly."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http import HttpVersion11

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.transports import json_strict
from kycmanager.transports.rest.settings import RestSettings


class TooSlowError(Exception):
    """A body that does not arrive in time; its connection is closed."""


def bad_body(reason: str) -> KycError:
    """Build the refusal of a body as a whole."""
    return KycError(Code.INVALID_DATA, f"body: {reason}")


def begin(request: web.BaseRequest) -> None:
    """Get ready to read a body: refuse codings nobody asked for, and tell a waiting client to go on."""
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if coding != "identity":
        raise bad_body("Content-Encoding is not accepted; send the bytes as they are")
    expect = request.headers.get("Expect", "").lower()
    if expect == "100-continue":
        if request.version >= HttpVersion11 and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    elif expect:
        raise invalid("Expect", "only 100-continue is understood")


async def read_object(request: web.BaseRequest, settings: RestSettings) -> dict[str, Any]:
    """Return the JSON object of a body, `{}` for an empty one. Raises as `read_bytes` does, and INVALID_DATA."""
    return decode_object(await read_bytes(request, settings))


async def read_bytes(request: web.BaseRequest, settings: RestSettings) -> bytes:
    """Return a body, bounded in size and time.

    Raises KycError INVALID_DATA or LINE_TOO_LONG, TooSlowError, and ConnectionError when the client goes.
    """
    bytes_max = settings.body_bytes_max
    if (request.content_length or 0) > bytes_max:
        raise _too_long(bytes_max)
    begin(request)
    try:
        async with asyncio.timeout(settings.body_seconds):
            return await _read(request, bytes_max)
    except TimeoutError:
        raise TooSlowError from None


def decode_object(content: bytes) -> dict[str, Any]:
    """Decode a JSON object, `{}` for no bytes; raises KycError INVALID_DATA."""
    if not content:
        return {}
    try:
        value = json_strict.decode(content)
    except json_strict.DecodeError as error:
        raise bad_body(f"not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise bad_body("must be a JSON object")
    return value


async def _read(request: web.BaseRequest, bytes_max: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await request.content.readany():
        size += len(piece)
        if size > bytes_max:
            raise _too_long(bytes_max)
        pieces.append(piece)
    return b"".join(pieces)


def _too_long(bytes_max: int) -> KycError:
    return KycError(Code.LINE_TOO_LONG, f"body: larger than {bytes_max} bytes")
