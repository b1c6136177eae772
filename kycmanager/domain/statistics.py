"""What is counted of the event feed, by brand and day: decisions, their reasons and levels, and how long they took.

A day is one of UTC, counted from 1970. A decision is that on a step; it counts on its day, one that is taken back
later too. A step that was handed in is touched when its case is claimed, or by the first decision on it or on one of
its documents, whichever comes first; that counts on the day of the touch. The time to a decision goes from the last
handing in to the decision. All of it follows from the feed alone, so it can be counted anew at any time.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from kycmanager.domain.records import Event

VERSION = 1
"""Which counting this is; what another version has counted is thrown away and counted anew."""

DAY_SECONDS = 86_400
REASONS_MAX = 100
"""Reasons kept apart for one brand, day and kind of decision; further ones count as `OTHER`."""

OTHER = "*"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
SKIPPED: Final = "skipped"

_SECONDS_MAX = 10 * 366 * DAY_SECONDS
_PERCENT, _ERROR = 100, 5


def _spans() -> tuple[list[int], list[int]]:
    """Return the last second of each span of times, and the one that stands for it: it is off by 5 % at most."""
    lasts, means, first = [0], [0], 1
    while first <= _SECONDS_MAX:
        mean = first * (_PERCENT + _ERROR) // _PERCENT
        means.append(mean)
        lasts.append(mean * _PERCENT // (_PERCENT - _ERROR))
        first = lasts[-1] + 1
    return lasts, means


_LASTS, _MEANS = _spans()

Times = dict[int, int]
"""How many times fell into each span; some 200 spans reach from a second to ten years."""


class DayTally(Struct):
    """What was counted of one brand on one day; `decisions` by kind and reason, `levels` of what was approved."""

    submitted: int = 0
    reopened: int = 0
    decisions: dict[str, dict[str, int]] = {}
    levels: dict[int, int] = {}
    first_touch: Times = {}
    decision: Times = {}


class KeptTally(Struct, frozen=True, gc=False):
    """A day of a brand as it is kept: `counts` is a `DayTally`."""

    brand: str
    day: int
    counts: dict[str, Any]


class TallyMark(Struct, frozen=True):
    """How far the feed was counted, by which version, and which waiting steps had been touched by then."""

    version: int = 0
    cursor: int = 0
    touched: tuple[int, ...] = ()


def span_of(seconds: int) -> int:
    """Return the span a time falls into; what is longer than ten years is in the last one."""
    return min(bisect_left(_LASTS, seconds), len(_LASTS) - 1)


def quantiles(times: Mapping[int, int], *percents: int) -> list[int]:
    """Return the times in seconds that so many percent do not exceed (nearest rank); 0 of none.

    They are off by 5 % at most, and exact below 20 s. `percents` are 1 to 100, ascending.
    """
    total, passed = sum(times.values()), 0
    ranks = [-(-total * percent // _PERCENT) for percent in percents]
    found: list[int] = []
    for span in sorted(times):
        passed += times[span]
        while len(found) < len(ranks) and ranks[len(found)] <= passed:
            found.append(_MEANS[span])
    return found or [0] * len(percents)


def merge(into: DayTally, other: DayTally) -> None:
    """Add what another tally has counted."""
    into.submitted += other.submitted
    into.reopened += other.reopened
    for kind, reasons in other.decisions.items():
        _add(into.decisions.setdefault(kind, {}), reasons)
    _add(into.levels, other.levels)
    _add(into.first_touch, other.first_touch)
    _add(into.decision, other.decision)


def _add(into: dict[Any, int], other: Mapping[Any, int]) -> None:
    for key, count in other.items():
        into[key] = into.get(key, 0) + count


def packed(brand: str, day: int, tally: DayTally) -> KeptTally:
    """Return a copy of a tally to be kept."""
    return KeptTally(brand, day, msgspec.to_builtins(tally, str_keys=True))


def unpacked(kept: KeptTally) -> DayTally:
    """Return the tally that was kept; raises msgspec.ValidationError."""
    return msgspec.convert(kept.counts, DayTally, strict=False)


class Counting:
    """Counts events in their order. `steps_of` gives the ids of the steps of a case; later ones do no harm."""

    def __init__(self, steps_of: Callable[[int], Iterable[int]]) -> None:
        self._steps_of = steps_of
        self.days: dict[tuple[str, int], DayTally] = {}
        self.changed: set[tuple[str, int]] = set()
        """The days that were counted on; whoever looks at them clears it."""
        self.untouched: dict[int, int] = {}
        """The waiting steps nobody has touched, and when each was handed in."""
        self.touched: set[int] = set()
        """The waiting steps that were touched since they were handed in."""

    def count(self, events: Iterable[Event]) -> None:
        """Count further events; those of other kinds than `KINDS` may be left out."""
        known = _COUNTED
        for event in events:
            counted = known.get(event.kind)
            if counted is not None:
                counted(self, event)

    def _day(self, event: Event) -> DayTally:
        key = (event.brand, event.time // DAY_SECONDS)
        self.changed.add(key)
        tally = self.days.get(key)
        if tally is None:
            tally = self.days[key] = DayTally()
        return tally

    def _submitted(self, event: Event) -> None:
        step: Any = event.record
        self._day(event).submitted += 1
        self.untouched[step.id] = step.submitted_time
        self.touched.discard(step.id)

    def _decided(self, event: Event) -> None:
        step: Any = event.record
        tally = self._day(event)
        reasons = tally.decisions.setdefault(event.kind.partition(".")[2], {})
        reason = step.reason if step.reason in reasons or len(reasons) < REASONS_MAX else OTHER
        reasons[reason] = reasons.get(reason, 0) + 1
        if event.kind == "step.approved":
            tally.levels[step.level] = tally.levels.get(step.level, 0) + 1
        if step.submitted_time:
            _note(tally.decision, event.time - step.submitted_time)
            self._touch(event, step.id)
            self.touched.discard(step.id)

    def _reopened(self, event: Event) -> None:
        self._day(event).reopened += 1
        self.touched.add(event.record.id)

    def _claimed(self, event: Event) -> None:
        for step_id in self._steps_of(event.kyc_id):
            self._touch(event, step_id)

    def _document_decided(self, event: Event) -> None:
        document: Any = event.record
        self._touch(event, document.step_id)

    def _touch(self, event: Event, step_id: int) -> None:
        since = self.untouched.pop(step_id, None)
        if since is not None:
            _note(self._day(event).first_touch, event.time - since)
            self.touched.add(step_id)


def _note(times: Times, seconds: int) -> None:
    span = span_of(seconds)
    times[span] = times.get(span, 0) + 1


_COUNTED: dict[str, Callable[[Counting, Event], None]] = {
    "step.submitted": Counting._submitted,  # noqa: SLF001 - the table of the class above
    "step.approved": Counting._decided,  # noqa: SLF001 - the same
    "step.rejected": Counting._decided,  # noqa: SLF001 - the same
    "step.skipped": Counting._decided,  # noqa: SLF001 - the same
    "step.reopened": Counting._reopened,  # noqa: SLF001 - the same
    "case.claimed": Counting._claimed,  # noqa: SLF001 - the same
    "document.approved": Counting._document_decided,  # noqa: SLF001 - the same
    "document.rejected": Counting._document_decided,  # noqa: SLF001 - the same
}
KINDS = frozenset(_COUNTED)
"""The kinds of events that count."""

_WAITED = frozenset({"step.approved", "step.rejected"})
_BEGAN = frozenset({"step.submitted", "step.reopened"})


def waiting_before(waiting: Mapping[int, int], events: Iterable[Event]) -> dict[int, int]:
    """Return which steps waited, and since when, before these events, given which wait after them.

    The first event of a step that began or ended its waiting tells how it stood before.
    """
    before, seen = dict(waiting), set()
    for event in events:
        step: Any = event.record
        if event.kind not in _BEGAN | _WAITED or step.id in seen:
            continue
        seen.add(step.id)
        if event.kind in _WAITED and step.submitted_time:
            before[step.id] = step.submitted_time
        else:
            before.pop(step.id, None)
    return before
