"""The memory that uploads are received in: files without a name, mapped, and used again and again.

Fresh pages for every upload cost as much as hashing it. What lies here is hashed, sealed, looked through and written
from where it is, and a decoder gets its descriptor.
"""

import mmap
import os

IDLE_MAX = 8
"""Buffers that are kept for later uploads."""


class Buffer:
    """`size` bytes of memory, all of them there: filling it cannot fail. OSError where there is no room for it."""

    def __init__(self, size: int) -> None:
        self._size = self._cut = size
        self._descriptor = os.memfd_create("upload", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(self._descriptor, 0, size)
            self.memory = memoryview(mmap.mmap(self._descriptor, size))
        except BaseException:
            os.close(self._descriptor)
            raise

    def __del__(self) -> None:
        """Let the memory go."""
        if hasattr(self, "memory"):
            os.close(self._descriptor)

    def file_of(self, size: int) -> int:
        """Return the descriptor of a file of the first `size` bytes; what lies behind is not to be touched any more."""
        if size != self._cut:
            os.ftruncate(self._descriptor, size)
            self._cut = size
        return self._descriptor

    def restore(self) -> None:
        """Have the whole size again. OSError where there is no room for it."""
        if self._cut < self._size:
            os.posix_fallocate(self._descriptor, self._cut, self._size - self._cut)
            self._cut = self._size


class Buffers:
    """The buffers of a storage. Belongs to one event loop; a buffer is used by one upload at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle: list[Buffer] = []

    def take(self) -> Buffer:
        """Return a buffer with anything in it. OSError where there is no memory."""
        return self._idle.pop() if self._idle else Buffer(self.size)

    def give_back(self, buffer: Buffer) -> None:
        """Take a buffer back that nobody reads any more."""
        if len(self._idle) < IDLE_MAX:
            try:
                buffer.restore()
            except OSError:
                return
            self._idle.append(buffer)
