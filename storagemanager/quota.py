"""Quotas: what each owner and each brand may keep, counted exactly and reserved before the bytes arrive."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from storagemanager.errors import QuotaError, StorageErrorCode
from storagemanager.model import FileMeta, Owner

HOUR_SECONDS = 3600
FILES, BYTES, UPLOADS_PER_HOUR = "files", "bytes", "uploads_per_hour"


class Limits(Struct, frozen=True, kw_only=True):
    """What one owner may have within a brand, and what the brand may have in all; 0 is no limit."""

    owner_files_max: int = 0
    owner_bytes_max: int = 0
    owner_uploads_per_hour_max: int = 0
    brand_files_max: int = 0
    brand_bytes_max: int = 0


class Usage(Struct, frozen=True):
    """What is stored, and what is reserved for uploads under way."""

    files: int = 0
    file_bytes: int = 0


class Owned(Struct, frozen=True):
    """What the base holds of one owner; `recent` files came since the hour began."""

    kind: str
    id: int
    brand: str
    files: int
    file_bytes: int
    recent: int


LimitsOf = Callable[[Owner], Limits]

_NOTHING = Usage()
_Key = tuple[str, str, int]


def no_limits(_owner: Owner) -> Limits:
    """Return no limit for anybody."""
    return Limits()


def hour_start(now: int) -> int:
    """Return when the hour of `now` began; uploads per hour are counted by the hours of the clock."""
    return now - now % HOUR_SECONDS


class Ledger:
    """Counts what is stored and reserved, by owner and by brand. It belongs to one event loop and never waits.

    A reservation counts at once, so that uploads which run together cannot pass a limit together.
    """

    def __init__(self, limits_of: LimitsOf, clock: Callable[[], int]) -> None:
        self._limits_of = limits_of
        self._clock = clock
        self._owners: dict[_Key, Usage] = {}
        self._brands: dict[str, Usage] = {}
        self._hour = 0
        self._begun: dict[_Key, int] = {}
        self.refusals = 0
        """How many uploads a quota has refused."""

    def load(self, rows: Iterable[Owned]) -> None:
        """Begin with what the base holds; whatever was counted before is forgotten."""
        self._owners, self._brands, self._begun = {}, {}, {}
        self._hour = hour_start(self._clock())
        for row in rows:
            owner = Owner(kind=row.kind, id=row.id, brand=row.brand)
            self._count(owner, row.files, row.file_bytes)
            if row.recent:
                self._begun[_key(owner)] = row.recent

    def used(self, owner: Owner) -> Usage:
        """Return what one owner has within its brand."""
        return self._owners.get(_key(owner), _NOTHING)

    def used_by_brand(self, brand: str) -> Usage:
        """Return what a brand has."""
        return self._brands.get(brand, _NOTHING)

    def reserve(self, owner: Owner, size: int) -> "Reservation":
        """Reserve one file of `size` bytes so far; QUOTA or RATE, and nothing is counted, where it does not fit."""
        limits = self._limits_of(owner)
        self._check(owner, FILES, self.used(owner).files, 1, limits.owner_files_max)
        self._check(owner, FILES, self.used_by_brand(owner.brand).files, 1, limits.brand_files_max, of_brand=True)
        self._check_bytes(owner, limits, size)
        self._check_rate(owner, limits.owner_uploads_per_hour_max)
        key = _key(owner)
        self._begun[key] = self._begun.get(key, 0) + 1
        self._count(owner, 1, size)
        return Reservation(self, owner, size)

    def grow(self, owner: Owner, more: int) -> None:
        """Reserve more bytes; QUOTA, and nothing is counted, where they do not fit."""
        self._check_bytes(owner, self._limits_of(owner), more)
        self._count(owner, 0, more)

    def release(self, owner: Owner, files: int, size: int) -> None:
        """Count these no longer."""
        self._count(owner, -files, -size)

    def removed(self, meta: FileMeta) -> None:
        """Count a stored file no longer: its row is gone."""
        self.release(Owner(kind=meta.owner_kind, id=meta.owner_id, brand=meta.brand), 1, meta.file_size)

    def _count(self, owner: Owner, files: int, size: int) -> None:
        key = _key(owner)
        own, all_of_brand = _plus(self.used(owner), files, size), _plus(self.used_by_brand(owner.brand), files, size)
        if own == _NOTHING:
            self._owners.pop(key, None)
        else:
            self._owners[key] = own
        if all_of_brand == _NOTHING:
            self._brands.pop(owner.brand, None)
        else:
            self._brands[owner.brand] = all_of_brand

    def _check_bytes(self, owner: Owner, limits: Limits, more: int) -> None:
        brand_bytes = self.used_by_brand(owner.brand).file_bytes
        self._check(owner, BYTES, self.used(owner).file_bytes, more, limits.owner_bytes_max)
        self._check(owner, BYTES, brand_bytes, more, limits.brand_bytes_max, of_brand=True)

    def _check(self, owner: Owner, unit: str, used: int, more: int, limit: int, *, of_brand: bool = False) -> None:
        if limit and used + more > limit:
            told = f"has no room left: {used} of {limit} {unit} are used"
            raise self._refusal(StorageErrorCode.QUOTA, owner, unit, used, limit, told, of_brand=of_brand)

    def _refusal(
        self,
        code: StorageErrorCode,
        owner: Owner,
        unit: str,
        used: int,
        limit: int,
        told: str,
        *,
        of_brand: bool = False,
    ) -> QuotaError:
        self.refusals += 1
        quota = f"{'brand' if of_brand else owner.kind}_{unit}"
        return QuotaError(code, quota, used, limit, told, owner_kind=owner.kind, of_brand=of_brand)

    def _check_rate(self, owner: Owner, limit: int) -> None:
        now = self._clock()
        if hour_start(now) != self._hour:
            self._hour, self._begun = hour_start(now), {}
        used = self._begun.get(_key(owner), 0)
        if limit and used >= limit:
            left = self._hour + HOUR_SECONDS - now
            told = f"is used up: {used} of {limit} uploads of this hour; try again in {left} s"
            raise self._refusal(StorageErrorCode.RATE, owner, UPLOADS_PER_HOUR, used, limit, told)


class Reservation:
    """The room of one upload; it ends with `keep` or `release`, whichever comes first."""

    def __init__(self, ledger: Ledger, owner: Owner, size: int) -> None:
        self._ledger = ledger
        self._owner = owner
        self._size = size
        self._open = True

    def grow(self, size: int) -> None:
        """Have room for `size` bytes in all; QUOTA where there is none."""
        if size > self._size:
            self._ledger.grow(self._owner, size - self._size)
            self._size = size

    def move(self, owner: Owner) -> None:
        """Give the upload another owner; QUOTA or RATE, and nothing is changed, where it does not fit there."""
        if owner != self._owner:
            self._ledger.reserve(owner, self._size)
            self._ledger.release(self._owner, 1, self._size)
            self._owner = owner

    def keep(self, size: int) -> None:
        """Turn the room into that of a stored file of `size` bytes."""
        if self._open:
            self._open = False
            self._ledger.release(self._owner, 0, self._size - size)

    def release(self) -> None:
        """Give the room back."""
        if self._open:
            self._open = False
            self._ledger.release(self._owner, 1, self._size)


def _key(owner: Owner) -> _Key:
    return owner.brand, owner.kind, owner.id


def _plus(usage: Usage, files: int, size: int) -> Usage:
    return Usage(usage.files + files, usage.file_bytes + size)
