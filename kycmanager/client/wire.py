"""The two languages of a TCP connection, from the client's side (manager API, section 1)."""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec import Raw, Struct

from kycmanager.client.errors import BadReply, ConnectionLost
from kycmanager.client.sendable import REQUEST_BYTES_MAX, check_data, check_size, check_text

_LENGTH_BYTES = 4
_FRAME_BYTES_CEILING = (1 << 24) - 1
"""The first byte of every length the daemon takes is 0: that byte names the language."""

_ARRAY_FIRST_BYTES = frozenset((*range(0x90, 0xA0), 0xDC, 0xDD))


class Encoding(Enum):
    """How the messages of a connection are written."""

    JSON = "json"
    MSGPACK = "msgpack"


class Request(Struct, frozen=True, rename={"token": "__token", "ext_id": "extID"}):
    """A request; the order of the fields is the documented one, which the daemon reads fastest."""

    command: str
    data: dict[str, Any]
    ext_id: str
    token: str


class Push(Struct, frozen=True):
    """An event nobody asked for at that moment; `type` is 0 add, 1 update, 2 delete, 3 restore, 4 archive."""

    event: str
    type: int
    data: dict[str, Any]


class Notice(Struct, frozen=True, array_like=True, tag="n"):
    """A message to a person, the array `["n", ...]`; `level` is 10 info, 20 warning, 30 error."""

    message: str
    description: str
    token: str | int
    status: Any = None
    level: int = 10
    user_id: int = 0
    create_time: int = 0
    data: Any = None
    code: Any = None


class Answer(Struct, frozen=True, rename={"ext_id": "extID"}):
    """A reply, its data not decoded yet: only the caller knows its type. A push has an `event` instead."""

    status: int = 0
    ext_id: Any = None
    data: Raw = Raw()
    error: str = ""
    message: str = ""
    event: str = ""


Message = Push | Notice | Answer


class Wire:
    """Writes requests and reads messages in one language."""

    def __init__(self, encoding: Encoding, message_bytes_max: int, request_bytes_max: int = REQUEST_BYTES_MAX) -> None:
        self._binary = encoding is Encoding.MSGPACK
        self._request_bytes_max = min(request_bytes_max, _FRAME_BYTES_CEILING) if self._binary else request_bytes_max
        self._message_bytes_max = message_bytes_max
        self._encode: Callable[[Any], bytes] = msgspec.msgpack.encode if self._binary else msgspec.json.encode
        self._decode: Any = msgspec.msgpack.decode if self._binary else msgspec.json.decode

    def request(self, request: Request) -> bytes:
        """Return the bytes of one request. Raises BadRequest when it is too long, or holds what cannot be sent."""
        check_text(request.command, "command")
        check_text(request.token, "token")
        check_data(request.data)
        body = self._encode(request)
        if self._binary:
            check_size(len(body), self._request_bytes_max)
            return len(body).to_bytes(_LENGTH_BYTES) + body
        # the daemon counts all that stands before the line feed
        check_size(len(body) + 1, self._request_bytes_max)
        return body + b"\r\n"

    async def read(self, reader: asyncio.StreamReader) -> Message:
        """Wait for the next message. Raises ConnectionLost at the end of the stream, BadReply for what is none."""
        try:
            body = await (self._frame(reader) if self._binary else self._line(reader))
        except asyncio.IncompleteReadError:
            raise ConnectionLost("the daemon closed the connection") from None
        except (asyncio.LimitOverrunError, OverflowError):
            raise BadReply(f"a message is longer than {self._message_bytes_max} bytes") from None
        return self.message(body)

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        while not (line := (await reader.readuntil(b"\n")).strip()):
            continue
        return line

    async def _frame(self, reader: asyncio.StreamReader) -> bytes:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
        if length > self._message_bytes_max:
            raise OverflowError
        return await reader.readexactly(length)

    def message(self, body: bytes) -> Message:
        """Read one message."""
        try:
            if self._is_array(body):
                notice: Notice = self._decode(body, type=Notice)
                return notice
            answer: Answer = self._decode(body, type=Answer)
            if not answer.event:
                return answer
            push: Push = self._decode(body, type=Push)
        except msgspec.DecodeError as error:
            raise BadReply(f"a message cannot be read: {error}") from error
        return push

    def data(self, answer: Answer, kind: Any) -> Any:
        """Decode the data of an answer. Raises BadReply when it is not of that type."""
        try:
            return self._decode(answer.data, type=kind)
        except msgspec.DecodeError as error:
            raise BadReply(f"a reply is not what was expected: {error}") from error

    def _is_array(self, body: bytes) -> bool:
        first = body[:1]
        return first[0] in _ARRAY_FIRST_BYTES if self._binary and first else first == b"["
