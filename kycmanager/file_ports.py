"""The stored files as a door needs them: it streams them in and out."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from kycmanager.domain.files import FileLabel, FileOwner


class StoredFile(Struct, frozen=True, kw_only=True, gc=False):
    """What a door shows of a stored file."""

    uuid: str
    storage_name: str
    original_name: str
    extension: str
    signature: str
    """The type detected in the content."""
    content_type: str
    """The type to serve it with."""
    file_size: int
    checksum: str
    scope: int
    purpose: str
    owner: FileOwner
    disposition: str
    """The Content-Disposition a download of it has."""
    held: bool = False
    """Whether its content is held back until somebody decides."""
    state: str = ""
    """After an upload: accepted or quarantined, and what was found."""
    findings: tuple[str, ...] = ()


class FileRendition(Struct, frozen=True, gc=False):
    """What a browser may be shown of a stored file; `pages` is how many the file has."""

    content: bytes
    content_type: str
    pages: int


class IncomingFile(Protocol):
    """A file on its way in. Use by one task; `abort` is to be called in the end, whatever came before."""

    async def write(self, chunk: bytes | memoryview) -> None: ...
    async def room(self) -> memoryview:
        """Return memory to put the next bytes in, from its start: who can do that need not `write`."""
        ...

    async def took(self, size: int) -> None:
        """Receive the first `size` bytes of the room."""
        ...

    def relabel(self, label: FileLabel) -> None:
        """Change what was said of the file; where that is refused, nothing is changed."""
        ...

    async def finish(self) -> StoredFile:
        """Return the file once it is on disk; its label must have an owner by now."""
        ...

    async def abort(self) -> None:
        """Leave nothing behind; does nothing to a file that is stored."""
        ...


class FileStore(Protocol):
    """The stored files, as far as a door needs them: it streams them in and out.

    Every error is a KycError for the client; what an operator has to look at is logged already.
    """

    def receive(
        self, *, name: str, declared_type: str, label: FileLabel, length_hint: int | None = None
    ) -> IncomingFile: ...
    async def find(self, uuid: str) -> StoredFile | None: ...
    async def waiting(self, owner: FileOwner) -> list[StoredFile]:
        """Return the uploads of an owner that nothing holds yet, a bounded number."""
        ...

    async def check(self, file: StoredFile) -> None:
        """Return if the file is what was received."""
        ...

    async def read(
        self, file: StoredFile, offset: int, length: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Check the file, then open a part of it."""
        ...

    async def rendition(self, file: StoredFile, kind: str, page: int) -> FileRendition:
        """Return what a browser may be shown of the file; `kind` is one of RENDITION_KINDS, `page` counts from 1."""
        ...
