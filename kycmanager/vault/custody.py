"""The keys and where they lie: makes and stores those of brands, opens those of files, destroys those of profiles."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

from kycmanager.domain.records import BrandKey
from kycmanager.key_ports import FileKeys, KeyStore
from kycmanager.ports import Clock
from kycmanager.vault.keyring import NO_BRAND, Keyring, tombstone
from kycmanager.vault.sealing import ID_BYTES, SealError


class Custody:
    """Keeps the keyring and its store together. Raises StoreFull or OutcomeUnknown where the store does."""

    def __init__(self, keyring: Keyring, store: KeyStore, held: FileKeys, clock: Clock) -> None:
        self.keyring = keyring
        self._store = store
        self._held = held
        self._clock = clock
        self._making = asyncio.Lock()

    async def wrap_file_key(self, uuid: str, brand: str, key: bytes) -> bytes:
        """Return the data key of an upload sealed by its brand's key, which is on the disk by then."""
        return self.keyring.wrap_for_brand(await self._brand_key(brand), uuid, key)

    async def open_file_keys(self, wrapped: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return data keys by uuid; `wrapped` is empty for one a profile holds. One that does not open is left out."""
        opened: dict[str, bytes] = {}
        for uuid, sealed in wrapped.items():
            with suppress(SealError):
                opened[uuid] = self.keyring.open_for_brand(uuid, sealed)
        # What a brand's key does not open may have been taken over by a profile since it was looked up.
        missing = [uuid for uuid in wrapped if uuid not in opened]
        for uuid, held in (await self._held.file_keys(missing) if missing else {}).items():
            with suppress(SealError):
                opened[uuid] = self.keyring.open_for_profile(held)
        return opened

    async def held_of(self, uuids: Collection[str]) -> list[str]:
        """Return those of these files whose data key a profile holds."""
        return list(await self._held.file_keys(uuids))

    async def held_count(self) -> int:
        """Return how many data keys profiles hold."""
        return await self._held.count_file_keys()

    async def settle(self) -> None:
        """Return when the key of a brand that is just being made is stored."""
        async with self._making:
            pass

    async def retire(self, kept: Collection[bytes]) -> int:
        """Destroy the keys of brands that are long out of use; `kept` are all data keys that uploads still wait with.

        So a copy of the bases from before a file was attached does not open it for ever. Returns how many went.
        """
        used = {sealed[:ID_BYTES] for sealed in kept}
        gone = [key_id for key_id in self.keyring.old_brand_keys(self._clock()) if key_id not in used]
        if gone:
            await self._store.forget_brand_keys(gone)
            self.keyring.forget_brand_keys(gone)
        return len(gone)

    async def new_lookup_key(self) -> bytes:
        """Make and store a key that hashes answers for search; return its id."""
        async with self._making:
            made = self.keyring.new_brand_key(NO_BRAND, self._clock())
            await self._store.keep([made])
            self.keyring.put_brand_key(made)
            return made.id

    async def keep_lookup_key(self, kept: bytes) -> None:
        """Destroy all keys that hashed answers for search but this one: what they made has gone."""
        gone = [key_id for key_id in self.keyring.lookup_keys() if key_id != kept]
        if gone:
            await self._store.forget_brand_keys(gone)
            self.keyring.forget_brand_keys(gone)

    async def destroy(self, kyc_id: int) -> None:
        """Destroy the key of a profile: its answers and files, and every copy of them, can never be read again.

        Prepared replies that show them in clear are for the caller to drop.
        """
        gone = tombstone(kyc_id)
        await self._store.destroy(gone, self._clock())
        self.keyring.destroy(gone)

    async def _brand_key(self, brand: str) -> BrandKey:
        async with self._making:
            now = self._clock()
            found = self.keyring.brand_key(brand, now)
            if found is None:
                found = self.keyring.new_brand_key(brand, now)
                await self._store.keep([found])
                self.keyring.put_brand_key(found)
            return found
