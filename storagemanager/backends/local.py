"""Files in a local folder: `<root>/<uuid>.<ext>`, drafts in `<root>/.tmp`."""

import os
import stat
import tempfile
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from storagemanager.atomic import TemporaryFile, make_folder
from storagemanager.ports import Draft


class LocalBackend:
    """The default backend; see `storagemanager.ports.Backend`. Symbolic links are never followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = root / ".tmp"

    def prepare(self) -> int:
        """Create the folders and empty the drafts' one."""
        make_folder(self._drafts)
        removed = 0
        for entry in list(os.scandir(self._drafts)):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
                removed += 1
        return removed

    def scratch(self) -> BinaryIO:
        """Open a file in `.tmp` that the system never gives a name, where the file system can do that."""
        return cast("BinaryIO", tempfile.TemporaryFile(dir=self._drafts, buffering=0))

    def begin(self, uuid: str) -> Draft:
        """Start a draft in `.tmp`."""
        return TemporaryFile(self._drafts / uuid)

    def publish(self, draft: Draft, name: str) -> None:
        """Rename the draft into the root and fsync the root."""
        cast("TemporaryFile", draft).rename(self._root / name)

    def remove(self, name: str) -> bool:
        """Unlink the file. No fsync: a name that comes back after a power cut is an orphan, and goes at the start."""
        try:
            (self._root / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int | None:
        """Return the size by the file system."""
        found = self._stat(name)
        return found.st_size if found else None

    def state(self, name: str) -> Hashable:
        """Return inode, size and both times: nothing but root can change a file and keep its ctime."""
        found = self._stat(name)
        return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) if found else None

    def open(self, name: str) -> BinaryIO:
        """Open the file itself, never what a link points at."""
        return os.fdopen(os.open(self._root / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb", buffering=0)

    def names(self) -> Iterator[str]:
        """Walk over the root."""
        with os.scandir(self._root) as entries:
            for entry in entries:
                if entry.name != self._drafts.name:
                    yield entry.name

    def path(self, name: str) -> Path | None:
        """Return the file's path."""
        return self._root / name

    def free_bytes(self) -> int | None:
        """Return what an unprivileged process may still write."""
        found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            found = (self._root / name).stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None
