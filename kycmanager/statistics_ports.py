"""What commands need of the statistics, and what the statistics need of the base, as protocols."""

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from kycmanager.domain.records import Event
from kycmanager.domain.statistics import DayTally, KeptTally, TallyMark


class CaseAges(Struct, frozen=True, gc=False):
    """How long the cases of the queue have waited, in seconds; `within` counts those that waited no longer than asked.

    Without a case all times are 0.
    """

    cases: int
    oldest: int
    median: int
    p90: int
    within: Sequence[int]


class Statistics(Protocol):
    """The tallies of the feed, and what indexes tell of this moment. `brands` None is all of them."""

    @property
    def behind(self) -> int:
        """How many events of the feed are not counted yet."""
        ...

    def days(self, brands: Collection[str] | None, first: int, last: int) -> Sequence[tuple[int, DayTally]]:
        """Return (day, tally) of the days in the range on which something was counted, ascending."""
        ...

    def ages(self, brands: frozenset[str] | None, now: int, bands: Sequence[int]) -> CaseAges:
        """Tell how long the cases that wait have waited at `now`; `bands` are ages in seconds, ascending."""
        ...

    def expiring(self, brands: Collection[str] | None, today: int, spans: Sequence[int]) -> Sequence[int]:
        """Count, for each span of days, the documents whose approval ends from today to so many days later."""
        ...


class TallyStore(Protocol):
    """Where the feed is, and the tallies are kept."""

    async def tallies(self) -> tuple[Sequence[KeptTally], TallyMark | None]:
        """Return what was kept, and how far it goes; None where nothing was counted yet. Raises StoreRefused."""
        ...

    async def keep_tallies(self, kept: Sequence[KeptTally], mark: TallyMark, *, anew: bool) -> None:
        """Write tallies and mark in one transaction, each in the place of the one before; of all if `anew`.

        To write the same again does no harm. Raises DataFault, StoreFull or OutcomeUnknown.
        """
        ...

    async def events_of(
        self, kinds: Collection[str], *, after: int, upto: int, enough: int
    ) -> tuple[Sequence[Event], int]:
        """Return the events of these kinds behind a number, and up to which number the feed was looked at.

        That is `upto`, or less where `enough` events, of whatever kind, lie before it.
        """
        ...
