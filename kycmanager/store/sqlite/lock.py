"""The lock file that lets one process only own a base."""

import fcntl
import os
from pathlib import Path

from kycmanager.ports import StoreHeld, StoreRefused


class FileLock:
    """An exclusive `flock` on a file that holds the owner's process id; the kernel frees it when the owner dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def acquire(self) -> None:
        """Take the lock without waiting; raises StoreHeld naming the process that holds it."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreRefused(
                f"Cannot open {self._path}: {error.strerror}. Check the folder and its owner."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreHeld(
                f"{self._path} is held by process {holder}: a daemon already runs on this base. "
                "Stop it first, or give commands to it through its control socket.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back, if held. The file stays: removing it would let two processes lock two files."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
