"""Sorted sets of ids per brand and value, so that a list is a walk along one of them, never a scan."""

import heapq
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from pyroaring import BitMap64

from kycmanager.domain.errors import invalid
from kycmanager.ports import ListQuery, Page

COUNT_MAX = 10_000
"""Beyond this a count over several filters is a lower bound (manager API, section 4)."""

EVERY_BRAND = ""
BUCKET_BITS = 8
"""Times are grouped by 256 s: few sets for a quiet base, few members to sort for a busy one."""


class Index:
    """The ids of one table by brand and by the value of each listed field."""

    def __init__(self, fields: tuple[str, ...], *, timed: bool = False) -> None:
        self._fields = fields
        self._values = attrgetter("brand", *fields)
        self._sets: dict[tuple[str, str, Any], BitMap64] = {}
        self._times: dict[str, list[int]] = {}
        self._timed = timed

    def add(self, record: Any) -> None:
        """Take a new record in."""
        brand, only = record.brand, BitMap64((record.id,))
        self._put(brand, "", None, only)
        for field in self._fields:
            self._put(brand, field, getattr(record, field), only)
        if self._timed:
            self._put_time(brand, record.updated_time >> BUCKET_BITS, only)

    def fill(self, records: Sequence[Any]) -> None:
        """Take many new records in at once: one pass for each field, and each set is made whole."""
        ids = list(map(attrgetter("id"), records))
        brands = list(map(attrgetter("brand"), records))
        self._fill("", ids, zip(brands, repeat(None)))
        for field in self._fields:
            self._fill(field, ids, zip(brands, map(attrgetter(field), records), strict=True))
        if self._timed:
            buckets = (record.updated_time >> BUCKET_BITS for record in records)
            self._fill("updated", ids, zip(brands, buckets, strict=True))

    def _fill(self, field: str, ids: list[int], places: Iterator[tuple[str, Any]]) -> None:
        members: defaultdict[tuple[str, Any], list[int]] = defaultdict(list)
        for place, record_id in zip(places, ids, strict=False):
            members[place].append(record_id)
        for (brand, value), found in members.items():
            for owner in (brand, EVERY_BRAND):
                held = self._sets.setdefault((owner, field, value), BitMap64())
                if field == "updated" and not held:
                    insort(self._times.setdefault(owner, []), value)
                held.update(found)

    def remove(self, record: Any) -> None:
        """Let a record go."""
        brand, only = record.brand, BitMap64((record.id,))
        self._drop(brand, "", None, only)
        for field in self._fields:
            self._drop(brand, field, getattr(record, field), only)
        if self._timed:
            self._drop(brand, "updated", record.updated_time >> BUCKET_BITS, only)

    def change(self, changes: Iterable[tuple[Any, Any]]) -> None:
        """Move records from their old values to their new ones; those that move alike move together."""
        moved: defaultdict[tuple[str, str, Any, Any], list[int]] = defaultdict(list)
        values = self._values
        for old, new in changes:
            before, after = values(old), values(new)
            if before != after:
                if old.brand != new.brand:
                    self.remove(old)
                    self.add(new)
                    continue
                for field, was, becomes in zip(self._fields, before[1:], after[1:], strict=True):
                    if was != becomes:
                        moved[new.brand, field, was, becomes].append(new.id)
            if self._timed:
                earlier, later = old.updated_time >> BUCKET_BITS, new.updated_time >> BUCKET_BITS
                if earlier != later:
                    moved[new.brand, "updated", earlier, later].append(new.id)
        for (brand, field, was, becomes), ids in moved.items():
            together = BitMap64(ids)
            self._drop(brand, field, was, together)
            if field == "updated":
                self._put_time(brand, becomes, together)
            else:
                self._put(brand, field, becomes, together)

    def _put(self, brand: str, field: str, value: Any, more: BitMap64) -> None:
        for owner in (brand, EVERY_BRAND):
            key = (owner, field, value)
            ids = self._sets.get(key)
            if ids is None:
                ids = self._sets[key] = BitMap64()
            ids |= more

    def _drop(self, brand: str, field: str, value: Any, gone: BitMap64) -> None:
        for owner in (brand, EVERY_BRAND):
            key = (owner, field, value)
            ids = self._sets[key]
            ids -= gone
            if not ids:
                del self._sets[key]
                if field == "updated":
                    buckets = self._times[owner]
                    del buckets[bisect_left(buckets, value)]

    def _put_time(self, brand: str, bucket: int, more: BitMap64) -> None:
        for owner in (brand, EVERY_BRAND):
            if (owner, "updated", bucket) not in self._sets:
                buckets = self._times.setdefault(owner, [])
                if buckets and buckets[-1] > bucket:
                    insort(buckets, bucket)
                else:
                    buckets.append(bucket)
        self._put(brand, "updated", bucket, more)

    def _of(self, owner: str, field: str, value: Any) -> BitMap64:
        return self._sets.get((owner, field, value)) or BitMap64()

    def of_brands(self, brands: frozenset[str] | None) -> BitMap64:
        """Return the ids of these brands, of all for None; not to be changed."""
        if brands is None:
            return self._of(EVERY_BRAND, "", None)
        return BitMap64.union(*[self._of(brand, "", None) for brand in brands]) if brands else BitMap64()

    def with_value(self, brand: str, field: str, values: Iterable[Any]) -> BitMap64:
        """Return the ids of a brand whose field has one of these values; not to be changed."""
        found = [self._of(brand, field, value) for value in values]
        return BitMap64.union(*found) if found else BitMap64()

    def _matching(self, owner: str, query: ListQuery) -> BitMap64:
        """Return the ids of one brand that fit every exact filter; the set itself when there is one or none."""
        found = [self._of(owner, field, value) for field, value in query.filters.items()]
        if not found:
            return self._of(owner, "", None)
        return found[0] if len(found) == 1 else BitMap64.intersection(*found)

    def _updated_between(self, owner: str, query: ListQuery, record: Callable[[int], Any]) -> BitMap64:
        """Return the ids of one brand changed in the range; only the two outer groups are looked at one by one."""
        first = query.updated_from
        last = query.updated_to or 2**62
        buckets = self._times.get(owner, [])
        low, high = first >> BUCKET_BITS, last >> BUCKET_BITS
        found = BitMap64()
        for bucket in buckets[bisect_left(buckets, low) : bisect_left(buckets, high + 1)]:
            ids = self._sets[owner, "updated", bucket]
            if bucket in {low, high}:
                found.update([i for i in ids if first <= record(i).updated_time <= last])
            else:
                found |= ids
        return found

    def page(self, query: ListQuery, record: Callable[[int], Any]) -> Page:
        """Answer a list: one page, the count, and the cursor of the page after it. Raises INVALID_DATA for `after`."""
        owners = [EVERY_BRAND] if query.brands is None else sorted(query.brands)
        ranged = bool(query.updated_from or query.updated_to)
        parts = []
        for owner in owners:
            part = self._matching(owner, query)
            parts.append(part & self._updated_between(owner, query, record) if ranged else part)
        ids = parts[0] if len(parts) == 1 else BitMap64.union(*parts) if parts else BitMap64()
        exact = query.brands is not None and len(query.brands) == 1 and len(query.filters) + ranged <= 1
        total = len(ids)
        capped = total > COUNT_MAX and not exact
        rows, following = self._rows(query, ids, owners, record)
        return Page(rows=rows, count=COUNT_MAX if capped else total, capped=capped, next=following)

    def _rows(
        self, query: ListQuery, ids: BitMap64, owners: list[str], record: Callable[[int], Any]
    ) -> tuple[list[Any], str | None]:
        if query.order in {"id", "-id"}:
            return _rows_by_id(query, ids, record)
        walk = self._walk_by_time(query, ids, owners, record)
        keys = _take(query, walk)
        rows = [record(record_id) for _, record_id in keys]
        more = len(rows) == query.limit and next(walk, None) is not None
        return rows, f"{keys[-1][0]}.{keys[-1][1]}" if more else None

    def _walk_by_time(
        self, query: ListQuery, ids: BitMap64, owners: list[str], record: Callable[[int], Any]
    ) -> Iterator[tuple[int, int]]:
        """Yield (updated_time, id) in the order asked for, from the cursor on, one group of times after another."""
        down = query.order == "-updated_time"
        start = time_cursor(query.after) if query.after else None
        buckets = list(heapq.merge(*(self._times.get(owner, []) for owner in owners)))
        for bucket in sorted(set(buckets), reverse=down):
            if start is not None and (bucket > start[0] >> BUCKET_BITS if down else bucket < start[0] >> BUCKET_BITS):
                continue
            members = BitMap64()
            for owner in owners:
                members |= ids & self._of(owner, "updated", bucket)
            keys = sorted(((record(i).updated_time, i) for i in members), reverse=down)
            for key in keys:
                if start is None or (key < start if down else key > start):
                    yield key


def _take(query: ListQuery, walk: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    if query.after is None:
        for _ in range(query.offset):
            next(walk, None)
    return [key for _, key in zip(range(query.limit), walk, strict=False)]


def _rows_by_id(query: ListQuery, ids: BitMap64, record: Callable[[int], Any]) -> tuple[list[Any], str | None]:
    limit, total = query.limit, len(ids)
    down = query.order == "-id"
    if query.after is not None:
        cursor = id_cursor(query.after)
        # rank counts the members up to and including the cursor
        skipped = total - ids.rank(cursor - 1) if down else ids.rank(cursor)
    else:
        skipped = min(query.offset, total)
    if down:
        chosen = list(ids[max(total - skipped - limit, 0) : total - skipped])[::-1] if skipped < total else []
    else:
        chosen = list(ids[skipped : skipped + limit]) if skipped < total else []
    rows = [record(record_id) for record_id in chosen]
    return rows, str(chosen[-1]) if chosen and skipped + limit < total else None


def ids_page(ids: BitMap64, *, limit: int, offset: int, after: str | None) -> tuple[list[int], str | None]:
    """Return the ids of one page, ascending, and the cursor of the page after it. Raises INVALID_DATA for `after`."""
    query = ListQuery(brands=None, filters={}, limit=limit, offset=offset, after=after)
    return _rows_by_id(query, ids, lambda record_id: record_id)


def id_cursor(after: str) -> int:
    """Return the id a page ended with; raises INVALID_DATA."""
    if after.isascii() and after.isdigit() and 0 < int(after) < 2**53:
        return int(after)
    raise invalid("after", "is not a cursor of this list")


def time_cursor(after: str) -> tuple[int, int]:
    """Return the time and the id a page ended with; raises INVALID_DATA."""
    time, _, record_id = after.partition(".")
    if time.isascii() and time.isdigit() and record_id.isascii() and record_id.isdigit():
        return int(time), int(record_id)
    raise invalid("after", "is not a cursor of this list and order")
