"""The deliveries in memory, and what a batch changes of them: those that wait and those given up; no others."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kycmanager.domain.outbound import Delivery, DeliveryState
from kycmanager.outbound_ports import OutboundChange

KEPT = frozenset({DeliveryState.WAITING, DeliveryState.DEAD})


def _nobody() -> None:
    """Tell nobody."""


class OutboundTables:
    """The committed deliveries, cursors and marks; `changed` is called after every commit that touches them."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = _nobody
        self.cursors: dict[str, int] = {}
        self.marks: dict[tuple[str, int], str] = {}
        self.deliveries: dict[int, Delivery] = {}
        self._by_event: dict[tuple[str, int], int] = {}

    def load(
        self, deliveries: Iterable[Delivery], cursors: Iterable[tuple[str, int]], marks: Iterable[tuple[str, int, str]]
    ) -> None:
        """Fill the empty tables."""
        self.cursors.update(cursors)
        self.marks.update({(channel, customer_id): mark for channel, customer_id, mark in marks})
        for delivery in deliveries:
            self.put(delivery)

    def delivery_of(self, channel: str, seq: int) -> Delivery | None:
        """Return what waits or is dead of an event in a channel."""
        return self.deliveries.get(self._by_event.get((channel, seq), 0))

    def put(self, delivery: Delivery) -> None:
        """Keep a delivery, or let it go when it has arrived."""
        key = (delivery.channel, delivery.seq)
        if delivery.state in KEPT:
            self.deliveries[delivery.id] = delivery
            self._by_event[key] = delivery.id
        elif self.deliveries.pop(delivery.id, None) is not None:
            del self._by_event[key]

    def forget(self, before: int) -> None:
        """Let go of what was given up before a time."""
        old = [each for each in self.deliveries.values() if each.ended_time and each.ended_time < before]
        for delivery in old:
            del self.deliveries[delivery.id]
            del self._by_event[delivery.channel, delivery.seq]


class OutboundOverlay:
    """What a batch changes, over the committed tables. Answers `OutboundChanges`; `set_` can be undone."""

    def __init__(self, held: OutboundTables, set_: Callable[[dict[Any, Any], Any, Any], None]) -> None:
        self._held = held
        self._set = set_
        self._deliveries: dict[int, Delivery] = {}
        self._by_event: dict[tuple[str, int], int] = {}
        self._cursors: dict[str, int] = {}
        self._marks: dict[tuple[str, int], str] = {}
        self._forget: dict[str, int] = {}

    def delivery(self, delivery_id: int) -> Delivery | None:
        """Return a delivery that waits or is dead, or None."""
        found = self._deliveries.get(delivery_id) or self._held.deliveries.get(delivery_id)
        return found if found is not None and found.state in KEPT else None

    def delivery_of(self, channel: str, seq: int) -> Delivery | None:
        """Return what waits or is dead of an event in a channel."""
        changed = self._by_event.get((channel, seq))
        if changed is not None:
            return self.delivery(changed)
        found = self._held.delivery_of(channel, seq)
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
        self._set(self._by_event, (delivery.channel, delivery.seq), delivery.id)

    def set_cursor(self, channel: str, seq: int) -> None:
        """Go on after an event."""
        self._set(self._cursors, channel, seq)

    def set_mark(self, channel: str, customer_id: int, mark: str) -> None:
        """Keep what a channel has last told, or will tell, of a customer."""
        self._set(self._marks, (channel, customer_id), mark)

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
        held.changed()
