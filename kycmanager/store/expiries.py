"""How many approved documents run out on each day, kept as documents change: nothing is looked for when it is asked."""

from collections.abc import Collection, Sequence

from kycmanager.domain.enums import DocumentStatus
from kycmanager.domain.records import Document
from kycmanager.domain.statistics import DAY_SECONDS


class Expiries:
    """Counts by brand and by the day of UTC on which the approval ends; changed only after a commit."""

    def __init__(self) -> None:
        self._days: dict[str, dict[int, int]] = {}

    def move(self, old: Document | None, new: Document) -> None:
        """Learn of a document's new value, or of a new document."""
        before, after = _day(old), _day(new)
        if before != after:
            days = self._days.setdefault(new.brand, {})
            if before:
                days[before] -= 1
                if not days[before]:
                    del days[before]
            if after:
                days[after] = days.get(after, 0) + 1

    def within(self, brands: Collection[str] | None, today: int, spans: Sequence[int]) -> list[int]:
        """Count, for each of these spans in days, the documents that run out from today to so many days later."""
        held = list(self._days.values()) if brands is None else [self._days.get(brand, {}) for brand in brands]
        found, total, begin = [], 0, today
        for span in spans:
            for day in range(begin, today + span + 1):
                total += sum([days.get(day, 0) for days in held])
            found.append(total)
            begin = today + span + 1
        return found


def _day(document: Document | None) -> int:
    """Return the day on which the approval of a document ends; 0 when it has none, or never ends."""
    if document is None or not document.expire_time or document.status is not DocumentStatus.APPROVED:
        return 0
    return document.expire_time // DAY_SECONDS
