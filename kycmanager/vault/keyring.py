"""The keys of brands and profiles in memory: sealed as they are stored, opened one by one as they are needed."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.lookup import secret_of
from kycmanager.domain.records import BrandKey, FileKey, ProfileKey
from kycmanager.vault.masters import Masters
from kycmanager.vault.sealing import ID_BYTES, Key, SealError, new_key

OPENED_MAX = 4096
"""Opened keys kept at once: those of the profiles in use."""

BRAND_KEY_SECONDS = 86_400
"""How long a brand's key seals new uploads; then the brand gets another, and this one goes when nothing needs it."""

NO_BRAND = ""
"""The brand of the key that hashes answers for search: it belongs to the installation, and is kept as those of brands.

No brand has this name, no upload is sealed by it, and it does not go by its age.
"""

_BRAND = "brand key"
_PROFILE = "profile key"
_FILE_OF_BRAND = "file key of brand"
_FILE_OF_PROFILE = "file key of profile"

_Name = TypeVar("_Name")


def tombstone(kyc_id: int) -> ProfileKey:
    """Return what is kept in the place of a key: that it was destroyed."""
    return ProfileKey(kyc_id, bytes(ID_BYTES), b"")


class Keyring:
    """Makes, opens and rewraps keys; does no I/O.

    A profile's key is made when it first has something to seal. It is `unsaved` until the store has it; what it has
    sealed must not be committed before.
    """

    def __init__(self, masters: Masters) -> None:
        self.masters = masters
        self._brands: dict[bytes, BrandKey] = {}
        self._newest: dict[str, BrandKey] = {}
        self._profiles: dict[int, bytes] = {}
        self._unsaved: dict[int, ProfileKey] = {}
        self._open_brands: _Opened[bytes] = _Opened()
        self._open_profiles: _Opened[int] = _Opened()

    def load(self, brands: Iterable[BrandKey], profiles: Iterable[ProfileKey]) -> None:
        """Take the stored keys."""
        for brand_key in brands:
            self.put_brand_key(brand_key)
        masters: dict[bytes, bytes] = {}
        for each in profiles:
            # As few objects as can be: there may be a million.
            self._profiles[each.kyc_id] = masters.setdefault(each.master, each.master) + each.wrapped

    # -- brands

    def new_brand_key(self, brand: str, now: int) -> BrandKey:
        """Make a key for a brand; it counts from `put_brand_key` on, when it is stored."""
        key, master = new_key(), self.masters.current
        return BrandKey(key.id, brand, master.id, master.wrap(key, _BRAND, brand, key.id), now)

    def put_brand_key(self, brand_key: BrandKey) -> None:
        """Keep a stored key of a brand, new or sealed anew."""
        self._brands[brand_key.id] = brand_key
        newest = self._newest.get(brand_key.brand)
        if newest is None or newest.created_time <= brand_key.created_time:
            self._newest[brand_key.brand] = brand_key

    def brand_key(self, brand: str, now: int) -> BrandKey | None:
        """Return the key that seals a brand's uploads now, None where one is to be made."""
        found = self._newest.get(brand)
        return found if found is not None and now < found.created_time + BRAND_KEY_SECONDS else None

    def old_brand_keys(self, now: int) -> list[bytes]:
        """Return the ids of those keys that have long sealed nothing new."""
        age = 2 * BRAND_KEY_SECONDS
        return [key.id for key in self._brands.values() if key.brand != NO_BRAND and now >= key.created_time + age]

    def lookup_keys(self) -> list[bytes]:
        """Return the ids of the keys that hash answers: one, but for the moments in which another takes its place."""
        return [key.id for key in self._brands.values() if key.brand == NO_BRAND]

    def lookup_secret(self, key_id: bytes) -> bytes:
        """Return what answers are hashed with, empty where there is no such key; raises SealError, KeyFileError."""
        found = self._brands.get(key_id)
        return secret_of(self._brand(key_id).material) if found is not None and found.brand == NO_BRAND else b""

    def forget_brand_keys(self, ids: Iterable[bytes]) -> None:
        """Let keys go that are no longer stored."""
        for key_id in ids:
            gone = self._brands.pop(key_id)
            self._open_brands.drop(key_id)
            newest = self._newest.get(gone.brand)
            if newest is not None and newest.id == key_id:
                del self._newest[gone.brand]

    def wrap_for_brand(self, brand_key: BrandKey, file_id: str, material: bytes) -> bytes:
        """Return the data key of an upload sealed by a key of its brand, whose id stands before it."""
        key = self._brand(brand_key.id)
        return key.id + key.seal(material, _FILE_OF_BRAND, file_id, brand_key.brand)

    def open_for_brand(self, file_id: str, wrapped: bytes) -> bytes:
        """Return the data key that `wrap_for_brand` has sealed; raises SealError."""
        key_id = wrapped[:ID_BYTES]
        key = self._brand(key_id)
        return key.open(wrapped[ID_BYTES:], _FILE_OF_BRAND, file_id, self._brands[key_id].brand)

    def _brand(self, key_id: bytes) -> Key:
        def unwrap() -> Key:
            found = self._brands.get(key_id)
            if found is None:
                raise SealError(f"there is no brand key {key_id.hex()}")
            return self.masters.get(found.master).unwrap(found.wrapped, _BRAND, found.brand, key_id)

        return self._open_brands.get(key_id, unwrap)

    # -- profiles

    def destroyed(self, kyc_id: int) -> bool:
        """Tell whether the key of a profile was destroyed: what it has sealed is gone for good."""
        held = self._profiles.get(kyc_id)
        return held is not None and len(held) == ID_BYTES

    def all_destroyed(self) -> list[int]:
        """Return the profiles whose key was destroyed."""
        return [kyc_id for kyc_id, held in self._profiles.items() if len(held) == ID_BYTES]

    def has_key(self, kyc_id: int) -> bool:
        """Tell whether a profile has a key, be it destroyed."""
        return kyc_id in self._profiles

    def profile_key(self, kyc_id: int) -> Key:
        """Return the key of a profile; raises SealError where it has none."""

        def unwrap() -> Key:
            held = self._profiles.get(kyc_id, b"")
            if len(held) <= ID_BYTES:
                raise SealError(f"profile {kyc_id} has no key")
            return self.masters.get(held[:ID_BYTES]).unwrap(held[ID_BYTES:], _PROFILE, kyc_id)

        return self._open_profiles.get(kyc_id, unwrap)

    def sealing_key(self, kyc_id: int) -> Key:
        """Return the key of a profile, made where it has none; raises INVALID_STATE where it was destroyed."""
        if kyc_id in self._profiles:
            if self.destroyed(kyc_id):
                raise KycError(Code.INVALID_STATE, "The data of this profile was erased; nothing more is kept in it")
            return self.profile_key(kyc_id)
        key, master = new_key(), self.masters.current
        made = ProfileKey(kyc_id, master.id, master.wrap(key, _PROFILE, kyc_id))
        self._profiles[kyc_id] = made.master + made.wrapped
        self._unsaved[kyc_id] = made
        return self._open_profiles.get(kyc_id, lambda: key)

    def unsaved(self) -> list[ProfileKey]:
        """Return the keys the store does not have yet."""
        return list(self._unsaved.values()) if self._unsaved else []

    def saved(self, keys: Iterable[ProfileKey]) -> None:
        """Learn that the store has these keys."""
        for each in keys:
            self._unsaved.pop(each.kyc_id, None)

    def destroy(self, tombstone: ProfileKey) -> None:
        """Forget the key of a profile; from now on it is destroyed."""
        kyc_id = tombstone.kyc_id
        self._unsaved.pop(kyc_id, None)
        self._open_profiles.drop(kyc_id)
        self._profiles[kyc_id] = tombstone.master

    def wrap_for_profile(self, kyc_id: int, file_id: str, material: bytes) -> FileKey:
        """Return the data key of a file sealed by the key of the profile that holds it."""
        return FileKey(file_id, kyc_id, self.sealing_key(kyc_id).seal(material, _FILE_OF_PROFILE, file_id, kyc_id))

    def open_for_profile(self, held: FileKey) -> bytes:
        """Return the data key that `wrap_for_profile` has sealed; raises SealError."""
        return self.profile_key(held.kyc_id).open(held.wrapped, _FILE_OF_PROFILE, held.file_id, held.kyc_id)

    # -- rotation

    def rewrapped_brand_key(self, old: BrandKey) -> BrandKey:
        """Return a brand's key sealed by the current master key; raises SealError, KeyFileError."""
        key = self.masters.get(old.master).unwrap(old.wrapped, _BRAND, old.brand, old.id)
        master = self.masters.current
        return BrandKey(old.id, old.brand, master.id, master.wrap(key, _BRAND, old.brand, old.id), old.created_time)

    def rewrapped_profile_key(self, old: ProfileKey) -> ProfileKey:
        """Return a profile's key sealed by the current master key; raises SealError, KeyFileError."""
        key = self.masters.get(old.master).unwrap(old.wrapped, _PROFILE, old.kyc_id)
        master = self.masters.current
        return ProfileKey(old.kyc_id, master.id, master.wrap(key, _PROFILE, old.kyc_id))

    def put_profile_key(self, stored: ProfileKey) -> None:
        """Keep a key as it was sealed anew, unless it was destroyed meanwhile."""
        if not self.destroyed(stored.kyc_id):
            self._profiles[stored.kyc_id] = stored.master + stored.wrapped


class _Opened(Generic[_Name]):
    """A bounded memory of opened keys; those used longest ago go first."""

    def __init__(self) -> None:
        self._keys: dict[_Name, Key] = {}

    def get(self, name: _Name, unwrap: Callable[[], Key]) -> Key:
        key = self._keys.pop(name, None) or unwrap()
        self._keys[name] = key
        if len(self._keys) > OPENED_MAX:
            del self._keys[next(iter(self._keys))]
        return key

    def drop(self, name: _Name) -> None:
        self._keys.pop(name, None)
