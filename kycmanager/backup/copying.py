"""Copying files so that their bytes are hashed on the way and on the disk at the end."""

import hashlib
import os
from pathlib import Path

from kycmanager.backup.manifest import Entry

_PIECE_BYTES = 1 << 20


def copy_file(source: Path, folder: Path, path: str) -> Entry:
    """Copy a file to `path` in `folder`; raises OSError, FileExistsError when it is there already."""
    digest, size = hashlib.sha256(), 0
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(reading, "rb", buffering=0) as file, (folder / path).open("xb") as written:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            written.write(piece)
            size += len(piece)
        written.flush()
        os.fsync(written.fileno())
    return Entry(path, size, digest.hexdigest())


def entry_of(folder: Path, path: str) -> Entry:
    """Return the entry of a file that is there; raises OSError."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return Entry(path, size, digest.hexdigest())


def flush_folders(folder: Path) -> None:
    """Return when the names in a folder and in all below it are on the disk."""
    for each in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        flush_folder(each)


def flush_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
