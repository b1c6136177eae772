"""What was counted of the event feed, in memory: by brand and day, and of all brands together."""

from collections.abc import Callable, Collection, Iterable, Sequence

from kycmanager.domain.records import Event
from kycmanager.domain.statistics import (
    VERSION,
    Counting,
    DayTally,
    KeptTally,
    TallyMark,
    merge,
    packed,
    unpacked,
)


class Tallies:
    """The tallies and how far they go. `steps_of` gives the ids of the steps of a case."""

    def __init__(self, steps_of: Callable[[int], Iterable[int]]) -> None:
        self._steps_of = steps_of
        self._counting = Counting(steps_of)
        self._of_all: dict[int, DayTally] = {}
        self._brands: dict[int, set[str]] = {}
        self._stale: set[int] = set()
        """Days whose tally of all brands is to be added up anew."""
        self._unkept: set[tuple[str, int]] = set()
        self.cursor = 0
        """The number of the last event that was counted."""
        self.mark = TallyMark()
        """What the base tells; its cursor is that of the kept tallies."""

    def load(self, kept: Iterable[KeptTally], mark: TallyMark | None) -> None:
        """Take in what was kept, unless another version has counted it: then all is counted anew."""
        if mark is None or mark.version != VERSION:
            return
        self.mark, self.cursor = mark, mark.cursor
        for each in kept:
            tally = self._counting.days[each.brand, each.day] = unpacked(each)
            self._brands.setdefault(each.day, set()).add(each.brand)
            merge(self._of_all.setdefault(each.day, DayTally()), tally)

    def resume(self, waiting: dict[int, int]) -> None:
        """Go on where the mark is; `waiting` are the steps that waited then, and since when."""
        counting = self._counting
        counting.touched = {step_id for step_id in self.mark.touched if step_id in waiting}
        counting.untouched = {step_id: since for step_id, since in waiting.items() if step_id not in counting.touched}

    def begin_anew(self) -> None:
        """Forget everything: the feed is counted from its beginning."""
        self._counting = Counting(self._steps_of)
        self._of_all, self._brands, self._stale, self._unkept = {}, {}, set(), set()
        self.cursor, self.mark = 0, TallyMark()

    def count(self, events: Sequence[Event], cursor: int) -> None:
        """Count further events; the feed is counted up to `cursor` then."""
        counting = self._counting
        counting.count(events)
        self.cursor = cursor
        for brand, day in counting.changed:
            self._brands.setdefault(day, set()).add(brand)
            self._stale.add(day)
        self._unkept |= counting.changed
        counting.changed.clear()

    def unkept(self) -> tuple[list[KeptTally], TallyMark, set[tuple[str, int]]]:
        """Return what is to be kept: the days that have changed, the mark, and those days to be given back if not."""
        counting = self._counting
        changed, self._unkept = self._unkept, set()
        tallies = [packed(brand, day, counting.days[brand, day]) for brand, day in sorted(changed)]
        return tallies, TallyMark(VERSION, self.cursor, tuple(sorted(counting.touched))), changed

    def not_kept(self, changed: set[tuple[str, int]]) -> None:
        """Learn that those days could not be kept."""
        self._unkept |= changed

    # -- questions

    def days(self, brands: Collection[str] | None, first: int, last: int) -> list[tuple[int, DayTally]]:
        """Return (day, tally) of the days in the range on which something was counted; not to be changed."""
        found = []
        for day in range(first, last + 1):
            tally = self._all(day) if brands is None else self._of(brands, day)
            if tally is not None:
                found.append((day, tally))
        return found

    def _of(self, brands: Collection[str], day: int) -> DayTally | None:
        held = [tally for brand in brands if (tally := self._counting.days.get((brand, day))) is not None]
        return held[0] if len(held) == 1 else _sum(held) if held else None

    def _all(self, day: int) -> DayTally | None:
        if day in self._stale:
            self._stale.discard(day)
            self._of_all[day] = _sum([self._counting.days[brand, day] for brand in self._brands[day]])
        return self._of_all.get(day)


def _sum(tallies: Iterable[DayTally]) -> DayTally:
    total = DayTally()
    for tally in tallies:
        merge(total, tally)
    return total
