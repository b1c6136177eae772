"""Files of keys: for their owner only, whole or absent after any crash, and one where two processes make them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_KEY_FILE_BYTES_MAX = 65_536
_OTHERS = 0o077


class KeyFileError(Exception):
    """A key that cannot be used; the text names its file and says what to do next."""


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Make the folder, for its owner only, and lock it: two processes at their first start get one key."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Write the key so that it is whole or absent after any crash, and never readable by others."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_private(path: Path) -> bytes:
    """Return the content of a file of keys; raises KeyFileError where others can read it, and OSError."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise KeyFileError(f"{path} can be read by others; run `chmod 600 {path}`, and replace it if it was copied")
        return file.read(_KEY_FILE_BYTES_MAX)
