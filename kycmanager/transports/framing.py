"""Cuts the bytes of one connection into whole frames: JSON lines or length-prefixed msgpack."""

from enum import Enum

LINE_BYTES_MAX = 1 << 20
FRAME_BYTES_MAX = 1 << 20

_LINE_TAIL = b" \t\r"  # the white space of JSON
_LINE_END = _LINE_TAIL + b"\n"
_LENGTH_BYTES = 4
_FRAME_BYTES_CEILING = (1 << 24) - 1  # the first byte of every length is 0x00: that byte names the wire


class Wire(Enum):
    """The two languages a connection can speak; its first byte decides (manager API, section 1)."""

    JSON = "json"
    MSGPACK = "msgpack"


class Outcome(Enum):
    """What became of the input so far; LINE_TOO_LONG is final."""

    OPEN = "open"
    LINE_TOO_LONG = "line_too_long"


# Looking a member up in its enumeration costs as much as a call; these are needed for every request.
_JSON, _OPEN = Wire.JSON, Outcome.OPEN


class Framer:
    """Takes the bytes of one connection as they arrive and gives back whole frames, in order.

    A JSON frame is one line without its end (CRLF or a bare LF) and the spaces before it; blank lines are dropped.
    `line_bytes_max` counts what stands before the LF. A msgpack frame is the content without its 4-byte big-endian
    length; `frame_bytes_max` counts the content. When a limit is passed, `outcome` becomes LINE_TOO_LONG for good, the
    frames before it are still given, and everything after it is dropped without being kept: the transport answers 413,
    goes on reading for a moment, and closes. The chunks a frame came in never matter (manager API, section 1).
    """

    __slots__ = ("_buffer", "_frame_bytes_max", "_line_bytes_max", "_need", "outcome", "wire")

    def __init__(self, *, line_bytes_max: int = LINE_BYTES_MAX, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        if line_bytes_max < 1 or not 1 <= frame_bytes_max <= _FRAME_BYTES_CEILING:
            msg = f"line_bytes_max is at least 1, frame_bytes_max 1..{_FRAME_BYTES_CEILING}"
            raise ValueError(msg)
        self._line_bytes_max = line_bytes_max
        self._frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()
        self._need = _LENGTH_BYTES
        self.wire: Wire | None = None
        self.outcome = Outcome.OPEN

    @property
    def between_lines(self) -> bool:
        """True when the connection speaks JSON and no part of a line is held: the next byte begins a line."""
        return self.wire is _JSON and not self._buffer and self.outcome is _OPEN

    @property
    def held_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept; at most the limit and one chunk."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take what arrived and return the frames it completes, oldest first; look at `outcome` afterwards."""
        if self.wire is None:
            if not chunk:
                return []
            self.wire = Wire.JSON if chunk[0] else Wire.MSGPACK
        if self.outcome is not _OPEN:
            return []
        return self._lines(chunk) if self.wire is _JSON else self._frames(chunk)

    def _lines(self, chunk: bytes) -> list[bytes]:
        if chunk.find(b"\n") + 1 == len(chunk) <= self._line_bytes_max and not self._buffer:
            line = chunk.rstrip(_LINE_END)  # one whole line and nothing else: what a waiting client sends
            return [line] if line else []
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if self._buffer and lines:
            self._buffer += lines[0]
            lines[0] = bytes(self._buffer)
            self._buffer = bytearray()
        if rest:
            self._buffer += rest
        limit = self._line_bytes_max
        if len(self._buffer) > limit:
            self._overflow()
        # only the first line, whose beginning was held, can be longer than the chunk
        if lines and (len(chunk) > limit or len(lines[0]) > limit):
            lines = self._up_to_first_long(lines)
        return [line for piece in lines if (line := piece.rstrip(_LINE_TAIL))]

    def _up_to_first_long(self, lines: list[bytes]) -> list[bytes]:
        for index, line in enumerate(lines):
            if len(line) > self._line_bytes_max:
                self._overflow()
                return lines[:index]
        return lines

    def _frames(self, chunk: bytes) -> list[bytes]:
        buffer = self._buffer
        buffer += chunk
        if len(buffer) < self._need:  # a big frame in small chunks costs nothing until it is whole
            return []
        frames: list[bytes] = []
        start, end = 0, len(buffer)
        self._need = _LENGTH_BYTES
        with memoryview(buffer) as view:
            while end - start >= _LENGTH_BYTES:
                length = int.from_bytes(view[start : start + _LENGTH_BYTES])
                if length > self._frame_bytes_max:
                    self._overflow()
                    return frames
                stop = start + _LENGTH_BYTES + length
                if stop > end:
                    self._need = stop - start
                    break
                frames.append(bytes(view[start + _LENGTH_BYTES : stop]))
                start = stop
        del buffer[:start]
        return frames

    def _overflow(self) -> None:
        self.outcome = Outcome.LINE_TOO_LONG
        self._buffer = bytearray()
