"""Lists over a handful of records, which need no index."""

from collections.abc import Sequence
from typing import Any

from kycmanager.ports import ListQuery, Page
from kycmanager.store.indexes import COUNT_MAX, id_cursor, time_cursor


def few(query: ListQuery, records: Sequence[Any]) -> Page:
    """Answer a list over a handful of records by looking at each."""
    fits = [found for found in records if _fits(query, found)]
    down, by_time = query.order.startswith("-"), query.order.endswith("updated_time")
    key = _time_key if by_time else _id_key
    fits.sort(key=key, reverse=down)
    start = query.offset
    if query.after is not None:
        # The record of the cursor may fit no longer: what counts is the place it had.
        last = time_cursor(query.after) if by_time else (id_cursor(query.after),)
        start = sum(1 for found in fits if (key(found) >= last if down else key(found) <= last))
    rows = fits[start : start + query.limit]
    more = start + query.limit < len(fits)
    capped = len(fits) > COUNT_MAX
    return Page(
        rows=rows,
        count=COUNT_MAX if capped else len(fits),
        capped=capped,
        next=".".join(map(str, key(rows[-1]))) if more else None,
    )


def _id_key(found: Any) -> tuple[int, ...]:
    return (found.id,)


def _time_key(found: Any) -> tuple[int, ...]:
    return (found.updated_time, found.id)


def _fits(query: ListQuery, found: Any) -> bool:
    if query.brands is not None and found.brand not in query.brands:
        return False
    if found.updated_time < query.updated_from or (query.updated_to and found.updated_time > query.updated_to):
        return False
    return all(getattr(found, field) == value for field, value in query.filters.items())
