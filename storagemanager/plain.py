"""The content of a sealed upload in clear, for as long as it is judged: in memory, never under a name."""

import os
from typing import BinaryIO

from storagemanager.ports import Backend

MEMORY_BYTES_MAX = 32 * 1024 * 1024
"""A larger upload is judged in a file without a name: a crash leaves none, but its blocks may have touched the disk."""

AT_ONCE = 8
"""Sealed uploads judged at once: what they need in memory is bounded, whatever comes in."""


def open_plain(size: int, backend: Backend) -> BinaryIO:
    """Return an empty file for `size` bytes that only its descriptor leads to; closing it is its end."""
    if size > MEMORY_BYTES_MAX:
        return backend.scratch()
    return os.fdopen(os.memfd_create("upload", os.MFD_CLOEXEC), "r+b", buffering=0)


def write_all(file: BinaryIO, data: bytes | memoryview) -> None:
    """Append all of `data`; the system may take it in several pieces."""
    with memoryview(data) as view:
        written = 0
        while written < len(view):
            written += file.write(view[written:])
