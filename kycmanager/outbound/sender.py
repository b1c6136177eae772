"""Sends what waits: one call at a time for a customer in a channel, the next only when that has ended."""

import asyncio
import heapq
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kycmanager import log
from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.outbound import Delivery, DeliveryState, pause_seconds
from kycmanager.outbound.addresses import AddressRefused
from kycmanager.outbound.calls import Caller, CallFailed
from kycmanager.outbound.channel import Channel
from kycmanager.outbound.follower import AGAIN_SECONDS, Run
from kycmanager.ports import Clock
from kycmanager.store.outbound import OutboundTables

LOOK_SECONDS = 1.0
"""The clock may be set, so it is looked at this often."""

_SUCCESS = range(200, 300)

Lane = tuple[str, str, int, int]
"""(channel, brand, customer, recipient): what is told in order."""

logger = log.get_logger("outbound")


class Sender:
    """The deliveries that wait, by lane; `random(low, high)` spreads the attempts."""

    def __init__(
        self,
        channels: Mapping[str, tuple[Channel, Caller]],
        tables: OutboundTables,
        run: Run,
        clock: Clock,
        random: Callable[[int, int], int],
        faults: Faults,
        *,
        concurrency: int,
        retry_seconds: int,
    ) -> None:
        self._channels = channels
        self._tables = tables
        self._run = run
        self._clock = clock
        self._random = random
        self._faults = faults
        self._concurrency = concurrency
        self._retry_seconds = retry_seconds
        self._lanes: dict[Lane, list[tuple[int, int]]] = {}
        self._due: list[tuple[int, Lane]] = []
        self._ready: dict[str, deque[Lane]] = {name: deque() for name in channels}
        self._busy: set[Lane] = set()
        self._calls: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopped = False
        self.delivered = self.failed = self.dead = 0
        self.watch(list(tables.deliveries.values()))

    def watch(self, changed: Sequence[Delivery]) -> None:
        """Take up what waits from now on, let go of what does not any more."""
        for delivery in changed:
            if delivery.channel not in self._channels:
                continue
            lane = (delivery.channel, delivery.brand, delivery.customer_id, delivery.recipient)
            place = (delivery.seq, delivery.id)
            held = self._lanes.setdefault(lane, [])
            at = bisect_left(held, place)
            there = at < len(held) and held[at] == place
            if delivery.state is not DeliveryState.WAITING and there:
                del held[at]
            elif delivery.state is DeliveryState.WAITING and not there:
                held.insert(at, place)
            if at == 0:  # only who is first is looked at
                self._look_later(lane)
        self._wake.set()

    def wake(self) -> None:
        """Look at the clock now."""
        self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is being sent."""
        return not self._busy

    def _look_later(self, lane: Lane) -> None:
        held = self._lanes.get(lane)
        if not held:
            self._lanes.pop(lane, None)
        elif lane not in self._busy:
            heapq.heappush(self._due, (self._tables.deliveries[held[0][1]].next_time, lane))

    async def send(self) -> None:
        """Go on until cancelled."""
        while True:
            self._wake.clear()
            self._begin_due()
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS if self._due else None)
            except TimeoutError:
                continue

    def _begin_due(self) -> None:
        now = self._clock()
        while not self._stopped and self._due and self._due[0][0] <= now:
            lane = heapq.heappop(self._due)[1]
            held = self._lanes.get(lane)
            if not held or lane in self._busy:
                continue
            if self._tables.deliveries[held[0][1]].next_time > now:
                self._look_later(lane)
            else:
                self._busy.add(lane)
                self._ready[lane[0]].append(lane)
        for name, ready in self._ready.items():
            while not self._stopped and ready and self._calls[name] < self._concurrency:
                self._begin(ready.popleft())

    def _begin(self, lane: Lane) -> None:
        self._calls[lane[0]] += 1
        task = asyncio.get_running_loop().create_task(self._attempt(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, lane: Lane) -> None:
        try:
            held = self._lanes.get(lane)
            if held:
                delivery = self._tables.deliveries[held[0][1]]
                await self._settle(delivery, *await self._outcome(delivery))
        finally:
            self._calls[lane[0]] -= 1
            self._busy.discard(lane)
            self._look_later(lane)
            self._wake.set()

    async def _outcome(self, delivery: Delivery) -> tuple[DeliveryState, str]:
        """Make the call; return where the delivery stands after it, and what came of it."""
        channel, caller = self._channels[delivery.channel]
        try:
            outgoing = await channel.outgoing(delivery, self._clock())
            if outgoing is None:
                return DeliveryState.DROPPED, "nobody"
            answer = await caller.call("POST", outgoing.url, body=outgoing.body, headers=outgoing.headers)
        except AddressRefused:
            return DeliveryState.WAITING, "address"
        except CallFailed as fault:
            return DeliveryState.WAITING, str(fault)
        except Exception as error:  # noqa: BLE001 - one that cannot be sent must not hold up the others
            self._faults("outbound", error)
            return DeliveryState.WAITING, "internal"
        arrived = answer.status in _SUCCESS
        return DeliveryState.DELIVERED if arrived else DeliveryState.WAITING, str(answer.status)

    async def _settle(self, delivery: Delivery, state: DeliveryState, outcome: str) -> None:
        now = self._clock()
        since = self._tables.deliveries[delivery.id].since  # a replay may have begun it anew meanwhile
        if state is DeliveryState.WAITING and now >= since + self._retry_seconds:
            state = DeliveryState.DEAD
        waits = state is DeliveryState.WAITING
        data = {
            "id": delivery.id,
            "state": state.name.lower(),
            "outcome": outcome,
            "next_time": now + pause_seconds(delivery.attempts + 1, self._random) if waits else 0,
        }
        self._count(delivery, state, outcome)
        await self._keep(data)

    def _count(self, delivery: Delivery, state: DeliveryState, outcome: str) -> None:
        self.delivered += state is DeliveryState.DELIVERED
        self.failed += state in {DeliveryState.WAITING, DeliveryState.DEAD}
        self.dead += state is DeliveryState.DEAD
        if state is DeliveryState.DEAD:
            logger.warning("delivery given up", channel=delivery.channel, delivery_id=delivery.id, outcome=outcome)

    async def _keep(self, data: dict[str, Any]) -> None:
        """Write down what came of an attempt before the next begins, however long the base takes to be well again."""
        while True:
            try:
                await self._run("SysSettleDelivery", data)
            except KycError as error:
                if error.code is Code.SHUTDOWN:
                    self._stopped = True
                    return
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def finish(self, seconds: float) -> None:
        """Wait for the calls that are being made, no longer than that."""
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
