"""What is done with the keys now and then: agreeing at the start, rotating the master key, retiring old keys."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from kycmanager.config import Encryption
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import BrandKey, ProfileKey
from kycmanager.key_files import KeyFileError
from kycmanager.key_ports import KeyCount, KeyList, KeyStore, Rotated
from kycmanager.ports import Progress
from kycmanager.vault.custody import Custody
from kycmanager.vault.masters import Masters, add_master, check_known, load_masters
from kycmanager.vault.sealing import SealError

BATCH_KEYS = 200
"""Keys sealed anew in one transaction: about two milliseconds of work between two turns of the loop."""

HELD_AT_ONCE = 200

_BEFORE_ALL = -1
"""A number below those of all profiles, and below that of none."""

Run = Callable[[str, dict[str, Any]], Coroutine[Any, Any, object]]
"""`run(command, data)`: run a local command on the strand."""


class Attached(Protocol):
    """What is known of a stored file."""

    @property
    def attached(self) -> bool:
        """Whether something holds it."""
        ...


class Uploads(Protocol):
    """The stored files and the data keys that uploads wait with."""

    async def get_many(self, uuids: Iterable[str]) -> Mapping[str, Attached]:
        """Return the files there are, by uuid."""
        ...

    async def kept_keys(self, after: str = "") -> Sequence[tuple[str, bytes]]:
        """Return the next of them, (uuid, sealed key), by uuid; at the end none."""
        ...

    async def release_keys(self, uuids: Sequence[str]) -> None:
        """Forget those that profiles hold."""
        ...


class KeyCare:
    """Looks after the keys; `run` brings what changes records to the strand."""

    def __init__(self, settings: Encryption, data_dir: Path, custody: Custody, store: KeyStore, run: Run) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._custody = custody
        self._keyring = custody.keyring
        self._store = store
        self._run = run

    async def open(self) -> None:
        """Read the master keys, and refuse to start where one that is needed is missing. Raises KeyFileError."""
        self._keyring.masters = await self._masters()

    async def agree(self, uploads: Uploads) -> None:
        """Forget the data keys of uploads that profiles hold: a crash may have come between the two bases."""
        async for kept in _kept(uploads):
            held = await self._custody.held_of([uuid for uuid, _ in kept])
            if held:
                await uploads.release_keys(held)

    async def hold_attached(self, uploads: Uploads) -> list[str]:
        """Have profiles hold the data keys of their files that they do not hold yet, one sealed lately for one.

        Returns the files with which that did not work: they can be read as before.
        """
        failed: list[str] = []
        async for kept in _kept(uploads):
            found = await uploads.get_many(uuid for uuid, _ in kept)
            waiting = [uuid for uuid, file in found.items() if file.attached]
            for first in range(0, len(waiting), HELD_AT_ONCE):
                failed += await self._hold(waiting[first : first + HELD_AT_ONCE])
        return failed

    async def _hold(self, files: list[str]) -> list[str]:
        """Have profiles hold these, one by one where one of them is in the way; return those."""
        try:
            await self._run("SysHoldFiles", {"file_ids": files})
        except KycError:
            return files if len(files) == 1 else [uuid for each in files for uuid in await self._hold([each])]
        return []

    async def retire(self, uploads: Uploads) -> int:
        """Destroy the keys of brands that nothing needs any more; return how many."""
        return await self._custody.retire([sealed async for kept in _kept(uploads) for _, sealed in kept])

    async def list(self, uploads: Uploads) -> KeyList:
        """Tell which master key seals how many keys, and what those seal; never a key."""
        masters = self._keyring.masters
        counts: dict[tuple[str, bytes], int] = {(kind, key_id): n for kind, key_id, n in await self._store.counts()}
        ids = dict.fromkeys([*masters.ids, *[key_id for kind, key_id in counts if kind != "destroyed"]])
        rows = [
            KeyCount(
                key_id.hex(),
                _state(masters, key_id),
                counts.get(("brand", key_id), 0),
                counts.get(("profile", key_id), 0),
            )
            for key_id in ids
        ]
        return KeyList(
            sealing=self._settings.enabled,
            place=masters.place,
            masters=rows,
            destroyed=sum(n for (kind, _), n in counts.items() if kind == "destroyed"),
            waiting=len([uuid async for kept in _kept(uploads) for uuid, _ in kept]),
            held=await self._custody.held_count(),
        )

    async def rotate(self, progress: Progress) -> Rotated:
        """Seal every key by a new master key, in small batches; may be cut off at any moment, and run again.

        With more than one master key the rotation that was begun is finished: no further one is made. Raises KycError
        INVALID_STATE saying what to do.
        """
        try:
            masters = await self._masters()
            if len(masters) == 1:
                add_master(self._settings, self._data_dir)
                masters = await self._masters()
        except KeyFileError as fault:
            raise KycError(Code.INVALID_STATE, str(fault)) from None
        current = masters.current.id
        self._keyring.masters = masters
        # What was sealed by the old key a moment ago is in the base once these two are through.
        await self._custody.settle()
        await self._run("SysRecordKeys", {"action": "keys.rotation", "details": {"master": current.hex()}})
        sealed = await self._seal_anew(current, progress)
        old = [key_id.hex() for key_id in masters.ids if key_id != current]
        details = {"master": current.hex(), "keys": sealed}
        await self._run("SysRecordKeys", {"action": "keys.rotated", "details": details})
        return Rotated(current=current.hex(), keys=sealed, old=old, place=masters.place)

    async def _seal_anew(self, current: bytes, progress: Progress) -> int:
        total = sum(n for kind, master, n in await self._store.counts() if kind != "destroyed" and master != current)
        done, after = 0, _BEFORE_ALL
        while True:
            stale = await self._store.sealed_otherwise(current, after, BATCH_KEYS)
            if not stale and after == _BEFORE_ALL:
                return done
            try:
                fresh = [self._sealed_anew(key) for key in stale]
            except (SealError, KeyFileError) as fault:
                raise KycError(
                    Code.INVALID_STATE, f"{fault}; put the newest copy of bases/keys.db back, then run this again"
                ) from None
            await self._store.rewrap(fresh)
            for key in fresh:
                self._keep(key)
            # Behind the last one there are no more, or it was the last: then all are looked at once again.
            after = max((key.kyc_id for key in stale if isinstance(key, ProfileKey)), default=_BEFORE_ALL)
            done += len(fresh)
            progress("keys", done, max(total, done))

    def _sealed_anew(self, key: BrandKey | ProfileKey) -> BrandKey | ProfileKey:
        if isinstance(key, BrandKey):
            return self._keyring.rewrapped_brand_key(key)
        return self._keyring.rewrapped_profile_key(key)

    def _keep(self, key: BrandKey | ProfileKey) -> None:
        if isinstance(key, BrandKey):
            self._keyring.put_brand_key(key)
        else:
            self._keyring.put_profile_key(key)

    async def _masters(self) -> Masters:
        counts: dict[bytes, int] = {}
        for kind, master, count in await self._store.counts():
            if kind != "destroyed":
                counts[master] = counts.get(master, 0) + count
        masters = load_masters(self._settings, self._data_dir, wraps=sum(counts.values()))
        check_known(masters, counts)
        return masters


def _state(masters: Masters, key_id: bytes) -> str:
    if key_id not in masters.ids:
        return "missing"
    return "current" if key_id == masters.current.id else "old"


async def _kept(uploads: Uploads) -> AsyncIterator[Sequence[tuple[str, bytes]]]:
    after = ""
    while kept := await uploads.kept_keys(after):
        yield kept
        after = kept[-1][0]
