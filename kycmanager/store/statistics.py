"""What statistics are asked of, in one place: the tallies of the feed, the queue and the expiries of this moment."""

from collections.abc import Callable, Collection, Sequence

from kycmanager.domain.case import CaseFilter
from kycmanager.domain.enums import StepStatus
from kycmanager.domain.records import Step
from kycmanager.domain.statistics import DayTally
from kycmanager.statistics_ports import CaseAges
from kycmanager.store.expiries import Expiries
from kycmanager.store.tallies import Tallies
from kycmanager.store.waiting import Waiting


class Statistics:
    """Answers the port of its name; `steps_of` is the table of the cache, `newest()` the last event everybody sees."""

    def __init__(self, waiting: Waiting, steps_of: dict[int, tuple[Step, ...]], newest: Callable[[], int]) -> None:
        self._waiting = waiting
        self._steps_of = steps_of
        self.newest = newest
        self.tallies = Tallies(lambda kyc_id: [step.id for step in steps_of.get(kyc_id, ())])
        self.expiries = Expiries()

    @property
    def behind(self) -> int:
        """How many events of the feed are not counted yet."""
        return self.newest() - self.tallies.cursor

    def days(self, brands: Collection[str] | None, first: int, last: int) -> Sequence[tuple[int, DayTally]]:
        """Return (day, tally) of the days in the range on which something was counted, ascending."""
        return self.tallies.days(brands, first, last)

    def ages(self, brands: frozenset[str] | None, now: int, bands: Sequence[int]) -> CaseAges:
        """Tell how long the cases that wait have waited."""
        return self._waiting.ages(CaseFilter(brands=brands), now, bands)

    def expiring(self, brands: Collection[str] | None, today: int, spans: Sequence[int]) -> Sequence[int]:
        """Count the documents whose approval ends soon."""
        return self.expiries.within(brands, today, spans)

    def waiting_steps(self) -> dict[int, int]:
        """Return the steps that wait for a decision now, and when each was handed in."""
        return {
            step.id: step.submitted_time
            for kyc_id in self._waiting.matching(CaseFilter(), 0)
            for step in self._steps_of.get(kyc_id, ())
            if step.status is StepStatus.PENDING and step.submitted_time
        }
