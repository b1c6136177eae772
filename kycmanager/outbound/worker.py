"""The outbound worker: its channels, who follows the feed for them, and who sends."""

import asyncio
import random
from collections.abc import Callable, Sequence

from msgspec import Struct

from kycmanager.commands.execute import Faults
from kycmanager.domain.outbound import DeliveryState
from kycmanager.domain.records import Event
from kycmanager.metrics import Metrics
from kycmanager.outbound.calls import Caller
from kycmanager.outbound.channel import Channel, Feed
from kycmanager.outbound.follower import Follower, Run
from kycmanager.outbound.sender import Sender
from kycmanager.ports import Clock
from kycmanager.store.outbound import OutboundTables

DRAIN_SECONDS = 3
_DAY_SECONDS = 86_400
_spread = random.SystemRandom().randint


class OutboundSettings(Struct, frozen=True, kw_only=True):
    """Bounds of the worker; times in seconds."""

    timeout_seconds: float = 10
    concurrency: int = 16
    retry_seconds: int = _DAY_SECONDS
    keep_seconds: int = 7 * _DAY_SECONDS
    waiting_max: int = 10_000


class Outbound:
    """Tells others of events. Made for at least one channel: without any, nothing follows the feed."""

    def __init__(
        self,
        channels: Sequence[Channel],
        tables: OutboundTables,
        feed: Feed,
        *,
        run: Run,
        clock: Clock,
        head: Callable[[], int],
        faults: Faults,
        settings: OutboundSettings,
        spread: Callable[[int, int], int] = _spread,
    ) -> None:
        self._tables = tables
        self._run = run
        self._clock = clock
        self._settings = settings
        self._callers = [
            Caller(
                allow_private=channel.allow_private,
                seconds=settings.timeout_seconds,
                connections_max=settings.concurrency,
            )
            for channel in channels
        ]
        self.followers = [
            Follower(channel, tables, feed, run, head, waiting_max=settings.waiting_max) for channel in channels
        ]
        self.sender = Sender(
            {channel.name: (channel, caller) for channel, caller in zip(channels, self._callers, strict=True)},
            tables,
            run,
            clock,
            spread,
            faults,
            concurrency=settings.concurrency,
            retry_seconds=settings.retry_seconds,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Follow and send from now on."""
        self._tables.watchers += [self.sender.watch, *[follower.watch for follower in self.followers]]
        work = [self.sender.send(), *[follower.follow() for follower in self.followers]]
        self._tasks = [asyncio.get_running_loop().create_task(each) for each in work]

    def publish(self, events: Sequence[Event]) -> None:
        """Look at the events of a commit; called after the records changed and before the next write runs."""
        if events:
            for follower in self.followers:
                follower.publish(events)

    async def forget(self) -> None:
        """Forget what ended long ago."""
        await self._run("SysForgetDeliveries", {"ended_before": self._clock() - self._settings.keep_seconds})

    def show(self, metrics: Metrics) -> None:
        """Show in the metrics what waits, what was given up, and what came of the calls."""
        sender = self.sender
        metrics.gauge("outbound_waiting", "Deliveries to others that wait", self.waiting)
        metrics.gauge("outbound_dead", "Deliveries to others that were given up", self.given_up)
        metrics.gauge("outbound_oldest_seconds", "Age of the delivery that waits the longest", self.oldest_seconds)
        metrics.total("outbound_delivered", "Deliveries to others that arrived", lambda: sender.delivered)
        metrics.total("outbound_failed", "Calls to others that failed", lambda: sender.failed)
        metrics.total("outbound_given_up", "Deliveries to others that were given up", lambda: sender.dead)

    @property
    def idle(self) -> bool:
        """Whether all that was published is queued, and nothing is being sent."""
        return self.sender.idle and all(follower.at_head for follower in self.followers)

    def waiting(self) -> int:
        """Return how many deliveries wait."""
        return self._tables.waiting.total()

    def given_up(self) -> int:
        """Return how many deliveries were given up and can be tried again."""
        return len(self._tables.deliveries) - self.waiting()

    def oldest_seconds(self) -> int:
        """Return the age of the delivery that waits the longest; 0 when none does."""
        waiting = DeliveryState.WAITING
        times = [each.created_time for each in self._tables.deliveries.values() if each.state is waiting]
        return max(0, self._clock() - min(times)) if times else 0

    async def close(self) -> None:
        """Begin nothing new, let calls end; what is not written down then is sent again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sender.finish(DRAIN_SECONDS)
        self._tables.watchers.clear()
        for caller in self._callers:
            await caller.close()
