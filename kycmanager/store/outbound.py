"""The deliveries in memory, and what a batch changes of them: those that wait and those given up; no others."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kycmanager.domain.outbound import Delivery, DeliveryState
from kycmanager.outbound_ports import OutboundChange

KEPT = frozenset({DeliveryState.WAITING, DeliveryState.DEAD})


Key = tuple[str, int, int]
"""(channel, seq, recipient)."""

Watch = Callable[[Sequence[Delivery]], None]
"""`watch(deliveries)` is told of every commit that changes deliveries or cursors, once it can be looked up."""


def _key(delivery: Delivery) -> Key:
    return delivery.channel, delivery.seq, delivery.recipient


class OutboundTables:
    """The committed deliveries, cursors and marks, and who watches them; `waiting` counts by channel."""

    def __init__(self) -> None:
        self.watchers: list[Watch] = []
        self.waiting: Counter[str] = Counter()
        self.cursors: dict[str, int] = {}
        self.marks: dict[tuple[str, int], str] = {}
        self.deliveries: dict[int, Delivery] = {}
        self._by_event: dict[Key, int] = {}

    def load(
        self, deliveries: Iterable[Delivery], cursors: Iterable[tuple[str, int]], marks: Iterable[tuple[str, int, str]]
    ) -> None:
        """Fill the empty tables."""
        self.cursors.update(cursors)
        self.marks.update({(channel, recipient): mark for channel, recipient, mark in marks})
        for delivery in deliveries:
            self.put(delivery)

    def delivery_of(self, channel: str, seq: int, recipient: int = 0) -> Delivery | None:
        """Return what waits or is dead of an event in a channel."""
        return self.deliveries.get(self._by_event.get((channel, seq, recipient), 0))

    def put(self, delivery: Delivery) -> None:
        """Keep a delivery, or let it go when it has arrived."""
        self._remove(delivery.id)
        if delivery.state in KEPT:
            self.deliveries[delivery.id] = delivery
            self._by_event[_key(delivery)] = delivery.id
            self.waiting[delivery.channel] += delivery.state is DeliveryState.WAITING

    def _remove(self, delivery_id: int) -> None:
        old = self.deliveries.pop(delivery_id, None)
        if old is not None:
            del self._by_event[_key(old)]
            self.waiting[old.channel] -= old.state is DeliveryState.WAITING

    def forget(self, before: int) -> None:
        """Let go of what was given up before a time."""
        for old in [each.id for each in self.deliveries.values() if 0 < each.ended_time < before]:
            self._remove(old)


class OutboundOverlay:
    """What a batch changes, over the committed tables. Answers `OutboundChanges`; `set_` can be undone."""

    def __init__(self, held: OutboundTables, set_: Callable[[dict[Any, Any], Any, Any], None]) -> None:
        self._held = held
        self._set = set_
        self._deliveries: dict[int, Delivery] = {}
        self._by_event: dict[Key, int] = {}
        self._cursors: dict[str, int] = {}
        self._marks: dict[tuple[str, int], str] = {}
        self._forget: dict[str, int] = {}

    def delivery(self, delivery_id: int) -> Delivery | None:
        """Return a delivery that waits or is dead, or None."""
        found = self._deliveries.get(delivery_id) or self._held.deliveries.get(delivery_id)
        return found if found is not None and found.state in KEPT else None

    def delivery_of(self, channel: str, seq: int, recipient: int = 0) -> Delivery | None:
        """Return what waits or is dead of an event in a channel."""
        changed = self._by_event.get((channel, seq, recipient))
        if changed is not None:
            return self.delivery(changed)
        found = self._held.delivery_of(channel, seq, recipient)
        return None if found is None else self.delivery(found.id)

    def cursor(self, channel: str) -> int | None:
        """Return the number of the last event that was looked at for a channel."""
        return self._cursors.get(channel, self._held.cursors.get(channel))

    def dead(self, channel: str) -> Sequence[Delivery]:
        """Return what was given up in a channel, ids ascending."""
        both = self._held.deliveries | self._deliveries
        dead = DeliveryState.DEAD
        return [both[key] for key in sorted(both) if (both[key].state, both[key].channel) == (dead, channel)]

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        self._set(self._deliveries, delivery.id, delivery)
        self._set(self._by_event, _key(delivery), delivery.id)

    def set_cursor(self, channel: str, seq: int) -> None:
        """Go on after an event."""
        self._set(self._cursors, channel, seq)

    def set_mark(self, channel: str, recipient: int, mark: str) -> None:
        """Keep what a channel has last told, or will tell, a recipient."""
        self._set(self._marks, (channel, recipient), mark)

    def forget(self, before: int) -> None:
        """Delete what ended before a time."""
        self._set(self._forget, "before", before)

    def change(self) -> OutboundChange | None:
        """Return what the batch writes, None for nothing: nothing of this has an audit row."""
        if not (self._deliveries or self._cursors or self._marks or self._forget):
            return None
        return OutboundChange(
            list(self._deliveries.values()), self._cursors, self._marks, self._forget.get("before", 0)
        )

    def publish(self) -> None:
        """Bring the committed changes into memory."""
        held = self._held
        held.cursors.update(self._cursors)
        held.marks.update(self._marks)
        for delivery in self._deliveries.values():
            held.put(delivery)
        held.forget(self._forget.get("before", 0))
        changed = list(self._deliveries.values())
        for watch in held.watchers:
            watch(changed)
