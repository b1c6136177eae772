"""Reading a file at any offset through one small window, so that memory does not follow its size."""

import os
import re
import struct
from typing import Any, NoReturn

from zlib_ng import zlib_ng

WINDOW_BYTES = 256 * 1024
READ_BYTES_MAX = 1024 * 1024


class RefusedError(Exception):
    """A file is not the well-formed, single format it claims to be; the text says why."""


def refuse(reason: str) -> NoReturn:
    """Raise `RefusedError`."""
    raise RefusedError(reason)


class Source:
    """A file of `size` bytes behind a descriptor, read with pread and never as a whole, or a small one in memory.

    Reading past the end is the sign of a cut-off file and raises `RefusedError`.
    """

    def __init__(self, content: int | memoryview, size: int) -> None:
        """`content` is a descriptor, or all the bytes: `READ_BYTES_MAX` at most, and nobody changes them meanwhile."""
        self.size = size
        self._descriptor, window = (content, b"") if isinstance(content, int) else (-1, content)
        self._start = 0
        self._window: bytes | memoryview = window

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes, at most 1 MiB."""
        return bytes(self._part(offset, length))

    def byte(self, offset: int) -> int:
        """Return one byte."""
        at = offset - self._start
        if 0 <= at < len(self._window):
            return self._window[at]
        self._load(offset, 1)
        return self._window[0]

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """Return the values of a `struct` layout."""
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def search(self, pattern: re.Pattern[bytes], start: int, end: int, longest: int = 2) -> int:
        """Return the offset of the first match between `start` and `end`, -1 where there is none.

        `longest` is the longest match in bytes: windows overlap by that much so that none is missed.
        Windows are small because a search holds the interpreter's lock.
        """
        while start < end:
            window = self._part(start, min(WINDOW_BYTES, end - start))
            match = pattern.search(window)
            if match:
                return start + match.start()
            if start + len(window) >= end:
                return -1
            start += len(window) - longest + 1
        return -1

    def rfind(self, needle: bytes, start: int = 0) -> int:
        """Return the offset of the last `needle` at or after `start`, -1 where there is none."""
        end = self.size
        while end - start >= len(needle):
            begin = max(start, end - WINDOW_BYTES)
            at = self.read(begin, end - begin).rfind(needle)
            if at >= 0:
                return begin + at
            if begin == start:
                return -1
            end = begin + len(needle) - 1
        return -1

    def crc32(self, offset: int, length: int) -> int:
        """Return the CRC-32 of a range."""
        crc = 0
        end = offset + length
        while offset < end:
            window = self._part(offset, min(WINDOW_BYTES, end - offset))
            crc = zlib_ng.crc32(window, crc)
            offset += len(window)
        return crc

    def _part(self, offset: int, length: int) -> bytes | memoryview:
        """Return exactly `length` bytes where they lie, to be used before the next call."""
        at = offset - self._start
        if at < 0 or at + length > len(self._window):
            self._load(offset, length)
            at = 0
        return self._window[at : at + length]

    def _load(self, offset: int, length: int) -> None:
        if offset < 0 or offset + length > self.size:
            refuse(f"the file is cut off: it ends at byte {self.size}, byte {offset + length} is missing")
        if length > READ_BYTES_MAX:
            refuse(f"a part of {length} bytes is larger than any of its kind")
        window = os.pread(self._descriptor, max(length, min(WINDOW_BYTES, self.size - offset)), offset)
        if len(window) < length:
            refuse(f"the file is cut off at byte {offset + len(window)}")
        self._start, self._window = offset, window
