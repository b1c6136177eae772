"""Encryption at rest put together: the vault, the keys and where they lie, what seals files, what an operator does."""

from asyncio import get_running_loop
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kycmanager import log
from kycmanager.batches import Snapshot
from kycmanager.config import Encryption
from kycmanager.desk_ports import LookupRecords
from kycmanager.domain.errors import KycError
from kycmanager.key_ports import KeyList, Rotated, Sealed
from kycmanager.ports import Clock, OutcomeUnknown, Progress, Reader, StoreFull
from kycmanager.store.sqlite import SqliteStore
from kycmanager.vault.care import KeyCare, Run
from kycmanager.vault.clear import ClearData, forget_events
from kycmanager.vault.custody import Custody
from kycmanager.vault.index import AnswerIndex
from kycmanager.vault.keyring import Keyring
from kycmanager.vault.masters import Masters
from kycmanager.vault.vault import Vault
from storagemanager import StorageError, StorageErrorCode, StorageManager

PROGRESS_SECONDS = 10.0
"""How often it is told how far the index of answers is."""

UNFINISHED = "the key was destroyed before"
"""The reason of an erasure that a start finishes, in the audit."""

logger = log.get_logger("encryption")


class FileCipher:
    """Answers the storage's port `Cipher` by the keys of brands and profiles."""

    def __init__(self, custody: Custody, *, sealing: bool) -> None:
        self._custody = custody
        self.sealing = sealing

    async def wrap(self, uuid: str, brand: str, key: bytes) -> bytes:
        """Return the data key of an upload sealed by its brand."""
        try:
            return await self._custody.wrap_file_key(uuid, brand, key)
        except StoreFull:
            raise StorageError(StorageErrorCode.FULL, "storage", "no room is left for a key") from None
        except OutcomeUnknown as error:
            raise StorageError(StorageErrorCode.UNAVAILABLE, "storage", f"the key of a brand: {error}") from error

    async def unwrap(self, wrapped: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return the data keys of files by uuid."""
        try:
            return await self._custody.open_file_keys(wrapped)
        except OutcomeUnknown as error:
            raise StorageError(StorageErrorCode.UNAVAILABLE, "storage", f"the keys of files: {error}") from error


class Safe:
    """What the core needs of it all, in the order of its opening; answers the port `KeyCare` too.

    `run` brings a local command to the strand.
    """

    def __init__(
        self,
        settings: Encryption,
        data_dir: Path,
        store: SqliteStore,
        clock: Clock,
        run: Run,
    ) -> None:
        keyring = Keyring(Masters([], str(data_dir / settings.key_file)))
        self.vault = Vault(keyring, sealing=settings.enabled)
        self.custody = Custody(keyring, store.keys, store, clock)
        self.cipher = FileCipher(self.custody, sealing=settings.enabled)
        self.alone = False
        """No daemon works on these bases: they may be written anew as a whole."""
        self._care = KeyCare(settings, data_dir, self.custody, store.keys, run)
        self._store = store
        self._run = run
        self._in_clear: Callable[[], Mapping[str, Sequence[int]]] = dict
        self._storage: StorageManager | None = None
        self._index: AnswerIndex | None = None
        self._told = 0.0

    def look_after(self, lookup: LookupRecords, in_clear: Callable[[], Mapping[str, Sequence[int]]]) -> None:
        """Have the index of answers made and removed as the settings want it; `in_clear` tells what is not sealed."""
        self._in_clear = in_clear
        sealing = self.vault.sealing
        self._index = AnswerIndex(lookup, self.custody, self._store, self._run, sealing=sealing)

    async def index(self) -> None:
        """Go on with the index of answers; what fails is tried again the next time."""
        assert self._index is not None
        try:
            await self._index.follow(self._tell_indexed)
        except (KycError, StoreFull, OutcomeUnknown) as error:
            logger.warning("the index of answers waits", fault=str(error))

    def _tell_indexed(self, _what: str, done: int, total: int) -> None:
        now = get_running_loop().time()
        whole = self._index is not None and not self._index.lookup.partial
        if whole or now >= self._told + PROGRESS_SECONDS:
            self._told = now
            logger.info("answers are indexed" if whole else "indexing answers", profiles=done, of=total)

    async def open(self) -> None:
        """Read the master keys; raises KeyFileError where one is missing that something needs."""
        await self._care.open()

    def load(self, snapshot: Snapshot) -> None:
        """Take the keys of brands and profiles."""
        self.vault.keyring.load(snapshot.brand_keys, snapshot.profile_keys)

    async def agree(self, storage: StorageManager) -> None:
        """Hold the keys of files against those of the storage, which is open by now."""
        self._storage = storage
        await self._care.agree(storage)

    async def hold_attached(self) -> None:
        """Have profiles hold the keys of their files that a crash, or sealing the old, has left with their brand."""
        assert self._storage is not None
        try:
            failed = await self._care.hold_attached(self._storage)
        except StorageError as error:
            logger.warning("keys of attached files stay with their brand until the next start", fault=error.reason)
            return
        if failed:
            logger.warning("keys of attached files stay with their brand", count=len(failed), files=failed[:20])

    async def release(self, files: Sequence[str]) -> None:
        """Let the storage forget the keys of files that profiles hold; what fails here, the next start does."""
        assert self._storage is not None
        try:
            await self._storage.release_keys(files)
        except StorageError as error:
            logger.warning("keys of attached files stay with their brand until the next start", fault=error.reason)

    async def retire(self) -> None:
        """Destroy the keys of brands that nothing needs any more."""
        assert self._storage is not None
        gone = await self._care.retire(self._storage)
        if gone:
            logger.info("keys of brands that nothing needs any more are destroyed", count=gone)

    async def list(self) -> KeyList:
        """Tell which key seals how much."""
        assert self._storage is not None
        return await self._care.list(self._storage)

    async def erase(self, kyc_id: int) -> None:
        """Destroy the key of a profile; where nothing is sealed, remove what the feed tells of it."""
        keyring = self.vault.keyring
        if self.vault.sealing or keyring.has_key(kyc_id):
            await self.custody.destroy(kyc_id)
        if not self.vault.sealing:
            await forget_events(self._store, kyc_id)
        if self._index is not None and self._index.lookup.live:
            await self._store.overwrite()  # the rows of the index are deleted next

    async def finish_erasures(self, records: Reader) -> None:
        """Empty the records whose key is gone: the erasure was cut off, or a backup from before it was restored."""
        for kyc_id in self.vault.keyring.all_destroyed():
            profile = records.profile(kyc_id)
            if profile is None or not _holds(records, kyc_id):
                continue
            data = {"customer_id": profile.customer_id, "brand": profile.brand, "reason": UNFINISHED}
            try:
                await self._run("SysEraseKycCustomer", data)
                logger.info("an erasure is finished", kyc_id=kyc_id)
            except KycError as error:
                logger.warning(
                    "an erasure is not finished: its data cannot be read any more", kyc_id=kyc_id, fault=str(error)
                )

    async def rotate(self, progress: Progress) -> Rotated:
        """Seal every key by a new master key."""
        return await self._care.rotate(progress)

    async def seal_old(self, progress: Progress) -> Sealed:
        """Seal what is still in clear."""
        assert self._storage is not None
        clear = ClearData(self.vault, self._store.keys, self._store, self._storage, self._run)
        done = await clear.seal(self._in_clear(), progress, whole=self.alone)
        await self.hold_attached()
        return done


def _holds(records: Reader, kyc_id: int) -> bool:
    """Tell whether the records of a profile hold what only its key could open."""
    return (
        any(step.answers for step in records.steps_of(kyc_id))
        or any(document.file_id for document in records.documents_of(kyc_id))
        or bool(records.desk.notes_of(kyc_id))
    )
