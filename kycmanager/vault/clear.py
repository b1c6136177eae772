"""Sealing what was written before encryption was switched on: records, the events that tell of them, and files."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import NO_OBJECT, Event, Note, ProfileKey, Step
from kycmanager.domain.verification import SentCode
from kycmanager.key_ports import KeyStore, Sealed, place_of
from kycmanager.ports import Progress
from kycmanager.vault.vault import Vault

RECORDS_AT_ONCE = 100
CHUNKS_AT_ONCE = 4

Run = Callable[[str, dict[str, Any]], Coroutine[Any, Any, object]]

File = TypeVar("File", bound="StoredFile")


class StoredFile(Protocol):
    """What is known of a stored file."""

    @property
    def storage_name(self) -> str:
        """Its name."""
        ...


class Files(Protocol[File]):
    """The stored files."""

    def in_clear(self) -> AsyncIterator[File]:
        """Walk over those that are not sealed."""
        ...

    async def seal(self, meta: File) -> bool:
        """Seal one; False where it has gone."""
        ...


class Feed(Protocol):
    """The stored events."""

    async def feed_chunks(self, after: int, limit: int) -> Sequence[Sequence[Event]]:
        """Return the next rows of the feed with a number above `after`."""
        ...

    async def replace_chunks(self, chunks: Sequence[Sequence[Event]]) -> None:
        """Write rows of the feed anew."""
        ...

    async def overwrite(self) -> None:
        """Have what is changed from now on overwritten in the file."""
        ...

    async def scrub(self, work: Callable[[], Coroutine[Any, Any, None]], *, whole: bool) -> None:
        """Run `work` so that what it overwrites leaves no trace in the file; `whole` writes all of the file anew."""
        ...


class ClearData:
    """Seals the old while the daemon works; may be cut off at any moment, and run again."""

    def __init__(self, vault: Vault, keys: KeyStore, feed: Feed, files: Files[Any], run: Run) -> None:
        self._vault = vault
        self._keys = keys
        self._feed = feed
        self._files = files
        self._run = run
        self._records: Counter[str] = Counter()
        self._events = self._sealed_files = 0
        self._faults: list[tuple[str, str]] = []

    async def seal(self, in_clear: Mapping[str, Sequence[int]], progress: Progress, *, whole: bool) -> Sealed:
        """Seal records, by the field of `SysSealRecords` that takes their ids, the events and the files.

        `whole` writes all of the base anew, which also removes what was deleted before: nobody may work meanwhile.
        Raises KycError INVALID_STATE when encryption is off.
        """
        if not self._vault.sealing:
            raise KycError(
                Code.INVALID_STATE,
                "encryption.enabled is false: set it to true, restart the daemon, then run this again",
            )

        async def records() -> None:
            for kind, ids in in_clear.items():
                await self._seal_records(kind, ids, progress)
            await self._seal_events(progress)

        await self._feed.scrub(records, whole=whole)
        await self._seal_files(progress)
        return Sealed(
            self._records["steps"],
            self._records["notes"],
            self._records["users"],
            self._events,
            self._sealed_files,
            self._faults,
        )

    async def _seal_records(self, kind: str, ids: Sequence[int], progress: Progress) -> None:
        for first in range(0, len(ids), RECORDS_AT_ONCE):
            chunk = ids[first : first + RECORDS_AT_ONCE]
            await self._run("SysSealRecords", {kind: chunk})
            self._records[kind] += len(chunk)
            progress(kind, self._records[kind], len(ids))

    async def _seal_events(self, progress: Progress) -> None:
        after = 0
        while chunks := await self._feed.feed_chunks(after, CHUNKS_AT_ONCE):
            after = chunks[-1][-1].seq
            changed = [[self._sealed(event) for event in chunk] for chunk in chunks if any(map(_in_clear, chunk))]
            if changed:
                await self._save_keys(self._vault.unsaved())
                await self._feed.replace_chunks(changed)
            progress("events", after, 0)

    def _sealed(self, event: Event) -> Event:
        told, record = _in_clear(event), event.record
        if not told or not isinstance(record, Step | Note | SentCode):
            return event
        self._events += 1
        destroyed = self._vault.keyring.destroyed(record.kyc_id)
        kept = NO_OBJECT if destroyed else self._vault.seal(record.kyc_id, place_of(record), told, ())
        return _telling(event, record, kept)

    async def _save_keys(self, keys: Sequence[ProfileKey]) -> None:
        if keys:
            await self._keys.keep(keys)
            self._vault.saved(keys)

    async def _seal_files(self, progress: Progress) -> None:
        async for meta in self._files.in_clear():
            try:
                self._sealed_files += await self._files.seal(meta)
            except Exception as error:  # noqa: BLE001 - whatever is the matter with one file, the others are sealed
                self._faults.append((meta.storage_name, str(error)))
            progress("files", self._sealed_files, 0)


async def forget_events(feed: Feed, kyc_id: int) -> None:
    """Remove from the feed what its events tell in clear of one profile, and leave no trace of it in the file."""

    async def work() -> None:
        after = 0
        while chunks := await feed.feed_chunks(after, CHUNKS_AT_ONCE):
            after = chunks[-1][-1].seq
            changed = [[_bare(event, kyc_id) for event in chunk] for chunk in chunks if _tells_of(chunk, kyc_id)]
            if changed:
                await feed.replace_chunks(changed)

    await feed.scrub(work, whole=False)
    await feed.overwrite()  # the records are emptied next


def _tells_of(chunk: Sequence[Event], kyc_id: int) -> bool:
    return any(event.kyc_id == kyc_id and isinstance(event.record, Step | Note | SentCode) for event in chunk)


def _bare(event: Event, kyc_id: int) -> Event:
    record = event.record
    if event.kyc_id != kyc_id or not _in_clear(event) or not isinstance(record, Step | Note | SentCode):
        return event
    return _telling(event, record, NO_OBJECT)


def _telling(event: Event, record: Step | Note | SentCode, kept: dict[str, Any] | bytes) -> Event:
    """Return an event whose record holds something else."""
    field = "answers" if isinstance(record, Step) else "content"
    return msgspec.structs.replace(event, record=msgspec.structs.replace(record, **{field: kept}))


def _in_clear(event: Event) -> dict[str, Any]:
    """Return what an event tells in clear, nothing where that is nothing."""
    record = event.record
    told = (
        record.answers if isinstance(record, Step) else record.content if isinstance(record, Note | SentCode) else b""
    )
    return told if isinstance(told, dict) else NO_OBJECT
