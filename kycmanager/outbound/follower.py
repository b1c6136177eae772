"""Follows the feed for one channel: what it is to tell is queued in the base together with how far it has looked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kycmanager import log
from kycmanager.domain.errors import KycError
from kycmanager.domain.outbound import Delivery
from kycmanager.domain.records import Event
from kycmanager.outbound.channel import Channel, Feed, News
from kycmanager.store.outbound import OutboundTables

PAGE_EVENTS = 256
POST_DELIVERIES_MAX = 500
CURSOR_EVENTS = 1000
"""After so many events that mean nothing to the channel the cursor is written all the same."""
AGAIN_SECONDS = 1.0

Run = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""`run(command, data)`: run a row no token reaches; raises KycError."""

logger = log.get_logger("outbound")


class Follower:
    """What one channel has looked at. `head()` is the number of the last event that was published.

    Live events are looked at right after their commit. Whoever falls behind, after a start or because too much waits,
    reads the stored feed until it is at the head again. The cursor is compared when it is moved, so whatever is sent
    twice is kept once, and a cursor that others have put back is followed.
    """

    def __init__(
        self,
        channel: Channel,
        tables: OutboundTables,
        feed: Feed,
        run: Run,
        head: Callable[[], int],
        *,
        waiting_max: int,
    ) -> None:
        self._channel = channel
        self._tables = tables
        self._feed = feed
        self._run = run
        self._head = head
        self._waiting_max = waiting_max
        self._pending: list[dict[str, Any]] = []
        self._marks: dict[int, str] = {}
        self._posting = False
        self._wake = asyncio.Event()
        self._cursor = tables.cursors.get(channel.name)
        self._position = head() if self._cursor is None else self._cursor
        self._behind = self._cursor is not None

    @property
    def at_head(self) -> bool:
        """Whether all that was published has been looked at, and queued in the base."""
        return not self._behind and not self._pending and self._cursor is not None

    def publish(self, events: Sequence[Event]) -> None:
        """Look at the events of a commit; called before the next write runs."""
        if self._behind:
            return
        if self._full:
            self._behind = True
        else:
            self._look_at(events)

    def watch(self, _changed: Sequence[Delivery]) -> None:
        """Notice a cursor that was put back, and that there is room again."""
        if not self._posting and self._tables.cursors.get(self._channel.name) != self._cursor:
            self._start_over()
        self._wake.set()

    @property
    def _full(self) -> bool:
        return self._tables.waiting[self._channel.name] + len(self._pending) >= self._waiting_max

    @property
    def _due(self) -> bool:
        return bool(self._pending) or self._cursor is None or self._position - self._cursor >= CURSOR_EVENTS

    def _look_at(self, events: Sequence[Event]) -> None:
        for event in events:
            for news in self._news(event):
                self._keep(event, news)
            self._position = event.seq
        if self._due:
            self._wake.set()

    def _news(self, event: Event) -> Sequence[News]:
        """Ask the channel; one that fails must not end the strand, which has just committed and waits for us."""
        try:
            return self._channel.news(event, self._mark_of)
        except Exception:
            logger.exception("an event was not told", channel=self._channel.name, seq=event.seq)
            return ()

    def _mark_of(self, recipient: int) -> str:
        pending = self._marks.get(recipient)
        return self._tables.marks.get((self._channel.name, recipient), "") if pending is None else pending

    def _keep(self, event: Event, news: News) -> None:
        if news.mark:
            self._marks[news.recipient] = news.mark
        self._pending.append(
            {
                "brand": event.brand,
                "customer_id": event.customer_id,
                "recipient": news.recipient,
                "seq": event.seq,
                "kind": event.kind,
                "body": news.body,
                "mark": news.mark,
            }
        )

    async def follow(self) -> None:
        """Go on until cancelled; what fails is tried again."""
        while True:
            try:
                if self._due:
                    await self._post()
                elif self._behind and not self._full:
                    await self._catch_up()
                else:
                    self._wake.clear()
                    await self._wake.wait()
            except KycError as error:  # the base is busy, full, or being reopened
                logger.warning("queueing waits", channel=self._channel.name, error=error.code.wire_name)
                await asyncio.sleep(AGAIN_SECONDS)
            except Exception:  # whatever it was, the feed is still there
                logger.exception("following failed", channel=self._channel.name)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _post(self) -> None:
        posted = self._next_ones()
        upto = posted[-1]["seq"] if len(posted) < len(self._pending) else self._position
        data = {"channel": self._channel.name, "looked_from": self._cursor, "looked_to": upto, "deliveries": posted}
        self._posting = True
        try:
            await self._run("SysQueueDeliveries", data)
        finally:
            self._posting = False
        self._cursor = self._tables.cursors[self._channel.name]
        if self._cursor != upto:
            self._start_over()
            return
        del self._pending[: len(posted)]
        if not self._pending:
            self._marks.clear()  # they are in the tables now

    def _next_ones(self) -> list[dict[str, Any]]:
        """Return what is posted at once: never some of an event without the rest of it."""
        count = min(POST_DELIVERIES_MAX, len(self._pending))
        while 0 < count < len(self._pending) and self._pending[count]["seq"] == self._pending[count - 1]["seq"]:
            count += 1
        return self._pending[:count]

    def _start_over(self) -> None:
        """Look at the feed again from where the base says."""
        self._cursor = self._tables.cursors.get(self._channel.name)
        self._position = self._cursor or 0
        self._pending.clear()
        self._marks.clear()
        self._behind = True

    async def _catch_up(self) -> None:
        position = self._position
        found = await self._feed.events_after(position, PAGE_EVENTS)
        if self._position != position:
            return  # the cursor was put back meanwhile
        # What is committed but not published yet may tell of records that cannot be looked up yet.
        self._look_at([event for event in found if event.seq <= self._head()])
        # Nothing is awaited between this look and the return: the next event is looked at live.
        if self._position >= self._head():
            self._behind = False
