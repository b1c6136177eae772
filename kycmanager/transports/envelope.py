"""What every request carries: its command, data, extID and token, from either wire."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from kycmanager.transports import json_strict, json_wire, msgpack_wire, salvage
from kycmanager.transports.framing import Wire


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """One request as it came (manager API, section 1).

    `ext` is the extID encoded for the wire it came by, ready for `reply`; None when there was none. `token` is None
    when there was none, or no string. Nothing is checked beyond the shape.
    """

    command: str
    data: dict[str, Any]
    ext: bytes | None
    token: str | None


class EnvelopeError(ValueError):
    """A request that cannot be read, to be answered INVALID_DATA 400; its text is the message for the client.

    `ext` is its extID encoded for the wire, None when there was none or it could not be read.
    """

    def __init__(self, message: str, ext: bytes | None = None) -> None:
        super().__init__(message)
        self.ext = ext


def from_line(line: bytes) -> Envelope:
    """Read a request from one JSON line; raises EnvelopeError."""
    try:
        value = json_strict.decode(line)
    except json_strict.DecodeError as error:
        raise EnvelopeError(f"Not valid JSON: {error}", _ext(salvage.from_line(line), json_wire.encode)) from None
    return from_value(value, json_wire.encode)


def from_frame(frame: bytes) -> Envelope:
    """Read a request from the content of one msgpack frame; raises EnvelopeError."""
    try:
        value = msgpack_wire.decode(frame)
    except json_strict.DecodeError as error:
        ext = salvage.from_frame(frame, msgpack_wire.ITEMS_MAX)
        raise EnvelopeError(f"Not valid msgpack: {error}", _ext(ext, msgpack_wire.encode)) from None
    return from_value(value, msgpack_wire.encode)


def _ext(salvaged: str | float | None, encode: Callable[[object], bytes]) -> bytes | None:
    return None if salvaged is None else encode(salvaged)


def from_value(value: object, encode: Callable[[object], bytes]) -> Envelope:
    """Read a request from a decoded value; `encode` writes its extID for the reply. Raises EnvelopeError.

    Unknown keys are ignored; `data` may be missing; a token that is no string counts as missing.
    """
    if not isinstance(value, dict):
        raise EnvelopeError("A request must be an object")
    ext = encode(value["extID"]) if "extID" in value else None
    command = value.get("command")
    if not isinstance(command, str):
        raise EnvelopeError("`command` must be a string", ext)
    data = value.get("data", {})
    if not isinstance(data, dict):
        raise EnvelopeError("`data` must be an object", ext)
    token = value.get("__token")
    return Envelope(command, data, ext, token if isinstance(token, str) else None)


class Codec(NamedTuple):
    """How one wire is read and written; the functions are those of json_wire and msgpack_wire."""

    read: Callable[[bytes], Envelope]
    encode: Callable[[object], bytes]
    reply: Callable[[bytes | None, int, bytes], bytes]
    error_reply: Callable[[bytes | None, int, str, str, Mapping[str, object] | None], bytes]
    push: Callable[[str, int, object], bytes]
    message: Callable[[object], bytes]


CODECS: Mapping[Wire, Codec] = {
    Wire.JSON: Codec(
        from_line, json_wire.encode, json_wire.reply, json_wire.error_reply, json_wire.push, json_wire.message
    ),
    Wire.MSGPACK: Codec(
        from_frame,
        msgpack_wire.encode,
        msgpack_wire.reply,
        msgpack_wire.error_reply,
        msgpack_wire.push,
        msgpack_wire.message,
    ),
}

HOT_COMMAND = "MngGetKycProfile"

# 15 digits: every id of that size is legal, so that no bound of the command is decided here.
_HOT_START = b'{"command":"MngGetKycProfile","data":{"id":'
_HOT_HEAD = rb'\{"command":"MngGetKycProfile","data":\{"id":([1-9][0-9]{0,14})\},"extID":("[A-Za-z0-9_.:\-]{0,64}"),'
_TOKEN = re.compile(r"[A-Za-z0-9_.\-]{1,4096}")


@lru_cache(maxsize=256)
def _hot_read(token_chars: int) -> re.Pattern[bytes]:
    # any bytes of the right number: skipping is free where matching a class costs as much as the rest of the line,
    # and the caller compares what stands there with a token known to be plain
    return re.compile(rb'%b"__token":"(.{%d})"\}\r\n' % (_HOT_HEAD, token_chars), re.DOTALL)


class HotReads:
    """Recognises whole chunks of the hottest request, reads of a profile by id with one known token.

    Only the documented order of keys, compact, CRLF; everything else is for the Framer. What it accepts reads the
    same through `from_line` (a property test says so).
    """

    __slots__ = ("_around", "_findall", "token")

    def __init__(self, token: str) -> None:
        """Make a recogniser for requests with this (verified) token; ValueError when it holds odd characters."""
        if not _TOKEN.fullmatch(token):
            raise ValueError("only a plain token can be recognised")
        self.token = token.encode()
        self._findall = _hot_read(len(token)).findall
        self._around = len(b'{"command":"MngGetKycProfile","data":{"id":},"extID":,"__token":""}\r\n') + len(token)

    def match(self, chunk: bytes) -> list[tuple[bytes, bytes, bytes]] | None:
        """Return (id in decimal, extID for `reply`, token) per request, or None unless the whole chunk is such reads.

        The chunk must begin where a line begins (Framer.between_lines).
        """
        if not chunk.startswith(_HOT_START):
            return None
        reads = self._findall(chunk)
        size = len(reads) * self._around
        token = self.token
        for profile_id, ext, came in reads:
            if came != token:
                return None
            size += len(profile_id) + len(ext)
        # Matches do not overlap: only when their lengths make up the chunk is there nothing between them.
        return reads if size == len(chunk) else None
