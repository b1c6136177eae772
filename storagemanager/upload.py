"""One file on its way in: gathered, written, hashed, judged, published, registered."""

import asyncio
import hashlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from msgspec import Struct

from storagemanager.errors import StorageError, StorageErrorCode, from_os
from storagemanager.label import Label
from storagemanager.metadata import Metadata
from storagemanager.model import FileMeta, StorageSettings, UploadState
from storagemanager.ports import Backend, Draft
from storagemanager.validation import Validator
from storagemanager.workers import Workers


class Door(Struct, frozen=True):
    """What every upload of a manager shares. `left` is called once when an upload is over."""

    settings: StorageSettings
    backend: Backend
    metadata: Metadata
    validator: Validator
    workers: Workers
    clock: Callable[[], int]
    left: Callable[["Upload"], None]


class Upload:
    """A file being received. Use by one task: `write` in order, then `finish`, or `abort` at any time.

    Any error ends the upload and leaves nothing behind; as an async context manager it aborts what was not finished.
    Memory: three chunks of `StorageSettings.chunk_bytes` at most.
    """

    def __init__(self, door: Door, label: Label) -> None:
        self._door = door
        self._label = label
        self._state: UploadState = "open"
        self._buffer = bytearray()
        self._received = 0
        self._hash = hashlib.sha256()
        self._draft: Draft | None = None
        self._storing: asyncio.Future[None] | None = None

    @property
    def uuid(self) -> str:
        """The uuid the file will have."""
        return self._label.uuid

    @property
    def state(self) -> UploadState:
        """Where the upload stands."""
        return self._state

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.abort()

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take a chunk of any size; it may be reused at once.

        TOO_LARGE as soon as the limit is passed; FULL or UNAVAILABLE from this chunk or the ones before.
        """
        self._check_open()
        chunk_bytes = self._door.settings.chunk_bytes
        with memoryview(chunk) as view, view.cast("B") as data:
            self._received += len(data)
            try:
                self._door.validator.check_size(self._received)
                # A chunk that is larger than what is gathered must not be copied as a whole.
                for start in range(0, len(data), chunk_bytes):
                    self._buffer += data[start : start + chunk_bytes]
                    if len(self._buffer) >= chunk_bytes:
                        await self._store()
            except (StorageError, OSError) as error:
                await self._end("failed")
                raise _translated(error) from error

    async def finish(self) -> FileMeta:
        """Return the metadata once the file and its row are on the disk.

        EMPTY, SIGNATURE_MISMATCH, STRUCTURE, FULL, UNAVAILABLE: nothing was kept. OUTCOME_UNKNOWN: the next start
        decides. A caller that is cancelled in here does not undo it: the file then lives as an unattached one.
        """
        self._check_open()
        self._state = "finishing"
        return await self._door.workers.shield(self._finish())

    async def abort(self) -> None:
        """Drop what was received; does nothing to an upload that is over or being finished."""
        if self._state == "open":
            await self._door.workers.shield(self._end("aborted"))

    async def _finish(self) -> FileMeta:
        try:
            meta = await self._receive_all()
            await self._publish(meta)
        except BaseException as error:
            await self._end("failed")
            raise _translated(error) from error
        await self._end("stored")
        return meta

    async def _receive_all(self) -> FileMeta:
        """Return the metadata of the whole file, judged and on the disk but still a draft."""
        door, label = self._door, self._label
        if not self._received:
            raise StorageError(StorageErrorCode.EMPTY, "file", "the file is empty")
        await self._store()
        await self._settle()
        assert self._draft is not None
        # The disk and the judge do not need each other: they work at the same time.
        synced = door.workers.submit(self._draft.sync)
        judged = door.workers.submit(
            door.validator.check_content, self._draft.fileno(), self._received, label.extension
        )
        await asyncio.wait((synced, judged))
        signature = judged.result()
        synced.result()
        now = door.clock()
        return FileMeta(
            uuid=label.uuid,
            original_name=label.original_name,
            extension=label.extension,
            signature=signature,
            content_type=label.content_type,
            declared_type=label.declared_type,
            file_size=self._received,
            checksum=self._hash.hexdigest(),
            scope=label.scope,
            purpose=label.purpose,
            owner_kind=label.owner_kind,
            owner_id=label.owner_id,
            brand=label.brand,
            created_time=now,
            loose_since=now,
        )

    async def _publish(self, meta: FileMeta) -> None:
        """Name the file, then register it: a crash between the two leaves an orphan, never a row without its file."""
        door = self._door
        assert self._draft is not None
        await door.workers.submit(door.backend.publish, self._draft, meta.storage_name)
        try:
            await door.metadata.insert(meta)
        except StorageError as error:
            # Where the commit may have happened the file must stay; the next start knows.
            if error.code is not StorageErrorCode.OUTCOME_UNKNOWN:
                await door.workers.submit(door.backend.remove, meta.storage_name)
            raise

    async def _store(self) -> None:
        """Hand what is gathered to a thread; while it writes, the next chunks may come."""
        await self._settle()
        data, self._buffer = self._buffer, bytearray()
        self._storing = self._door.workers.submit(self._write_and_hash, data)

    async def _settle(self) -> None:
        """Wait for the thread; raise what it raised."""
        storing, self._storing = self._storing, None
        if storing is not None:
            try:
                await asyncio.shield(storing)
            except asyncio.CancelledError:
                self._storing = storing
                raise

    def _write_and_hash(self, data: bytearray) -> None:
        if self._draft is None:
            self._draft = self._door.backend.begin(self._label.uuid)
        self._draft.write(data)
        self._hash.update(data)

    async def _end(self, state: UploadState) -> None:
        self._state = state
        self._buffer = bytearray()
        if self._storing is not None:
            await asyncio.wait((self._storing,))
            self._storing.exception()  # read, so that asyncio does not complain of it
        try:
            if self._draft is not None:
                await self._door.workers.submit(self._draft.discard)
        except OSError:  # what cannot be removed now goes at the next start
            pass
        finally:
            self._door.left(self)

    def _check_open(self) -> None:
        if self._state != "open":
            raise StorageError(StorageErrorCode.CLOSED, "file", f"the upload is {self._state}")


def _translated(error: BaseException) -> BaseException:
    return from_os(error) if isinstance(error, OSError) else error
