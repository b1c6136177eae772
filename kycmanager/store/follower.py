"""The follower of the event feed that counts it, behind the writes, and keeps what it has counted now and then.

What is kept is whole days and the number up to which they are counted, in one transaction: a daemon that was killed
goes on from there, and counts nothing twice. A write pays for it by one entry in a queue.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from kycmanager import log
from kycmanager.domain.records import Event
from kycmanager.domain.statistics import KINDS, waiting_before
from kycmanager.ports import OutcomeUnknown, StoreFull
from kycmanager.statistics_ports import TallyStore
from kycmanager.store.tallies import Tallies

TURN_EVENTS = 500
"""Events counted before others have their turn."""

HELD_MAX = 65_536
"""Events held in memory to be counted; when there are more they are read from the base."""

READ_EVENTS = 2_048
"""Events read from the base at once."""

TAIL_MAX = 200_000
"""Events that a start looks back over; more than that are counted anew, beside everything else."""

KEEP_SECONDS = 5.0
PAUSE_SECONDS = 60.0
"""After a fault that is not expected, such as a damaged row of the feed, nothing is tried for so long."""

logger = log.get_logger("statistics")


class Follower:
    """Counts what happens; `newest()` is the number of the last event that everybody may see."""

    def __init__(self, tallies: Tallies, store: TallyStore, newest: Callable[[], int]) -> None:
        self._tallies = tallies
        self._store = store
        self._newest = newest
        self._held: deque[Sequence[Event]] = deque()
        self._held_events = 0
        self._open = False
        self._anew = True
        self._keep_at = 0.0
        self._count_at = 0.0

    @property
    def behind(self) -> int:
        """How many events are not counted yet."""
        return self._newest() - self._tallies.cursor

    def take(self, events: Sequence[Event]) -> None:
        """Learn of a commit."""
        if events:
            self._held.append(events)
            self._held_events += len(events)
            if self._held_events > HELD_MAX:
                self._held.clear()
                self._held_events = 0

    async def open(self, waiting: dict[int, int]) -> None:
        """Go on from the mark, or begin anew; `waiting` are the steps that wait now, and since when.

        Raises StoreRefused when what was kept is damaged.
        """
        tallies, newest = self._tallies, self._newest()
        tallies.load(*await self._store.tallies())
        self._open = True
        self._anew = not tallies.mark.version or not 0 <= newest - tallies.cursor <= TAIL_MAX
        if self._anew:
            tallies.begin_anew()
            return
        tail: list[Event] = []
        cursor = tallies.cursor
        while cursor < newest:
            found, cursor = await self._store.events_of(KINDS, after=cursor, upto=newest, enough=READ_EVENTS)
            tail += found
        tallies.resume(waiting_before(waiting, tail))
        tallies.count(tail, newest)

    async def follow(self) -> None:
        """Count what is new, and keep what was counted when it is time; called again and again."""
        now = asyncio.get_running_loop().time()
        if now < self._count_at:
            return
        try:
            await self._count()
            if now >= self._keep_at:
                self._keep_at = now + KEEP_SECONDS
                await self.keep()
        except Exception:
            self._count_at = now + PAUSE_SECONDS
            raise

    async def keep(self) -> None:
        """Write down what was counted, if anything was; what cannot be written now is written the next time."""
        tallies = self._tallies
        if tallies.cursor == tallies.mark.cursor:
            return
        kept, mark, changed = tallies.unkept()
        try:
            await self._store.keep_tallies(kept, mark, anew=self._anew)
        except BaseException as error:
            tallies.not_kept(changed)
            if not isinstance(error, StoreFull | OutcomeUnknown):
                raise
            return
        tallies.mark, self._anew = mark, False

    async def close(self) -> None:
        """Count and keep the rest; a count that was begun anew and is not done begins again with the next start."""
        if not self._open or (self._anew and self.behind > READ_EVENTS):
            return
        await self._count()
        await self.keep()
        self._open = False

    async def _count(self) -> None:
        tallies = self._tallies
        if self._anew and self.behind > TAIL_MAX:
            logger.info("counting the events anew", events=self.behind)
        upto = self._newest()  # not what comes meanwhile: under load there would be no end, and nothing would be kept
        while tallies.cursor < upto:
            if self._held and self._held[0][0].seq <= tallies.cursor + 1:
                await self._count_held()
            else:
                await self._count_kept()

    async def _count_held(self) -> None:
        batch = self._held.popleft()
        self._held_events -= len(batch)
        fresh = iter(batch[max(0, self._tallies.cursor + 1 - batch[0].seq) :])
        while part := list(islice(fresh, TURN_EVENTS)):
            self._tallies.count(part, part[-1].seq)
            await asyncio.sleep(0)

    async def _count_kept(self) -> None:
        """Count what the base tells; for as long as that takes others have the processor."""
        clock = asyncio.get_running_loop().time
        began = clock()
        found, cursor = await self._store.events_of(
            KINDS, after=self._tallies.cursor, upto=self._newest(), enough=READ_EVENTS
        )
        for first in range(0, len(found), TURN_EVENTS):
            part = found[first : first + TURN_EVENTS]
            self._tallies.count(part, part[-1].seq)
            await asyncio.sleep(0)
        self._tallies.count((), cursor)
        await asyncio.sleep(clock() - began)
