"""What commands need of the deliveries to others, as protocols; the store answers them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from kycmanager.domain.outbound import Delivery


class DeliveryQuery(Struct, frozen=True, kw_only=True):
    """What the deliveries are asked for; 0, "" and None mean "any". Newest first, ids below `before_id` when not 0."""

    brands: frozenset[str] | None
    customer_id: int = 0
    channel: str = ""
    state: int | None = None
    before_id: int = 0
    limit: int = 100


class OutboundChange(Struct):
    """What a batch does to the deliveries: rows that are new or changed, cursors, marks, and what is forgotten."""

    deliveries: list[Delivery]
    cursors: dict[str, int]
    marks: dict[tuple[str, int], str]
    forget_before: int
    """Those that ended before are deleted, the oldest of them where there are many; 0 = none."""


class OutboundChanges(Protocol):
    """What a write handler may read and do; only what waits or is dead is in memory."""

    def delivery(self, delivery_id: int) -> Delivery | None: ...
    def delivery_of(self, channel: str, seq: int, recipient: int) -> Delivery | None:
        """Return what waits or is dead of an event in a channel."""
        ...

    def cursor(self, channel: str) -> int | None:
        """Return the number of the last event that was looked at for a channel, None for one never heard of."""
        ...

    def dead(self, channel: str) -> Sequence[Delivery]:
        """Return what was given up in a channel, ids ascending."""
        ...

    def put_delivery(self, delivery: Delivery) -> None: ...
    def set_cursor(self, channel: str, seq: int) -> None: ...
    def set_mark(self, channel: str, recipient: int, mark: str) -> None:
        """Keep what a channel has last told, or will tell, a recipient."""
        ...

    def forget(self, before: int) -> None:
        """Delete what ended before a time."""
        ...
