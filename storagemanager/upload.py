"""One file on its way in: gathered, written, hashed, judged, published, registered."""

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import BinaryIO, Self

from msgspec import structs

from storagemanager.buffers import Buffer
from storagemanager.door import Door
from storagemanager.errors import MalwareError, StorageError, StorageErrorCode, from_os
from storagemanager.label import Label, make_label
from storagemanager.model import FileMeta, Owner, UploadState
from storagemanager.plain import open_plain, write_all
from storagemanager.ports import Draft
from storagemanager.quota import Reservation
from storagemanager.sealed import Sealer, new_key, opened_chunks
from storagemanager.structure.source import READ_BYTES_MAX
from storagemanager.verdicts import NOTHING_FOUND, Verdict
from storagemanager.workers import tell

SCAN_BYTES = 256 * 1024


class Upload:
    """A file being received. Use by one task: `write` in order, then `finish`, or `abort` at any time.

    Instead of `write`: ask for `room`, have the bytes put there, and tell by `took` how many came.
    An error of any of them ends the upload and leaves nothing behind; as an async context manager it aborts what was
    not finished.
    Memory: twice `StorageSettings.chunk_bytes` at most, and what `plain` says while a larger sealed upload is judged.
    """

    def __init__(self, door: Door, label: Label, reservation: Reservation) -> None:
        self._door = door
        self._label = label
        self._reservation = reservation
        self._state: UploadState = "open"
        self._buffer: Buffer | None = None
        self._filled = 0
        self._stored: Buffer | None = None  # the one before, which a thread may still work on
        self._received = 0
        self._hash = hashlib.sha256()
        self._draft: Draft | None = None
        sealing = door.cipher is not None and door.cipher.sealing
        self._key = new_key() if sealing else b""
        self._sealer = Sealer(self._key, label.uuid) if sealing else None
        self._plain: BinaryIO | None = None
        self._storing: asyncio.Future[None] | None = None
        self._found: Verdict | None = None

    @property
    def verdict(self) -> Verdict:
        """What was decided of a finished upload."""
        return self._found or NOTHING_FOUND

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

        TOO_LARGE or QUOTA as soon as a limit is passed; FULL or UNAVAILABLE from this chunk or the ones before.
        """
        with memoryview(chunk).cast("B") as view:
            at = 0
            while at < len(view):
                room = await self.room()
                size = min(len(room), len(view) - at)
                room[:size] = view[at : at + size]
                at += size
                await self.took(size)

    async def room(self) -> memoryview:
        """Return memory for what comes next, one byte at least, to be filled from its start.

        FULL or UNAVAILABLE from what came before.
        """
        self._check_open()
        try:
            # The last bytes are kept for `finish`, which hashes them while the disk is busy.
            if self._filled == self._door.buffers.size:
                await self._store()
            if self._buffer is None:
                self._buffer = self._door.buffers.take()
        except (StorageError, OSError) as error:
            await self._end("failed")
            raise _translated(error) from error
        return self._buffer.memory[self._filled :]

    async def took(self, size: int) -> None:
        """Count the first `size` bytes of the room as received; TOO_LARGE or QUOTA as soon as a limit is passed."""
        self._check_open()
        self._filled += size
        self._received += size
        try:
            self._door.validator.check_size(self._received)
            self._reservation.grow(self._received)
        except StorageError:
            await self._end("failed")
            raise

    def relabel(self, *, owner: Owner | None = None, purpose: str | None = None, scope: int | None = None) -> None:
        """Change what was said of the file, at any time until `finish`; None leaves a field as it is.

        INVALID for a field that cannot be stored, QUOTA or RATE where the new owner has no room: then nothing is
        changed, and the upload is open as before.
        """
        self._check_open()
        label = self._label
        fresh = make_label(
            self._door.validator,
            uuid=label.uuid,
            original_name=label.original_name,
            declared_type=label.declared_type,
            owner=owner or label.owner,
            purpose=label.purpose if purpose is None else purpose,
            scope=label.scope if scope is None else scope,
        )
        self._reservation.move(fresh.owner)
        self._label = fresh

    async def finish(self) -> FileMeta:
        """Return the metadata once the file and its row are on the disk.

        EMPTY, SIGNATURE_MISMATCH, STRUCTURE, ACTIVE_CONTENT, MALWARE, UNSCANNED, FULL, UNAVAILABLE: nothing was kept.
        OUTCOME_UNKNOWN: the next start decides. A caller that is cancelled in here does not undo it: the file then
        lives as an unattached one.
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
            if self._sealer is None:
                meta = await self._receive_all()
            else:
                async with self._door.judging:
                    meta = await self._receive_all()
                    self._forget_plain()
            await self._publish(meta)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):  # the loop ends, and threads may still be at work
                self._buffer = self._stored = None
            await self._end("failed")
            raise _translated(error) from error
        await self._end("stored")
        return meta

    async def _receive_all(self) -> FileMeta:
        """Return the metadata of the whole file, judged and on the disk but still a draft."""
        door = self._door
        if not self._received:
            raise StorageError(StorageErrorCode.EMPTY, "file", "the file is empty")
        await self._settle()
        signature = await self._keep_and_judge()
        await self._scan()
        now = door.clock()
        return FileMeta(
            **structs.asdict(self._label),
            signature=signature,
            file_size=self._received,
            checksum=self._hash.hexdigest(),
            created_time=now,
            loose_since=now,
            data_key=await self._wrapped_key(),
        )

    async def _keep_and_judge(self) -> str:
        """Return the signature of what is on the disk and was judged. Neither waits for the other's end.

        The walk comes first of all where the file is small: what it refuses is never written.
        """
        workers, loop = self._door.workers, asyncio.get_running_loop()
        if self._is_small:
            walked: asyncio.Future[str] = loop.create_future()
            synced = workers.submit(self._walk_and_write, loop, walked)
        else:
            # The one that is waited for is submitted first: it is never behind the other in the queue of threads.
            written = threading.Event()
            stored = (self._sealer.chunks, bytes(self._sealer.held)) if self._sealer else (0, b"")
            synced = workers.submit(self._write_and_sync, written)
            walked = workers.submit(self._hash_and_walk, written, stored)
        try:
            signature: str | Exception = await self._judge(walked)
        except Exception as error:  # noqa: BLE001 - told when the disk has been heard
            signature = error
        if not synced.done():
            await asyncio.wait((synced,))
        synced.result()
        if isinstance(signature, Exception):
            raise signature
        return signature

    async def _wrapped_key(self) -> bytes | None:
        cipher, label = self._door.cipher, self._label
        if self._sealer is None or cipher is None:
            return None
        return await cipher.wrap(label.uuid, label.brand, self._key)

    async def _publish(self, meta: FileMeta) -> None:
        """Name the file, then register it: a crash between the two leaves an orphan, never a row without its file."""
        door = self._door
        assert self._draft is not None
        await door.workers.submit(door.backend.publish, self._draft, meta.disk_name)
        try:
            await door.metadata.insert(meta, self._found)
        except StorageError as error:
            # Where the commit may have happened the file must stay; the next start knows.
            if error.code is StorageErrorCode.OUTCOME_UNKNOWN:
                self._reservation.keep(self._received)
            else:
                await door.workers.submit(door.backend.remove, meta.disk_name)
            raise
        door.verdicts.remember(meta.uuid, self.verdict)
        self._reservation.keep(self._received)

    async def _scan(self) -> None:
        """Let the malware scanner look at the draft; what it finds is told before the uploader is answered."""
        door = self._door
        if door.scanner is None:
            return
        try:
            await door.scanner.scan(self._draft_pieces())
        except MalwareError as error:
            await door.infected(self._label.owner, self._label.uuid, error.signature)
            raise

    async def _draft_pieces(self) -> AsyncGenerator[bytes, None]:
        """Read the draft back."""
        assert self._draft is not None
        offset = 0
        while piece := await self._door.workers.submit(os.pread, self._content(), SCAN_BYTES, offset):
            offset += len(piece)
            yield piece

    async def _store(self) -> None:
        """Hand the full buffer to a thread; while it writes, the other one may be filled."""
        await self._settle()
        assert self._buffer is not None
        full, self._buffer, self._filled = self._buffer, self._stored, 0
        self._stored = full
        self._storing = self._door.workers.submit(self._write_and_hash, full.memory)

    @property
    def _last(self) -> memoryview:
        """What was received and not handed to a thread yet."""
        assert self._buffer is not None
        return self._buffer.memory[: self._filled]

    @property
    def _is_small(self) -> bool:
        """Whether all of the file is in the first buffer: what looks at it need not read it back."""
        return self._filled == self._received <= READ_BYTES_MAX

    async def _settle(self) -> None:
        """Wait for the thread; raise what it raised."""
        storing, self._storing = self._storing, None
        if storing is not None:
            try:
                await asyncio.shield(storing)
            except asyncio.CancelledError:
                self._storing = storing
                raise

    def _write_and_hash(self, content: memoryview) -> None:
        self._write(content)
        self._hash.update(content)

    def _walk_and_write(self, loop: asyncio.AbstractEventLoop, walked: "asyncio.Future[str]") -> None:
        try:
            self._hash.update(self._last)
            signature = self._door.validator.check_content(self._last, self._received, self._label.extension)
        except Exception as error:  # noqa: BLE001 - it is the judge's to tell
            loop.call_soon_threadsafe(tell, walked, error)
            return
        loop.call_soon_threadsafe(tell, walked, signature)
        draft = self._draft = self._door.backend.begin(self._label.uuid)
        draft.write_first(self._last if self._sealer is None else self._sealer.whole(self._last))
        draft.sync()

    def _write_and_sync(self, written: threading.Event) -> None:
        try:
            draft = self._write(self._last)
            if self._sealer is not None:
                draft.write(self._sealer.finish())
        finally:
            written.set()
        draft.sync()

    async def _judge(self, walked: "asyncio.Future[str]") -> str:
        """Return the signature. The walk comes first: decoders see only what it lets pass."""
        door, label = self._door, self._label
        signature = await walked
        if signature:
            findings = await door.judge.inspect(self._content(), label.extension)
            self._found = door.judge.decide(findings, label.brand)
        return signature

    def _hash_and_walk(self, written: threading.Event, stored: tuple[int, bytes]) -> str:
        self._hash.update(self._last)
        if self._sealer is None:
            written.wait()
        else:
            self._fill_plain(self._sealer, stored)
        if self._draft is None and self._plain is None:
            return ""  # nothing could be written, which the other thread tells
        return self._door.validator.check_content(self._content(), self._received, self._label.extension)

    def _content(self) -> int:
        """Return a descriptor of what was received, in clear."""
        if self._is_small:
            assert self._buffer is not None
            return self._buffer.file_of(self._received)
        content = self._draft if self._plain is None else self._plain
        assert content is not None
        return content.fileno()

    def _fill_plain(self, sealer: Sealer, stored: tuple[int, bytes]) -> None:
        """Put the content together in clear: the chunks that are on the disk, what the sealer held, the last bytes."""
        chunks, held = stored
        plain = self._plain = open_plain(self._received, self._door.backend)
        if self._draft is not None and chunks:
            for chunk in opened_chunks(self._draft.fileno(), sealer, self._key, self._label.uuid, chunks):
                write_all(plain, chunk)
        for piece in (held, self._last):
            write_all(plain, piece)

    def _forget_plain(self) -> None:
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.close()

    def _write(self, content: memoryview) -> Draft:
        if self._draft is None:
            self._draft = self._door.backend.begin(self._label.uuid)
            if self._sealer is not None:
                self._draft.write(self._sealer.header)
        self._draft.write(content if self._sealer is None else self._sealer.update(content))
        return self._draft

    async def _end(self, state: UploadState) -> None:
        self._state = state
        self._forget_plain()
        if self._storing is not None:
            await asyncio.wait((self._storing,))
            self._storing.exception()  # read, so that asyncio does not complain of it
        try:
            if self._draft is not None and state != "stored":
                await self._door.workers.submit(self._draft.discard)
        except OSError:  # what cannot be removed now goes at the next start
            pass
        finally:
            for buffer in (self._buffer, self._stored):
                if buffer is not None:
                    self._door.buffers.give_back(buffer)
            self._buffer = self._stored = None
            self._reservation.release()
            self._door.left(self)

    def _check_open(self) -> None:
        if self._state != "open":
            raise StorageError(StorageErrorCode.CLOSED, "file", f"the upload is {self._state}")


def _translated(error: BaseException) -> BaseException:
    return from_os(error) if isinstance(error, OSError) else error
