"""What a storage needs of others: the place its files lie in, and whoever keeps the keys they are sealed with."""

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol


class Draft(Protocol):
    """A file being received. All calls block and run on a worker thread, one after the other.

    `sync` alone may run beside reads through `fileno`. Every call raises OSError as the system does.
    """

    def fileno(self) -> int:
        """Return a descriptor that can be read at any offset; validation uses it."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`."""
        ...

    def write_first(self, data: memoryview) -> None:
        """Write all of `data`, which begins at a page of memory, before anything else was written."""
        ...

    def sync(self) -> None:
        """Return when every byte written is on the disk."""
        ...

    def discard(self) -> None:
        """Close it and remove it; once more, or after `Backend.publish`, does nothing."""
        ...


class Backend(Protocol):
    """A place for files named "<uuid>.<ext>". All calls block and run on worker threads, many at once."""

    def prepare(self) -> int:
        """Make the place ready, remove what unfinished drafts left behind, and return how many there were."""
        ...

    def scratch(self) -> BinaryIO:
        """Return an empty, unbuffered file without a name, to be read and written; it is gone when it is closed."""
        ...

    def begin(self, uuid: str) -> Draft:
        """Start a draft; nobody sees it before `publish`."""
        ...

    def publish(self, draft: Draft, name: str) -> None:
        """Give a synced draft its name, durably; when this raises the name is not there. Closes the draft."""
        ...

    def remove(self, name: str) -> bool:
        """Remove a file and return whether it was there."""
        ...

    def size(self, name: str) -> int | None:
        """Return the size in bytes, None where there is no such regular file."""
        ...

    def state(self, name: str) -> Hashable:
        """Return a value that changes whenever the file is changed through the system, None where there is none."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; FileNotFoundError where there is none."""
        ...

    def names(self) -> Iterator[str]:
        """Walk over all names in the place, drafts left out, in no order."""
        ...

    def path(self, name: str) -> Path | None:
        """Return a local path a server may send from, None where the place has no local files."""
        ...

    def free_bytes(self) -> int | None:
        """Return the room left, None where it cannot be told."""
        ...


class Cipher(Protocol):
    """Seals the data keys of files, so that the storage can keep them beside the files, and opens them again.

    A key may also be held by somebody else: then the storage keeps none, and this finds it by the uuid.
    """

    @property
    def sealing(self) -> bool:
        """Whether new files are to be sealed."""
        ...

    async def wrap(self, uuid: str, brand: str, key: bytes) -> bytes:
        """Return the data key of a file sealed; what opens it again is on the disk by then. Raises StorageError."""
        ...

    async def unwrap(self, wrapped: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return the data keys by uuid; `wrapped` is empty for one held elsewhere. One that does not open is left out.

        Raises StorageError.
        """
        ...
