"""The storage manager: receives files, keeps what is known of them, and gives them back intact or not at all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from storagemanager.backends.local import LocalBackend
from storagemanager.base import Base
from storagemanager.buffers import Buffers
from storagemanager.door import Door
from storagemanager.errors import StorageError, StorageErrorCode, from_os
from storagemanager.inspection import Inspector, Progress
from storagemanager.judge import Judge, PolicyOf, refuse_all
from storagemanager.keys import Keys, open_stored
from storagemanager.label import make_label
from storagemanager.layout import is_uuid, uuid_of
from storagemanager.metadata import Metadata
from storagemanager.model import FileMeta, OpenReport, Owner, PinReport, StorageSettings, StorageStats, VerifyReport
from storagemanager.plain import AT_ONCE
from storagemanager.ports import Backend, Cipher
from storagemanager.quota import Ledger, LimitsOf, hour_start, no_limits
from storagemanager.reading import Reading
from storagemanager.scanner import Infected, Scanner, tell_nobody
from storagemanager.sealed import SealedFile
from storagemanager.sealing import seal_stored
from storagemanager.upload import Upload
from storagemanager.validation import Validator
from storagemanager.verdicts import Verdicts
from storagemanager.workers import Workers


class _Opened(Struct, frozen=True):
    """What exists only between `open` and `close`."""

    workers: Workers
    base: Base
    metadata: Metadata
    inspector: Inspector
    verdicts: Verdicts
    judge: Judge
    door: Door


class StorageManager:
    """Files of one data folder: content in `<data_dir>/storage`, what is known of it in `<data_dir>/bases/storage.db`.

    One process at a time may hold a data folder; whoever starts the manager sees to that. All methods belong to one
    event loop. Every error is a `StorageError`; CLOSED outside of `open` and `close`.
    """

    def __init__(
        self,
        data_dir: Path,
        settings: StorageSettings,
        clock: Callable[[], int],
        *,
        backend: Backend | None = None,
        cipher: Cipher | None = None,
        new_uuid: Callable[[], str] = lambda: str(uuid4()),
        limits_of: LimitsOf = no_limits,
        scanner: Scanner | None = None,
        infected: Infected = tell_nobody,
        policy_of: PolicyOf = refuse_all,
    ) -> None:
        """`clock` returns Unix seconds. `backend` defaults to the local folder. ValueError for unknown extensions.

        With a `cipher` files are encrypted on the disk, each with a key of its own, as long as it says so.
        `limits_of` tells the quotas of an owner and its brand. With a `scanner` no file is stored that it did not pass;
        `infected` is told of what it found. `policy_of` tells what becomes of active content in a brand.
        """
        self._data_dir = data_dir
        self._settings = settings
        self._clock = clock
        self._new_uuid = new_uuid
        self._validator = Validator(settings)
        self._backend = backend or LocalBackend(data_dir / "storage")
        self._cipher = cipher
        self._keys = Keys(cipher)
        self._sealing: set[str] = set()
        self._state: _Opened | None = None
        self._uploads: set[Upload] = set()
        self._removing: Counter[str] = Counter()
        self.ledger = Ledger(limits_of, clock)
        self.scanner = scanner
        self._infected = infected
        self._policy_of = policy_of

    async def open(self) -> OpenReport:
        """Migrate and check the base, remove what a crash left, let expired uploads go; return what was found.

        BASE_DAMAGED, BASE_NEWER and BASE_MISMATCH say in their text what to do next. Once more is BUSY.
        """
        if self._state is not None:
            raise StorageError(StorageErrorCode.BUSY, "storage", "the storage is open already")
        workers = Workers(self._settings.threads)
        base = Base(self._data_dir / "bases" / "storage.db", workers)
        try:
            temporary = await workers.submit(self._backend.prepare)
            await base.open(may_be_new=not await workers.submit(self._has_files))
            opened = self._assemble(workers, base)
            report = await opened.inspector.reconcile(self._settings.orphans_max)
            damaged = (*report.damaged_rows, *await opened.verdicts.load())
            self.ledger.load(await opened.metadata.owned(hour_start(self._clock())))
            self._state = opened
            expired = await self.expire(self._clock())
            return replace(report, temporary_removed=temporary, expired=expired, damaged_rows=damaged)
        except BaseException as error:
            self._state = None
            await base.close()
            await workers.close()
            raise (from_os(error, "storage") if isinstance(error, OSError) else error) from error

    async def close(self) -> None:
        """Abort what is still being received, finish what was begun, end the threads; once more does nothing."""
        opened, self._state = self._state, None
        if opened is None:
            return
        for upload in tuple(self._uploads):
            await upload.abort()
        if self.scanner is not None:
            self.scanner.close()
        await opened.workers.settle()
        await opened.judge.close()
        await opened.base.close()
        await opened.workers.close()

    @property
    def verdicts(self) -> Verdicts:
        """What was decided of files in which something was found, and by whom it is held back."""
        return self._opened().verdicts

    def receive(
        self,
        *,
        original_name: str,
        declared_type: str,
        owner: Owner,
        purpose: str,
        scope: int,
        length_hint: int | None = None,
    ) -> Upload:
        """Return an upload to write to; nothing touches the disk before its first chunk is full.

        REFUSED_TYPE by the name, TOO_LARGE by `length_hint` (bytes, where the sender tells them; a hint only),
        INVALID for a field that cannot be stored, BUSY over `uploads_max`, QUOTA or RATE over the limits of its owner.
        """
        opened = self._opened()
        if len(self._uploads) >= self._settings.uploads_max:
            raise StorageError(StorageErrorCode.BUSY, "storage", "too many uploads are under way")
        self._validator.check_size(length_hint or 0)
        label = make_label(
            self._validator,
            uuid=self._new_uuid(),
            original_name=original_name,
            declared_type=declared_type,
            owner=owner,
            purpose=purpose,
            scope=scope,
        )
        upload = Upload(opened.door, label, self.ledger.reserve(owner, length_hint or 0))
        self._uploads.add(upload)
        return upload

    def peek(self, uuid: str) -> FileMeta | None:
        """Return a file's metadata if it is in memory; None says nothing, `get` does."""
        return self._opened().metadata.peek(uuid)

    async def get(self, uuid: str) -> FileMeta | None:
        """Return a file's metadata; None where there is none or `uuid` is no uuid. BROKEN for a damaged row."""
        opened = self._opened()
        return await opened.metadata.get(uuid) if is_uuid(uuid) else None

    async def get_many(self, uuids: Iterable[str]) -> dict[str, FileMeta]:
        """Return the metadata of the files there are, by uuid. BROKEN for a damaged row."""
        opened = self._opened()
        return await opened.metadata.get_many([uuid for uuid in uuids if is_uuid(uuid)])

    async def open_read(self, meta: FileMeta, offset: int = 0, length: int | None = None) -> Reading:
        """Return bytes `offset` to `offset + length`, cut to the file; None reads to the end.

        BROKEN where the file is not what was received: a damaged file is never served.
        """
        opened = self._opened()
        await self.check(meta)
        start = min(max(offset, 0), meta.file_size)
        try:
            file = await opened.workers.submit(self._open_at, meta, await self._keys.one(meta), start)
        except OSError as error:
            raise from_os(error) from error
        left = meta.file_size - start
        return Reading(file, left if length is None else min(max(length, 0), left), opened.workers)

    async def key_of(self, meta: FileMeta) -> bytes | None:
        """Return the key a file is sealed with, None for one in clear; BROKEN where it does not open."""
        self._opened()
        return await self._keys.one(meta)

    async def known(self, uuids: Iterable[str]) -> dict[str, bool]:
        """Return which of these uuids have a row, be it damaged, and whether their file is sealed."""
        return await self._opened().metadata.known(list(uuids))

    async def path(self, meta: FileMeta) -> Path | None:
        """Return the checked file's local path for a server to send from, None for a sealed or distant file.

        BROKEN as in `open_read`.
        """
        await self.check(meta)
        return self._backend.path(meta.disk_name) if meta.data_key is None else None

    async def check(self, meta: FileMeta) -> None:
        """Return if the stored file is what was received; BROKEN if it is damaged or gone.

        It is hashed unless that was done within `recheck_seconds` and the file was not touched since.
        """
        await self._opened().inspector.check(meta, self._clock(), self._settings.recheck_seconds)

    async def pin(self, uuids: Iterable[str]) -> None:
        """Hold files: each uuid given adds one pin, and a pinned file never expires.

        To be done before the attachment is written elsewhere. NOT_FOUND, and no pin at all, where one is missing.
        """
        await self._opened().metadata.pin(uuids)

    async def unpin(self, uuids: Iterable[str]) -> None:
        """Let files go: each uuid given takes one pin; from the last one on the file lives as an unattached upload."""
        await self._opened().metadata.unpin(uuids, self._clock())

    async def reconcile_pins(self, attached: Iterable[str]) -> PinReport:
        """Make the pins those of `attached`, the complete list of attached uuids, repeated as often as attached.

        For the start, before anything is attached: it unpins what never arrived and pins what lost its pin.
        """
        wanted = Counter(attached)
        metadata = self._opened().metadata
        now = self._clock()
        pinned = unpinned = row_id = 0
        while rows := await metadata.rows_after(row_id):
            row_id = rows[-1][0]
            here = {uuid: wanted.pop(uuid, 0) for _, uuid, _ in rows}
            changed = {meta.uuid: here[meta.uuid] for _, _, meta in rows if meta and meta.pins != here[meta.uuid]}
            if changed:
                await metadata.set_pins(changed, now)
            pinned += sum(1 for pins in changed.values() if pins)
            unpinned += sum(1 for pins in changed.values() if not pins)
        return PinReport(pinned=pinned, unpinned=unpinned, unknown=tuple(wanted))

    async def expire(self, now: int) -> int:
        """Remove the files that nothing has held for `unattached_seconds` before `now`; return how many."""
        opened = self._opened()
        expired = 0
        while gone := await opened.metadata.take_loose(now - self._settings.unattached_seconds):
            await self._remove(opened, gone)
            expired += len(gone)
        return expired

    async def erase(self, uuids: Iterable[str]) -> int:
        """Remove files, whatever holds them, what was drawn of them left to its own; return how many there were."""
        opened = self._opened()
        gone = await opened.metadata.take([uuid for uuid in uuids if is_uuid(uuid)])
        await self._remove(opened, gone)
        return len(gone)

    async def waiting(self, owner: Owner) -> list[FileMeta]:
        """Return the uploads of an owner that nothing holds yet, the oldest first, a bounded number."""
        return await self._opened().metadata.waiting(owner)

    async def _remove(self, opened: _Opened, gone: Sequence[FileMeta]) -> None:
        """Remove the files of rows that are gone: a crash in between leaves orphans, which the next start removes."""
        self._removing.update(meta.uuid for meta in gone)
        opened.verdicts.forget(meta.uuid for meta in gone)
        for meta in gone:
            self.ledger.removed(meta)
        try:
            for meta in gone:
                await opened.workers.submit(self._backend.remove, meta.disk_name)
        except OSError as error:
            raise from_os(error) from error
        finally:
            self._removing.subtract(meta.uuid for meta in gone)
            self._removing = +self._removing

    async def verify(self, progress: Progress | None = None) -> VerifyReport:
        """Hash every file and check every row; name each that is missing, damaged, or an orphan. Changes nothing."""
        return await self._opened().inspector.verify(progress, self._moving)

    async def kept_keys(self, after: str = "") -> list[tuple[str, bytes]]:
        """Return the next data keys that only the storage has, (uuid, sealed key), by uuid; at the end none."""
        return await self._opened().metadata.kept_keys(after)

    async def release_keys(self, uuids: Sequence[str]) -> None:
        """Forget the data keys of these files: the cipher finds them elsewhere from now on."""
        await self._opened().metadata.release_keys(uuids)

    async def in_clear(self) -> AsyncIterator[FileMeta]:
        """Walk over the files that are not sealed."""
        row_id = 0
        while rows := await self._opened().metadata.rows_after(row_id):
            row_id = rows[-1][0]
            for _, _, meta in rows:
                if meta is not None and meta.data_key is None:
                    yield meta

    async def seal(self, meta: FileMeta) -> bool:
        """Seal a stored file that is in clear; False where it has gone meanwhile. May be cut off at any moment.

        BROKEN, and the file stays as it is, where it is not what was received.
        """
        opened, cipher = self._opened(), self._cipher
        assert cipher is not None
        self._sealing.add(meta.uuid)
        try:
            sealing = seal_stored(opened.workers, self._backend, cipher, opened.metadata, meta)
            return await opened.workers.shield(sealing)
        except OSError as error:
            raise from_os(error) from error
        finally:
            self._sealing.discard(meta.uuid)

    async def stats(self) -> StorageStats:
        """Return counts of what is stored and under way."""
        opened = self._opened()
        files, file_bytes, attached = await opened.metadata.totals()
        return StorageStats(
            files=files,
            file_bytes=file_bytes,
            attached=attached,
            uploads_active=len(self._uploads),
            cache_entries=opened.metadata.cached,
            free_bytes=await opened.workers.submit(self._backend.free_bytes),
        )

    def _opened(self) -> _Opened:
        if self._state is None:
            raise StorageError(StorageErrorCode.CLOSED, "storage", "the storage is not open")
        return self._state

    def _assemble(self, workers: Workers, base: Base) -> _Opened:
        metadata = Metadata(base, self._settings.cache_entries_max)
        inspector = Inspector(self._backend, metadata, workers, self._keys)
        verdicts = Verdicts(base, self._clock)
        judge = Judge(self._settings.inspection, self._policy_of)
        door = Door(
            self._settings,
            self._backend,
            metadata,
            self._validator,
            workers,
            Buffers(self._settings.chunk_bytes),
            self._clock,
            self._uploads.discard,
            self.scanner,
            self._infected,
            self._cipher,
            asyncio.Semaphore(AT_ONCE),
            judge,
            verdicts,
        )
        return _Opened(workers, base, metadata, inspector, verdicts, judge, door)

    def _open_at(self, meta: FileMeta, key: bytes | None, offset: int) -> BinaryIO | SealedFile:
        file = open_stored(self._backend, meta, key)
        try:
            file.seek(offset)
        except OSError:
            file.close()
            raise
        return file

    def _has_files(self) -> bool:
        """Tell whether the backend holds any stored file; a base that is new beside them has been lost."""
        return any(uuid_of(name) for name in self._backend.names())

    def _moving(self) -> set[str]:
        return {upload.uuid for upload in self._uploads} | set(self._removing) | self._sealing
