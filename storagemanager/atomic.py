"""A file that is whole or not there: temporary name, fsync, rename, fsync of the folder."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_DIRECT: int = getattr(os, "O_DIRECT", 0)  # not every system has it, nor does every file system of Linux
_BLOCK_BYTES = 4096
"""What is written directly is a multiple of the blocks of every disk, and begins at one in memory and file."""


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk; a rename is lost in a power cut without it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents, each durably in its own parent; what exists is left as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


class TemporaryFile:
    """A new file under a temporary name, open for reading and writing until it is renamed or discarded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, _FLAGS, 0o600)

    def fileno(self) -> int:
        """Return the open descriptor."""
        return self._descriptor

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`; the system may take it in several pieces."""
        with memoryview(data) as view:
            written = 0
            while written < len(view):
                written += os.write(self._descriptor, view[written:])

    def write_first(self, data: memoryview) -> None:
        """Write all of `data`, which begins at a page of memory, to the empty file: directly, as far as blocks go.

        What is written past the system's cache is not copied; uploads are seldom read before they leave it anyway.
        """
        whole = len(data) - len(data) % _BLOCK_BYTES
        written = self._write_directly(data[:whole]) if _DIRECT and whole else 0
        self.write(data[written:])

    def _write_directly(self, data: memoryview) -> int:
        """Return how much of it was written, 0 where the file system wants everything in its cache."""
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | _DIRECT)
            written = os.write(self._descriptor, data)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            written = 0
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags)
        return written

    def sync(self) -> None:
        """Return when the content is on the disk."""
        os.fsync(self._descriptor)

    def rename(self, target: Path) -> None:
        """Give the synced file its name and return when the name is on the disk; on an error the name is gone."""
        self._close()
        self._path.rename(target)
        try:
            sync_folder(target.parent)
        except OSError:
            with suppress(OSError):
                target.unlink()
            raise

    def discard(self) -> None:
        """Close and remove it; after `rename` or once more it does nothing."""
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
