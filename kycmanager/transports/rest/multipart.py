"""Takes a multipart/form-data body apart as it comes: bounded heads, a bounded number of parts, nothing kept."""

import re
from collections.abc import Iterator
from enum import Enum, auto

from msgspec import Struct

from kycmanager.transports.rest import disposition

PARTS_MAX = 8
HEAD_BYTES_MAX = 8192

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_CONTENT_TYPE = re.compile(
    r"""multipart/form-data\s*(?:;\s*[a-z-]+=[^;"]*)*;\s*boundary=(?:"(?P<quoted>[^"]*)"|(?P<plain>[^;\s"]*))""",
    re.IGNORECASE,
)
_ENCODINGS = frozenset({"binary", "8bit", "7bit"})


class MultipartError(ValueError):
    """A body that is no well-formed form; the text is for the client."""


class Part(Struct, frozen=True):
    """The head of a part. `file_name` is None for a plain field."""

    name: str
    file_name: str | None
    content_type: str


class PartEnd(Struct, frozen=True):
    """The part that began last is over."""


Event = Part | memoryview | PartEnd

PART_END = PartEnd()


class _State(Enum):
    START = auto()
    DELIMITED = auto()
    HEAD = auto()
    BODY = auto()
    OVER = auto()


def is_form(content_type: str) -> bool:
    """Tell whether a Content-Type header names a form."""
    return content_type.lower().startswith("multipart/form-data")


def boundary_of(content_type: str) -> bytes:
    """Return the boundary a Content-Type header names; raises MultipartError."""
    match = _CONTENT_TYPE.match(content_type)
    boundary = (match["quoted"] or match["plain"] or "") if match else ""
    if not _BOUNDARY.fullmatch(boundary):
        raise MultipartError("the Content-Type names no boundary")
    return boundary.encode()


class Multipart:
    """A parser without input of its own: bytes in, events out. What it keeps between two calls is under 9 KB."""

    def __init__(self, boundary: bytes, *, parts_max: int = PARTS_MAX, head_bytes_max: int = HEAD_BYTES_MAX) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._parts_left = parts_max
        self._head_bytes_max = head_bytes_max
        self._state = _State.START
        self._held = b"\r\n"  # the first delimiter has no line before it, or an empty one

    @property
    def finished(self) -> bool:
        """Whether the closing delimiter was seen; what follows it is ignored."""
        return self._state is _State.OVER

    def feed(self, data: bytes | memoryview) -> Iterator[Event]:
        """Take the next bytes and give what they complete; views are good until the next call.

        Raises MultipartError.
        """
        held = self._held + data
        place = 0
        while (step := self._step(held, place)) is not None:
            place, event = step
            if event is not None:
                yield event
        self._held = b"" if self.finished else held[place:]

    def close(self) -> None:
        """Say that no more bytes come; raises MultipartError where the form is not over."""
        if not self.finished:
            raise MultipartError("ends before its last boundary")

    def _step(self, held: bytes, place: int) -> tuple[int, Event | None] | None:
        """Return the new place and what was found on the way, None when more bytes are needed."""
        match self._state:
            case _State.START:
                return self._start(held)
            case _State.DELIMITED:
                return self._delimited(held, place)
            case _State.HEAD:
                return self._head(held, place)
            case _State.BODY:
                return self._body(held, place)
            case _State.OVER:
                return None

    def _start(self, held: bytes) -> tuple[int, None] | None:
        for opening in (self._delimiter, b"\r\n" + self._delimiter):
            if held.startswith(opening):
                self._state = _State.DELIMITED
                return len(opening), None
        if not self._delimiter.startswith(held) and not (b"\r\n" + self._delimiter).startswith(held):
            raise MultipartError("must begin with its boundary")
        return None

    def _delimited(self, held: bytes, place: int) -> tuple[int, None] | None:
        """Tell the closing delimiter from the others by the two bytes that follow it."""
        if len(held) - place < 2:  # noqa: PLR2004 - two bytes
            return None
        if held.startswith(b"--", place):
            self._state = _State.OVER
            return place + 2, None
        line_end = held.find(b"\r\n", place)
        padding = held[place : line_end if line_end >= 0 else len(held)]
        if padding.strip(b" \t\r") or len(padding) > self._head_bytes_max:
            raise MultipartError("malformed delimiter")
        if line_end < 0:
            return None
        if not self._parts_left:
            raise MultipartError("too many parts")
        self._parts_left -= 1
        self._state = _State.HEAD
        return line_end + 2, None

    def _head(self, held: bytes, place: int) -> tuple[int, Event] | None:
        end = held.find(b"\r\n\r\n", place)
        if (end if end >= 0 else len(held)) - place > self._head_bytes_max:
            raise MultipartError("the head of a part is too long")
        if end < 0:
            return None
        self._state = _State.BODY
        return end + 4, _part(held[place:end])

    def _body(self, held: bytes, place: int) -> tuple[int, Event] | None:
        end = held.find(self._delimiter, place)
        if end == place:
            self._state = _State.DELIMITED
            return place + len(self._delimiter), PART_END
        # the tail may be the beginning of a delimiter
        stop = end if end > place else len(held) - len(self._delimiter) + 1
        return (stop, memoryview(held)[place:stop]) if stop > place else None


def _part(head: bytes) -> Part:
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise MultipartError("the head of a part is not UTF-8") from None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.lower()
        # a lone CR or LF ends a line for some parsers, and would hide another head from this one
        if not colon or not name or name != name.strip() or key in headers or "\n" in line or "\r" in line:
            raise MultipartError("malformed head of a part")
        headers[key] = value.strip()
    if headers.get("content-transfer-encoding", "binary").lower() not in _ENCODINGS:
        raise MultipartError("Content-Transfer-Encoding is not accepted")
    try:
        kind, parameters = disposition.parse(headers.get("content-disposition", ""))
        file_name = disposition.file_name(parameters)
    except disposition.DispositionError as error:
        raise MultipartError(f"Content-Disposition of a part: {error}") from None
    if kind != "form-data" or "name" not in parameters:
        raise MultipartError("every part needs Content-Disposition: form-data with a name")
    return Part(parameters["name"], file_name, headers.get("content-type", ""))
