"""What is asked of whoever keeps the keys of encryption at rest, and of where those keys lie, as protocols."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from kycmanager.domain.records import BrandKey, FileFacts, FileKey, Note, ProfileKey, Step
from kycmanager.domain.verification import SentCode
from kycmanager.ports import Progress

NO_PROFILE = 0
"""The profile by whose key is sealed what belongs to none: the secrets of the users of the pages, each at their id."""

_CODES = -(2**60)


def place_of(record: Step | Note | SentCode) -> int:
    """Return the number that what a record holds is bound to beside its profile; no two records have the same."""
    if isinstance(record, Step):
        return record.id
    return -record.id if isinstance(record, Note) else _CODES - record.id


class Vault(Protocol):
    """Seals and opens what memory and strand give it, at once; it does no I/O."""

    sealing: bool
    """Whether what is new is sealed; what was sealed is opened either way."""

    def seal(self, kyc_id: int, place: int, answers: dict[str, Any], files: Sequence[str]) -> bytes:
        """Return answers as they are kept; `files` are the uuids they name. Raises KycError INVALID_STATE."""
        ...

    def open(self, kyc_id: int, place: int, kept: bytes) -> dict[str, Any]:
        """Return sealed answers; those of a profile whose key was destroyed are empty."""
        ...

    def files(self, kept: bytes) -> Sequence[str]:
        """Return the uuids that sealed answers name, without opening them."""
        ...

    def hold(self, file: FileFacts, kyc_id: int) -> FileKey:
        """Return the data key of an upload, sealed by the profile that holds the file from now on."""
        ...

    def lookup_secret(self, key_id: bytes) -> bytes:
        """Return what answers are hashed with by the key of this id; empty where there is none, or it does not open."""
        ...

    def unsaved(self) -> list[ProfileKey]:
        """Return the keys that the store does not have yet."""
        ...

    def saved(self, keys: Iterable[ProfileKey]) -> None:
        """Learn that the store has these keys."""
        ...


class KeyStore(Protocol):
    """Where the sealed keys lie: bases/keys.db, apart from the records and on the disk before what they seal.

    Every call is on the disk when it returns. Raises StoreFull or OutcomeUnknown; nothing is kept of a call that fails.
    """

    async def keep(self, keys: Sequence[BrandKey | ProfileKey]) -> None:
        """Add keys; one that is there already stays as it is."""
        ...

    async def rewrap(self, keys: Sequence[BrandKey | ProfileKey]) -> None:
        """Put keys that were sealed anew in the place of the old ones; one that was destroyed stays so."""
        ...

    async def destroy(self, tombstone: ProfileKey, now: int) -> None:
        """Overwrite the key of a profile, in the log too, and keep that it was destroyed."""
        ...

    async def forget_brand_keys(self, ids: Sequence[bytes]) -> None:
        """Overwrite keys of brands that nothing needs any more."""
        ...

    async def sealed_otherwise(self, master: bytes, after: int, limit: int) -> Sequence[BrandKey | ProfileKey]:
        """Return keys that another master key than this one seals, of profiles with an id above `after`."""
        ...

    async def counts(self) -> list[tuple[str, bytes, int]]:
        """Count keys: ("brand" | "profile" | "destroyed", master key, how many)."""
        ...


class FileKeys(Protocol):
    """Where the data keys of files lie that profiles hold: beside the documents, in bases/kyc.db."""

    async def file_keys(self, file_ids: Collection[str]) -> dict[str, FileKey]:
        """Return those of these files, by uuid."""
        ...

    async def count_file_keys(self) -> int:
        """Return how many there are."""
        ...


class KeyCount(Struct, frozen=True):
    """A master key and how many keys it seals; `state` is current, old, or missing."""

    id: str
    state: str
    brand_keys: int
    profile_keys: int


class KeyList(Struct, frozen=True):
    """What seals how much. `brand_keys` and `profile_keys` seal the keys of `waiting` and `held` files."""

    sealing: bool
    place: str
    masters: list[KeyCount]
    destroyed: int
    waiting: int
    held: int


class Rotated(Struct, frozen=True):
    """What a rotation has done: the id of the master key that seals now, and how many keys were sealed anew.

    The `old` master keys may be removed from `place`.
    """

    current: str
    keys: int
    old: list[str]
    place: str


class Sealed(Struct, frozen=True):
    """How much was in clear and is sealed now: answers of steps, notes, users' secrets, events, files.

    `faults` are the files that are not, and why.
    """

    steps: int
    notes: int
    users: int
    events: int
    files: int
    faults: list[tuple[str, str]]


class KeyCare(Protocol):
    """What an operator does with the keys. Raises KycError INVALID_STATE saying what to do next."""

    async def list(self) -> KeyList:
        """Tell which key seals how much; never a key."""
        ...

    async def rotate(self, progress: Progress) -> Rotated:
        """Seal every key by a new master key."""
        ...

    async def erase(self, kyc_id: int) -> None:
        """Destroy the key of a profile, and what of it the feed tells in clear. Raises StoreFull or OutcomeUnknown."""
        ...

    async def seal_old(self, progress: Progress) -> Sealed:
        """Seal what is still in clear."""
        ...
